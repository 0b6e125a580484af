"""What all figures share: axes and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tf.errors import RunError
from lenet_tf.evaluation.palette import LIGHT_GRAY


def format_epoch_axis(axes: Any, metric: str) -> None:
    """Labels axes that show a metric by epoch.

    Args:
        axes: The matplotlib axes.
        metric: `loss`, which gets a logarithmic scale, or `accuracy`.
    """
    axes.set(xlabel="epoch", ylabel=metric, yscale="log" if metric == "loss" else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if metric == "loss":
        # 0.02 rather than 2×10⁻².
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())


def despine(axes: Any) -> None:
    """Remove the frame's top and right side and draws a light grid."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color=LIGHT_GRAY)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a figure as PNG.

    Args:
        figure: The figure.
        path: The file. An existing one is replaced only when the new one is complete.
        metadata: Texts that the file carries, by name.

    Raises:
        RunError: If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        figure.savefig(partial, format="png", dpi=120, bbox_inches="tight", metadata=metadata)
        partial.replace(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
