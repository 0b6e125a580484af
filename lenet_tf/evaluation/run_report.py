"""A run's report: report.html and its figures, made anew from the run folder and the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.errors import RunError
from lenet_tf.evaluation import figures, html, image_figures, plotting
from lenet_tf.evaluation.architecture_figure import plot_architecture
from lenet_tf.evaluation.evaluate import evaluate, predict_test, to_probabilities
from lenet_tf.evaluation.inspection import feature_maps, filters
from lenet_tf.evaluation.scores import Scores
from lenet_tf.io.atomic import atomic_write
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.saving import load_model
from lenet_tf.runs import checkpoints, run_record
from lenet_tf.runtime.environment import program_name

# In a run folder: the page, and a folder of its figures.
PAGE, FIGURES = "report.html", "report"


@dataclass(frozen=True)
class EvaluatedRun:
    """A run's last epoch, asked for the test images of `data`: `chances` (N, classes) are its probabilities, `scores` counts its answers,
    `test` is its loss and metrics, `history` has one value per finished epoch of each metric and of `seconds`."""

    old: run_record.RunRecord
    model: LeNet
    history: dict[str, list[float]]
    data: RawData
    chances: np.ndarray
    scores: Scores
    test: dict[str, float]

    @cached_property
    def answers(self) -> np.ndarray:
        """(N,)"""
        return self.chances.argmax(axis=1)

    @property
    def epochs(self) -> int:
        """Those that are finished."""
        return len(self.history["loss"])

    @cached_property
    def unfinished(self) -> bool:
        return self.old.read_metrics() is None


def evaluate_run(run: run_record.RunRecord, data: RawData) -> EvaluatedRun:
    """Loads the run's model and asks it; raises `RunError` where it has none, and `DataError` for data that the network does not take."""
    checkpoints.check_has_checkpoint(run.path)
    model, history = (
        load_model(run.path),
        checkpoints.read_progress(run.path / "final.keras").history,
    )
    return build_evaluated_run(run, model, history, data, evaluate(model, data))


def build_evaluated_run(
    run: run_record.RunRecord,
    model: LeNet,
    history: dict[str, list[float]],
    data: RawData,
    test: dict[str, float],
) -> EvaluatedRun:
    """`examine`, for a model that is loaded and tested already."""
    chances = to_probabilities(model, predict_test(model, data))
    return EvaluatedRun(
        run,
        model,
        history,
        data,
        chances,
        Scores.from_predictions(data.y_test, chances.argmax(axis=1), data.num_classes),
        test,
    )


def write_report(run: str | Path, data: RawData) -> Path:
    """Makes `report.html` in a run folder, and its figures as PNG in `report/` there; gives the page's path.

    Raises `RunError` for a folder that is no run, has no finished epoch, or cannot be written to, and `DataError` for data that the
    network does not take. The test images are those of `data`.
    """
    return write_evaluated_run(evaluate_run(run_record.read_run(Path(run)), data))


def write_evaluated_run(run: EvaluatedRun) -> Path:
    """`write_report`, for a run that was examined already."""
    folder = run.old.path
    drawn = _figures(run)
    try:
        (folder / FIGURES).mkdir(exist_ok=True)
        for name, (_, figure) in drawn.items():
            plotting.save_figure(figure, folder / FIGURES / f"{name}.png")
        text = _page(run, drawn)
        with atomic_write(folder / PAGE) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    return folder / PAGE


def _figures(run: EvaluatedRun) -> dict[str, tuple[str, Any]]:
    """Name → (heading, figure), in the order of the page."""
    model, data, scores, chances = run.model, run.data, run.scores, run.chances
    found = {
        "architecture": ("The network, drawn to scale", plot_architecture(model.spec)),
        "curves": ("Learning", figures.plot_learning_curves(run.history)),
        "scores": ("Scores of each class", figures.plot_class_scores(scores)),
        "confusion": ("Confusion matrix", figures.plot_confusion_matrix(scores)),
        "reliability": (
            "Are its probabilities to be believed?",
            figures.plot_calibration(chances, data.y_test),
        ),
        "mistakes": (
            "The mistakes it was surest of",
            figures.plot_mistakes(data.x_test, data.y_test, chances),
        ),
    }
    kernels = filters(model)
    if kernels:
        first = next(iter(kernels))
        found["filters"] = (
            f"Filters of {first}",
            image_figures.plot_filters(kernels[first], first),
        )
    # The first test image that is answered rightly.
    number = int(np.argmax(run.answers == data.y_test))
    maps = {
        name: values[0]
        for name, values in feature_maps(model, data.x_test[number : number + 1]).items()
    }
    found["maps"] = (
        f"What every layer makes of test image {number}, a {data.y_test[number]}",
        image_figures.plot_feature_maps(maps),
    )
    return found


def _page(run: EvaluatedRun, drawn: Mapping[str, tuple[str, Any]]) -> str:
    old, data, config, accuracy = run.old, run.data, run.old.config, run.scores.accuracy()
    unfinished = (
        f" The run is unfinished, after epoch {run.epochs} of {old.spec.recipe.epochs}."
        if run.unfinished
        else ""
    )
    lead = (
        f"<p>Test accuracy <b>{run.test['accuracy']:.2%}</b> (95% interval {accuracy.low:.2%}–{accuracy.high:.2%}) on {len(data.x_test):,}"
        f" images of {escape(data.name)}, loss {run.test['loss']:.4f}, after epoch {run.epochs}.{unfinished}</p>\n"
        f'<p class="quiet">{escape(old.spec.source)}</p>'
    )
    versions = config.get("versions", {})
    what = {
        "network": f"{old.spec.name}, {old.spec.parameters:,} parameters",
        "data": f"{data.name} {data.version}, {len(data.x_train):,} training images, SHA-256 {data.sha256[:16]}…",
        "seed": config["seed"],
        "seconds an epoch": f"{np.mean(run.history['seconds']):.1f}",
        "device": config["device"].get("label", "?"),
        "begun": config.get("started", "?"),
        "versions": ", ".join(
            f"{name} {versions[name]}"
            for name in ("python", "tensorflow", "keras", "lenet_tf")
            if name in versions
        ),
        "run it again": f"{program_name('lenet-tf')} train --from-run {old.path}",
    }
    parts = [("This run", html.facts(what))]
    parts += [(heading, html.to_svg(figure, heading)) for heading, figure in drawn.values()]
    confused = [
        [label, answer, often, f"{share.value:.2%}"]
        for label, answer, often, share in run.scores.confused()
    ]
    parts.insert(
        5,
        (
            "Confused most often",
            html.table(["class", "taken for", "images", "of the class"], confused),
        ),
    )
    parts.append(("Layers", html.layers(old.spec)))
    return html.page("report", f"{old.spec.name} on {data.name}", lead, parts)
