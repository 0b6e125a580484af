"""Figures of a run's scores: what it learned and where it errs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from lenet_tf.evaluation.image_figures import plot_gallery
from lenet_tf.evaluation.palette import BLUE, GRAY, ORANGE
from lenet_tf.evaluation.plotting import despine, format_epoch_axis
from lenet_tf.evaluation.scores import Scores, calibration_curve

_MAX_MISTAKES = 24
# Classes of a confusion matrix whose counts are written into it.
_MAX_NUMBERED = 62


def plot_learning_curves(history: Mapping[str, Sequence[float]]) -> Figure:
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


def plot_confusion_matrix(scores: Scores) -> Figure:
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


def plot_class_scores(scores: Scores) -> Figure:
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


def plot_calibration(chances: np.ndarray, labels: np.ndarray) -> Figure:
    """How often answers of each probability are right, and how many there are; see `calibration_curve`."""
    x, y, counts, error = calibration_curve(chances, labels)
    figure = Figure(figsize=(4.2, 3.8))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=GRAY, linewidth=1, label="as sure as right")
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


def plot_mistakes(
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
    return plot_gallery([images[number] for number in worst], titles, "no mistake", columns)
