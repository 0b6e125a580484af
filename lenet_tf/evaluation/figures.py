"""Figures of a run's results: learning curves, scores, confusions, calibration and mistakes.

`plot_mistakes` chooses the mistakes here; `image_figures.plot_gallery` draws their images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from lenet_tf.evaluation.calibration import calibration_curve
from lenet_tf.evaluation.image_figures import plot_gallery
from lenet_tf.evaluation.mistakes import name_mistakes, rank_mistakes
from lenet_tf.evaluation.palette import BLACK, BLUE, DARK_GRAY, GRAY, ORANGE
from lenet_tf.evaluation.plotting import (
    default_style,
    despine,
    format_epoch_axis,
    shorten_names,
)
from lenet_tf.evaluation.scores import Scores

MAX_MISTAKES = 24
# With more classes, a confusion matrix's counts are illegible and slow to draw.
_MAX_CLASSES_WITH_COUNTS = 62
# Cells on a side of a confusion matrix, and labels beside it; classes whose scores are shown.
_MAX_CELLS, _MAX_TICKS, _MAX_SCORED_CLASSES = 500, 20, 62
# Transparent to orange: the cells of a confusion matrix are legible on white and on black.
_ERRORS = LinearSegmentedColormap.from_list("errors", [f"{ORANGE}00", f"{ORANGE}b0"])


@default_style()
def plot_learning_curves(history: Mapping[str, Sequence[float]]) -> Figure:
    """Plot loss and accuracy by epoch.

    Args:
        history: Metric → its value in every epoch, as in `Run.history`.

    Returns:
        The figure, with training and validation in one plot for each metric.
    """
    figure = Figure(figsize=(9, 3.2))
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for prefix, label, color in (("", "training", BLUE), ("val_", "validation", ORANGE)):
            values = history[prefix + metric]
            style = "o-" if len(values) < 30 else "-"
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, style, color=color, markersize=4, label=label)
        format_epoch_axis(axes, metric)
        despine(axes)
    figure.axes[0].legend(frameon=False)
    figure.tight_layout()
    return figure


@default_style()
def plot_confusion_matrix(scores: Scores) -> Figure:
    """Plot a confusion matrix.

    Args:
        scores: The scores.

    Returns:
        The figure: a row for each true class, a column for each predicted class. The color shows
        errors only. Of more than 500 classes, neighbors share a cell.
    """
    count = scores.num_classes
    step = -(-count // _MAX_CELLS)
    labels, predictions, counts = scores.list_errors()
    errors = np.zeros((-(-count // step),) * 2, np.int64)
    np.add.at(errors, (labels // step, predictions // step), counts)
    has_counts = count <= _MAX_CLASSES_WITH_COUNTS
    confusion = scores.confusion if has_counts else errors
    # Counts of up to four digits fit; ten classes are as wide as a phone.
    cell = 0.38 if confusion.max() < 10_000 else 0.48
    figure = Figure(figsize=(cell * count + 1, cell * count + 0.7) if has_counts else (9, 8.6))
    axes = figure.subplots()
    axes.imshow(
        errors,
        cmap=_ERRORS,
        norm=PowerNorm(0.6, 0, max(1, errors.max())),
        extent=(-0.5, len(errors) * step - 0.5, len(errors) * step - 0.5, -0.5),
    )
    for label, prediction in np.argwhere(confusion) if has_counts else ():
        correct = label == prediction
        axes.text(
            prediction,
            label,
            f"{confusion[label, prediction]}",
            ha="center",
            va="center",
            fontsize=9 if cell * count < 6 else 8,
            color=BLUE if correct else BLACK,
            weight="bold" if correct else "normal",
        )
    spacing = 1 if has_counts else 10 * -(-count // (10 * _MAX_TICKS))
    ticks = range(0, count, spacing)
    axes.set(xticks=ticks, yticks=ticks, xlabel="predicted class", ylabel="true class")
    if scores.class_names:
        names = shorten_names([scores.class_names[label] for label in ticks])
        axes.set_xticklabels(names, rotation=_rotate_names(names))
        axes.set_yticklabels(names)
    axes.tick_params(length=0)
    figure.tight_layout()
    return figure


@default_style()
def plot_class_scores(scores: Scores) -> Figure:
    """Plot recall and precision of each class with their 95% intervals.

    Args:
        scores: The scores.

    Returns:
        The figure. Of more than 62 classes it shows those with the lowest recall.
    """
    shown = _choose_scored_classes(scores)
    count = len(shown)
    figure = Figure(figsize=(max(4.6, 0.46 * count), 3))
    axes = figure.subplots()
    for offset, name, color, marker in (
        (-0.12, "recall", BLUE, "o"),
        (0.12, "precision", ORANGE, "s"),
    ):
        each = [getattr(scores, name)(label) for label in shown]
        values = np.array([[score.value, score.low, score.high] for score in each]) * 100
        axes.errorbar(
            np.arange(count) + offset,
            values[:, 0],
            yerr=np.abs(values[:, 1:].T - values[:, 0]),
            fmt=marker,
            color=color,
            markersize=4,
            capsize=2,
            label=name,
        )
    xlabel = "class" if count == scores.num_classes else "classes with the lowest recall"
    axes.set(xticks=range(count), xlabel=xlabel, ylabel="%, with 95% interval")
    if scores.class_names or count < scores.num_classes:
        names = shorten_names([scores.name_class(label) for label in shown])
        axes.set_xticklabels(names, rotation=_rotate_names(names))
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    despine(axes)
    figure.tight_layout()
    return figure


def _choose_scored_classes(scores: Scores) -> list[int]:
    """Return the classes with the lowest recall, in order; all of them if they are few."""
    if scores.num_classes <= _MAX_SCORED_CLASSES:
        return list(range(scores.num_classes))
    (tested,) = np.nonzero(scores.images)
    recalls = scores.counts.diagonal()[tested] / scores.images[tested]
    order = np.argsort(recalls, kind="stable")[:_MAX_SCORED_CLASSES]
    return sorted(tested[order].tolist())


def _rotate_names(names: Sequence[str]) -> int:
    """Return the degrees by which to turn names under an axis."""
    return 90 if max(map(len, names)) > 3 else 0


@default_style()
def plot_calibration(probabilities: np.ndarray, labels: np.ndarray) -> Figure:
    """Plot accuracy against confidence; see `calibration_curve`.

    Args:
        probabilities: Class probabilities, float (N, classes).
        labels: True classes, int (N,).

    Returns:
        The figure. Each point says how many images it stands for.
    """
    curve = calibration_curve(probabilities, labels)
    figure = Figure(figsize=(4.2, 3.8))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=GRAY, linewidth=1, label="perfect calibration")
    axes.plot(
        curve.confidence, curve.accuracy, "o-", color=BLUE, label="predictions, with their number"
    )
    for confidence, accuracy, count in zip(
        curve.confidence, curve.accuracy, curve.counts, strict=True
    ):
        axes.annotate(
            f"{count:,}",
            (confidence, accuracy),
            (5, -10),
            textcoords="offset points",
            fontsize=8,
            color=DARK_GRAY,
        )
    axes.set(xlim=(0, 1.08), ylim=(0, 1.05), xlabel="mean confidence", ylabel="accuracy")
    axes.set_title(f"expected calibration error {curve.error:.2%}", fontsize=10)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    despine(axes)
    figure.tight_layout()
    return figure


@default_style()
def plot_mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str] = (),
    columns: int = 8,
    are_photographs: bool = False,
) -> Figure:
    """Show the misclassified images with the highest confidence.

    Args:
        images: Raw images of values 0 to 255, (N, height, width) or (N, height, width, channels).
        labels: True classes, int (N,).
        probabilities: Class probabilities, float (N, classes).
        class_names: Names of the classes; none are numbers.
        columns: Images in one line.
        are_photographs: Whether gray images are shown as they are, not as ink.

    Returns:
        The figure, with up to 24 images.
    """
    chosen = rank_mistakes(labels, probabilities)[:MAX_MISTAKES]
    titles = name_mistakes(labels, probabilities, chosen, class_names)
    shown = [images[index] for index in chosen]
    return plot_gallery(shown, titles, "no mistakes", columns, are_photographs)
