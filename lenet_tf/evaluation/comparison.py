"""Where the page that compares runs is written. The page is in `comparison_page`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tf.errors import RunError
from lenet_tf.evaluation.html_pages import generator_tag
from lenet_tf.evaluation.palette import SERIES_MARKERS
from lenet_tf.io.atomic import check_writable, write_text
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.runs.run_record import RunRecord

if TYPE_CHECKING:  # the command checks the path before it loads TensorFlow
    from lenet_tf.evaluation.run_report import EvaluatedRun

PAGE, KIND = "comparison.html", "comparison"
MAX_RUNS = len(SERIES_MARKERS)
# The generator tag stands within this many bytes of a page.
_HEAD_BYTES = 1_000


def default_page_path(runs: Sequence[RunRecord]) -> Path:
    """Choose where to write the page.

    Args:
        runs: The runs to compare.

    Returns:
        `comparison.html` in the runs' logs folder, or in the current folder if they do not share
        one.
    """
    parents = {run.path.resolve().parent for run in runs}
    folder = next(iter(parents))
    if len(parents) > 1 or folder.name != "fit":
        return Path(PAGE)
    logs = folder.parent
    return (Path(os.path.relpath(logs)) if logs.is_relative_to(Path.cwd()) else logs) / PAGE


def check_page_path(path: Path) -> None:
    """Check that a comparison may be written to a path.

    Args:
        path: The page's path.

    Raises:
        RunError: If its folder does not exist, or what exists is not a comparison: another file,
            a link or a device.
    """
    if not path.parent.is_dir():
        raise RunError(f"cannot write {path.name}: the folder {path.parent} does not exist")
    try:
        check_writable(path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    if path.exists() and not _is_comparison(path):
        raise RunError(
            f"{path} is not a comparison that lenet-tf wrote, so it is not overwritten:"
            " choose another file with --comparison"
        )


def write_comparison(runs: Sequence[EvaluatedRun], path: Path) -> Path:
    """Write the page that compares runs.

    Args:
        runs: Two to `MAX_RUNS` runs. Those tested on the same data are compared in pairs.
        path: The page's path.

    Returns:
        The page's path.

    Raises:
        RunError: If the page may not or cannot be written there.
    """
    from lenet_tf.evaluation.comparison_page import render_comparison

    check_page_path(path)
    text = render_comparison(runs)
    try:
        write_text(path, text)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _is_comparison(path: Path) -> bool:
    try:
        with open_regular_file(path) as file:
            return generator_tag(KIND).encode() in file.read(_HEAD_BYTES)
    except (OSError, ValueError):
        return False
