"""Runs of classical methods: recorded, skipped when finished, repeated after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import fake_classical
import numpy as np
import pytest
from classical_rows import make_classical_record, make_classical_row
from reproduction import make_row

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.reproduce.classical_row import ClassicalRow
from lenet_tf.reproduce.display import render_tasks
from lenet_tf.reproduce.predictions import decode_classes
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.task import Task
from lenet_tf.reproduce.verdicts import CLASSICAL_TOLERANCE, check_new_record, compare_classical
from lenet_tf.runtime import environment
from lenet_tf.scheduling.local_pool import LocalPool

TESTS = Path(__file__).parent
ROWS = [make_classical_row("knn"), make_classical_row("rbf")]


class DirectPool:
    """Runs jobs in this process, which saves the start of another."""

    slots, is_elastic = 1, False

    def run(self, job, notify, on_start):
        """Runs a job, as `Pool.run`."""
        job.home.mkdir(parents=True, exist_ok=True)
        with mock.patch.dict(os.environ, job.environment):
            return job.function(job.arguments | {"home": str(job.home)}, notify)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Puts the fake methods into this process and those of jobs; returns what lists their runs."""
    monkeypatch.setitem(sys.modules, "lenet_tf.classical.methods", fake_classical)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        f"import sys; sys.path.append({str(TESTS)!r}); import fake_classical;"
        " sys.modules['lenet_tf.classical.methods'] = fake_classical\n"
    )
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv(fake_classical.CALLS, str(tmp_path / "calls"))

    def read() -> list[str]:
        file = tmp_path / "calls"
        return sorted(file.read_text().splitlines()) if file.exists() else []

    return read


def run_rows(
    rows: list[ClassicalRow], home: Path, pool: Any, seeds: int | None = None
) -> list[str]:
    """Runs rows in a folder and returns the messages of their outcomes."""
    store = RecordStore.for_folder(home / "results")
    outcomes = Runner(rows, seeds, pool, home / "logs", store).run()
    return sorted(f"{outcome.task.name}: {outcome.message}" for outcome in outcomes)


def test_a_method_runs_once_or_over_seeds(tmp_path, calls, monkeypatch):
    messages = run_rows(ROWS, tmp_path, DirectPool(), seeds=2)
    assert messages == [
        "knn, seed 0: a new record",
        "rbf, seed 0: a new record",
        "rbf, seed 1: a new record",
    ]
    assert calls() == ["knn 0", "rbf 0", "rbf 1"]
    store, sample = RecordStore.for_folder(tmp_path / "results"), lenet_tf.load_data("sample")
    (record,) = store.read(ROWS[0])
    predictions = decode_classes(store.read_predictions(ROWS[0]).by_seed[0])
    monkeypatch.setenv(fake_classical.CALLS, os.devnull)
    expected = fake_classical.run_method("knn", sample)["predictions"]
    np.testing.assert_array_equal(predictions, expected)
    errors = int((expected != sample.y_test).sum())
    assert record["test"] == {"accuracy": 1 - errors / len(expected), "errors": errors}
    assert record["data"]["sha256"] == sample.sha256
    assert record["machine"] == environment.describe_machine()
    assert record["versions"]["numpy"] == np.__version__
    assert {"scipy", "scikit-learn", "python"} <= record["versions"].keys()
    assert (record["reading"], record["digest"]) == (ROWS[0].reading, ROWS[0].digest)
    names = ("seconds", "train_seconds", "test_seconds", "peak_mib", "multiply_adds")
    assert [record[name] for name in names] == [1.8, 1.5, 0.25, 123.4, 7_840]
    assert record["threads"]["OMP_NUM_THREADS"] == "1"


def test_finished_runs_are_skipped_unless_what_decides_them_changed(tmp_path, calls):
    row = ROWS[0]
    run_rows([row], tmp_path, DirectPool())
    equal = "equal to its record, in all predictions"
    assert run_rows([row], tmp_path, DirectPool()) == [
        f"knn, seed 0: finished before, not repeated; {equal}"
    ]
    assert calls() == ["knn 0"]
    (result,) = (tmp_path / "logs").rglob("record.json")
    changed = json.loads(result.read_text())
    changed["versions"]["numpy"] = "1.0"
    for text in (json.dumps(changed), "{", "[]"):
        result.write_text(text)
        assert run_rows([row], tmp_path, DirectPool()) == [f"knn, seed 0: {equal}"]
    assert calls() == ["knn 0"] * 4
    with pytest.raises(RunError, match="the plan now has another recipe for knn: move the file"):
        run_rows([replace(row, reading="Now we read it in another way.")], tmp_path, DirectPool())


SCRIPT = """
import sys
from pathlib import Path
from classical_rows import make_classical_row
from lenet_tf.errors import Interrupted
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.scheduling.local_pool import LocalPool
rows = [make_classical_row("knn"), make_classical_row("linear")]
try:
    with LocalPool(1) as pool:
        store = RecordStore.for_folder(Path("results"))
        Runner(rows, None, pool, Path("logs"), store).run()
except Interrupted as error:
    sys.exit(str(error))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_after_an_interruption_only_the_unfinished_method_runs_again(
    name, tmp_path, calls, monkeypatch
):
    monkeypatch.setenv(fake_classical.WAITS, "linear")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{TESTS}"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(600):
        if calls() == ["knn 0", "linear 0"]:
            break
        time.sleep(0.05)
    started = time.monotonic()
    process.send_signal(getattr(signal, name))
    message = process.communicate(timeout=30)[1]
    assert time.monotonic() - started < 20, "the method didn't stop"
    if name == "SIGINT":
        assert "Stopping classical methods now" in message
        assert "interrupted: 1 of 2 runs are finished. Repeat the command to resume" in message
    monkeypatch.delenv(fake_classical.WAITS)
    rows = [make_classical_row("knn"), make_classical_row("linear")]
    with LocalPool(1) as pool:
        messages = run_rows(rows, tmp_path, pool)
    assert messages == [
        "knn, seed 0: finished before, not repeated; equal to its record, in all predictions",
        "linear, seed 0: a new record",
    ]
    assert calls() == ["knn 0", "linear 0", "linear 0"]


@pytest.mark.parametrize(
    ("accuracy", "changes", "agrees", "message"),
    [
        (0.9, {}, True, "equal to its record, in all predictions"),
        (0.9, {"data": {"sha256": "e"}}, False, "the data differ"),
        (0.899, {}, False, "NOT equal to its record: 0.10% from it"),
        (0.899, {"numpy": "3"}, True, "within 0.1%: different versions"),
        (0.901, {"scipy": "3"}, True, "within 0.1%: different versions"),
        (0.898, {"scikit-learn": "3"}, False, "NOT within 0.1%: different versions"),
        (0.8, {"python": "4"}, False, "NOT equal to its record: 10.00% from it"),
    ],
)
def test_predictions_are_equal_or_within_a_tolerance_on_other_versions(
    accuracy, changes, agrees, message, tmp_path
):
    assert CLASSICAL_TOLERANCE == 0.001
    row, store = ROWS[0], RecordStore.for_folder(tmp_path)
    store.add(row, make_classical_record(row, 0, 0.9))
    new = make_classical_record(row, 0, accuracy)
    new["data"] |= changes.get("data", {})
    new["versions"] |= {name: value for name, value in changes.items() if name != "data"}
    verdict = check_new_record(store, row, new)
    assert (verdict.agrees, verdict.is_exact) == (agrees, True)
    assert message in verdict.message


def test_methods_with_seeds_are_compared_by_their_row_on_other_versions():
    one, other = (make_classical_record(ROWS[1], 0, accuracy) for accuracy in (0.9, 0.8))
    assert not compare_classical(one, other, is_random=True).agrees
    other["versions"]["scikit-learn"] = "2"
    verdict = compare_classical(one, other, is_random=True)
    assert (verdict.agrees, verdict.is_exact) == (True, False)


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        (None, "multiply_adds", -1, "multiply_adds must be a whole number >= 0"),
        (None, "peak_mib", "much", "peak_mib must be a number"),
        ("versions", "scikit-learn", None, "versions.scikit-learn must be a text"),
        ("test", "accuracy", 90, "test.accuracy must be a number <= 1"),
        (None, "digest", "0", "the plan now has another recipe for knn"),
        (None, "seed", 0, "two lines with the same seed"),
    ],
)
def test_damaged_records_are_refused_by_file_and_line(part, name, value, message, tmp_path):
    row, store = ROWS[0], RecordStore.for_folder(tmp_path)
    store.add(row, make_classical_record(row, 0, 0.9))
    record = make_classical_record(row, 1, 0.9)
    (record if part is None else record[part])[name] = value
    path = store.get_path(row)
    path.write_text(path.read_text() + json.dumps(record) + "\n")
    with pytest.raises(RunError, match=rf"knn\.jsonl.*{message}"):
        store.read(row)


def test_a_running_method_has_no_epochs_to_show():
    lines = render_tasks([Task(ROWS[0], 0), Task(make_row(), 1)], 60)
    assert lines[0].split()[:4] == ["knn,", "seed", "0", "running"]
    assert lines[1].split()[3:5] == ["epoch", "0/2"]
