"""What all figures share: style, axes and files."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from lenet_tf.errors import RunError
from lenet_tf.evaluation.palette import LIGHT_GRAY
from lenet_tf.io.atomic import atomic_write, check_writable

# Endings of the names of figures.
FORMATS = ("png", "jpg", "jpeg", "webp", "tif", "tiff", "svg", "pdf")

# matplotlib's settings belong to the process: two threads must not restore each other's.
_STYLE_LOCK = threading.RLock()
# Characters of a class's name in a figure.
_MAX_NAME = 14


@contextlib.contextmanager
def default_style() -> Iterator[None]:
    """Draw within the block, or the decorated function, with matplotlib's own defaults.

    A figure does not depend on the user's matplotlibrc, such as `text.usetex` or a padding that
    fills the memory. A `$` in a name is no mathematics.

    Yields:
        Nothing; the user's settings return after the block.
    """
    with _STYLE_LOCK, matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams["text.parse_math"] = False
        # Names in scripts that the font lacks are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def shorten_names(names: Sequence[str]) -> list[str]:
    """Shorten the names of classes so that they fit beside a figure."""
    return [name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…" for name in names]


def format_epoch_axis(axes: Any, metric: str) -> None:
    """Label axes that show a metric by epoch.

    Args:
        axes: The matplotlib axes, with their lines.
        metric: `loss`, which gets a logarithmic scale if all values are positive, or `accuracy`.
    """
    values = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    is_logarithmic = metric == "loss" and not (values <= 0).any()
    axes.set(xlabel="epoch", ylabel=metric, yscale="log" if is_logarithmic else "linear")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if is_logarithmic:
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


@default_style()
def save_figure(
    figure: Figure,
    path: Path,
    metadata: Mapping[str, str] | None = None,
    inside: Path | None = None,
) -> None:
    """Write a figure in the format that the file's name ends with.

    Args:
        figure: The figure.
        path: The file, whose name ends with one of `FORMATS`. An existing one is replaced only
            when the new one is complete.
        metadata: Texts that a PNG carries, by name.
        inside: A folder above the file, below which no link is followed.

    Raises:
        RunError: If the file cannot be written, or its name has another ending.
    """
    options: dict[str, Any] = {} if metadata is None else {"metadata": metadata}
    image_format = _get_format(path)
    try:
        with atomic_write(path, inside) as file:
            figure.savefig(file, format=image_format, dpi=120, bbox_inches="tight", **options)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def check_figure_path(path: Path) -> None:
    """Check that a figure can be written to a file, before the work that it shows.

    Args:
        path: The file.

    Raises:
        RunError: If its folder does not exist, its name has an unknown ending, or it is no plain
            file, such as a link or a device.
    """
    try:
        check_writable(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    _get_format(path)


def _get_format(path: Path) -> str:
    image_format = path.suffix[1:].lower()
    if image_format not in FORMATS:
        *others, last = FORMATS
        raise RunError(
            f"cannot write {path}: its name must end with .{', .'.join(others)} or .{last}"
        )
    return image_format
