"""Records and predictions: stored once, refused when damaged, complete in the package."""

from __future__ import annotations

import configparser
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from reproduction import LABELS, make_predictions, make_record, make_row

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.reproduce.classical_row import list_classical_rows
from lenet_tf.reproduce.plan import ROWS
from lenet_tf.reproduce.predictions import Predictions, encode_classes
from lenet_tf.reproduce.records import RecordStore

ROOT = Path(__file__).parent.parent


def test_a_seed_is_recorded_once(tmp_path):
    store, first, other = (
        RecordStore.for_folder(tmp_path),
        make_record(make_row(), 1, 0.9),
        make_record(make_row(), 1, 0.8),
    )
    assert store.add(make_row(), first) is None
    assert store.add(make_row(), other)["test"] == first["test"]
    assert store.add(make_row(), make_record(make_row(), 0, 0.7)) is None
    assert [(record["seed"], record["test"]["accuracy"]) for record in store.read(make_row())] == [
        (0, 0.7),
        (1, 0.9),
    ]
    assert store.read_predictions(make_row()) == Predictions(
        LABELS, {0: make_predictions(0.7), 1: make_predictions(0.9)}
    )
    assert store.read_predictions(make_row()).correct(0).mean() == 0.7
    assert "labels" not in store.read(make_row())[0]
    files = sorted(path.name for path in (tmp_path / "reproduce").iterdir())
    assert files == ["tiny.jsonl", "tiny.predictions"], "no lock, no partial file"
    with pytest.raises(RunError, match="seed 2 has other test images"):
        store.add(make_row(), make_record(make_row(), 2, 0.9) | {"labels": LABELS[::-1]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "tiny.predictions is empty"),
        (
            "labels 123\n0 12\n",
            "line 2: expected 'labels' or a seed, then one character for each test image",
        ),
        ("labels 123\n0 12!\n", "line 2: expected"),
        ("123\n", "line 1: expected"),
        ("0 123\n", "line 1: expected"),
        ("labels 123\nx 123\n", "line 2: expected"),
        (f"labels {LABELS}\n", "doesn't contain the predictions of the recorded seed 0"),
        (
            f"labels {LABELS}\n0 {LABELS}\n",
            "doesn't contain the predictions of the recorded seed 0",
        ),
        ("labels é\n", "cannot read .*tiny.predictions"),
    ],
)
def test_damaged_predictions_are_refused_by_file_and_line(text, message, tmp_path):
    store = RecordStore.for_folder(tmp_path)
    store.add(make_row(), make_record(make_row(), 0, 0.9))
    (tmp_path / "reproduce" / "tiny.predictions").write_text(text)
    with pytest.raises(RunError, match=message):
        store.read_predictions(make_row())


def drop(part: str, name: str) -> str:
    """A line of a record without one of its fields."""
    record = make_record(make_row(), 1, 0.9)
    del record[part][name]
    return json.dumps(record)


def change(part: str, name: str, value: object) -> str:
    """A line of a record with another value in one of its fields."""
    record = make_record(make_row(), 1, 0.9)
    record[part][name] = value
    return json.dumps(record)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            change("epochs", "val_accuracy", ["x"]),
            r"line 2: epochs.val_accuracy\[0\] must",
        ),
        (change("epochs", "val_accuracy", []), "epochs.val_accuracy must be a list of length >= 1"),
        (change("machine", "features", [1]), r"features\[0\] must be a text, not a whole number"),
        (change("machine", "cores", None), "machine.cores must be a whole number, not null"),
        (change("test", "shifted", {"x": 0.5}), "a name in test.shifted must be"),
        (change("test", "accuracy", 98.5), "test.accuracy must be a number <= 1"),
        (change("threads", "TF_ENABLE_ONEDNN_OPTS", 1), r"threads\[...\] must be a text or null"),
        ("{", "tiny.jsonl, line 2: "),
        (
            drop("test", "accuracy"),
            "tiny.jsonl, line 2: test has no 'accuracy'",
        ),
        (
            drop("test", "shifted"),
            "tiny.jsonl, line 2: test has no 'shifted'",
        ),
        (
            drop("machine", "features"),
            "tiny.jsonl, line 2: machine has no 'features'",
        ),
        (
            drop("epochs", "val_accuracy"),
            "tiny.jsonl, line 2: epochs has no 'val_accuracy'",
        ),
        ("[]", "tiny.jsonl, line 2: it must be a table of names and values, not a list"),
        (
            json.dumps(make_record(make_row(), 1, 0.9) | {"seed": "one"}),
            "tiny.jsonl, line 2: seed must be a whole number, not a text",
        ),
        (
            json.dumps(make_record(make_row(), 1, 0.9) | {"digest": "0"}),
            "tiny.jsonl, line 2: the plan now has another recipe for tiny",
        ),
        (
            json.dumps(make_record(make_row(), 0, 0.9)),
            "tiny.jsonl has two lines with the same seed",
        ),
    ],
)
def test_damaged_records_are_refused_by_file_and_line(line, message, tmp_path):
    store = RecordStore.for_folder(tmp_path)
    store.add(make_row(), make_record(make_row(), 0, 0.9))
    path = store.get_path(make_row())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(RunError, match=message):
        store.read(make_row())


def test_committed_predictions_have_the_recorded_accuracies():
    """Predictions and records have the same seeds and accuracies."""
    store = RecordStore.for_package()
    classical = [row for row in list_classical_rows() if store.read(row)]
    for row in (*ROWS, *classical):
        records, predictions = store.read(row), store.read_predictions(row)
        seeds = [record["seed"] for record in records]
        assert seeds == list(predictions.by_seed) == list(range(row.seeds))
        for record in records:
            assert predictions.correct(record["seed"]).mean() == pytest.approx(
                record["test"]["accuracy"], abs=1e-6
            )


def test_committed_records_are_in_the_published_order(originals):
    labels = {
        name: encode_classes(lenet_tf.load_data(name, originals).y_test)
        for name in ("mnist", "fashion_mnist")
    }
    # Folders of pictures are read class by class in turn; decoding them would take long.
    labels["cifar10_jpeg"] = encode_classes(np.tile(np.arange(10), 1_000))
    store = RecordStore.for_package()
    for row in (*ROWS, *(row for row in list_classical_rows() if store.read(row))):
        assert store.read_predictions(row).labels == labels[row.data]


def test_a_wheel_contains_every_record():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = parser["options.package_data"]["lenet_tf.reproduce"].split(", ")
    folder = ROOT / "lenet_tf" / "reproduce"
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    tracked = subprocess.run(
        ["git", "ls-files", "records"], cwd=folder, capture_output=True, text=True
    ).stdout.split()
    assert {folder / name for name in tracked} <= shipped
    recorded = [row.name for row in list_classical_rows() if RecordStore.for_package().read(row)]
    assert {path.stem for path in shipped} == {*(row.name for row in ROWS), *recorded}
    assert len(shipped) == 2 * (len(ROWS) + len(recorded))
