"""Saved models opened without trust: what is right comes back bit for bit, what is hostile is refused before Keras sees it."""

from __future__ import annotations

import io
import json
import re
import zipfile

import h5py
import keras
import numpy as np
import pytest

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.models.lenet import LeNet


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The members of a sound file, by name."""
    path = tmp_path_factory.mktemp("sound") / "m.keras"
    LeNet("tiny", seed=0).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path):
    """Writes an archive of these members and gives the text of its refusal."""

    def write(members, method=zipfile.ZIP_STORED):
        file = tmp_path / "hostile.keras"
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        with pytest.raises(RunError) as error:
            lenet_tf.load_model(file)
        assert str(file) in str(error.value) and len(str(error.value).splitlines()) <= 2
        return str(error.value)

    return write


def changed(parts, change):
    config = json.loads(parts["config.json"])
    change(config)
    return parts | {"config.json": json.dumps(config)}


@pytest.mark.parametrize(
    ("variant", "precision"),
    [("lenet5", "float32"), ("lenet5-1998", "float32"), ("tiny", "mixed_float16")],
)
def test_weights_and_optimizer_state_come_back_bit_for_bit(tmp_path, variant, precision):
    model = LeNet(variant, seed=0, precision=precision)
    model.train_on_batch(
        np.random.default_rng(0).random((4, *model.input_shape[1:]), "float32"),
        np.eye(10, dtype="float32")[:4],
    )
    model.save(tmp_path / "m.keras")
    again = lenet_tf.load_model(tmp_path / "m.keras")
    pairs = zip(
        model.weights + model.optimizer.variables,
        again.weights + again.optimizer.variables,
        strict=True,
    )
    for one, other in pairs:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_model_compiled_anew_with_keras_own_parts_loads(tmp_path):
    model = LeNet("tiny", seed=0)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model.compile(
        keras.optimizers.Lion(schedule),
        keras.losses.CategoricalFocalCrossentropy(),
        [keras.metrics.AUC(), "mse"],
    )
    model.save(tmp_path / "m.keras")
    assert type(lenet_tf.load_model(tmp_path / "m.keras").optimizer).__name__ == "Lion"


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("keras.config", "enable_unsafe_deserialization", "enable_unsafe_deserialization"),
        ("keras.utils", "get_file", None),
        ("keras.layers", "Lambda", None),
        ("keras.layers", "StringLookup", None),
        ("os", "system", None),
        ("keras.optimizers", "Adam", "evil>X"),
    ],
)
def test_other_classes_and_functions_are_named_and_refused(
    parts, refused, module, name, registered
):
    for kind, config in ((name, {}), ("function", name)):
        part = {
            "module": module,
            "class_name": kind,
            "config": config,
            "registered_name": registered,
        }
        assert name in refused(
            changed(parts, lambda c, part=part: c["compile_config"].update(loss=part))
        )
    assert "not a LeNet" in refused(
        changed(parts, lambda c: c.update(module=module, class_name=name))
    )


def test_a_table_that_wants_more_than_the_weights_hold_is_refused_at_once(parts, refused):
    def change(units):
        return lambda c: c["config"]["spec"]["rows"].insert(
            -1, {"kind": "dense", "name": "D", "units": units}
        )

    assert re.search(
        r"has [\d,]+ parameters, and its weights are [\d,]+ bytes, too few for them",
        refused(changed(parts, change(10**6))),
    )
    assert "units must be at most" in refused(changed(parts, change(10**12)))
    assert "at most" in refused(
        changed(parts, lambda c: c["config"]["spec"]["rows"][0].update(shape=[10**12, 10**12, 1]))
    )


def test_metrics_that_would_fill_the_memory_are_refused(parts, refused):
    def change(count, classes):
        part = {
            "module": "keras.metrics",
            "class_name": "MeanIoU",
            "config": {"num_classes": classes},
            "registered_name": None,
        }
        return lambda c: c["compile_config"].update(metrics=[part] * count)

    assert "num_classes is 2000, more than 500" in refused(changed(parts, change(1, 2000)))
    assert "names more than 32 parts" in refused(changed(parts, change(40, 10)))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": NaN}', "1" * 100_000, "\xff", " " * (2 << 20)]
)
def test_json_without_bounds_is_refused(parts, refused, text):
    refused(parts | {"config.json": text.encode("latin-1")}, zipfile.ZIP_DEFLATED)


def test_archives_of_another_form_are_refused(parts, refused, tmp_path):
    assert "../evil" in refused(
        {**{k: v for k, v in parts.items() if k != "metadata.json"}, "../evil": b""}
    )
    assert "other files" in refused(parts | {"a": b"", "b": b""})
    (tmp_path / "old.keras").write_bytes(parts["model.weights.h5"])
    with pytest.raises(RunError, match="damaged"):
        lenet_tf.load_model(tmp_path / "old.keras")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"external_attr": 0o120777 << 16}, "its metadata.json is not a regular file"),
        ({"compress_type": zipfile.ZIP_LZMA}, "compressed in a way that Keras does not use"),
    ],
)
def test_members_of_another_kind_are_refused(parts, tmp_path, change, message):
    file = tmp_path / "hostile.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name)
            for field, value in change.items() if name == "metadata.json" else ():
                setattr(info, field, value)
            archive.writestr(info, content)
    with pytest.raises(RunError, match=message):
        lenet_tf.load_model(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(parts, tmp_path):
    file = tmp_path / "hostile.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in [*parts.items(), ("config.json", parts["config.json"])]:
            archive.writestr(name, content)
    with pytest.raises(RunError, match=r"'config.json', twice"):
        lenet_tf.load_model(file)


def virtual(group, file):
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (8,))
    group.create_virtual_dataset("0", layout)


def hostile(write):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file.create_group("layers/conv2d/vars"), file)
    return buffer.getvalue().ljust(8_000, b"\0")


@pytest.mark.parametrize(
    "write",
    [
        lambda group, file: group.__setitem__("0", h5py.ExternalLink("/etc/passwd", "/")),
        lambda group, file: group.__setitem__("0", h5py.SoftLink("/layers")),
        lambda group, file: group.__setitem__("0", file["layers"]),
        lambda group, file: group.create_dataset("0", (8,), "u1", external=[("/etc/passwd", 0, 8)]),
        virtual,
        lambda group, file: group.create_dataset(
            "0", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip"
        ),
        lambda group, file: group.create_dataset("0", (1 << 40,), "f4"),
    ],
    ids=[
        "external-link",
        "soft-link",
        "cycle",
        "external-storage",
        "virtual",
        "chunked-bomb",
        "shape-bomb",
    ],
)
def test_weights_that_reach_outside_or_declare_too_much_are_refused(parts, refused, write):
    assert "cannot be read as a Keras model" in refused(
        parts | {"model.weights.h5": hostile(write)}
    )
