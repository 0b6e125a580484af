"""One run of a classical method: train and test it, or read its result, and return its record."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import RunError
from lenet_tf.io import atomic, bounded
from lenet_tf.reproduce.classical_row import ClassicalRow
from lenet_tf.reproduce.predictions import encode_classes
from lenet_tf.reproduce.record_schema import StoredClassicalRecord
from lenet_tf.reproduce.worker import build_arguments
from lenet_tf.runs.validation import check_values
from lenet_tf.runtime import environment
from lenet_tf.scheduling.job import Job, Notify
from lenet_tf.scheduling.job_data import load_same_data
from lenet_tf.text import format_json

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData

# The libraries of linear algebra split sums by their number of threads.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_RECORD = "record.json"


def describe_classical_job(
    row: ClassicalRow, seed: int, home: Path, originals: str | None, sha256: str | None = None
) -> Job:
    """Describe a run of a classical method as a job for a pool.

    Args:
        row: The row of the run.
        seed: Its seed.
        home: The folder of its result.
        originals: The folder of the published data files.
        sha256: That of the data, for a job on another machine. None: any data.

    Returns:
        The job, with the result of `lenet_tf.reproduce.worker.describe_job`.
    """
    arguments = build_arguments(row, seed, originals, sha256)
    return Job(f"{row.name}, seed {seed}", run_classical, arguments, home, dict(_THREADS))


def run_classical(arguments: dict[str, Any], notify: Notify) -> dict[str, Any]:
    """Train and test a classical method, or read the result if it is finished.

    A method has no epochs and saves nothing on the way: after an interruption it starts again.

    Args:
        arguments: Those of `describe_classical_job`.
        notify: Not called.

    Returns:
        The `record`, and whether the run was finished `before`.

    Raises:
        LenetError: If the run fails.
    """
    row, home = ClassicalRow.from_dict(arguments["row"]), Path(arguments["home"])
    # If another process makes the same run, wait for its result.
    with atomic.file_lock(home / ".lock", timeout=-1):
        raw = load_same_data(*(arguments[name] for name in ("data", "originals", "sha256")))
        facts = _collect_facts(row, arguments["seed"], raw)
        record = _read_matching_record(home / _RECORD, facts)
        if record is not None:
            return {"record": record, "before": True}
        record = facts | _run_method(row, arguments["seed"], raw)
        atomic.write_text(home / _RECORD, format_json(record) + "\n")
        return {"record": record, "before": False}


def _collect_facts(row: ClassicalRow, seed: int, raw: RawData) -> dict[str, Any]:
    """Collect what identifies a result: a finished one with other facts is not used."""
    return {
        "row": row.name,
        "seed": seed,
        "digest": row.digest,
        "command": f"lenet-tf reproduce {row.name}",
        "reading": row.reading,
        "data": {"name": raw.name, "version": raw.version, "sha256": raw.sha256},
        "versions": _list_versions(),
        "machine": environment.describe_machine(),
        "threads": {name: os.environ.get(name) for name in _THREADS},
    }


def _list_versions() -> dict[str, str]:
    versions = environment.package_versions()
    names = ("python", "lenet_tf", "numpy", "scikit-learn")
    return {name: versions[name] for name in names} | {"scipy": metadata.version("scipy")}


def _read_matching_record(path: Path, facts: dict[str, Any]) -> dict[str, Any] | None:
    try:
        record = bounded.read_json(path)
        check_values(record, StoredClassicalRecord)
    except (OSError, ValueError):
        return None
    is_match = all(record.get(name) == value for name, value in facts.items())
    return record if is_match and {"labels", "predictions"} <= record.keys() else None


def _run_method(row: ClassicalRow, seed: int, raw: RawData) -> dict[str, Any]:
    from lenet_tf.classical.methods import run_method

    result = run_method(row.name, raw, seed=seed)
    predictions = result["predictions"]
    if len(predictions) != len(raw.y_test):
        raise RunError(
            f"{row.name} classified {len(predictions):,} of {len(raw.y_test):,} test images"
        )
    errors = int((predictions != raw.y_test).sum())
    return {
        "commit": environment.git_commit(),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(result["train_seconds"] + result["test_seconds"], 1),
        "train_seconds": round(result["train_seconds"], 2),
        "test_seconds": round(result["test_seconds"], 2),
        "peak_mib": round(result["peak_mib"], 1),
        "multiply_adds": int(result["multiply_adds"]),
        "memory_values": int(result["memory_values"]),
        "test": {"accuracy": 1 - errors / len(raw.y_test), "errors": errors},
        "labels": encode_classes(raw.y_test),
        "predictions": encode_classes(predictions),
    }
