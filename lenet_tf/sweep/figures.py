"""Figures of a sweep's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tf.evaluation.palette import BLUE, GRAY, ORANGE
from lenet_tf.evaluation.plotting import default_style, despine, shorten_names
from lenet_tf.sweep.field import SweptField
from lenet_tf.sweep.space import OBJECTIVES, Space
from lenet_tf.sweep.summary import Sweep, Trial

# Values that differ by more than this factor get a logarithmic axis.
_LOG_FACTOR = 5
# Numbers between the powers of ten fit on an axis whose ends differ by less.
_SHORT_RANGE = 100
# Letters of the choices that fit side by side.
_MAX_LETTERS = 36


@default_style()
def plot_progress(sweep: Sweep) -> Figure:
    """Plot the objective of every trial and the best so far.

    Args:
        sweep: A sweep with a complete trial.
    """
    figure = Figure(figsize=(8, 3.4))
    axes = figure.subplots()
    _scatter(axes, [(each.number, each) for each in sweep.trials])
    complete = [each for each in sweep.trials if each.value is not None]
    values = [each.value for each in complete]
    accumulate = np.maximum.accumulate if sweep.space.is_maximized else np.minimum.accumulate
    best = accumulate(np.array(values, float))
    numbers = [*(each.number for each in complete), len(sweep.trials) - 1]
    axes.step(
        numbers, [*best, best[-1]], where="post", color=ORANGE, linewidth=1.6, label="best so far"
    )
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _format_objective(axes, sweep.space, sweep.trials)
    axes.legend(frameon=False, fontsize=9)
    despine(axes)
    figure.tight_layout()
    return figure


@default_style()
def plot_importances(sweep: Sweep) -> Figure:
    """Plot the importance of each field as bars."""
    names = sorted(sweep.importances, key=lambda name: sweep.importances[name])
    shares = [sweep.importances[name] for name in names]
    figure = Figure(figsize=(6.4, 0.8 + 0.4 * len(names)))
    axes = figure.subplots()
    axes.barh(range(len(names)), shares, color=BLUE, height=0.6)
    axes.set_yticks(range(len(names)), names)
    for position, share in enumerate(shares):
        axes.text(share, position, f" {share:.0%}", va="center", fontsize=9)
    axes.set(xlim=(0, max(shares) * 1.15), xlabel="share of the differences between trials")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    despine(axes)
    axes.grid(visible=False, axis="y")
    figure.tight_layout()
    return figure


@default_style()
def plot_slice(sweep: Sweep, field: SweptField) -> Figure:
    """Plot the objective of every trial by the value of a field."""
    figure = Figure(figsize=(4.4, 3))
    axes = figure.subplots()
    trials = [each for each in sweep.trials if field.name in each.params]
    if field.choices:
        labels = field.labels
        # Side by side, so that equal values don't hide each other.
        points = [
            (labels.index(each.params[field.name]) + (each.number % 7 - 3) / 20, each)
            for each in trials
        ]
        names = shorten_names(labels)
        axes.set_xticks(range(len(names)), names)
        if sum(map(len, names)) > _MAX_LETTERS:
            axes.tick_params("x", rotation=30)
        axes.set_xlim(-0.6, len(names) - 0.4)
    else:
        points = [(each.params[field.name], each) for each in trials]
    _scatter(axes, points)
    if field.log:
        axes.set_xscale("log")
        _format_log_axis(axes.xaxis)
    if sweep.best is not None and field.name in sweep.best.params:
        position = next(x for x, each in points if each.number == sweep.best.number)
        style: dict[str, Any] = {"color": ORANGE, "markersize": 10, "markerfacecolor": "none"}
        axes.plot([position], [sweep.best.value or 0], "o", **style)
    axes.set_xlabel(field.name)
    _format_objective(axes, sweep.space, trials)
    despine(axes)
    figure.tight_layout()
    return figure


def _scatter(axes: Any, points: Sequence[tuple[float, Trial]]) -> None:
    """Draw complete trials as dots and pruned ones, at their last report, as crosses."""
    complete = [(x, each.value) for x, each in points if each.value is not None]
    pruned = [
        (x, each.reported) for x, each in points if each.value is None and each.reported is not None
    ]
    for pairs, marker, color, label in (
        (pruned, "x", GRAY, "not complete, last report"),
        (complete, "o", BLUE, "complete"),
    ):
        if pairs:
            x, y = zip(*pairs, strict=True)
            axes.plot(x, y, marker, color=color, markersize=5, label=label)


def _format_objective(axes: Any, space: Space, trials: Sequence[Trial]) -> None:
    axes.set_ylabel(OBJECTIVES[space.objective][0])
    shown = [each.reported if each.value is None else each.value for each in trials]
    values = [value for value in shown if value is not None]
    if values and not space.is_maximized and 0 < _LOG_FACTOR * min(values) < max(values):
        axes.set_yscale("log")
        _format_log_axis(axes.yaxis)
    if space.objective != "loss":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))


def _format_log_axis(axis: Any) -> None:
    """Write 0.02 rather than 2×10⁻²."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    low, high = axis.get_view_interval()
    is_short = high < _SHORT_RANGE * low
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if is_short else (1.0,)))
    axis.set_minor_formatter(NullFormatter())
