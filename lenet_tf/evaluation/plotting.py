"""What all figures share: axes, and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tf.errors import RunError


def format_epoch_axis(axes: Any, name: str) -> None:
    """Axes of `loss`, logarithmic, or `accuracy` by epoch."""
    axes.set(xlabel="epoch", ylabel=name, yscale="log" if name == "loss" else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if name == "loss":
        # 0.02 rather than 2×10⁻².
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_formatter(NullFormatter())


def despine(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)


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
