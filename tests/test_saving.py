"""Valid saved models load bit for bit; hostile ones are refused before Keras sees them."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
from dataclasses import replace

import h5py
import keras
import pytest
from quick import fit

import lenet_tf
from lenet_tf.errors import RunError, SpecError
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import get_recipe, get_spec

# Modules that files of lenet_tf 0.3 and earlier name.
FORMER_MODULES = {
    "lenet_tf.models.lenet": "lenet_tf.model",
    "lenet_tf.models.optimizers": "lenet_tf.optimizers",
    "lenet_tf.models.rbf": "lenet_tf.layers",
}


def save_members(model, folder):
    """Save a model and return its archive's members by name."""
    path = folder / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    return save_members(LeNet("tiny", seed=0), tmp_path_factory.mktemp("valid"))


@pytest.fixture
def write_archive(tmp_path):
    def write(members, method=zipfile.ZIP_STORED):
        file = tmp_path / "archive.keras"
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return file

    return write


@pytest.fixture
def refuse(write_archive):
    """Return a function that writes an archive and returns the message that refuses it."""

    def load(members, method=zipfile.ZIP_STORED):
        file = write_archive(members, method)
        with pytest.raises(RunError) as error:
            lenet_tf.load_model(file)
        assert str(file) in str(error.value) and len(str(error.value).splitlines()) <= 2
        return str(error.value)

    return load


def edit_config(members, edit):
    """Return the members with an edited config.json."""
    config = json.loads(members["config.json"])
    edit(config)
    return members | {"config.json": json.dumps(config)}


def find_names(config):
    """Return (module, registered name) of every object of lenet_tf in a config."""
    if isinstance(config, dict):
        own = "lenet_tf" in str(config.get("module")) or ">" in str(config.get("registered_name"))
        names = {(config["module"], config["registered_name"])} if own else set()
        return names.union(*map(find_names, config.values()))
    return set().union(*map(find_names, config)) if isinstance(config, list) else set()


def test_a_new_file_names_registered_objects_and_loads(tmp_path):
    spec = lenet_tf.get_spec("lenet5-1998")
    config = json.loads(save_members(LeNet(spec, seed=0), tmp_path)["config.json"])
    assert find_names(config) == {
        ("lenet_tf.models.lenet", "lenet_tf>LeNet"),
        ("lenet_tf.models.optimizers", "lenet_tf>SDLM"),
    }
    assert config["compile_config"]["loss"]["config"] == "lenet_tf>lecun1998_map"
    loaded = lenet_tf.load_model(tmp_path / "model.keras")
    assert (loaded.spec, loaded.loss.__name__) == (spec, "lecun1998_map")


@pytest.mark.parametrize("load", [lenet_tf.load_model, keras.saving.load_model])
@pytest.mark.parametrize(
    ("variant", "recipe"),
    [("lenet5-1998", None), ("lenet5-modern", "fast")],
    ids=["sdlm", "one-cycle"],
)
def test_a_file_with_the_former_modules_loads(tmp_path, write_archive, load, variant, recipe):
    spec = lenet_tf.get_spec(variant)
    model = LeNet(replace(spec, recipe=get_recipe(variant, recipe) if recipe else spec.recipe))
    members = save_members(model, tmp_path)
    text = members["config.json"].decode()
    for module, former in FORMER_MODULES.items():
        text = text.replace(f'"{module}"', f'"{former}"')
    assert '"lenet_tf.model"' in text and "lenet_tf.models" not in text
    loaded = load(write_archive(members | {"config.json": text}))
    assert type(loaded) is LeNet
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_a_model_compiled_with_keras_own_objects_loads(tmp_path):
    model = LeNet("tiny", seed=0)
    model.compile(
        keras.optimizers.Lion(keras.optimizers.schedules.CosineDecay(0.1, 10)),
        keras.losses.CategoricalFocalCrossentropy(),
        [
            keras.metrics.AUC(),
            "mse",
            keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error),
        ],
    )
    model.save(tmp_path / "model.keras")
    assert type(lenet_tf.load_model(tmp_path / "model.keras").optimizer).__name__ == "Lion"


@pytest.mark.parametrize(
    ("module", "name", "registered"),
    [
        ("keras.config", "enable_unsafe_deserialization", "enable_unsafe_deserialization"),
        ("keras.utils", "get_file", None),
        ("keras.layers", "Lambda", None),
        ("keras.layers", "StringLookup", None),
        ("os", "system", None),
        ("keras.optimizers", "Adam", "evil>X"),
        ("keras.optimizers", "MultiOptimizer", None),
        ("builtins", "__lambda__", "lenet_tf>SDLM"),
    ],
)
def test_other_classes_and_functions_are_refused_by_name(members, refuse, module, name, registered):
    for class_name, config in ((name, {}), ("function", name)):
        loss = {
            "module": module,
            "class_name": class_name,
            "config": config,
            "registered_name": registered,
        }
        assert name in refuse(
            edit_config(members, lambda c, loss=loss: c["compile_config"].update(loss=loss))
        )
    assert "not a LeNet" in refuse(
        edit_config(members, lambda c: c.update(module=module, class_name=name))
    )


def test_registered_objects_of_others_are_refused(members, refuse):
    message = refuse(edit_config(members, lambda c: c["compile_config"].update(loss="evil>loss")))
    assert "'evil>loss', which no LeNet is compiled with" in message


@pytest.mark.parametrize("key", ["build_config", "compile_config"])
def test_objects_with_shapes_to_build_are_refused(members, refuse, key):
    def edit(config):
        config["compile_config"]["optimizer"][key] = {"input_shape": [10**6, 10**6]}

    assert "keras.optimizers.Adam" in refuse(edit_config(members, edit))


def test_a_network_larger_than_its_weights_is_refused(members, refuse):
    def insert_dense(units):
        row = {"kind": "dense", "name": "D", "units": units}
        return lambda c: c["config"]["spec"]["rows"].insert(-1, row)

    assert re.search(
        r"has [\d,]+ parameters, and its weights are [\d,]+ bytes, too few for them",
        refuse(edit_config(members, insert_dense(10**6))),
    )
    assert "units must be at most" in refuse(edit_config(members, insert_dense(10**12)))
    assert "at most" in refuse(
        edit_config(
            members, lambda c: c["config"]["spec"]["rows"][0].update(shape=[10**12, 10**12, 1])
        )
    )
    assert "LeNet has an unknown field 'input_shape'" in refuse(
        edit_config(members, lambda c: c["config"].update(input_shape=[10**5, 10**5, 1]))
    )


def test_metrics_that_would_fill_the_memory_are_refused(members, refuse):
    def set_metrics(count, classes):
        metric = {
            "module": "keras.metrics",
            "class_name": "MeanIoU",
            "config": {"num_classes": classes},
            "registered_name": None,
        }
        return lambda c: c["compile_config"].update(metrics=[metric] * count)

    assert "num_classes is 2000, more than 500" in refuse(
        edit_config(members, set_metrics(1, 2000))
    )
    assert "names more than 32 objects" in refuse(edit_config(members, set_metrics(40, 10)))


def test_patterns_that_never_stop_matching_are_refused(members, refuse):
    def edit(config):
        config["compile_config"]["optimizer"]["config"]["exclude_layers"] = ["(a+)+$"]

    assert "exclude_layers may hold names only" in refuse(edit_config(members, edit))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": NaN}', "1" * 100_000, "\xff", " " * (2 << 20)]
)
def test_json_without_bounds_is_refused(members, refuse, text):
    refuse(members | {"config.json": text.encode("latin-1")}, zipfile.ZIP_DEFLATED)


def test_archives_with_other_members_are_refused(members, refuse, tmp_path):
    others = {name: content for name, content in members.items() if name != "metadata.json"}
    assert "it has no metadata.json" in refuse(others)
    assert "'../evil', which is not part of" in refuse(others | {"../evil": b""})
    many = {f"{number}": b"" for number in range(100)}
    assert "it holds other files than" in refuse(members | many)
    (tmp_path / "weights.keras").write_bytes(members["model.weights.h5"])
    with pytest.raises(RunError, match="damaged"):
        lenet_tf.load_model(tmp_path / "weights.keras")


def test_members_that_keras_does_not_write_are_refused(members, refuse):
    message = refuse(members, zipfile.ZIP_LZMA)
    assert "compressed in a way that Keras does not use" in message


def test_weights_shorter_than_they_claim_are_refused(members, write_archive):
    """A directory that states more bytes than the member has."""
    file = write_archive(members)
    content = bytearray(file.read_bytes())
    entry = content.rindex(b"model.weights.h5") - 46
    assert content[entry : entry + 4] == b"PK\1\2"
    for offset in (20, 24):  # the compressed size and the size
        content[entry + offset : entry + offset + 4] = (1 << 29).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(RunError, match="damaged"):
        lenet_tf.load_model(file)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_with_two_versions_is_refused(members, tmp_path):
    file = tmp_path / "twice.keras"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in [*members.items(), ("config.json", members["config.json"])]:
            archive.writestr(name, content)
    with pytest.raises(RunError, match=r"'config.json', twice"):
        lenet_tf.load_model(file)


def create_virtual(group, file):
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (8,))
    group.create_virtual_dataset("0", layout)


HOSTILE_WEIGHTS = {
    "external link": lambda group, file: group.__setitem__(
        "0", h5py.ExternalLink("/etc/passwd", "/")
    ),
    "soft link": lambda group, file: group.__setitem__("0", h5py.SoftLink("/layers")),
    "cycle": lambda group, file: group.__setitem__("0", file["layers"]),
    "external storage": lambda group, file: group.create_dataset(
        "0", (8,), "u1", external=[("/etc/passwd", 0, 8)]
    ),
    "virtual": create_virtual,
    "compressed bomb": lambda group, file: group.create_dataset(
        "0", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip"
    ),
    "large shape": lambda group, file: group.create_dataset("0", (1 << 40,), "f4"),
}


@pytest.mark.parametrize("create", HOSTILE_WEIGHTS.values(), ids=HOSTILE_WEIGHTS)
def test_weights_with_links_or_false_sizes_are_refused(members, refuse, create):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        create(file.create_group("layers/conv2d/vars"), file)
    weights = buffer.getvalue().ljust(8_000, b"\0")
    assert "cannot be read as a Keras model" in refuse(members | {"model.weights.h5": weights})


def test_a_model_of_another_class_is_refused(tmp_path):
    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(
        tmp_path / "other.keras"
    )
    with pytest.raises(RunError, match=r"other\.keras holds a Sequential, not a LeNet"):
        lenet_tf.load_model(tmp_path / "other.keras")


def test_missing_and_incomplete_models_are_refused(tiny_run, tmp_path):
    with pytest.raises(RunError, match="there is no such run or model"):
        lenet_tf.load_model(tmp_path / "none.keras")
    with pytest.raises(RunError, match="is not a run folder: it has no config.json"):
        lenet_tf.load_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="config.json has format None of lenet_tf unknown"):
        lenet_tf.load_model(tmp_path)
    shutil.copy(tiny_run.path / "config.json", tmp_path)
    with pytest.raises(RunError, match="has no final.keras: no epoch was finished"):
        lenet_tf.load_model(tmp_path)
    broken = tmp_path / "broken.keras"
    broken.write_bytes((tiny_run.path / "final.keras").read_bytes()[:5_000])
    with pytest.raises(
        RunError, match="broken.keras cannot be read as a Keras model: it is damaged or incomplete"
    ):
        lenet_tf.load_model(broken)


def test_a_network_with_a_korean_name_trains(digits, tmp_path):
    """TOML files name networks after themselves."""
    spec = replace(get_spec("tiny"), name="숫자망")
    run = fit(spec, digits, epochs=1, logs=tmp_path, quiet=True)
    assert run.path.name.startswith("숫자망-")
    assert lenet_tf.load_model(run.path).spec.name == "숫자망"
    assert lenet_tf.evaluate(run.path, digits)["accuracy"] == run.metrics["test_accuracy"]


def test_stored_names_that_tensorflow_refuses_still_open(members, write_archive, digits):
    """Earlier versions trained such networks, but could not test them."""

    def rename(config):
        config["config"]["name"] = "my net"
        config["config"]["spec"]["rows"][1]["name"] = "합성곱 1"
        config["config"]["frozen"] = ["합성곱 1"]

    model = lenet_tf.load_model(write_archive(edit_config(members, rename)))
    assert model.layers[0].name == "x____1"
    assert not model.layers[0].trainable
    assert "accuracy" in lenet_tf.evaluate(model, digits)


@pytest.mark.parametrize("name", ["a b", "a/b", "\x1b[31m"])
def test_names_of_models_are_checked(name):
    with pytest.raises(SpecError, match="name must be letters a-z"):
        LeNet("tiny", name=name)
