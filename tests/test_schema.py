"""The schema of run folders: any JSON in any field is read, or refused in one line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet_tf.errors import LenetError, RunError
from lenet_tf.runs import checkpoints, consistency, run_record, schema
from lenet_tf.runs.consistency import read_history
from lenet_tf.runs.run_record import RunRecord, read_run
from lenet_tf.runs.validation import check_values, parse_time

ZOO = Path(__file__).parent / "zoo"
CONFIG = json.loads((ZOO / "format-3-keras-3.15.1" / "tiny" / "config.json").read_text())
CONFIG |= {
    "commit": None,
    "tensorboard": {"images_every": None, "histograms": ["weights"]},
    "machine": {"system": "Linux", "processor": "x", "features": ["avx"], "cores": 2},
    "variant": "tiny",
}
CONFIG["device"] |= {"threads": {"TF_NUM_INTRAOP_THREADS": "1"}, "numerics": {"tf32": True}}
METRICS = json.loads((ZOO / "format-3-keras-3.15.1" / "tiny" / "metrics.json").read_text())

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**30, -(2**63), 1e300, "", "nan", "given", "x" * 20_000, "\x1b[31m", []])
    | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)


def list_places(values, place=()):
    """Return the place of each field, however deep."""
    places = []
    pairs = values.items() if isinstance(values, dict) else enumerate(values)
    for name, value in pairs:
        places.append((*place, name))
        if isinstance(value, dict | list):
            places += list_places(value, (*place, name))
    return places


def change(values, place, value):
    """Return a copy with another value at a place."""
    copy = json.loads(json.dumps(values))
    part = copy
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return copy


def write_run(folder: Path, config=CONFIG, metrics=METRICS) -> Path:
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


def assert_one_line(error: LenetError) -> None:
    assert len(str(error).splitlines()) <= 2
    assert len(str(error)) <= 1_001


def read_or_refuse(read, name):
    """Return what is read, or None if an error that names the file refuses it."""
    try:
        return read()
    except LenetError as error:
        message = str(error)
    assert name in message and len(message) <= 1_001
    return None


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(list_places(CONFIG)), value=JSON)
def test_any_value_in_any_field_of_config_is_read_or_refused(place, value):
    with tempfile.TemporaryDirectory() as folder:
        write_run(Path(folder), change(CONFIG, place, value))
        record = read_or_refuse(lambda: read_run(Path(folder)), "config.json")
        if record is None:
            return
        assert isinstance(record, RunRecord)
        assert place[0] == "device" or record.device == "/CPU:0"
        assert isinstance(record.read_metrics(), dict)
        for used in (lambda: record.data_name, lambda: record.device):
            assert isinstance(read_or_refuse(used, folder), str | None)
        run_record.version_differences(record.config)


@settings(max_examples=60, deadline=None)
@given(place=st.sampled_from(list_places(METRICS)), value=JSON)
def test_any_value_in_any_field_of_metrics_is_read_or_refused(place, value):
    with tempfile.TemporaryDirectory() as folder:
        record = read_run(write_run(Path(folder), metrics=change(METRICS, place, value)))
        metrics = read_or_refuse(record.read_metrics, "metrics.json")
        if metrics is not None:
            text = f"{metrics['test_accuracy']:.2%} {metrics['seconds']:.0f} {metrics['epochs']:,}"
            assert len(text) < 30


@settings(max_examples=60, deadline=None)
@given(values=JSON | st.fixed_dictionaries({"epochs": JSON, "resumed": JSON}))
def test_any_value_is_a_progress_or_refused(values):
    try:
        progress = checkpoints._parse_progress(json.dumps(values).encode())
    except ValueError:
        return
    assert sum(progress.history.get("seconds", ())) >= 0


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_content_of_history_is_read_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "history.csv").write_bytes(content)
        rows = read_or_refuse(lambda: read_history(Path(folder)), "history.csv")
        assert isinstance(rows, list | None)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("versions",), ["numpy"], "versions must be a table of names and values, not a list"),
        (("versions", "keras"), 3, "versions[...] must be a text, not a whole number"),
        (("started",), "yesterday", "started must be a time since 1970, such as 2026-01-31T12"),
        (("started",), "0001-01-01T00:00:00", "started must be a time since 1970"),
        (("started",), 5, "started must be a text, not a whole number"),
        (("seed",), 10**300, "seed must be a number from -9223372036854775807 to"),
        (("seed",), -1, "seed must be a whole number >= 0"),
        (("settings", "early_stopping"), 0, "settings.early_stopping must be a whole number >= 1"),
        (("settings", "engine"), "fast", "settings.engine must be auto, graph or keras"),
        (("device", "name"), "/GPU:x", "device.name must be a device's name, such as /CPU:0"),
        (("tensorboard", "histograms"), ["w"], "tensorboard.histograms[0] must be weights, act"),
        (("later",), {"note": "x" * 20_000}, "later.note must be a text of at most 10,000"),
        (("spec",), [], "spec must be a table of names and values, not a list"),
        (("spec", "rows"), 3, "rows must be a list of rows, not 3"),
    ],
)
def test_a_field_that_differs_is_named_with_what_it_must_be(tmp_path, place, value, message):
    with pytest.raises(LenetError) as error:
        read_run(write_run(tmp_path, change(CONFIG, place, value)))
    assert message in str(error.value) and str(tmp_path / "config.json") in str(error.value)
    assert_one_line(error.value)


@pytest.mark.parametrize("name", ["test_accuracy", "seconds", "epochs", "best_epoch"])
@pytest.mark.parametrize("value", [10**300, -1, "1", None, [], True])
def test_metrics_are_bounded(tmp_path, name, value):
    with pytest.raises(RunError, match=rf"metrics.json is not usable: {name} must be"):
        read_run(write_run(tmp_path, metrics=METRICS | {name: value})).read_metrics()


def test_fields_of_later_versions_are_accepted(tmp_path):
    config = change(CONFIG, ("settings", "later"), 1) | {"later": {"x": [1, None]}}
    record = read_run(write_run(tmp_path, config, METRICS | {"later": 1}))
    assert "later" not in record.settings
    assert record.read_metrics()["later"] == 1


def test_times_are_parsed_alike_by_every_python():
    assert parse_time("2026-01-31T12:00:00Z") == parse_time("2026-01-31T12:00:00+00:00")


def test_links_and_pipes_are_not_read(tmp_path):
    """A link in a stranger's folder would show the user another file of theirs."""
    own = tmp_path / "own.json"
    own.write_text(json.dumps(CONFIG))
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").symlink_to(own)
    with pytest.raises(RunError, match="config.json cannot be read: it is a link to another file"):
        read_run(folder)


HISTORY = "epoch,accuracy,loss,seconds,val_accuracy,val_loss\n"


def read_finished(folder: Path, config=CONFIG, metrics=METRICS, history: str | None = None):
    epochs = {"loss": 2.0, "accuracy": 0.1, "val_loss": 2.0, "seconds": 1.0}
    epochs |= {"val_accuracy": METRICS["best_val_accuracy"]}
    if history is not None:
        (folder / "history.csv").write_text(history)
    record = read_run(write_run(folder, config, metrics))
    consistency.check_progress(record, checkpoints.Progress([epochs]), record.read_metrics())


def test_metrics_and_history_agree_with_the_progress(tmp_path):
    line = f"0,0.1,2.0,1.0,{METRICS['best_val_accuracy']},2.0\n"
    read_finished(tmp_path)
    read_finished(tmp_path, history=HISTORY + line)
    for change_, message in {
        "epochs": "epochs is 2 in metrics.json and 1 in final.keras",
        "best_epoch": "best_epoch is 2 in metrics.json and 1 in final.keras",
        "best_val_accuracy": "best_val_accuracy is 0.9 in metrics.json and 0.1",
    }.items():
        value = 0.9 if "accuracy" in change_ else 2
        with pytest.raises(RunError, match=message):
            read_finished(tmp_path, metrics=METRICS | {change_: value})
    with pytest.raises(RunError, match=r"the number of epochs is 2 in history.csv and 1 in final"):
        read_finished(tmp_path, history=HISTORY + line + line)
    with pytest.raises(RunError, match=r"loss of epoch 0 is 1.5 in history.csv and 2.0 in final"):
        read_finished(tmp_path, history=HISTORY + line.replace(",2.0,1.0", ",1.5,1.0"))
    for damage in ("epoch,loss\n0,x\n", "epoch,loss\n0,1.0\n", HISTORY + '0,"'):
        with pytest.raises(RunError, match=r"history.csv is not usable: "):
            read_finished(tmp_path, history=damage)


def test_more_epochs_than_planned_are_refused(tmp_path):
    config = change(CONFIG, ("recipe", "epochs"), 1)
    (tmp_path / "metrics.json").unlink(missing_ok=True)
    record = read_run(write_run(tmp_path, config))
    with pytest.raises(RunError, match="epochs is 1 in config.json and 2 in final.keras"):
        consistency.check_progress(record, checkpoints.Progress([{}, {}]), record.read_metrics())


def test_every_text_and_number_of_the_schema_is_bounded():
    with pytest.raises(ValueError, match=r"epochs\[0\]\[\.\.\.\] must be a number <= 3.4e\+38"):
        check_values({"epochs": [{"loss": 1e300}], "resumed": []}, schema.ProgressFile)
    with pytest.raises(ValueError, match=r"a name in epochs\[0\] must be a text of length <= 200"):
        check_values({"epochs": [{"x" * 201: 1}], "resumed": []}, schema.ProgressFile)
