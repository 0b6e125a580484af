"""What reads and reports on run folders, in this process and without figures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
from click.testing import CliRunner
from matplotlib.figure import Figure

from lenet_tf.cli import main
from lenet_tf.cli.inputs import find_spec
from lenet_tf.errors import LenetError
from lenet_tf.evaluation import run_report
from lenet_tf.evaluation.report_sections import Section
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.models import saving
from lenet_tf.runs import checkpoints, consistency, run_record
from lenet_tf.runs.kernel_history import read_kernel_history
from lenet_tf.training.config import TrainConfig

# Graphs of old models take memory until Keras forgets them.
_INPUTS_PER_SESSION = 25


class SessionCounter:
    """Lets Keras forget its models now and then."""

    def __init__(self) -> None:
        self._inputs = 0

    def count(self) -> None:
        self._inputs += 1
        if self._inputs % _INPUTS_PER_SESSION == 0:
            keras.backend.clear_session()


@contextlib.contextmanager
def small_figures() -> Iterator[None]:
    """Draws empty figures of the same names, since drawing the others takes seconds."""
    build = run_report._build_sections
    names = ("architecture", "curves", "scores", "confusion", "reliability", "mistakes", "maps")

    def show_nothing(*_: Any) -> dict[str, Section]:
        return {name: Section(name, Figure(figsize=(1, 1))) for name in names}

    run_report._build_sections = show_nothing
    try:
        yield
    finally:
        run_report._build_sections = build


def run_command(*arguments: str) -> None:
    """Runs `lenet-tf` here. Raises what it could not report itself."""
    result = CliRunner().invoke(main, arguments, prog_name="lenet-tf")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if "Traceback" in result.output:
        raise AssertionError(f"a traceback: {result.output[-200:]}")
    if result.exit_code:
        raise LenetError(result.stderr.strip().splitlines()[-1][:900])


def list_readers(run: Path) -> list[Callable[[], Any]]:
    """Returns what reads a run folder without building its model."""

    def read_record() -> None:
        record = run_record.read_run(run)
        record.read_metrics()
        str((record.spec.layers, record.data_sha256, record.settings))
        str((run_record.version_differences(record.config), record.device, record.data_name))
        TrainConfig.from_record(record)
        progress = checkpoints.read_progress(run / "final.keras")
        consistency.check_progress(record, progress, record.read_metrics())

    return [
        read_record,
        lambda: run_record.read_repeatable_run(run),
        lambda: str(run_record.read_class_names(run)),
        lambda: checkpoints.read_progress(run / "final.keras").history,
        lambda: consistency.read_history(run),
        lambda: read_kernel_history(run),
        lambda: find_spec(str(run)),
        lambda: _read_model_file(run / "final.keras"),
    ]


def _read_model_file(path: Path) -> None:
    try:
        with open_regular_file(path) as stream:
            saving.read_stream(stream)
    except (ValueError, OSError) as error:
        raise LenetError(str(error)) from error
