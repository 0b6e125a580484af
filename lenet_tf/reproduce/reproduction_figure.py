"""The figure of the measured and the published test errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lenet_tf.evaluation.palette import BLUE, ORANGE
from lenet_tf.evaluation.plotting import default_style


@default_style()
def plot_reproduction(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Plot the test errors of all runs and the published ones on a logarithmic axis.

    Args:
        rows: For each row its `name`, the `errors` of its runs and the `published` error or None,
            both in %.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(9, 0.42 * max(1, len(rows)) + 1.5))
    axes = figure.subplots()
    for y, row in enumerate(rows):
        _plot_errors(axes, y, row["errors"])
        if row["published"] is not None:
            _plot_published(axes, [row["published"]], [y])
    # An empty series for the legend.
    _plot_published(axes, [], [], label="published")
    axes.set(xscale="log", xlabel="test error, % (logarithmic)", yticks=range(len(rows)))
    axes.set_yticklabels([row["name"] for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.xaxis.set_major_locator(
        FixedLocator([0.5, 0.6, 0.8, 1, 1.5, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50])
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color="0.88")
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return figure


def _plot_errors(axes: Any, y: int, errors: Sequence[float]) -> None:
    # Below the mean, whose marker would hide them.
    axes.plot(
        errors,
        [y + 0.24] * len(errors),
        "o",
        color=BLUE,
        alpha=0.4,
        markersize=4,
        markeredgewidth=0,
    )
    axes.errorbar(
        np.mean(errors),
        y,
        xerr=np.std(errors, ddof=1) if len(errors) > 1 else None,
        fmt="o",
        color=BLUE,
        capsize=4,
        markersize=7,
        label="ours: mean ± standard deviation, each run" if y == 0 else None,
    )


def _plot_published(
    axes: Any, errors: Sequence[float], y: Sequence[int], label: str | None = None
) -> None:
    axes.plot(
        errors,
        y,
        "D",
        color=ORANGE,
        markersize=7,
        markerfacecolor="none",
        markeredgewidth=1.6,
        linestyle="",
        label=label,
    )
