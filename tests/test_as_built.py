"""A model whose layers are no longer its table's is seen: it can't be saved as the table."""

from __future__ import annotations

import copy
import json
import pickle

import keras
import pytest

import lenet_tf
from lenet_tf.engine.selection import choose_engine
from lenet_tf.errors import RunError, TrainingError
from lenet_tf.models.as_built import find_difference
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.runtime.device import choose_device
from lenet_tf.specs import VARIANTS


def tanh(x):
    return x


def set_attribute(number, **values):
    def change(model):
        for name, value in values.items():
            setattr(model.layers[number], name, value)

    return change


def replace_head(model):
    name = model.pop().name
    model.add(keras.layers.Dense(3, "softmax", name=name))


CHANGES = {
    "popped": (lambda model: model.pop(), "its layers are C1, S2, FLATTEN, not C1, S2"),
    "added": (
        lambda model: model.add(keras.layers.Dense(3, name="X")),
        "its layers are .*, X, not",
    ),
    "other head": (replace_head, "OUTPUT has the units 3, not 10"),
    "activation": (
        set_attribute(-1, activation=keras.activations.sigmoid),
        "OUTPUT has the activation sigmoid, not softmax",
    ),
    "own activation of the same name": (
        set_attribute(0, activation=tanh),
        "C1 has its own activation tanh, not tanh",
    ),
    "strides": (set_attribute(0, strides=(1, 1)), r"C1 has the strides \(1, 1\), not \(2, 2\)"),
    "own call": (set_attribute(0, call=lambda inputs: inputs), "C1 has its own call"),
    "precision": (
        set_attribute(0, dtype_policy="mixed_float16"),
        "C1 has the dtype mixed_float16, not float32",
    ),
    "low-rank weights": (lambda model: model.layers[0].enable_lora(2), "C1 has the lora_rank 2"),
    "one frozen weight": (
        lambda model: setattr(model.layers[0].kernel, "trainable", False),
        "C1 has weights that are frozen one by one",
    ),
    "own regularizer": (
        lambda model: setattr(model.layers[0].kernel, "regularizer", lambda weights: 0.1),
        "C1 has the kernel_regularizer function, which is not Keras' own",
    ),
    "regularizer that Keras ignores": (
        set_attribute(0, kernel_regularizer=keras.regularizers.L2(0.1)),
        r"C1 got its kernel_regularizer after .*: set layer\.kernel\.regularizer",
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_table_equals_what_it_built(variant):
    model = LeNet(variant, seed=0)
    assert find_difference(model) == ""
    assert find_own_methods(model) == []


@pytest.mark.parametrize(("change", "difference"), CHANGES.values(), ids=CHANGES)
def test_a_changed_model_is_not_saved_as_its_table(change, difference, tmp_path):
    model = LeNet("tiny", seed=0)
    change(model)
    path = tmp_path / "model.keras"
    with pytest.raises(RunError, match=f"tiny can't be saved as the network tiny: {difference}"):
        model.save(path)
    assert not path.exists()
    with pytest.raises(TrainingError, match="the engine graph can't train tiny, since"):
        choose_engine("graph", model.spec, model, choose_device("cpu"))


def test_frozen_copied_and_cut_models_are_as_before(tmp_path):
    model = LeNet("tiny", seed=0)
    model.layers[0].trainable = False
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert [layer.trainable for layer in copied.layers] == [False, True, True, True]
        assert find_difference(copied) == ""
    assert type(keras.models.clone_model(model)) is keras.Sequential
    head = keras.Sequential([*model.layers[:-1], keras.layers.Dense(3, "softmax")])
    head.save(tmp_path / "head.keras")
    model.layers[0].trainable = True
    assert find_difference(model) == ""


def add_terms(model):
    first, *_, last = model.layers
    first.kernel.regularizer = keras.regularizers.L2(0.25)
    first.bias.constraint = keras.constraints.MaxNorm(2.0, axis=0)
    last.activity_regularizer = keras.regularizers.L1L2(0.5, 0.125)
    return model


def test_regularizers_and_constraints_are_saved(tmp_path):
    model = add_terms(LeNet("tiny", seed=0))
    model.save(tmp_path / "model.keras")
    for load in (lenet_tf.load_model, keras.saving.load_model):
        first, *_, last = load(tmp_path / "model.keras").layers
        assert first.kernel.regularizer.l2 == 0.25
        assert first.bias.constraint.max_value == 2.0
        assert last.activity_regularizer.get_config() == {"l1": 0.5, "l2": 0.125}


@pytest.mark.parametrize(
    "terms",
    [
        3,
        {"C1": 3},
        {"C1": {"kernel_regularizer": {"class_name": "Lambda", "config": {}}}},
        {"C1": {"kernel_regularizer": {"class_name": "MaxNorm", "config": {}}}},
        {"C1": {"kernel_regularizer": {"class_name": "L2", "config": {"l2": {"class_name": "x"}}}}},
        {"C1": {"kernel_regularizer": {"class_name": "L2", "config": {"factor": 1}}}},
        {"C1": {"call": {"class_name": "L2", "config": {}}}},
        {"C9": {"kernel_regularizer": {"class_name": "L2", "config": {}}}},
        {"S2": {"kernel_regularizer": {"class_name": "L2", "config": {}}}},
    ],
    ids=str,
)
def test_invalid_regularizers_in_a_file_are_refused(terms, tmp_path):
    from zipfile import ZipFile

    path, edited = tmp_path / "model.keras", tmp_path / "edited.keras"
    LeNet("tiny", seed=0).save(path)
    with ZipFile(path) as archive, ZipFile(edited, "w") as output:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["terms"] = terms
                content = json.dumps(config).encode()
            output.writestr(name, content)
    with pytest.raises(RunError, match=r"edited\.keras cannot be read as a Keras model"):
        lenet_tf.load_model(edited)


class OwnStep(LeNet):
    """A model with its own training step, which notes that it was called."""

    was_called = False

    def train_step(self, data):
        self.was_called = True
        return super().train_step(data)


def test_own_methods_are_found():
    class Documented(LeNet):
        def describe(self):
            return "no method of a LeNet"

    assert find_own_methods(Documented("tiny")) == []
    assert find_own_methods(OwnStep("tiny")) == ["train_step"]
    model = LeNet("tiny")
    model.compute_loss = lambda *arguments, **options: 0.0
    assert find_own_methods(model) == ["compute_loss"]


@pytest.mark.cpu
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (add_terms, "C1 has a kernel_regularizer"),
        (
            lambda model: model.compile(
                "adam", model.loss, metrics=["accuracy"], loss_weights=[3.0]
            ),
            "its loss isn't the mean over the images",
        ),
        (
            lambda model: model.compile("adam", keras.losses.Dice(), metrics=["accuracy"]),
            "its loss isn't the mean over the images",
        ),
        (
            lambda model: model.compile(
                "adam", keras.losses.CategoricalCrossentropy(reduction="sum"), metrics=["accuracy"]
            ),
            "its loss isn't the mean over the images",
        ),
        (
            lambda model: model.compile("adam", model.loss, metrics=["accuracy"], run_eagerly=True),
            "it is compiled with run_eagerly",
        ),
    ],
    ids=["regularizers", "loss weights", "loss of a batch", "sum", "eager"],
)
def test_auto_takes_keras_step_for_what_the_graph_loop_cannot_do(change, reason):
    model = LeNet("tiny", seed=0)
    assert choose_engine("auto", model.spec, model, choose_device("cpu"))[0] is not None
    change(model)
    loop, description = choose_engine("auto", model.spec, model, choose_device("cpu"))
    assert loop is None
    assert description == f"keras, since {reason}"
    with pytest.raises(TrainingError, match=f"the engine graph can't train tiny, since {reason}"):
        choose_engine("graph", model.spec, model, choose_device("cpu"))


def test_sdlm_needs_the_loss_of_its_recipe():
    model = LeNet("lenet5-1998", seed=0)
    assert choose_engine("auto", model.spec, model, choose_device("cpu"))[0] is not None
    model.compile(model.optimizer, "mean_squared_error", metrics=["accuracy"])
    with pytest.raises(TrainingError, match="sdlm needs the second derivatives of the recipe's"):
        choose_engine("auto", model.spec, model, choose_device("cpu"))
