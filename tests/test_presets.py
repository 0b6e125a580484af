"""The trained networks of the package are the planned ones, unchanged."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile

import numpy as np
import pytest

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import RunError
from lenet_tf.evaluation.scores import Score
from lenet_tf.pretrained import presets
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.pretrained.presets import DEFAULT_PRESET, Preset, find_preset, list_presets
from lenet_tf.pretrained.writing import build_archive
from lenet_tf.reproduce import make_presets
from lenet_tf.reproduce.plan import get_rows
from lenet_tf.reproduce.predictions import decode_classes, encode_classes
from lenet_tf.reproduce.preset_plan import PLANNED, choose_seed, get_rule
from lenet_tf.reproduce.records import Record, RecordStore
from lenet_tf.reproduce.table_row import TableRow

NAMES = [preset.name for preset in list_presets()]
SEEDS = {
    "lenet5": 3,
    "lenet5-modern-accurate": 0,
    "lenet5-1998": 1,
    "lenet4": 0,
    "lenet1": 0,
    "cnn-38k": 1,
    "lenet5-modern-fashion": 2,
}


def test_the_rule_chooses_the_seeds() -> None:
    rows = get_rows([planned.row for planned in PLANNED])
    store = RecordStore.for_package()
    assert {row.name: choose_seed(row, store.read(row)) for row in rows} == SEEDS


def test_every_planned_preset_is_there() -> None:
    assert sorted(planned.name for planned in PLANNED) == NAMES
    assert {planned.row for planned in PLANNED} == SEEDS.keys()


def _record(seed: int, error: float, loss: float) -> dict:
    return {"seed": seed, "epochs": {"val_accuracy": [0.0, 1 - error], "loss": [9.0, loss]}}


@pytest.mark.parametrize(
    ("row", "errors", "losses", "seed"),
    [
        ("lenet1", (0.1, 0.2, 0.3), (3, 2, 1), 1),
        ("lenet1", (0.3, 0.1, 0.2, 0.4), (0, 0, 0, 0), 2),
        ("lenet1", (0.2, 0.1, 0.2, 0.2), (0, 0, 0, 0), 0),
        ("lenet5", (0.1, 0.2, 0.3), (1, 3, 2), 2),
    ],
)
def test_the_rule_takes_the_median(row: str, errors: tuple, losses: tuple, seed: int) -> None:
    records = [_record(*each) for each in zip(range(9), errors, losses, strict=False)]
    assert choose_seed(get_rows([row])[0], records) == seed


@pytest.mark.parametrize("name", NAMES)
def test_presets_are_those_of_the_plan(name: str) -> None:
    preset = find_preset(name)
    assert preset is not None
    planned = {each.name: each for each in PLANNED}[name]
    row = get_rows([planned.row])[0]
    assert (preset.row, preset.digest, preset.seed) == (row.name, row.digest, SEEDS[row.name])
    assert (preset.title, preset.rule) == (planned.title, get_rule(row))
    network = preset.read()
    assert network.spec.rows == row.spec.rows
    assert network.spec.recipe == row.spec.recipe
    assert network.spec.preparation == row.spec.preparation
    assert network.spec.parameters == preset.parameters
    assert network.class_names == preset.class_names
    assert network.image_shape == preset.image_shape == (28, 28, 1)


def test_a_name_finds_a_preset(tmp_path) -> None:
    assert read_any(DEFAULT_PRESET).spec.name == "lenet5-modern-accurate"
    assert find_preset("../presets/lenet5-mnist") is None
    with pytest.raises(RunError, match="did you mean lenet5-modern-mnist"):
        read_any("lenet5-modern-mnits")
    with pytest.raises(RunError, match="there is no such run or model"):
        read_any(tmp_path / "missing.keras")


def test_a_changed_file_is_refused(tmp_path, monkeypatch) -> None:
    preset = lenet_tf.list_presets()[0]
    content = bytearray(preset.path.read_bytes())
    content[len(content) // 2] ^= 1
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    preset.path.write_bytes(content)
    with pytest.raises(RunError, match="its SHA-256 differs. Install lenet_tf again"):
        preset.read()
    preset.path.unlink()
    with pytest.raises(RunError, match=r"No such file or directory\. Install lenet_tf again"):
        preset.read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "lenet5-mnist"}, "it describes 'lenet5-mnist'"),
        ({"test_error": 2}, "test_error must be a number <= 1"),
        ({"image_shape": "28"}, "image_shape must be a list"),
        ({"sha256": None}, "sha256 must be a text"),
    ],
)
def test_a_changed_description_is_refused(change, message, tmp_path, monkeypatch) -> None:
    values = dataclasses.asdict(lenet_tf.list_presets()[0]) | change
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "x.json").write_text(json.dumps(values | {"name": change.get("name", "x")}))
    for read in (list_presets, lambda: find_preset("x"), lambda: read_any("x")):
        with pytest.raises(RunError) as caught:
            read()
        assert message in str(caught.value) and "Install lenet_tf again" in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows needs a right to make links")
def test_links_in_place_of_a_preset_are_refused(tmp_path, monkeypatch) -> None:
    preset = lenet_tf.list_presets()[0]
    target = preset.path
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    preset.path.symlink_to(target)
    with pytest.raises(RunError, match="it is a link to another file"):
        preset.read()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_weights_make_the_same_file(name: str) -> None:
    preset = find_preset(name)
    assert preset is not None
    network, content = preset.read(), preset.read_bytes()
    versions = preset.versions["keras"], preset.versions["lenet_tf"]
    built = build_archive(network, *versions)
    assert built == build_archive(network, *versions)
    with zipfile.ZipFile(io.BytesIO(content)) as shipped, zipfile.ZipFile(io.BytesIO(built)) as new:
        assert [info.date_time for info in shipped.infolist()] == [(1980, 1, 1, 0, 0, 0)] * 3
        assert shipped.namelist() == new.namelist()
        for member in ("config.json", "metadata.json"):
            assert shipped.read(member) == new.read(member)


def test_make_presets_writes_the_four_files(tiny_run, digits, tmp_path, monkeypatch) -> None:
    classes = lenet_tf.predict_outputs(tiny_run, digits.x_test).argmax(axis=1)
    config, metrics = tiny_run.config, tiny_run.metrics
    record = {
        "seed": 0,
        "labels": encode_classes(digits.y_test),
        "predictions": encode_classes(classes),
        "finished": metrics["finished"],
        "data": {part: config["data"][part] for part in ("name", "version", "sha256")},
        "commit": "0123456789ab",
        **{part: config[part] for part in ("versions", "machine")},
    }
    monkeypatch.setattr(make_presets, "_train", lambda *arguments: record)
    monkeypatch.setattr(make_presets, "_find_run", lambda *arguments: tiny_run.path)
    made = make_presets.make_preset(PLANNED[0], tmp_path / "logs", None, tmp_path)
    assert made.test_errors == np.count_nonzero(classes != digits.y_test)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{made.name}.{suffix}" for suffix in ("keras", "json", "md", "kernels.npz")}
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    assert list_presets() == (made,)
    network = made.read()
    for first, second in zip(
        (array for arrays in network.weights.values() for array in arrays),
        tiny_run.model.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(first, second)
    model = lenet_tf.load_model(made.path)
    assert model.compiled and model.spec == tiny_run.model.spec


def test_make_presets_writes_only_the_cards(tmp_path) -> None:
    make_presets.main(["--cards", "--folder", str(tmp_path)])
    cards = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = presets.FOLDER.glob("*.md")
    assert cards == {path.name: path.read_bytes() for path in shipped}


def test_make_presets_names_its_mistakes(capsys) -> None:
    with pytest.raises(SystemExit):
        make_presets.main(["lenet6-mnist"])
    assert "unknown preset 'lenet6-mnist': choose from cnn-38k-mnist" in capsys.readouterr().err


def _find_record(name: str) -> tuple[Preset, TableRow, Record]:
    preset = find_preset(name)
    assert preset is not None
    row = get_rows([preset.row])[0]
    records = {record["seed"]: record for record in RecordStore.for_package().read(row)}
    return preset, row, records[preset.seed]


@pytest.mark.parametrize("name", NAMES)
def test_presets_agree_with_the_record_of_their_run(name: str) -> None:
    """The record may come from another processor: its error lies in the preset's interval."""
    preset, row, record = _find_record(name)
    score = Score.from_counts(preset.test_errors, preset.test_images)
    assert preset.test_error == pytest.approx(score.value, abs=1e-6)
    assert preset.test_error_interval == pytest.approx((score.low, score.high), abs=1e-6)
    assert score.low <= 1 - record["test"]["accuracy"] <= score.high
    assert preset.data_sha256 == record["data"]["sha256"]
    assert preset.parameters == record["parameters"]
    assert preset.row_test_errors == pytest.approx(
        [1 - each["test"]["accuracy"] for each in RecordStore.for_package().read(row)], abs=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_presets_have_the_stated_error(name: str, originals) -> None:
    preset, row, _ = _find_record(name)
    if not (originals / preset.data).is_dir():
        pytest.skip(f"the folder of originals has no {preset.data}")
    raw = lenet_tf.load_data(preset.data, originals=originals)
    network = preset.read()
    images = prepare_images(raw.x_test, network.spec.preparation)
    classes = compute_outputs(fold(network), images).argmax(axis=1)
    # Sums in another order may change the class of an image on the border.
    assert abs(np.count_nonzero(classes != raw.y_test) - preset.test_errors) <= 1
    recorded = RecordStore.for_package().read_predictions(row).by_seed[preset.seed]
    assert np.mean(classes == decode_classes(recorded)) >= 0.99
