"""Runs of the plan in their own processes: finished, repeated and failed ones."""

from __future__ import annotations

import json
import os
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reproduction import make_row, run_row

import lenet_tf
from lenet_tf.data.corruptions import shift
from lenet_tf.errors import RunError
from lenet_tf.reproduce.predictions import decode_classes
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.reproduce.task import Task, TaskState
from lenet_tf.reproduce.time_left import format_time_left
from lenet_tf.runtime import environment, threads
from lenet_tf.scheduling.local_pool import LocalPool


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder and the outcomes of two runs of a row."""
    home = tmp_path_factory.mktemp("finished")
    return home, run_row(make_row(), home)


@pytest.fixture
def store(tmp_path) -> RecordStore:
    return RecordStore.for_folder(tmp_path / "results")


def get_modification_times(home: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (home / "logs").rglob("*.keras")}


def test_records_describe_the_runs(finished):
    home, outcomes = finished
    records = RecordStore.for_folder(home / "results").read(make_row())
    assert [record["seed"] for record in records] == [0, 1]
    sample = lenet_tf.load_data("sample")
    identity = {"name": "sample", "version": sample.version, "sha256": sample.sha256}
    for seed, record in enumerate(records):
        outcome = outcomes[seed]
        assert (outcome.record, outcome.message) == (record, "a new record")
        assert outcome.verdict.agrees
        (folder,) = (home / "logs" / "reproduce" / "tiny" / f"seed-{seed}" / "fit").iterdir()
        metrics = json.loads((folder / "metrics.json").read_text())
        assert record["test"]["accuracy"] == metrics["test_accuracy"]
        assert len(record["epochs"]["val_accuracy"]) == len(record["epochs"]["seconds"]) == 2
        assert record["data"] == identity
        assert record["machine"] == environment.describe_machine()
        assert record["recipe"] == make_row().spec.to_dict()["recipe"]
        assert record["threads"] == {
            "TF_NUM_INTEROP_THREADS": "2",
            "TF_NUM_INTRAOP_THREADS": "1",
            "ONEDNN_MAX_CPU_ISA": os.environ.get("ONEDNN_MAX_CPU_ISA"),
            "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
        }
        assert {"tensorflow", "keras", "numpy", "python"} <= record["versions"].keys()
    assert records[0]["test"] != records[1]["test"]


def test_records_have_the_predictions_of_the_saved_models(finished):
    home, _ = finished
    store, sample = RecordStore.for_folder(home / "results"), lenet_tf.load_data("sample")
    recorded = store.read_predictions(make_row())
    shifted = [
        replace(sample, x_test=shift(sample.x_test, *pixels))
        for pixels in ((0, 2), (0, -2), (2, 0), (-2, 0))
    ]
    for seed, record in enumerate(store.read(make_row())):
        (folder,) = (home / "logs" / "reproduce" / "tiny" / f"seed-{seed}" / "fit").iterdir()
        predictions = lenet_tf.predict_outputs(folder, sample.x_test).argmax(axis=1)
        np.testing.assert_array_equal(decode_classes(recorded.by_seed[seed]), predictions)
        np.testing.assert_array_equal(recorded.correct(seed), predictions == sample.y_test)
        accuracy = statistics.mean(lenet_tf.evaluate(folder, each)["accuracy"] for each in shifted)
        assert record["test"]["shifted"]["2"] == pytest.approx(accuracy)


def test_a_finished_run_is_not_repeated(finished):
    home, _ = finished
    times = get_modification_times(home)
    lines = (home / "results" / "reproduce" / "tiny.jsonl").read_bytes()
    outcomes = run_row(make_row(), home, seeds=1)
    assert {outcome.message for outcome in outcomes.values()} == {
        "finished before, not repeated; equal to its record, to the last digit"
    }
    assert get_modification_times(home) == times
    assert (home / "results" / "reproduce" / "tiny.jsonl").read_bytes() == lines


@pytest.mark.slow
def test_runs_without_run_folders_reproduce_their_records(finished, tmp_path):
    """One run at a time gives the same numbers as two at a time did."""
    home, outcomes = finished
    (tmp_path / "results").mkdir()
    (home / "results" / "reproduce").rename(home / "moved")
    (home / "moved").rename(tmp_path / "results" / "reproduce")
    try:
        again = run_row(make_row(), tmp_path, jobs=1, seeds=1)[0]
    finally:
        (tmp_path / "results" / "reproduce").rename(home / "results" / "reproduce")
    assert again.verdict.agrees
    assert again.message == "equal to its record, to the last digit"
    assert again.record["finished"] != outcomes[0].record["finished"]


@pytest.fixture
def without_onednn(monkeypatch):
    """Makes this machine stand for another one: runs with oneDNN off have other last digits."""
    monkeypatch.delitem(threads._own_values, "TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")


class RowWithForeignDigest(TableRow):
    """Passes for the row whose records exist."""

    digest = make_row(6, seeds=4, test_shifted=False).digest


@pytest.mark.slow
def test_on_another_machine_only_a_broken_recipe_disagrees(tmp_path, store, without_onednn):
    """Four recorded runs are compared with good runs and with a run of 1% of the learning rate."""
    row = make_row(6, seeds=4, test_shifted=False)
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    Runner([row], None, LocalPool(2), tmp_path / "recorded", store).run()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    read_only = RecordStore(store.folder, None)
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}

    def compare(row: TableRow, seeds: int, logs: str) -> tuple[list[str], list[bool]]:
        runner = Runner([row], seeds, LocalPool(2), tmp_path / logs, read_only)
        outcomes = runner.run()
        agrees = [verdict.agrees for verdict in runner.compare_rows(outcomes)]
        return [outcome.message for outcome in outcomes], agrees

    messages, agrees = compare(row, 5, "good")
    assert agrees == [True]
    assert all("different thread or oneDNN settings" in message for message in messages[:4])
    assert messages[4] == "this seed has no record; store it with --results FOLDER"
    optimizer = row.spec.recipe.optimizer
    slow = replace(optimizer, learning_rate=optimizer.learning_rate / 100)
    broken = RowWithForeignDigest(
        row.name,
        row.title,
        replace(row.spec, recipe=replace(row.spec.recipe, optimizer=slow)),
        row.seeds,
        row.data,
    )
    assert compare(broken, 1, "broken")[1] == [False]
    after = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    assert after == before, "a store without pages is read-only"


def test_records_of_another_recipe_are_refused(finished):
    home, _ = finished
    store = RecordStore.for_folder(home / "results")
    message = "tiny.jsonl, line 1: the plan now has another recipe for tiny: move the file away"
    with pytest.raises(RunError, match=message):
        Runner([make_row(3)], None, LocalPool(1), home / "logs", store)


def test_no_run_starts_after_two_failures_with_the_same_error(tmp_path, store):
    failed: list[Task] = []
    row = make_row(1, data="./missing.npz", seeds=1)
    rows = [replace(row, name=name) for name in ("a", "b", "c")]
    runner = Runner(rows, None, LocalPool(1), tmp_path / "logs", store, on_failed=failed.append)
    with pytest.raises(RunError, match=r"a, seed 0: .*missing.npz.* \(and 1 more\)"):
        runner.run()
    assert [task.row.name for task in failed] == ["a", "b"]
    assert not list((tmp_path / "logs").rglob("seed-*")), "no empty folders remain"


@pytest.mark.slow
def test_other_runs_continue_after_a_failure(tmp_path, store):
    good = make_row(1, seeds=1)
    bad = replace(good, name="bad", data="./missing.npz")
    with pytest.raises(RunError, match=r"bad, seed 0: .*missing\.npz"):
        Runner([good, bad], None, LocalPool(2), tmp_path / "logs", store).run()
    assert [record["seed"] for record in store.read(good)] == [0]
    assert store.read(bad) == []


def test_the_time_left_follows_the_finished_epochs(tmp_path, store):
    runner = Runner([make_row(10)], None, LocalPool(2), tmp_path / "logs", store)
    assert runner.estimate_seconds_left() is None
    first, second = runner.tasks
    first.finished_epochs, first.epoch_seconds = 4, [3.0, 1.0, 2.0]
    assert runner.estimate_seconds_left() == (6 + 10) * 2 / 2
    second.state = TaskState.DONE
    assert runner.estimate_seconds_left() == 6 * 2
    assert Task(make_row(10), 0).remaining_epochs == 10


def test_the_time_left_in_words():
    assert [format_time_left(seconds) for seconds in (None, 5, 600, 7300)] == [
        "time left unknown",
        "about 1 min left",
        "about 10 min left",
        "about 2 h 2 min left",
    ]
