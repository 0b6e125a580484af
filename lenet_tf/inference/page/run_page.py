"""Writes the report of a run with the page that shows its network at work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lenet_tf.errors import LenetError, RunError
from lenet_tf.evaluation import run_report
from lenet_tf.evaluation.run_report import EvaluatedRun
from lenet_tf.inference.page.example_images import choose_examples
from lenet_tf.inference.page.page_builder import collect_page_data, render_page
from lenet_tf.inference.page.page_networks import PageNetwork, check_network
from lenet_tf.inference.page.write_page import PAGE, title_page
from lenet_tf.io.atomic import make_folder, write_text
from lenet_tf.models.trained_network import to_trained_network
from lenet_tf.pretrained.network import Origin
from lenet_tf.runs import folder_checks


def write_run_report(run: EvaluatedRun) -> Path:
    """Write the report of a tested run, and the page that it links to.

    Args:
        run: The run's results.

    Returns:
        The report's path.

    Raises:
        RunError: If the run folder cannot be written to.
    """
    return run_report.write_evaluated_run(run, write_run_page(run))


def write_run_page(run: EvaluatedRun) -> Path | None:
    """Write the page of a tested run beside the figures of its report.

    Args:
        run: The run's results.

    Returns:
        The page's path. None if a page cannot show the network: it is too large, diverged or was
        changed in Keras.

    Raises:
        RunError: If the run folder cannot be written to.
    """
    folder = run.record.path
    folder_checks.check_parts(folder)
    try:
        network = _find_network(run)
        examples = choose_examples(run.data, [network], [run.predictions])
        content = collect_page_data([network], examples, _ignore)
    except LenetError:
        return None
    page = folder / run_report.FIGURES / PAGE
    try:
        make_folder(page.parent, inside=folder)
        write_text(page, render_page(content, title_page([network])), inside=folder)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    return page


def _find_network(run: EvaluatedRun) -> PageNetwork:
    record, data = run.record, run.data
    errors = int(np.count_nonzero(run.predictions != data.y_test))
    recorded = dict(record.config["data"])
    name = str(recorded.get("name", data.name))
    trained = replace(
        to_trained_network(run.model),
        class_names=data.class_names,
        image_shape=data.image_shape,
        origin=Origin("", name, record.compiled, len(data.y_test), errors),
    )
    return check_network(PageNetwork(record.path.resolve().name, trained, recorded, None, record))


def _ignore(_: str) -> None:
    """Take a note that a report does not repeat."""
