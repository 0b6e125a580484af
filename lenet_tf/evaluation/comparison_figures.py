"""Figures that compare runs. A run has the same color, marker and line style in each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.evaluation.palette import LIGHT_GRAY, SERIES_COLORS, SERIES_MARKERS
from lenet_tf.evaluation.plotting import (
    default_style,
    despine,
    format_epoch_axis,
    shorten_names,
)
from lenet_tf.evaluation.scores import name_class

MAX_IMAGES = 24
_MAX_CLASSES = 30
# Characters of a run's name of which a legend shows three in a line.
_SHORT_NAME = 16


class SharedMistakes(NamedTuple):
    """Images that every run misclassifies.

    Attributes:
        indices: Those of which the runs are most confident, up to `MAX_IMAGES`, int (n,).
        titles: For each of them its class, its number and the runs' predictions.
        total: The number of all such images.
    """

    indices: np.ndarray
    titles: list[str]
    total: int


@default_style()
def plot_validation_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Plot validation accuracy and loss by epoch.

    Args:
        histories: Run → metric → its value in every epoch.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(9, 3.4))
    for axes, metric in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for number, (run, history) in enumerate(histories.items()):
            values = history[f"val_{metric}"]
            style = _get_style(number) | {"markevery": max(1, len(values) // 15)}
            axes.plot(range(1, len(values) + 1), values, label=run, linewidth=1.4, **style)
        format_epoch_axis(axes, metric)
        axes.set_ylabel(f"validation {metric}")
        despine(axes)
        _add_legend(axes)
    figure.tight_layout()
    return figure


@default_style()
def plot_recalls(
    recalls: Mapping[str, np.ndarray], numbers: Sequence[int], class_names: Sequence[str] = ()
) -> Figure:
    """Plot the recall of each class with its 95% interval.

    Args:
        recalls: Run → recall, lower and upper bound of each class, float (classes, 3), with NaN
            for a class without images.
        numbers: The runs' numbers on the page, which decide their colors and markers.
        class_names: Names of the classes; none are numbers.

    Returns:
        The figure. Of many classes it shows the 30 in which the runs differ most.
    """
    values = np.stack([*recalls.values()]) * 100
    spread = np.ptp(np.nan_to_num(values[..., 0]), axis=0)
    shown = np.sort(np.argsort(-spread, kind="stable")[:_MAX_CLASSES])
    step = min(0.12, 0.8 / len(recalls))
    width = len(shown) * min(0.8, 0.25 + 0.07 * len(recalls))
    figure = Figure(figsize=(max(4.6, width), 3.4))
    axes = figure.subplots()
    for index, (run, number) in enumerate(zip(recalls, numbers, strict=True)):
        value, low, high = values[index, shown].T
        style = _get_style(number) | {"linestyle": "", "markersize": 4}
        axes.errorbar(
            np.arange(len(shown)) + (index - (len(recalls) - 1) / 2) * step,
            value,
            yerr=np.stack([value - low, high - value]),
            elinewidth=0.9,
            capsize=1.5,
            label=run,
            **style,
        )
    for edge in np.arange(len(shown) - 1) + 0.5:
        axes.axvline(edge, color=LIGHT_GRAY, linewidth=0.8)
    despine(axes)
    axes.grid(visible=False, axis="x")
    names = shorten_names([name_class(label, class_names) for label in shown])
    axes.set(xticks=range(len(shown)))
    axes.set_xticklabels(names, rotation=90 if max(map(len, names)) > 3 else 0)
    axes.set(
        xlabel="class",
        ylabel="recall, %, with 95% interval",
        xlim=(-0.5, len(shown) - 0.5),
    )
    _add_legend(axes)
    figure.tight_layout()
    return figure


def find_shared_mistakes(
    labels: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    confidence: np.ndarray,
    class_names: Sequence[str] = (),
) -> SharedMistakes:
    """Find the images that every run misclassifies.

    Args:
        labels: True classes, int (N,).
        predictions: Letter of a run → its predicted classes, int (N,).
        confidence: The mean of the runs' confidence, float (N,).
        class_names: Names of the classes; none are numbers.

    Returns:
        The images, those of the highest confidence first.
    """
    wrong = np.flatnonzero(np.logical_and.reduce([each != labels for each in predictions.values()]))
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_IMAGES]
    titles = []
    for index in chosen:
        by_run = {run: int(each[index]) for run, each in predictions.items()}
        name = name_class(labels[index], class_names)
        titles.append(f"{name}, image {index}\n{_format_predictions(by_run, class_names)}")
    return SharedMistakes(chosen, titles, len(wrong))


def _get_style(number: int) -> dict[str, Any]:
    return {
        "color": SERIES_COLORS[number % len(SERIES_COLORS)],
        "marker": SERIES_MARKERS[number],
        "linestyle": "--" if number >= len(SERIES_COLORS) else "-",
        "markersize": 4.5,
    }


def _add_legend(axes: Any) -> None:
    """Add a legend above the axes, where it covers nothing."""
    _, names = axes.get_legend_handles_labels()
    longest = max(map(len, names))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3 if longest <= _SHORT_NAME else 1,
        frameon=False,
        fontsize=9,
        columnspacing=1.2,
    )


def _format_predictions(predictions: Mapping[str, int], class_names: Sequence[str]) -> str:
    """Format `9 by AC`, a line for each predicted class, the most frequent first."""
    if len(set(predictions.values())) == 1:
        return f"{name_class(next(iter(predictions.values())), class_names)} by all"
    runs = sorted(predictions, key=predictions.__getitem__)
    letters = {
        prediction: "".join(group)
        for prediction, group in itertools.groupby(runs, predictions.__getitem__)
    }
    lines = sorted(letters.items(), key=lambda item: -len(item[1]))
    return "\n".join(f"{name_class(label, class_names)} by {group}" for label, group in lines)
