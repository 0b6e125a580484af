"""The drawing of figure 9: published and our test errors of every classifier."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lenet_tf.evaluation.palette import BLUE, GRAY, LIGHT_GRAY, ORANGE
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.reproduce.figure9_bars import Bar, format_published

_TICKS = (0.5, 0.7, 1, 1.5, 2, 3, 5, 8, 12)
# Columns of numbers beside the axes, in widths of the axes.
_PUBLISHED, _OURS = 1.09, 1.27
# Between the outer marks and the edges, as a factor.
_MARGIN = 1.15


@default_style()
def plot_figure9(bars: Sequence[tuple[Bar, Sequence[float]]]) -> Figure:
    """Draw the published and our test errors of each classifier on a logarithmic axis.

    Marks instead of the paper's bars, because a logarithmic axis has no zero for a bar to start at.

    Args:
        bars: The classifiers from top to bottom, each with the test errors of our runs in %; none
            for a classifier that hasn't been run.

    Returns:
        The figure. A line shows the smallest and the largest error of several runs.
    """
    figure = Figure(figsize=(8, 0.3 * max(1, len(bars)) + 1.4))
    axes = figure.subplots()
    for y, (bar, errors) in enumerate(bars):
        if bar.begins_family and y:
            axes.axhline(y - 0.5, color=GRAY, linewidth=0.8)
        _plot_bar(axes, y, bar.published, errors)
        _write(axes, _PUBLISHED, y, format_published(bar), ORANGE)
        _write(axes, _OURS, y, _format_ours(errors), BLUE if errors else GRAY)
    _write(axes, _PUBLISHED, -1, "published, %", ORANGE)
    _write(axes, _OURS, -1, "ours, %", BLUE)
    _format_axes(axes, [bar.label for bar, _ in bars])
    # A mark at the edge would be cut in half.
    shown = [error for bar, errors in bars for error in (bar.published, *errors)]
    axes.set_xlim(min(shown, default=1) / _MARGIN, max(shown, default=1) * _MARGIN)
    return figure


def _plot_bar(axes: Any, y: int, published: float, errors: Sequence[float]) -> None:
    if errors:
        mean = statistics.mean(errors)
        axes.plot([published, mean], [y, y], color=LIGHT_GRAY, linewidth=4, zorder=1)
        axes.plot([min(errors), max(errors)], [y, y], color=BLUE, marker="|", markersize=8)
        axes.plot([mean], [y], "o", color=BLUE, markersize=7)
    axes.plot(
        [published],
        [y],
        "D",
        color=ORANGE,
        markersize=7,
        markerfacecolor="none",
        markeredgewidth=1.6,
    )


def _write(axes: Any, x: float, y: float, text: str, color: str) -> None:
    transform = axes.get_yaxis_transform()
    axes.text(x, y, text, transform=transform, ha="center", va="center", color=color)


def _format_ours(errors: Sequence[float]) -> str:
    if not errors:
        return "–"
    mean = f"{statistics.mean(errors):.2f}"
    return f"{mean} ± {statistics.stdev(errors):.2f}" if len(errors) > 1 else mean


def _format_axes(axes: Any, labels: Sequence[str]) -> None:
    axes.plot(
        [], [], "D", color=ORANGE, markersize=7, markerfacecolor="none", label="published, 1998"
    )
    axes.plot([], [], "o-", color=BLUE, markersize=7, label="ours: mean and range over seeds")
    axes.set(xscale="log", xlabel="test error on MNIST, % (logarithmic)", yticks=range(len(labels)))
    axes.set_yticklabels(labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(color=LIGHT_GRAY)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.02), ncols=2, frameon=False)
