"""A run's report: report.html and its figures, computed from the run folder and the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.errors import RunError
from lenet_tf.evaluation import html_pages, plotting
from lenet_tf.evaluation.evaluate import evaluate, predict_test, to_probabilities
from lenet_tf.evaluation.mistakes import format_mistakes
from lenet_tf.evaluation.report_sections import Section, build_sections
from lenet_tf.evaluation.scores import Scores
from lenet_tf.evaluation.spec_tables import tabulate_layers
from lenet_tf.evaluation.spec_text import describe_spec
from lenet_tf.io.atomic import STALE_SECONDS, make_folder, remove_partials, write_text
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.run_models import load_last_epoch
from lenet_tf.runs import checkpoints, folder_checks, run_record
from lenet_tf.runtime.environment import program_name
from lenet_tf.text import quote_word

# In a run folder: the page, and the folder of its figures and of the misclassified images.
PAGE, FIGURES, MISTAKES = "report.html", "report", "misclassified.csv"
_KIND = "report"
_PACKAGES = ("python", "tensorflow", "keras", "lenet_tf")


@dataclass(frozen=True)
class EvaluatedRun:
    """A run's last epoch and its results on a data set's test images.

    Attributes:
        record: What the run folder says.
        model: The trained network.
        history: Metric → its value in every finished epoch; `seconds` is among them.
        data: The data set.
        probabilities: Class probabilities of the test images, float (N, classes), or none of them
            in a run that is only compared.
        predictions: Predicted classes, int (N,).
        confidence: Probabilities of the predicted classes, float (N,).
        scores: Scores of the predictions.
        test: Loss and metrics.
    """

    record: run_record.RunRecord
    model: LeNet
    history: dict[str, list[float]]
    data: RawData
    probabilities: np.ndarray
    predictions: np.ndarray
    confidence: np.ndarray
    scores: Scores
    test: dict[str, float]

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return len(self.history["loss"])

    @cached_property
    def is_finished(self) -> bool:
        """Whether the run has trained to its end."""
        return self.record.read_metrics() is not None

    def without_probabilities(self) -> EvaluatedRun:
        """Return what a comparison needs, which keeps many runs in memory."""
        return replace(self, probabilities=self.probabilities[:0].copy())


def evaluate_run(run: run_record.RunRecord, data: RawData) -> EvaluatedRun:
    """Load a run's model and test it.

    Args:
        run: The run.
        data: The data set.

    Returns:
        The run's results.

    Raises:
        DataError: If the network does not take these images.
        RunError: If the run has no finished epoch.
    """
    checkpoints.check_has_checkpoint(run.path)
    model, progress = load_last_epoch(run)
    return build_evaluated_run(run, model, progress.history, data, evaluate(model, data))


def build_evaluated_run(
    run: run_record.RunRecord,
    model: LeNet,
    history: dict[str, list[float]],
    data: RawData,
    test: dict[str, float],
) -> EvaluatedRun:
    """Collect the results of a model that is already loaded and tested.

    Args:
        run: The run.
        model: The run's model.
        history: Metric → its value in every finished epoch.
        data: The data set.
        test: The model's loss and metrics, from `evaluate`.

    Returns:
        The run's results.
    """
    probabilities = to_probabilities(model, predict_test(model, data))
    predictions = probabilities.argmax(axis=1)
    scores = Scores.from_predictions(data.y_test, predictions, data.num_classes, data.class_names)
    confidence = probabilities.max(axis=1)
    return EvaluatedRun(
        run, model, history, data, probabilities, predictions, confidence, scores, test
    )


def write_report(run: str | Path, data: RawData) -> Path:
    """Write a run's report.html, and into `report/` its figures and misclassified images.

    Args:
        run: The run folder.
        data: The data set whose test images are used.

    Returns:
        The page's path.

    Raises:
        DataError: If the network does not take these images.
        RunError: If the folder is no run folder, has no finished epoch or cannot be written to.
    """
    return write_evaluated_run(evaluate_run(run_record.read_run(run), data))


def write_evaluated_run(run: EvaluatedRun, page: Path | None = None) -> Path:
    """Write the report of a run that is already tested.

    Args:
        run: The run's results.
        page: A page in the run folder that shows the network at work, to link to.

    Returns:
        The page's path.

    Raises:
        RunError: If the run folder cannot be written to.
    """
    folder = run.record.path
    folder_checks.check_parts(folder)
    sections = _build_sections(run)
    data = run.data
    try:
        make_folder(folder / FIGURES, inside=folder)
        remove_partials(folder / FIGURES, folder, STALE_SECONDS)
        for name, section in sections.items():
            plotting.save_figure(section.figure, folder / FIGURES / f"{name}.png", inside=folder)
        mistakes = format_mistakes(data.y_test, run.probabilities, data.class_names)
        write_text(folder / FIGURES / MISTAKES, mistakes, inside=folder)
        address = None if page is None else page.relative_to(folder).as_posix()
        write_text(folder / PAGE, _render(run, sections, address))
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    return folder / PAGE


def _build_sections(run: EvaluatedRun) -> dict[str, Section]:
    csv_address = f"{FIGURES}/{MISTAKES}"
    return build_sections(
        run.model, run.data, run.history, run.probabilities, run.scores, csv_address
    )


def _render(run: EvaluatedRun, sections: Mapping[str, Section], page_address: str | None) -> str:
    spec, data = run.record.spec, run.data
    heading, description = describe_spec(spec, 100, run.record.compiled)
    return html_pages.render_page(
        _KIND,
        page_address=page_address,
        title=f"{spec.name} on {data.name}",
        accuracy=run.scores.accuracy(),
        loss=run.test["loss"],
        test_images=len(data.x_test),
        data_name=data.name,
        epochs=run.epochs,
        planned_epochs=None if run.is_finished else spec.recipe.epochs,
        spec=spec,
        facts=_list_facts(run),
        sections=sections.values(),
        layers=html_pages.PageTable(*tabulate_layers(spec)),
        layers_heading=heading,
        layers_description=description,
    )


def _list_facts(run: EvaluatedRun) -> dict[str, Any]:
    spec, data, config = run.record.spec, run.data, run.record.config
    versions = config.get("versions", {})
    repeat = f"{program_name('lenet-tf')} train --from-run {quote_word(run.record.path)}"
    return {
        "network": f"{spec.name}, {spec.parameters:,} parameters",
        "data": f"{data.name} {data.version}, {len(data.x_train):,} training images,"
        f" SHA-256 {data.sha256[:16]}…",
        "seed": config["seed"],
        "seconds per epoch": f"{np.mean(run.history['seconds']):.1f}",
        "device": config["device"].get("label", "?"),
        "started": config.get("started", "?"),
        "versions": ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions),
    } | ({"repeat with": repeat} if run_record.is_repeatable(config) else {})
