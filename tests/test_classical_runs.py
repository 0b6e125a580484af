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


def test_a_running_method_has_no_epochs_to_show():
    lines = render_tasks([Task(ROWS[0], 0), Task(make_row(), 1)], 60)
    assert lines[0].split()[:4] == ["knn,", "seed", "0", "running"]
    assert lines[1].split()[3:5] == ["epoch", "0/2"]


@pytest.mark.parametrize(("distance", "agrees"), [(0.0, True), (0.2, False)])
def test_the_command_compares_the_mean_over_seeds_on_other_versions(
    distance, agrees, tmp_path, calls
):
    row, sample = ROWS[1], lenet_tf.load_data("sample")
    accuracy = 1 - fake_classical.run_method("rbf", sample)["errors"] / len(sample.y_test)
    store = RecordStore.for_folder(tmp_path / "results")
    for seed in range(3):
        record = make_classical_record(row, seed, round(accuracy - distance + seed / 1000, 3))
        record["data"]["sha256"] = sample.sha256
        store.add(row, record)
    runner = Runner([row], 2, DirectPool(), tmp_path / "logs", store)
    outcomes = runner.run()
    assert all("not comparable exactly: different" in outcome.message for outcome in outcomes)
    (verdict,) = runner.compare_rows(outcomes)
    assert verdict.agrees == agrees
    assert verdict.message.startswith("rbf: 2 new runs: mean ")
