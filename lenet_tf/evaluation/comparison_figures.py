"""The figures of a comparison of runs. Each run has a color, a marker and a stroke of its own, the same in every figure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.evaluation.image_figures import plot_gallery
from lenet_tf.evaluation.palette import SERIES
from lenet_tf.evaluation.plotting import despine, format_epoch_axis

# Runs beyond the palette's colors differ by stroke and marker.
_MARKERS = "os^Dv*PX<>ph"
# Runs that can be told apart, classes that one figure has room for, images that one gallery has.
MAX_RUNS, _MAX_CLASSES, MAX_IMAGES = len(_MARKERS), 30, 24


def _style(number: int) -> dict[str, Any]:
    stroke = "--" if number >= len(SERIES) else "-"
    return {
        "color": SERIES[number % len(SERIES)],
        "marker": _MARKERS[number],
        "linestyle": stroke,
        "markersize": 4.5,
    }


def _legend(figure: Figure) -> None:
    """Above the axes, where it hides nothing."""
    lines, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        lines,
        names,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=min(4, len(names)),
        frameon=False,
        fontsize=9,
    )


def plot_validation_curves(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Validation accuracy and loss by epoch of each run, by its name."""
    figure = Figure(figsize=(9, 3.4))
    for axes, name in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for number, (run, history) in enumerate(histories.items()):
            values = history[f"val_{name}"]
            style = _style(number) | ({"markevery": max(1, len(values) // 15)})
            axes.plot(range(1, len(values) + 1), values, label=run, linewidth=1.4, **style)
        format_epoch_axis(axes, name)
        axes.set_ylabel(f"validation {name}")
        despine(axes)
    figure.tight_layout()
    _legend(figure)
    return figure


def plot_recalls(found: Mapping[str, np.ndarray], numbers: Sequence[int]) -> Figure:
    """Recall of each class with its 95% interval: run → (classes, 3) of value, low, high, NaN for a class without images. `numbers`: which
    runs they are, for their colors. Of many classes those in which the runs differ most."""
    values = np.stack([*found.values()]) * 100
    spread = np.ptp(np.nan_to_num(values[..., 0]), axis=0)
    shown = np.sort(np.argsort(-spread, kind="stable")[:_MAX_CLASSES])
    step = min(0.12, 0.8 / len(found))
    figure = Figure(figsize=(max(9, len(shown) * min(0.8, 0.25 + 0.07 * len(found))), 3.4))
    axes = figure.subplots()
    for place, (run, number) in enumerate(zip(found, numbers, strict=True)):
        value, low, high = values[place, shown].T
        x = np.arange(len(shown)) + (place - (len(found) - 1) / 2) * step
        style = _style(number) | {"linestyle": "", "markersize": 4}
        axes.errorbar(
            x,
            value,
            yerr=np.stack([value - low, high - value]),
            elinewidth=0.9,
            capsize=1.5,
            label=run,
            **style,
        )
    for edge in np.arange(len(shown) - 1) + 0.5:
        axes.axvline(edge, color="0.85", linewidth=0.8)
    despine(axes)
    axes.grid(visible=False, axis="x")
    axes.set(
        xticks=range(len(shown)),
        xticklabels=shown,
        xlabel="class",
        ylabel="recall, %, with 95% interval",
        xlim=(-0.5, len(shown) - 0.5),
    )
    figure.tight_layout()
    _legend(figure)
    return figure


def plot_shared_mistakes(
    images: Any, labels: np.ndarray, answers: Mapping[str, np.ndarray], sure: np.ndarray
) -> tuple[Figure, int]:
    """(The images that every run answers wrongly, how many there are): those first of which the runs are surest. `answers`: letter of a run
    → (N,); `sure` (N,): the mean of the probabilities that the runs give to their answers."""
    wrong = np.flatnonzero(np.logical_and.reduce([each != labels for each in answers.values()]))
    chosen = wrong[np.argsort(-sure[wrong], kind="stable")][:MAX_IMAGES]
    titles = [
        f"{labels[number]}, image {number}\n{_said({run: int(each[number]) for run, each in answers.items()})}"
        for number in chosen
    ]
    return plot_gallery([images[number] for number in chosen], titles, "none"), len(wrong)


def _said(answers: Mapping[str, int]) -> str:
    """`9 by AC`, a line for each answer, the most frequent first."""
    if len(set(answers.values())) == 1:
        return f"{next(iter(answers.values()))} by all"
    by = {
        answer: "".join(runs)
        for answer, runs in itertools.groupby(
            sorted(answers, key=answers.__getitem__), answers.__getitem__
        )
    }
    return "\n".join(
        f"{answer} by {runs}" for answer, runs in sorted(by.items(), key=lambda item: -len(item[1]))
    )
