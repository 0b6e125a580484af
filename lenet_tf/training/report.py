"""The report of a run that has just finished."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from lenet_tf.data.dataset import RawData
from lenet_tf.errors import RunError
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.environment import program_name
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls, quote_word


def write_report(
    record: RunRecord,
    model: LeNet,
    history: dict[str, list[float]],
    data: RawData,
    test: Mapping[str, float],
) -> None:
    """Write report.html of a finished run. A failed figure is a warning, and no error.

    Args:
        record: The run.
        model: The trained network.
        history: Metric name to one value per epoch.
        data: The raw data set.
        test: Metric name to value on the test images.

    Raises:
        RunError: The report cannot be written. The message has the command that writes it.
    """
    # Imported late: matplotlib takes a second to start.
    from lenet_tf.evaluation.run_report import build_evaluated_run
    from lenet_tf.inference.page.run_page import write_run_report

    try:
        with STATUS.show("writing the report"):
            write_run_report(build_evaluated_run(record, model, history, data, dict(test)))
    except RunError as error:
        command = f"{program_name('lenet-tf')} report {quote_word(record.path)}"
        raise RunError(
            f"{record.path} is complete, but has no report: {error}. Write it with:",
            f"  {command}",
        ) from error
    except Exception as error:
        # The run is worth more than its figures.
        reason = f"{type(error).__name__}: {error}"
        text = f"{record.path} is complete, but has no report: {reason}"
        warnings.warn(escape_controls(text), stacklevel=3)
