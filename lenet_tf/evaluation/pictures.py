"""Pictures for people. matplotlib draws them: the standard of scientific Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lenet_tf.data.dataset import RawData
from lenet_tf.data.preprocessing import NORMALIZED_RANGES, prepare_images
from lenet_tf.errors import RunError
from lenet_tf.specs import AUGMENTATIONS, Spec
from lenet_tf.specs.rbf_codes import DIGIT_CODES, HEIGHT, WIDTH

_INK = "gray_r"


def save_figure(figure: Figure, path: Path, texts: Mapping[str, str] | None = None) -> None:
    """Writes a PNG, with `texts` in it, by name; raises `RunError` where that cannot be done."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        figure.savefig(partial, format="png", dpi=120, bbox_inches="tight", metadata=texts)
        partial.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def codes_picture() -> Figure:
    """The ten 7×12 codes of LeNet-5's output layer, ink +1, background −1."""
    figure = Figure(figsize=(8, 1.9))
    for digit, axes in enumerate(figure.subplots(1, len(DIGIT_CODES))):
        axes.imshow(np.reshape(DIGIT_CODES[digit], (HEIGHT, WIDTH)), cmap=_INK, vmin=-1, vmax=1)
        axes.set(
            xticks=np.arange(WIDTH + 1) - 0.5,
            yticks=np.arange(HEIGHT + 1) - 0.5,
            xticklabels=[],
            yticklabels=[],
        )
        axes.grid(color="0.75", linewidth=0.4)
        axes.tick_params(length=0)
        axes.set_title(digit, fontsize=11)
    figure.suptitle("Output codes: 7×12 pixels, ink +1, background −1", fontsize=11, y=1.06)
    return figure


def distortions_picture(raw: RawData, spec: Spec, seed: int, draws: int = 3) -> Figure:
    """A training image of each class above what each kind of augmentation makes of it, `draws` times, as the network is given it."""
    from lenet_tf.data.augmentation import distort

    first = [np.flatnonzero(raw.y_train == label)[:1] for label in range(raw.num_classes)][:10]
    images = prepare_images(raw.x_train[np.concatenate(first)], spec.preparation)
    background = NORMALIZED_RANGES[spec.preparation.normalization][0]
    rows = [("original", images)]
    for name, how in AUGMENTATIONS.items():
        rows += [
            (name, np.asarray(distort(images, (seed, draw), how, background)))
            for draw in range(draws)
        ]
    return contact_sheet(rows, f"{raw.name}: training images and what --augment makes of them")


def contact_sheet(rows: Sequence[tuple[str, Any]], title: str) -> Figure:
    """One line of images for each (name, images); images are (N, height, width, channels), dark where their values are high."""
    count = max(len(images) for _, images in rows)
    figure = Figure(figsize=(0.62 * count + 1.6, 0.62 * len(rows) + 0.5))
    low, high = min(np.min(images) for _, images in rows), max(np.max(images) for _, images in rows)
    for (name, images), line in zip(
        rows, figure.subplots(len(rows), count, squeeze=False), strict=True
    ):
        for axes in line:
            axes.set_axis_off()
        for image, axes in zip(images, line, strict=False):
            if image.shape[-1] == 1:
                axes.imshow(image[..., 0], cmap=_INK, vmin=low, vmax=high)
            else:
                axes.imshow((image - low) / (high - low))
        line[0].text(
            -0.2, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=9
        )
    figure.subplots_adjust(wspace=0.05, hspace=0.05, top=1 - 0.45 / figure.get_figheight())
    figure.suptitle(title, fontsize=11, y=1, va="top")
    return figure


def answers_picture(answers: Sequence[Any], columns: int = 6, most: int = 120) -> Figure:
    """What files hold beside what a network was shown of them and said (`lenet_tf.inference.predict.PicturePrediction`), up to `most` of them."""
    answers = answers[:most]
    lines = max(1, -(-len(answers) // columns))
    figure = Figure(figsize=(2.4 * min(columns, max(1, len(answers))), 1.75 * lines))
    grid = figure.subplots(lines, 2 * min(columns, max(1, len(answers))), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, answer in enumerate(answers):
        before, after = grid[number // columns][2 * (number % columns) :][:2]
        before.imshow(answer.picture, cmap="gray", vmin=0, vmax=255)
        after.imshow(answer.digit, cmap=_INK, vmin=0, vmax=255)
        after.set_title(f"{answer.label}  {answer.probability:.0%}", fontsize=9)
        before.set_title(
            answer.file.name if len(answer.file.name) <= 14 else f"{answer.file.name[:13]}…",
            fontsize=7,
        )
    figure.subplots_adjust(wspace=0.08, hspace=0.3)
    return figure


def reproduction_picture(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Test errors of many runs against published numbers: for each row its `name`, its runs' `errors`, and what is `published`, if
    anything, all in %. On a logarithmic axis, since the rows span more than a power of ten.
    """
    figure = Figure(figsize=(9, 0.42 * max(1, len(rows)) + 1.5))
    axes = figure.subplots()
    ours, theirs = "#1f5fa8", "#c23b22"
    for place, row in enumerate(rows):
        errors = row["errors"]
        # Below the mean, which would hide them.
        axes.plot(
            errors,
            [place + 0.24] * len(errors),
            "o",
            color=ours,
            alpha=0.4,
            markersize=4,
            markeredgewidth=0,
        )
        axes.errorbar(
            np.mean(errors),
            place,
            xerr=np.std(errors, ddof=1) if len(errors) > 1 else None,
            fmt="o",
            color=ours,
            capsize=4,
            markersize=7,
            label="ours: mean ± standard deviation, each run" if place == 0 else None,
        )
        if row["published"] is not None:
            axes.plot(
                row["published"],
                place,
                "D",
                color=theirs,
                markersize=7,
                markerfacecolor="none",
                markeredgewidth=1.6,
            )
    axes.plot(
        [],
        [],
        "D",
        color=theirs,
        markerfacecolor="none",
        markeredgewidth=1.6,
        linestyle="",
        label="published",
    )
    axes.set(xscale="log", xlabel="test error, % (logarithmic)", yticks=range(len(rows)))
    axes.set_yticklabels([row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(FixedLocator([0.5, 0.6, 0.8, 1, 1.5, 2, 3, 5, 8, 10, 15]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color="0.88")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return figure
