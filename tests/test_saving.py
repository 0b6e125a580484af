"""Valid saved models load bit for bit; hostile ones are refused before Keras sees them."""

from __future__ import annotations

import inspect
import io
import json
import re
import shutil
import warnings
import zipfile
from dataclasses import replace

import h5py
import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.errors import RunError, SpecError
from lenet_tf.models import compile_schema
from lenet_tf.models.compile_check import check_compile_config
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
        metrics=[
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


def describe_object(module, name, /, **config):
    return {
        "module": f"keras.{module}",
        "class_name": name,
        "config": config,
        "registered_name": None,
    }


def metric(name, /, **config):
    return describe_object("metrics", name, **config)


def loss(name, /, **config):
    return describe_object("losses", name, **config)


COMPILE_CONFIGS = [
    # Memory: thousands of metrics, given as text or as objects, and large ones.
    ({"metrics": ["accuracy"] * 1500}, "compile_config has 1,500 metrics, more than 32"),
    ({"weighted_metrics": ["mse"] * 40}, "compile_config has 41 metrics, more than 32"),
    ({"metrics": [metric("AUC", num_thresholds=2000)]}, "num_thresholds must be a whole number"),
    ({"metrics": [metric("AUC", thresholds=[0.5] * 60_000)]}, "thresholds must be a number from"),
    (
        {"metrics": [metric("Precision", thresholds=[0.5] * 400)] * 3},
        "its metrics have 1,200 thresholds for 10 classes, together more than 10,000",
    ),
    # Metrics and losses that one-hot labels don't fit, or that don't exist.
    ({"metrics": [metric("MeanIoU", num_classes=10)]}, "names keras.metrics.MeanIoU, which no"),
    ({"metrics": [metric("Mean")]}, "names keras.metrics.Mean, which no LeNet is compiled with"),
    ({"metrics": [metric("SparseCategoricalAccuracy")]}, "names keras.metrics.SparseCategorical"),
    ({"metrics": [metric("TopKCategoricalAccuracy", k="x")]}, "k must be a whole number from 1"),
    ({"metrics": [metric("Precision", class_id=10)]}, "class_id must be the number of a class"),
    ({"metrics": [metric("AUC", name="\x1b[31m")]}, "AUC: name must be a name of up to 100"),
    ({"metrics": [metric("AUC", zzz=1)]}, "compile_config: AUC has an unknown field 'zzz'"),
    ({"metrics": ["nope"]}, "compile_config names 'nope', which no LeNet is compiled with"),
    ({"metrics": [5]}, "compile_config names 5, which no LeNet is compiled with"),
    ({"metrics": {"x": "accuracy"}}, "metrics must be a list or null, not {'x': 'accuracy'}"),
    ({"metrics": [[["accuracy"]]]}, "names [['accuracy']], which no LeNet is compiled with"),
    ({"weighted_metrics": {"a": "b"}}, "weighted_metrics must be a list or null, not"),
    ({"loss": None}, "compile_config names None, which no LeNet is compiled with"),
    ({"loss": 5}, "compile_config names 5, which no LeNet is compiled with"),
    ({"loss": ["mse", "mse"]}, "names ['mse', 'mse'], which no LeNet is compiled with"),
    ({"loss": {"a": "mse"}}, "which no LeNet is compiled with"),
    ({"loss": "accuracy"}, "names 'accuracy', which no LeNet is compiled with"),
    ({"loss": "sparse_categorical_crossentropy"}, "names 'sparse_categorical_crossentropy'"),
    ({"loss": loss("Circle")}, "names keras.losses.Circle, which no LeNet is compiled with"),
    ({"loss": loss("CategoricalCrossentropy", axis=7)}, "axis must be -1, not 7"),
    ({"loss": loss("CategoricalCrossentropy", reduction="sum")}, "reduction must be one of"),
    ({"loss": loss("CategoricalCrossentropy", reduction=None)}, "reduction must be one of"),
    ({"loss": loss("CategoricalCrossentropy", dtype="complex64")}, "dtype must be one of"),
    (
        {"loss": loss("CategoricalCrossentropy", label_smoothing="x")},
        "label_smoothing must be a number from 0 up to, not including, 1, not 'x'",
    ),
    # Options.
    ({"steps_per_execution": "x"}, "steps_per_execution must be a whole number from 1 to 1,000"),
    ({"steps_per_execution": -5}, "steps_per_execution must be a whole number from 1 to 1,000"),
    ({"steps_per_execution": 10**9}, "steps_per_execution must be a whole number from 1 to 1,000"),
    ({"run_eagerly": "yes"}, "run_eagerly must be one of true, false, not 'yes'"),
    ({"jit_compile": "yes"}, "jit_compile must be one of true, false, \"auto\", null, not 'yes'"),
    ({"loss_weights": 0.001}, "loss_weights must be null, not 0.001"),
    ({"auto_scale_loss": True}, "compile_config has an unknown field 'auto_scale_loss'"),
]


@pytest.mark.parametrize(("changes", "message"), COMPILE_CONFIGS)
def test_what_no_lenet_is_compiled_with_is_refused_by_name(members, refuse, changes, message):
    assert message in refuse(edit_config(members, lambda c: c["compile_config"].update(changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": "x"}, "Adam: learning_rate must be a number from 0 to 3.4e+38, not 'x'"),
        ({"learning_rate": 10**400}, "learning_rate must be a number"),
        ({"learning_rate": metric("AUC")}, "names keras.metrics.AUC, which no LeNet"),
        ({"beta_1": [1, 2]}, "beta_1 must be a number from 0 up to, not including, 1"),
        ({"clipnorm": "x"}, "clipnorm must be a number from 0 to 3.4e+38 or null, not 'x'"),
        ({"ema_overwrite_frequency": "x"}, "ema_overwrite_frequency must be a whole number"),
        ({"name": "a/b"}, "Adam: name must be a name of up to 100 letters"),
        # A regular expression that never stops matching.
        ({"exclude_layers": ["(a+)+$"]}, "Adam has an unknown field 'exclude_layers'"),
    ],
)
def test_fields_of_an_optimizer_are_checked(members, refuse, changes, message):
    def edit(config):
        config["compile_config"]["optimizer"]["config"].update(changes)

    assert message in refuse(edit_config(members, edit))


def test_patterns_that_never_stop_matching_are_refused(members, refuse):
    muon = describe_object("optimizers", "Muon", learning_rate=0.1, exclude_layers=["(a+)+$"])
    edited = edit_config(members, lambda c: c["compile_config"].update(optimizer=muon))
    assert "exclude_layers must be a list of up to 500 values, each a name" in refuse(edited)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": "x"},
        {"seed": -1},
        {"precision": "float16"},
        {"name": 5},
        {"name": "\x1b[31mred"},
        {"name": "a" * 10**5},
        {"frozen": 5},
        {"frozen": ["nope"]},
    ],
)
def test_invalid_arguments_of_a_lenet_are_refused(members, refuse, changes):
    (field,) = changes
    message = refuse(edit_config(members, lambda c: c["config"].update(changes)))
    assert f"LeNet has an invalid {field}" in message and "\x1b" not in message


def test_a_name_with_two_values_is_refused(members, refuse):
    text = members["config.json"].decode()
    twice = text[:-1] + ', "compile_config": {}}'
    assert "its config.json cannot be read: it gives 'compile_config' twice" in refuse(
        members | {"config.json": twice}
    )


def test_a_network_with_huge_images_is_refused(members, refuse):
    """A file of a few kilobytes whose preparation pads each image to 16 million pixels."""

    def edit(config):
        spec = config["config"]["spec"]
        spec["rows"][0]["shape"] = [4096, 4096, 1]
        spec["rows"][1].update(stride=1, filters=6)
        spec["rows"][3] = {"kind": "global_average_pooling", "name": "FLATTEN"}
        spec |= {"expected_parameters": None}
        spec["preparation"]["pad_to"] = 4096

    message = refuse(edit_config(members, edit))
    assert re.search(r"C1 needs [\d.]+ MiB of memory for one image, more than 256.0 MiB", message)


OBJECTS = [
    *((keras.metrics, name) for name in compile_schema.METRICS),
    *((keras.losses, name) for name in compile_schema.LOSSES),
    *((keras.optimizers, name) for name in compile_schema.OPTIMIZERS),
    *((keras.optimizers.schedules, name) for name in compile_schema.SCHEDULES),
]
ARGUMENTS = {
    **dict.fromkeys(("recall", "precision", "sensitivity", "specificity"), 0.5),
    **dict.fromkeys(("initial_learning_rate", "decay_rate"), 0.1),
    **dict.fromkeys(("decay_steps", "first_decay_steps"), 10),
    **{"boundaries": [1], "values": [0.1, 0.2]},
}


@pytest.mark.parametrize(("module", "name"), OBJECTS)
def test_every_allowed_object_passes_the_schema_and_works(module, name):
    part = getattr(module, name)
    needed = [
        parameter.name
        for parameter in inspect.signature(part).parameters.values()
        if parameter.default is parameter.empty and parameter.name in ARGUMENTS
    ]
    part = part(**{argument: ARGUMENTS[argument] for argument in needed})
    config = {"optimizer": keras.optimizers.SGD(), "loss": "mse", "metrics": ["accuracy"]}
    if module is keras.metrics:
        config["metrics"] = [part]
    elif module is keras.losses:
        config["loss"] = part
    else:
        is_schedule = module is keras.optimizers.schedules
        config["optimizer"] = keras.optimizers.SGD(part) if is_schedule else part
    # JSON makes lists of tuples.
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(config)))
    check_compile_config(config, 10)
    labels, outputs = np.eye(10, dtype="float32"), np.linspace(0.1, 0.9, 100, dtype="float32")
    outputs = outputs.reshape(10, 10)
    if module is keras.metrics:
        part.update_state(labels, outputs)
        assert np.isfinite(part.result()).all()
    if module is keras.losses:
        assert np.isfinite(part(labels, outputs))


def test_every_allowed_name_is_one_that_keras_knows():
    for name in compile_schema.LOSS_NAMES:
        assert keras.losses.get(name)
    for name in compile_schema.METRIC_NAMES - {"accuracy", "acc"}:
        assert keras.metrics.get(name)


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


def test_deflated_zeros_are_no_weights(members, refuse):
    """A megabyte that would become a gigabyte."""
    weights = members["model.weights.h5"] + bytes(64 << 20)
    message = refuse(members | {"model.weights.h5": weights}, zipfile.ZIP_DEFLATED)
    assert "its model.weights.h5 is mostly empty" in message


def test_an_older_file_of_keras_says_what_to_do(tmp_path):
    """The advice works: a whole model in the older format gives its weights to a LeNet."""
    theirs = LeNet("tiny", seed=5)
    path = tmp_path / "old.h5"
    keras.Sequential(theirs.layers).save(path)
    with pytest.raises(RunError, match=r"old\.h5 is an HDF5 file, .* load_weights\(\)"):
        lenet_tf.load_model(path)
    ours = LeNet("tiny", seed=6)
    ours.load_weights(path)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


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


@pytest.mark.parametrize("own", ["accuracy", ["accuracy", "mse"]])
def test_metrics_by_the_name_of_the_only_output_are_saved(own, tmp_path):
    model = LeNet("tiny", seed=0)
    model.compile("adam", model.loss, metrics={"OUTPUT": own})
    model.save(tmp_path / "model.keras")
    loaded = lenet_tf.load_model(tmp_path / "model.keras")
    zeros = np.zeros((1, 10), "float32")
    names = [each.compute_metrics(None, zeros, zeros).keys() for each in (model, loaded)]
    assert names[0] == names[1] > {"accuracy"}


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


def test_a_model_is_saved_as_before_after_an_hdf5_file(tmp_path):
    """Keras loses the optimizer in such a file."""
    model = LeNet("tiny", seed=0)
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "tiny.h5")
    model.save(tmp_path / "tiny.keras")
    assert type(lenet_tf.load_model(tmp_path / "tiny.keras").optimizer) is keras.optimizers.Adam


def test_an_untrained_model_loads_without_a_warning(tmp_path):
    LeNet("tiny", seed=0).save(tmp_path / "tiny.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("default", DeprecationWarning)
        lenet_tf.load_model(tmp_path / "tiny.keras")


def test_a_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    LeNet("tiny", seed=0).save(tmp_path / "tiny.keras")
    assert lenet_tf.load_model("~/tiny.keras").name == "tiny"
