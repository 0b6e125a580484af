"""Folders for model hubs hold a network, and hostile ones are refused in one line."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.io import bounded
from lenet_tf.pretrained import hub_folder
from lenet_tf.pretrained.hub_folder import CARD, SAFETENSORS, build_hub_files
from lenet_tf.pretrained.keras_archive import CONFIG, WEIGHTS
from lenet_tf.pretrained.locate import DESCRIPTION, read_any
from lenet_tf.pretrained.network import TrainedNetwork, get_weight_shapes
from lenet_tf.pretrained.safetensors import build_safetensors, name_arrays
from lenet_tf.specs import Spec, get_spec


def make_network(name: str) -> TrainedNetwork:
    spec, random = get_spec(name), np.random.default_rng(0)
    weights = {
        facts.row.name: tuple(
            random.uniform(0.1, 1, shape).astype(np.float32) for shape in get_weight_shapes(facts)
        )
        for facts in spec.layers
        if get_weight_shapes(facts)
    }
    names = tuple(f"class {number}" for number in range(spec.num_classes))
    return TrainedNetwork(spec, weights, class_names=names, image_shape=(28, 28, 1))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return build_hub_files(make_network("tiny"), "tiny", "3.15.1")


@pytest.fixture
def folder(tmp_path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def replace_file(folder: Path, name: str, content: bytes) -> None:
    """Replace a file as an attacker does, who also writes its digest."""
    (folder / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    change_description(folder, lambda values: values["files"].update({name: digest}))


def change_description(folder: Path, change: Callable[[dict], object]) -> None:
    values = json.loads((folder / DESCRIPTION).read_bytes())
    change(values)
    (folder / DESCRIPTION).write_text(json.dumps(values), encoding="utf-8")


def change_config(folder: Path, change: Callable[[dict], object]) -> None:
    values = json.loads((folder / CONFIG).read_bytes())
    change(values)
    replace_file(folder, CONFIG, json.dumps(values).encode())


def change_weights(folder: Path, change: Callable[[h5py.File], object]) -> None:
    buffer = io.BytesIO((folder / WEIGHTS).read_bytes())
    with h5py.File(buffer, "r+") as file:
        change(file)
    replace_file(folder, WEIGHTS, buffer.getvalue())


def check_refusal(folder: Path, message: str) -> None:
    for read in (read_any, lenet_tf.LeNet.from_preset):
        with pytest.raises(RunError) as caught:
            read(folder)
        text = str(caught.value)
        assert message in text and str(folder) in text
        assert len(text.splitlines()) == 1 and len(text) <= 1_001


@pytest.mark.parametrize("name", ["tiny", "lenet5-1998"])
def test_a_folder_holds_the_network(name: str, tmp_path: Path) -> None:
    network = make_network(name)
    for file, content in build_hub_files(network, name, "3.15.1").items():
        (tmp_path / file).write_bytes(content)
    (tmp_path / ".gitattributes").symlink_to("/dev/zero")
    (tmp_path / ".git").mkdir()
    read = read_any(str(tmp_path))
    assert read.spec == network.spec
    assert (read.class_names, read.image_shape) == (network.class_names, (28, 28, 1))
    model = lenet_tf.LeNet.from_preset(tmp_path)
    for row, arrays in network.weights.items():
        stored = model.get_layer(row).get_weights()
        for expected, array, by_keras in zip(arrays, read.weights[row], stored, strict=True):
            np.testing.assert_array_equal(array, expected)
            np.testing.assert_array_equal(by_keras, expected)


def test_keras_reads_the_folder(folder: Path) -> None:
    import keras

    model = keras.saving.load_model(folder)
    expected = lenet_tf.LeNet.from_preset(folder)
    assert isinstance(model, lenet_tf.LeNet) and model.spec == expected.spec
    for first, second in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_export_writes_a_folder(tiny_run, digits, tmp_path: Path) -> None:
    result = lenet_tf.export(tiny_run, tmp_path / "x", format="hub", data=digits)
    names = {CONFIG, WEIGHTS, SAFETENSORS, DESCRIPTION, CARD, "metadata.json"}
    assert {path.name for path in (tmp_path / "x").iterdir()} == names | {"export.check.json"}
    assert result.check.largest_difference < 1e-5 and result.check.runtime.startswith("Keras 3.")
    read, original = read_any(tmp_path / "x"), read_any(tiny_run.path)
    assert read.spec == original.spec and read.image_shape == original.image_shape
    assert read.origin is not None and original.origin is not None
    assert read.origin.test_images == len(digits.x_test)
    errors = round((1 - tiny_run.metrics["test_accuracy"]) * len(digits.x_test))
    assert read.origin.test_errors == original.origin.test_errors == errors
    card = (tmp_path / "x" / CARD).read_text(encoding="utf-8")
    assert f"| {len(digits.x_test):,} | {errors:,} |" in card
    model = lenet_tf.LeNet.from_preset(tmp_path / "x")
    for first, second in zip(model.get_weights(), tiny_run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_model_in_memory_gets_a_card_without_results(digits, tmp_path: Path) -> None:
    model = lenet_tf.LeNet("tiny", seed=0)
    lenet_tf.export(model, tmp_path / "x", format="hub", data=digits)
    card = (tmp_path / "x" / CARD).read_text(encoding="utf-8")
    assert "How it was trained isn't recorded." in card and "None are recorded." in card
    assert "model-index" not in card


@pytest.mark.parametrize("name", ["tiny", "lenet5-1998"])
def test_safetensors_are_written_as_specified(name: str) -> None:
    network = make_network(name)
    content = build_safetensors(network)
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert (8 + length) % 8 == 0 and header.pop("__metadata__") == {"format": "lenet_tf"}
    assert header.keys() == name_arrays(network).keys()
    end = 0
    for key, array in name_arrays(network).items():
        assert header[key]["data_offsets"][0] == end and header[key]["dtype"] == "F32"
        end = header[key]["data_offsets"][1]
        part = np.frombuffer(data[slice(*header[key]["data_offsets"])], "<f4")
        np.testing.assert_array_equal(part.reshape(header[key]["shape"]), array)
    assert end == len(data)


def test_safetensors_are_read_by_their_own_library() -> None:
    library = pytest.importorskip("safetensors.numpy", reason="pip install safetensors")
    network = make_network("lenet5-1998")
    arrays = library.load(build_safetensors(network))
    expected = name_arrays(network)
    assert arrays.keys() == expected.keys()
    assert all((arrays[name] == expected[name]).all() for name in expected)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, SAFETENSORS, "metadata.json"])
def test_changed_and_missing_files_are_refused(name: str, folder: Path) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    check_refusal(folder, f"{name} was changed: its SHA-256 is not the one in {DESCRIPTION}")
    (folder / name).unlink()
    check_refusal(folder, f"{name} cannot be read: No such file")


@pytest.mark.skipif(os.name == "nt", reason="Windows needs a right to make links")
@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, SAFETENSORS, DESCRIPTION])
def test_links_pipes_and_folders_are_refused(name: str, folder: Path, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside") / name
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    check_refusal(folder, "it is a link to another file")
    (folder / name).unlink()
    (folder / name).symlink_to("/dev/zero")
    check_refusal(folder, "it is a link to another file")
    (folder / name).unlink()
    (folder / name).symlink_to(outside.parent)
    check_refusal(folder, "it is a link to another file")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    check_refusal(folder, "it is not a regular file")
    (folder / name).unlink()
    (folder / name).mkdir()
    check_refusal(folder, "it is not a regular file")


@pytest.mark.parametrize("name", ["../config.json", "/etc/passwd", "a/b", "C:x", "config.json\0"])
def test_paths_to_other_files_are_refused(name: str, folder: Path) -> None:
    change_description(folder, lambda values: values["files"].update({name: "0" * 64}))
    check_refusal(folder, "which is not part of such a folder")


DESCRIPTIONS: list[tuple[bytes | Callable[[dict], object], str]] = [
    (b"", "Expecting value"),
    (b"[]", "it must be a table of names and values"),
    (b"[" * 100_000, "it is nested too deeply"),
    (b'{"format": 1, "format": 2}', "twice"),
    (b'{"a": "' + b"x" * (1 << 20) + b'"}', "it is larger than 1,048,576 bytes"),
    (lambda values: values.update(format=2), "format"),
    (lambda values: values.pop("files"), "it has no 'files'"),
    (lambda values: values["files"].pop(CONFIG), "files has no 'config.json'"),
    (lambda values: values["files"].update({CONFIG: 7}), "files[...] must be a text"),
    (lambda values: values.update(image_shape=[28, 28, 10**6]), "image_shape["),
    (lambda values: values.update(image_shape=[0, 28]), "image_shape["),
    (lambda values: values.update(image_shape=[28]), "image_shape"),
    (lambda values: values.update(class_names=["a"]), "it names 1 classes, and there are 10"),
    (lambda values: values.update(class_names=[1] * 10), "class_names[0] must be a text"),
    (lambda values: values.update(test_errors=7), "test_errors is larger than test_images"),
    (lambda values: values.update(test_errors=10**30), "test_errors must be a number"),
]


@pytest.mark.parametrize(("change", "message"), DESCRIPTIONS)
def test_hostile_descriptions_are_refused(
    change: bytes | Callable[[dict], object], message: str, folder: Path
) -> None:
    if isinstance(change, bytes):
        (folder / DESCRIPTION).write_bytes(change)
    else:
        change_description(folder, change)
    check_refusal(folder, message)


def nest(values: dict) -> None:
    inner: list = []
    for _ in range(40):
        inner = [inner]
    values["config"]["spec"]["notes"] = inner


CONFIGS: list[tuple[Callable[[dict], object], str]] = [
    (lambda values: values.update(class_name="Sequential"), "it holds another model"),
    (lambda values: values.update(registered_name="x>LeNet"), "it holds another model"),
    (lambda values: values.pop("config"), "config.json describes no model"),
    (nest, "it is nested deeper than 32 levels"),
    (lambda values: values["config"].update(precision="float64"), "its precision is unknown"),
    (lambda values: values["config"].update(spec=get_spec("lenet5").to_dict()), "is too short for"),
    (lambda values: values["config"].pop("spec"), "its network is not valid"),
    (
        lambda values: values["config"]["spec"]["rows"][-1].update(units=10**9),
        "its network is not valid",
    ),
]


@pytest.mark.parametrize(("change", "message"), CONFIGS)
def test_hostile_configs_are_refused(
    change: Callable[[dict], object], message: str, folder: Path
) -> None:
    change_config(folder, change)
    check_refusal(folder, message)


def replace_bias(value: np.ndarray) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file["layers/dense/vars/1"]
        file["layers/dense/vars/1"] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace_bias(np.full(10, np.nan, np.float32)), "are NaN or infinite"),
        (replace_bias(np.full(10, -np.inf, np.float32)), "are NaN or infinite"),
        (replace_bias(np.full(11, 1, np.float32)), "are missing or of another shape"),
        (replace_bias(np.full(10, 1, np.int32)), "are missing or of another shape"),
        (lambda file: file.__delitem__("layers"), "are missing or of another shape"),
        (
            lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")),
            "cannot be read as a LeNet",
        ),
    ],
)
def test_hostile_weights_are_refused(
    change: Callable[[h5py.File], object], message: str, folder: Path
) -> None:
    change_weights(folder, change)
    check_refusal(folder, message)


def test_damaged_and_huge_weights_are_refused(folder: Path, monkeypatch) -> None:
    replace_file(folder, WEIGHTS, b"\x89HDF\r\n\x1a\n" + bytes(10_000))
    check_refusal(folder, "cannot be read as a LeNet")
    monkeypatch.setattr(hub_folder, "MAX_FILE_BYTES", 5_000)
    check_refusal(folder, "it is larger than 5,000 bytes")
    assert bounded.MAX_TEXT_BYTES == 1 << 20


def test_specs_of_strangers_are_bounded(folder: Path) -> None:
    spec = Spec.from_dict(get_spec("tiny").to_dict()).to_dict()
    for row in spec["rows"]:
        if "shape" in row:
            row["shape"] = [100_000, 100_000, 1]
    change_config(folder, lambda values: values["config"].update(spec=spec))
    check_refusal(folder, "its network is not valid")
