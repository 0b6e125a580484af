"""The figure of all rows' test errors beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator


def plot_reproduction(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Test errors of many runs against published numbers: for each row its `name`, its runs' `errors`, and what is `published`, if
    anything, all in %. On a logarithmic axis, since the rows span more than a power of ten."""
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
