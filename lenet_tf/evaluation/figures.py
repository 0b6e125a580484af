"""The figures of a run's report: what it learned, what it answers, what is inside. Colors that color-blind people tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tf.evaluation.scores import Scores

# Of Okabe and Ito's palette.
BLUE, ORANGE, _GREY = "#0072B2", "#D55E00", "0.55"
_INK = "gray_r"
# Of the probability given, finer where a good network gives most of them.
_BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
# Maps and units of one layer that are drawn, and wrong answers.
_MAX_MAPS, _MAX_MISTAKES = 24, 24
# From one map to the next, in widths of a map.
_MAP_STEP = 1.08
# Classes of a confusion matrix whose counts are written into it.
_MAX_NUMBERED = 62


def format_epoch_axis(axes: Any, name: str) -> None:
    """Axes of `loss`, logarithmic, or `accuracy` by epoch."""
    axes.set(xlabel="epoch", ylabel=name, yscale="log" if name == "loss" else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if name == "loss":
        # 0.02 rather than 2×10⁻².
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())


def despine(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)


def learning_curves(history: Mapping[str, Sequence[float]]) -> Figure:
    """Loss and accuracy of training and validation by epoch, from a run's history."""
    figure = Figure(figsize=(9, 3.2))
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for prefix, label, color in (("", "training", BLUE), ("val_", "validation", ORANGE)):
            values = history[prefix + name]
            axes.plot(
                range(1, len(values) + 1),
                values,
                "o-" if len(values) < 30 else "-",
                color=color,
                markersize=4,
                label=label,
            )
        format_epoch_axis(axes, name)
        despine(axes)
    figure.axes[0].legend(frameon=False)
    figure.tight_layout()
    return figure


def confusion_matrix(scores: Scores) -> Figure:
    """How many images of each class, a row, were answered by each, a column; the color counts the wrong ones only."""
    confusion = scores.confusion
    count = len(confusion)
    wrong = np.where(np.eye(count, dtype=bool), 0, confusion)
    # Numbers in so many squares would be neither legible nor drawn in a second.
    many = count > _MAX_NUMBERED
    figure = Figure(figsize=(9, 8.6) if many else (0.48 * count + 1.3, 0.48 * count + 0.9))
    axes = figure.subplots()
    axes.imshow(wrong, cmap="Oranges", norm=PowerNorm(0.6, 0, max(1, wrong.max() * 1.6)))
    for label in range(count):
        for answer in range(count):
            if confusion[label, answer] and not many:
                weight, color = ("bold", BLUE) if label == answer else ("normal", "black")
                axes.text(
                    answer,
                    label,
                    f"{confusion[label, answer]}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=color,
                    weight=weight,
                )
    ticks = range(0, count, 10 if many else 1)
    axes.set(xticks=ticks, yticks=ticks, xlabel="answered", ylabel="class")
    axes.tick_params(length=0)
    figure.tight_layout()
    return figure


def class_scores(scores: Scores) -> Figure:
    """Recall and precision of each class with their 95% intervals."""
    count = len(scores.confusion)
    figure = Figure(figsize=(max(6, 0.7 * count), 3))
    axes = figure.subplots()
    for offset, name, color, marker in (
        (-0.12, "recall", BLUE, "o"),
        (0.12, "precision", ORANGE, "s"),
    ):
        found = [getattr(scores, name)(label) for label in range(count)]
        values = np.array([[score.value, score.low, score.high] for score in found]) * 100
        apart = np.abs(values[:, 1:].T - values[:, 0])
        axes.errorbar(
            np.arange(count) + offset,
            values[:, 0],
            yerr=apart,
            fmt=marker,
            color=color,
            markersize=4,
            capsize=2,
            label=name,
        )
    axes.set(xticks=range(count), xlabel="class", ylabel="%, with 95% interval")
    axes.legend(frameon=False, ncols=2, loc="lower left")
    despine(axes)
    figure.tight_layout()
    return figure


def calibration(
    chances: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """(Mean probability, share answered rightly, images) for each bin of the greatest probability that holds any image, and the expected
    calibration error: the mean distance between the first two over all images. `chances`: (N, classes); `labels`: (N,)."""
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    bins = np.digitize(sure, _BINS)
    parts = [bins == number for number in np.unique(bins)]
    given, shares = (np.array([values[part].mean() for part in parts]) for values in (sure, right))
    counts = np.array([part.sum() for part in parts])
    return given, shares, counts, float((counts * np.abs(given - shares)).sum() / len(labels))


def reliability(chances: np.ndarray, labels: np.ndarray) -> Figure:
    """How often answers of each probability are right, and how many there are; see `calibration`."""
    x, y, counts, error = calibration(chances, labels)
    figure = Figure(figsize=(4.2, 3.8))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1, label="as sure as right")
    axes.plot(x, y, "o-", color=BLUE, label="answers, and how many")
    for place, share, count in zip(x, y, counts, strict=True):
        axes.annotate(
            f"{count:,}",
            (place, share),
            (5, -10),
            textcoords="offset points",
            fontsize=7,
            color="0.35",
        )
    axes.set(
        xlim=(0, 1.08), ylim=(0, 1.05), xlabel="probability given", ylabel="share answered rightly"
    )
    axes.set_title(f"expected calibration error {error:.2%}", fontsize=10)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    despine(axes)
    figure.tight_layout()
    return figure


def mistakes(
    images: np.ndarray, labels: np.ndarray, chances: np.ndarray, columns: int = 8
) -> Figure:
    """The wrong answers that were given with the greatest probability: raw images (N, height, width[, channels]), labels (N,), and
    (N, classes)."""
    answers = chances.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")][:_MAX_MISTAKES]
    titles = [
        f"{labels[number]} as {answers[number]}, {chances[number].max():.0%}" for number in worst
    ]
    return gallery([images[number] for number in worst], titles, "no mistake", columns)


def to_displayable(images: np.ndarray) -> np.ndarray:
    """Raw images (N, height, width[, channels]) of whole numbers 0…255 as uint8: with three channels as they are, else gray (N, height,
    width), which of several other channels is their mean."""
    if images.ndim == 4 and images.shape[-1] != 3:
        images = images.mean(axis=-1)
    return images.astype(np.uint8)


def gallery(
    images: Sequence[np.ndarray], titles: Sequence[str], none: str, columns: int = 8
) -> Figure:
    """Raw images (height, width[, channels]) in lines of so many, each below its title of one line or more; `none` is said of no image."""
    drawn = to_displayable(np.stack(images)) if len(images) else ()
    lines = max(1, -(-len(images) // columns))
    # Inches. One pair of axes for all: 24 of them take a second, which is much where a network trains.
    width, side, above = (
        1.125,
        0.98,
        0.22 + 0.15 * max((title.count("\n") for title in titles), default=0),
    )
    height = above + side + 0.1
    figure = Figure(figsize=(width * columns, height * lines))
    axes = figure.add_axes((0, 0, 1, 1))
    for number, (image, title) in enumerate(zip(drawn, titles, strict=True)):
        left, top = (
            number % columns * width + (width - side) / 2,
            number // columns * height + above,
        )
        axes.imshow(
            image,
            cmap=_INK,
            vmin=0,
            vmax=255,
            extent=(left, left + side, top + side, top),
            aspect="auto",
        )
        axes.text(left + side / 2, top - 0.04, title, ha="center", va="bottom", fontsize=8)
    if not len(images):
        axes.text(width / 2, height / 2, none, fontsize=10)
    axes.set(xlim=(0, width * columns), ylim=(height * lines, 0))
    axes.set_axis_off()
    return figure


def filters_picture(kernels: np.ndarray, name: str) -> Figure:
    """The kernels of the first convolution, (height, width, input maps, feature maps): violet is negative, orange positive."""
    count = min(kernels.shape[-1], _MAX_MAPS)
    most = float(np.nanmax(np.abs(kernels))) or 1.0
    figure = Figure(figsize=(0.95 * count + 0.2, 1.25))
    for number, axes in enumerate(figure.subplots(1, count, squeeze=False)[0]):
        # Of several input maps the mean; a connection that does not exist counts for nothing.
        axes.imshow(np.nanmean(kernels[..., number], axis=-1), cmap="PuOr_r", vmin=-most, vmax=most)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{name}.{number}", fontsize=8)
    figure.tight_layout()
    return figure


def maps_picture(maps: Mapping[str, np.ndarray]) -> Figure:
    """What every layer makes of one image: layer → (height, width, maps) or (units,), as `lenet_tf.evaluation.inspection.feature_maps` gives it for
    each; dark is high."""
    shown = {name: values for name, values in maps.items() if values.ndim == 3 or values.ndim == 1}
    # Flattened maps are those above them once more.
    names = [
        name
        for number, name in enumerate(shown)
        if not (shown[name].ndim == 1 and _repeats(list(shown.values()), number))
    ]
    columns = min(
        _MAX_MAPS, max(shown[name].shape[-1] if shown[name].ndim == 3 else 1 for name in names)
    )
    heights = [1.0 if shown[name].ndim == 3 else 0.45 for name in names]
    figure = Figure(figsize=(10, 0.62 * sum(heights) * max(1, 16 / max(columns, 8)) + 0.3))
    lines = figure.add_gridspec(len(names), 1, height_ratios=heights, hspace=0.25)
    for line, name in zip(lines, names, strict=True):
        values = shown[name]
        axes = figure.add_subplot(line)
        if values.ndim == 1:
            axes.imshow(values[None], cmap=_INK, aspect="auto")
        else:
            _map_line(axes, values[..., :columns])
            axes.set(xlim=(-0.02, columns * _MAP_STEP), anchor="W")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def _map_line(axes: Any, maps: np.ndarray) -> None:
    """Maps (height, width, maps) side by side, each framed, in one pair of axes: a pair for each takes seconds for some sixty."""
    low, high, height = maps.min(), maps.max(), maps.shape[0] / maps.shape[1]
    for number, map_ in enumerate(np.moveaxis(maps, -1, 0)):
        left = number * _MAP_STEP
        axes.imshow(map_, cmap=_INK, vmin=low, vmax=high, extent=(left, left + 1, height, 0))
        axes.add_patch(Rectangle((left, 0), 1, height, fill=False, linewidth=0.8))
    axes.set_ylim(height + 0.02, -0.02)
    for side in axes.spines.values():
        side.set_visible(False)


def _repeats(values: Sequence[np.ndarray], number: int) -> bool:
    return (
        number > 0
        and values[number - 1].size == values[number].size
        and np.array_equal(values[number - 1].ravel(), values[number].ravel())
    )
