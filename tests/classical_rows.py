"""Rows and made-up records of the fake classical methods."""

from __future__ import annotations

from typing import Any

from fake_classical import METHODS
from reproduction import LABELS, MACHINE, make_predictions

from lenet_tf.reproduce.classical_row import ClassicalRow


def make_classical_row(name: str = "knn", data: str = "sample") -> ClassicalRow:
    """A row of a fake method, on the sample."""
    method = METHODS[name]
    return ClassicalRow(name, method.title, method.reading, method.is_random, data)


def make_classical_record(row: ClassicalRow, seed: int, accuracy: float) -> dict[str, Any]:
    """A valid record of a run that never happened."""
    return {
        "row": row.name,
        "digest": row.digest,
        "seed": seed,
        "reading": row.reading,
        "data": {"name": "sample", "version": "1", "sha256": "d" * 64},
        "versions": {"python": "3", "numpy": "2", "scipy": "1", "scikit-learn": "1"},
        "machine": dict(MACHINE),
        "threads": {"OMP_NUM_THREADS": "1"},
        "seconds": 12.0,
        "train_seconds": 10.0,
        "test_seconds": 2.0,
        "peak_mib": 345.6,
        "multiply_adds": 47_040_000,
        "memory_values": 47_100_000,
        "test": {"accuracy": accuracy, "errors": round(1000 * (1 - accuracy))},
        "labels": LABELS,
        "predictions": make_predictions(accuracy),
    }
