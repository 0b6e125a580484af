"""Small rows and made-up records for the tests of the reproduction table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import lenet_tf
from lenet_tf.reproduce.predictions import encode_classes
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.reproduce.task import Outcome
from lenet_tf.scheduling.local_pool import LocalPool
from lenet_tf.specs import get_spec

# The labels of the sample, because the figure of the hardest images shows its test images.
LABELS = encode_classes(lenet_tf.load_data("sample").y_test)


def make_row(epochs: int = 2, **options: Any) -> TableRow:
    """A row of the variant `tiny` with two seeds, on the sample."""
    spec = get_spec("tiny")
    spec = replace(spec, recipe=replace(spec.recipe, epochs=epochs))
    options = {"seeds": 2, "data": "sample", "test_shifted": True} | options
    return TableRow("tiny", "a tiny network", spec, **options)


def make_predictions(accuracy: float) -> str:
    """Predictions for the sample with this accuracy; wrong ones are the next class."""
    wrong = round(1000 * (1 - accuracy))
    return "".join(str((int(label) + 1) % 10) for label in LABELS[:wrong]) + LABELS[wrong:]


MACHINE = {
    "system": "Linux",
    "architecture": "x",
    "processor": "p",
    "features": ["avx2"],
    "cores": 2,
}


def make_record(row: TableRow, seed: int, accuracy: float) -> dict[str, Any]:
    """A valid record of a run that never happened."""
    versions = {"python": "3", "tensorflow": "2", "keras": "3", "numpy": "2", "scikit-learn": "1"}
    return {
        "row": row.name,
        "digest": row.digest,
        "seed": seed,
        "data": {"name": "mnist", "version": "1", "sha256": "d" * 64},
        "versions": versions,
        "machine": dict(MACHINE),
        "threads": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": None},
        "commit": "abc",
        "seconds": 100.0,
        "seconds_per_epoch": 10.0,
        "epochs": {
            "val_accuracy": [accuracy - 0.01, accuracy + 0.002, accuracy],
            "seconds": [1.0, 1.0, 1.0],
        },
        "test": {"accuracy": accuracy, "loss": 0.1, "shifted": {"1": accuracy - 0.1}},
        "labels": LABELS,
        "predictions": make_predictions(accuracy),
    }


def run_row(
    row: TableRow, home: Path, jobs: int = 2, seeds: int | None = None
) -> dict[int, Outcome]:
    """Runs a row in a folder and returns the outcomes by seed."""
    store = RecordStore.for_folder(home / "results")
    with LocalPool(jobs) as pool:
        outcomes = Runner([row], seeds, pool, home / "logs", store).run()
    return {outcome.task.seed: outcome for outcome in outcomes}
