"""Where the page that compares runs is written. The page is in `comparison_page`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tf.evaluation.page_files import check_page_path, write_page_text
from lenet_tf.evaluation.palette import SERIES_MARKERS
from lenet_tf.runs.run_record import RunRecord

if TYPE_CHECKING:  # the command checks the path before it loads TensorFlow
    from lenet_tf.evaluation.run_report import EvaluatedRun

PAGE, KIND = "comparison.html", "comparison"
MAX_RUNS = len(SERIES_MARKERS)


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


def check_comparison_path(path: Path) -> None:
    """Check that a comparison may be written to a path.

    Args:
        path: The page's path.

    Raises:
        RunError: As `check_page_path`.
    """
    check_page_path(path, KIND, "--comparison")


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

    check_comparison_path(path)
    write_page_text(path, render_comparison(runs))
    return path
