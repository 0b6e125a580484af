"""What every layer and network satisfies: config, saving, precision, steps, any image count."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from contract import (
    COUNTS,
    assert_close,
    check_config_round_trip,
    check_image_counts,
    check_save_and_load,
    check_training_step,
    compute_outputs,
)
from keras.src import testing as keras_testing
from PIL import Image
from quick import fit

import lenet_tf
from lenet_tf.data.pipeline import evaluation_batches, training_batches
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, use_engine
from lenet_tf.engine.selection import choose_engine
from lenet_tf.errors import SpecError
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.models import layers, pooling
from lenet_tf.models.curvature import curvature
from lenet_tf.models.layer_factory import POOLING_LAYERS
from lenet_tf.models.lenet import LeNet
from lenet_tf.runtime import device
from lenet_tf.specs import VARIANTS, get_spec
from lenet_tf.specs.row_types import ROW_TYPES
from lenet_tf.specs.toml import load_spec

cpu = pytest.mark.cpu
MENU = Path(__file__).parent.parent / "examples" / "menu.toml"
NETWORKS = [*VARIANTS, MENU.name]
# Other networks have the same kinds of rows; only `make test-slow` takes these.
TWINS = ("lenet5-32", "lenet5-modern", "lenet5-3x3", "lenet5-modern-color", "lenet-caffe")
# XLA, not oneDNN, computes the steps of networks that train on one image at a time. XLA takes
# seconds to compile each of them, and lenet5-1998 has all of their layers.
XLA_NETWORKS = [name for name in VARIANTS if VARIANTS[name].recipe.batch_size == 1]
NETWORKS_WITH_MARKS = [
    pytest.param(
        name,
        marks=[cpu] * (name not in XLA_NETWORKS)
        + [pytest.mark.slow] * (name in TWINS or (name in XLA_NETWORKS and name != "lenet5-1998")),
    )
    for name in NETWORKS
]
TABLE = ((0,), (1, 2), (0, 1, 2), (2,))
# Name -> (class, its arguments, shape of an input).
LAYERS = {
    "subsampling": (layers.Subsampling, {"size": (3, 2)}, (8, 7, 3)),
    "subsampling, two copies": (layers.Subsampling, {"multiplier": 2}, (8, 6, 3)),
    "table convolution": (
        layers.TableConvolution,
        {"table": TABLE, "kernel_size": (3, 2), "activation": layers.scaled_tanh},
        (8, 7, 3),
    ),
    "table convolution, strides": (
        layers.TableConvolution,
        {"table": TABLE, "kernel_size": (3, 3), "strides": (2, 2), "padding": "same"},
        (8, 7, 3),
    ),
    "rbf": (layers.EuclideanRBF, {}, (84,)),
    "min": (pooling.MinPooling2D, {}, (8, 7, 3)),
    "sum": (pooling.SumPooling2D, {"pool_size": (3, 2), "strides": (2, 1)}, (8, 7, 3)),
    "stochastic": (pooling.StochasticPooling2D, {"padding": "same", "seed": 3}, (8, 7, 3)),
}
# The argument that takes the window's size.
SIZE_ARGUMENTS = {
    layers.Subsampling: "size",
    layers.TableConvolution: "kernel_size",
    pooling.MinPooling2D: "pool_size",
    pooling.SumPooling2D: "pool_size",
    pooling.StochasticPooling2D: "pool_size",
}


def get_network_spec(name: str) -> lenet_tf.Spec:
    return load_spec(MENU) if name == MENU.name else get_spec(name)


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.slow) if name in TWINS else name for name in NETWORKS
    ]
)
def network(request) -> LeNet:
    return LeNet(get_network_spec(request.param), seed=1)


@pytest.fixture(params=LAYERS)
def layer_case(request):
    """A function that builds a layer with any more arguments, and random inputs for it."""
    layer_class, arguments, shape = LAYERS[request.param]
    inputs = np.random.default_rng(0).random((max(COUNTS), *shape), dtype=np.float32)
    return lambda **options: layer_class(**arguments | options), inputs


def wrap_in_model(layer: keras.layers.Layer, inputs: np.ndarray) -> keras.Model:
    last = [keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.layers.Input(inputs.shape[1:]), layer, *last])
    model.compile("sgd", "mse")
    return model


def prepare_digits(network: LeNet, data: lenet_tf.RawData) -> tuple[np.ndarray, np.ndarray]:
    images = prepare_images(data.x_test, network.spec.preparation)
    return images, one_hot(data.y_test, data.num_classes)


def test_the_contract_covers_every_layer_and_row():
    registered = {
        value
        for name, value in keras.saving.get_custom_objects().items()
        if name.startswith("lenet_tf>") and is_layer_class(value)
    }
    covered = {layer_class for layer_class, *_ in LAYERS.values()}
    public = {getattr(pooling, name) for name in pooling.__all__}
    assert {layer.__name__ for layer in public - covered} == set(), "add them to LAYERS"
    assert {layer.__name__ for layer in public - registered} == set(), "register them in Keras"
    assert covered == registered
    for kind, layer in POOLING_LAYERS.items():
        assert layer in covered or layer.__module__.startswith("keras."), kind
    kinds = {row.kind for name in NETWORKS for row in get_network_spec(name).rows}
    assert len(VARIANTS) >= 14
    assert kinds == set(ROW_TYPES)


def is_layer_class(value) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, keras.layers.Layer)
        and not issubclass(value, keras.Model)
    )


def test_layer_config(layer_case):
    build, inputs = layer_case
    check_config_round_trip(build(name="layer"), inputs)


def test_layer_output_shape(layer_case):
    build, inputs = layer_case
    layer = build()
    symbolic = keras.KerasTensor((None, *inputs.shape[1:]))
    assert layer(symbolic).shape == (None, *layer(inputs).shape[1:])


def test_layer_saved_and_loaded(layer_case, tmp_path):
    build, inputs = layer_case
    model = wrap_in_model(build(), inputs)
    check_save_and_load(model, inputs, tmp_path / "model.keras", keras.saving.load_model)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_layer_dtype_policy(layer_case, policy):
    build, inputs = layer_case
    layer, reference = build(dtype=policy), build(dtype="float32")
    reference(inputs)
    outputs = layer(inputs)
    layer.set_weights(reference.get_weights())
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype
    assert {weight.dtype for weight in layer.weights} <= {layer.variable_dtype}
    outputs = keras.ops.convert_to_numpy(keras.ops.cast(layer(inputs), "float32"))
    assert_close(outputs, compute_outputs(reference, inputs), tolerance=0.03)


def test_layer_training_step(layer_case):
    build, inputs = layer_case
    check_training_step(wrap_in_model(build(), inputs), inputs, np.ones((len(inputs), 2)))


def test_layer_image_counts(layer_case):
    build, inputs = layer_case
    check_image_counts(build(), inputs)


def test_network_config(network, digits):
    check_config_round_trip(network, prepare_digits(network, digits)[0][:3])


def test_network_trained_saved_and_loaded(network, digits, tmp_path):
    images, labels = (values[:8] for values in prepare_digits(network, digits))
    network.jit_compile = False
    check_training_step(network, images, labels)
    for load in (lenet_tf.load_model, keras.saving.load_model):
        check_save_and_load(network, images, tmp_path / "model.keras", load)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_network_dtype_policy(network, digits, precision):
    """Layers compute in 16 bits with float32 weights; the last one computes in float32."""
    if network.spec.recipe.optimizer.name == "sdlm":
        with pytest.raises(SpecError, match=f"sdlm works in float32 only, not in {precision}"):
            LeNet(network.spec, precision=precision)
        return
    mixed = LeNet(network.spec, seed=1, precision=precision)
    *others, last = mixed.layers
    assert {layer.compute_dtype for layer in others} == {precision.removeprefix("mixed_")}
    assert last.compute_dtype == "float32"
    assert {weight.dtype for weight in mixed.trainable_weights} == {"float32"}
    scales_loss = type(mixed.optimizer) is keras.optimizers.LossScaleOptimizer
    assert scales_loss == (precision == "mixed_float16")
    images = prepare_digits(network, digits)[0][:8]
    expected = to_probabilities(network, compute_outputs(network, images))
    outputs = compute_outputs(mixed, images)
    assert outputs.dtype == np.float32
    if network.spec.rows[-1].kind == "dense":
        assert_close(to_probabilities(mixed, outputs), expected, tolerance=0.05)


@cpu
def test_network_predictions(network, digits, tmp_path, cli):
    """Python and the command, which reads pictures and a saved model, agree with Keras."""
    network.save(tmp_path / "network.keras")
    pictures = [tmp_path / f"{number:02}.png" for number in range(max(COUNTS))]
    for picture, digit in zip(pictures, digits.x_test[..., 0], strict=False):
        Image.fromarray(digit).save(picture)
    images, _ = prepare_digits(network, digits)
    for count in COUNTS:
        expected = network.predict(images[:count], verbose=0)
        assert_close(lenet_tf.predict_outputs(network, digits.x_test[:count]), expected)
        # Networks for color would take the pictures for photographs.
        options = ("--json", "--prepare", "digit", "--model", tmp_path / "network.keras")
        result = cli("predict", *options, *pictures[:count])
        assert result.exit_code == 0, result.output
        probabilities = to_probabilities(network, expected)
        answers = json.loads(result.stdout)
        assert [answer["class"] for answer in answers] == probabilities.argmax(axis=1).tolist()
        assert_close([answer["probability"] for answer in answers], probabilities.max(axis=1))


@cpu
def test_network_scores(network, digits):
    """`evaluate` agrees with Keras, and the graph loop's test step with `evaluate`."""
    preparation = network.spec.preparation
    for count in COUNTS:
        few = replace(digits, x_test=digits.x_test[:count], y_test=digits.y_test[:count])
        expected = lenet_tf.evaluate(network, few)
        predictions = network.predict(prepare_digits(network, few)[0], verbose=0).argmax(axis=1)
        assert expected["accuracy"] == pytest.approx((predictions == few.y_test).mean(), abs=1e-6)
        with use_engine(network, GraphLoop(32)):
            batches = evaluation_batches(few.x_test, few.y_test, few.num_classes, preparation)
            scores = network.evaluate(batches, verbose=0, return_dict=True)
        assert scores == pytest.approx(expected, rel=1e-4)


def train_on_each_count(
    network: LeNet, loop: GraphLoop | None, data: lenet_tf.RawData
) -> list[list[np.ndarray]]:
    """Train an epoch on one image, then on two, and so on; return the weights after each."""
    recipe, preparation, weights = network.spec.recipe, network.spec.preparation, []
    network.jit_compile = False
    network.optimizer.build(network.trainable_variables)
    if recipe.optimizer.name == "sdlm":
        network.optimizer.set_curvature(
            curvature(network, prepare_images(data.x_train[:20], preparation))
        )
    size = recipe.batch_size * (1 if loop is None else loop.steps_per_execution)
    prepare = loop is None or loop.prepare is None
    with use_engine(network, loop):
        for count in COUNTS:
            images, labels = data.x_train[:count], data.y_train[:count]
            batches = training_batches(
                images, labels, data.num_classes, preparation, size, seed=1, prepare=prepare
            )
            network.fit(batches, steps_per_epoch=math.ceil(count / size), verbose=0)
            weights.append(network.get_weights())
    return weights


@pytest.mark.parametrize("name", NETWORKS_WITH_MARKS)
def test_network_training_steps(name, digits):
    """The engine that `fit` chooses takes Keras' own steps."""
    network = LeNet(get_network_spec(name), seed=1)
    loop, _ = choose_engine("auto", network.spec, network, device.choose_device("cpu"))
    assert loop is not None
    by_loop = train_on_each_count(network, loop, digits)
    by_keras = train_on_each_count(LeNet(network.spec, seed=1), None, digits)
    for weights, expected in zip(by_loop, by_keras, strict=True):
        for weight, expected_weight in zip(weights, expected, strict=True):
            assert_close(weight, expected_weight)


@cpu
@pytest.mark.parametrize("name", ["keras-convnet", "lenet5"])
def test_a_run_on_one_image(name, digits, tmp_path):
    """A run can train on one image, validate on one and test on one."""
    one = replace(
        digits,
        **{part: getattr(digits, part)[:1] for part in ("x_train", "y_train", "x_test", "y_test")},
    )
    run = fit(
        name, one, epochs=1, validation="test", seed=1, device="cpu", logs=tmp_path, quiet=True
    )
    images, labels = prepare_digits(run.model, one)
    scores = run.model.evaluate(images, labels, verbose=0, return_dict=True)
    assert run.history["val_loss"] == pytest.approx([scores["loss"]], rel=1e-4)
    assert run.metrics["test_loss"] == pytest.approx(scores["loss"], rel=1e-4)


class LayerTest(keras_testing.TestCase):
    """Keras' own contract for layers, which is written for unittest."""

    def runTest(self) -> None:  # noqa: N802
        """Do nothing: the tests below call `run_layer_test`."""


# Each layer's arguments as tutorials write them: one number, or a pair.
@pytest.mark.parametrize("size", [2, (2, 2)], ids=["number", "pair"])
@pytest.mark.parametrize("layer_class", dict.fromkeys(case[0] for case in LAYERS.values()))
def test_keras_own_layer_contract(layer_class, size):
    name = SIZE_ARGUMENTS.get(layer_class)
    if layer_class is layers.EuclideanRBF:
        arguments, input_shape, outputs = {"units": 3}, (2, 84), (2, 3)
    else:
        arguments, input_shape, outputs = {name: size}, (2, 6, 6, 3), (2, 3, 3, 3)
    if layer_class is layers.TableConvolution:
        arguments |= {"table": TABLE, "strides": size}
        outputs = (2, 3, 3, 4)
    LayerTest().run_layer_test(
        layer_class,
        arguments,
        input_shape=input_shape,
        expected_output_shape=outputs,
        expected_num_seed_generators=int(layer_class is pooling.StochasticPooling2D),
        expected_num_losses=0,
        supports_masking=False,
    )
