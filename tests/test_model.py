"""`LeNet` as a Keras model: its layers, its outputs and its weights."""

from __future__ import annotations

import os

import numpy as np
import numpy_reference
import pytest
from processes import python

from lenet_tf.errors import SpecError
from lenet_tf.models.layer_factory import POOLING_LAYERS, build_layer
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import (
    VARIANTS,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    EuclideanRBF,
    Flatten,
    GlobalAveragePooling,
    Initializer,
    Input,
    Optimizer,
    Pooling,
    Recipe,
    Spec,
)
from lenet_tf.specs.conv_arithmetic import PADDINGS
from lenet_tf.specs.initializers import DISTRIBUTIONS, INITIALIZERS, MODES
from lenet_tf.specs.recipes import LOSSES, OPTIMIZERS
from lenet_tf.specs.rows import ACTIVATIONS
from lenet_tf.specs.rows_pooling import POOLINGS


def draw_images(count=3, shape=(28, 28, 1), seed=0):
    return np.random.default_rng(seed).random((count, *shape), dtype=np.float32)


def test_lenet_without_arguments_is_the_tutorials_network():
    model = LeNet()
    assert [layer.name for layer in model.layers] == [
        "C1",
        "S2",
        "C3",
        "S4",
        "FLATTEN",
        "C5",
        "F6",
        "OUTPUT",
    ]
    assert model.count_params() == 61_706
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)
    assert type(model.optimizer).__name__ == "Adam"
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)
    assert model.loss == "categorical_crossentropy"


def test_the_tutorials_own_call():
    for model in (LeNet((32, 32, 3), 4), LeNet((32, 32, 3), num_classes=4)):
        assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 4))
        assert model.spec.name == "lenet5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "a LeNet needs a variant's name or a Spec, not 3"),
        (("tiny", 10), "input_shape must be height, width and channels"),
        (((28, 28), 10), "input_shape must be height, width and channels"),
        (((28, 28, 1), (28, 28, 1)), "a LeNet needs a variant's name or a Spec"),
    ],
)
def test_unclear_arguments(arguments, message):
    with pytest.raises(SpecError, match=message):
        LeNet(*arguments)


@pytest.mark.parametrize("variant", VARIANTS)
def test_keras_agrees_with_the_spec(variant):
    model, spec = LeNet(variant), VARIANTS[variant]
    assert model.count_params() == spec.parameters
    for layer, facts in zip(model.layers, spec.layers[1:], strict=True):
        assert layer.name == facts.row.name
        assert tuple(layer.output.shape[1:]) == facts.output_shape
        assert layer.count_params() == facts.parameters


@pytest.mark.parametrize(
    ("variant", "shape", "padding"), [("lenet5", (28, 28, 1), 2), ("lenet5-32", (32, 32, 1), 0)]
)
def test_lenet5_against_loops_in_numpy(variant, shape, padding):
    model = LeNet(variant, seed=1)
    weights = [weight.astype(np.float64) for weight in model.get_weights()]
    image = draw_images(1, shape)
    maps = numpy_reference.pool(
        np.tanh(numpy_reference.convolve(image[0], weights[0], weights[1], padding=padding)),
        "average",
    )
    maps = numpy_reference.pool(
        np.tanh(numpy_reference.convolve(maps, weights[2], weights[3])), "average"
    )
    vector = maps.reshape(-1)
    for kernel, bias in zip(weights[4:-2:2], weights[5:-2:2], strict=True):
        vector = np.tanh(vector @ kernel + bias)
    scores = vector @ weights[-2] + weights[-1]
    expected = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(model.predict(image, verbose=0)[0], expected, atol=1e-6)


def test_color_images_and_other_classes():
    model = LeNet("lenet5", input_shape=(32, 32, 3), num_classes=7)
    outputs = model.predict(draw_images(4, (32, 32, 3)), verbose=0)
    assert outputs.shape == (4, 7)
    np.testing.assert_allclose(outputs.sum(1), 1, rtol=1e-5)


def test_images_that_are_too_small_are_refused():
    with pytest.raises(
        SpecError, match=r"row 4 \(C3, convolution\): kernel 5×5 is larger than its input 3×3"
    ):
        LeNet(input_shape=(7, 7, 1))


@pytest.mark.parametrize("module", ["keras", "tensorflow"])
def test_saved_model_reloads_in_a_new_process(tmp_path, module):
    """Keras' own loader needs no more than `import lenet_tf`."""
    model = LeNet("lenet5", input_shape=(20, 20, 3), num_classes=3, seed=2)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", draw_images(5, (20, 20, 3)))
    loader = {
        "keras": "import keras; load = keras.saving.load_model",
        "tensorflow": "import tensorflow as tf; load = tf.keras.models.load_model",
    }
    script = (
        f"import lenet_tf, sys; assert 'keras' not in sys.modules;"
        f"import numpy as np; {loader[module]};"
        "model = load('model.keras');"
        "assert type(model) is lenet_tf.LeNet, type(model);"
        "np.save('outputs.npy', model.predict(np.load('images.npy'), verbose=0));"
        "print(model.spec.name, len(model.layers), type(model.optimizer).__name__)"
    )
    done = python("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["lenet5", "8", "Adam"]
    np.testing.assert_array_equal(
        np.load(tmp_path / "outputs.npy"), model.predict(draw_images(5, (20, 20, 3)), verbose=0)
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": True}, "seed must be a whole number of at least 0, not True"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"name": "x" * 500}, "name must be .* at most 100 characters"),
        ({"name": 5}, "name must be letters"),
        ({"input_shape": (None, 28, 1)}, "shape must be"),
        ({"num_classes": 2.5}, "units must be"),
    ],
)
def test_arguments_that_no_file_could_hold_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        LeNet("tiny", **options)


def test_the_seed_fixes_the_initial_weights():
    first, same, other = (LeNet(seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[4][:100, :84], first[6][:100]), "each row has its own seed"


def create_spec_with_every_keras_layer() -> Spec:
    rows = (
        Input(shape=(20, 20, 2)),
        Convolution(
            "C1",
            filters=4,
            kernel=(3, 5),
            stride=(1, 2),
            padding="same",
            activation="relu",
            initializer="he_normal",
        ),
        BatchNormalization("N1"),
        Pooling("S2", pool="max", size=3, stride=2, padding="same"),
        Pooling("S3", pool="stochastic"),
        Pooling("S4", pool="min", size=2, stride=1),
        Pooling("S5", pool="sum", size=1),
        Dropout("D2", rate=0.25),
        GlobalAveragePooling(),
        Dense(
            "F3",
            units=9,
            activation="sigmoid",
            initializer=Initializer("random_normal", stddev=0.2),
        ),
        Dense("OUTPUT", units=5, activation="softmax"),
    )
    return Spec(
        "everything", rows, Recipe(Optimizer("sgd", 0.1, momentum=0.9), loss="mean_squared_error")
    )


def test_each_row_becomes_its_keras_layer():
    model = LeNet(create_spec_with_every_keras_layer(), seed=0)
    assert [type(layer).__name__ for layer in model.layers] == [
        "Conv2D",
        "BatchNormalization",
        "MaxPooling2D",
        "StochasticPooling2D",
        "MinPooling2D",
        "SumPooling2D",
        "Dropout",
        "GlobalAveragePooling2D",
        "Dense",
        "Dense",
    ]
    assert model.count_params() == model.spec.parameters
    assert [tuple(layer.output.shape[1:]) for layer in model.layers] == [
        facts.output_shape for facts in model.spec.layers[1:]
    ]
    assert type(model.optimizer).__name__ == "SGD"
    assert model.optimizer.momentum == 0.9


def test_every_kind_of_pooling_has_a_layer():
    assert set(POOLING_LAYERS) == set(POOLINGS)


@pytest.mark.slow
def test_keras_accepts_every_name_of_a_spec():
    batch = draw_images(2, (6, 6, 1))
    for activation in ACTIVATIONS:
        build_layer(Dense("d", units=3, activation=activation), 0)(batch.reshape(2, -1))
    for initializer in INITIALIZERS:
        build_layer(Convolution("c", filters=2, kernel=3, initializer=initializer), 0)(batch)
    for mode in MODES:
        for distribution in DISTRIBUTIONS:
            scaling = Initializer(
                "variance_scaling", scale=2.0, mode=mode, distribution=distribution
            )
            build_layer(Convolution("c", filters=2, kernel=3, initializer=scaling), 0)(batch)
    for pool in POOLINGS:
        for padding in PADDINGS:
            build_layer(Pooling("p", pool=pool, padding=padding), None)(batch)
    for optimizer in OPTIMIZERS:
        for loss in LOSSES:
            if optimizer == "sdlm" and loss == "mean_absolute_error":
                continue
            options = {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1, "damping": 0.1}
            options = {
                name: value for name, value in options.items() if name in OPTIMIZERS[optimizer]
            }
            recipe = Recipe(Optimizer(optimizer, 0.25, **options), loss=loss)
            activation = "softmax" if loss == "categorical_crossentropy" else "linear"
            rows = (
                Input(shape=(6, 6, 1)),
                Flatten(),
                Dense("F1", units=84),
                Dense("OUTPUT", units=2, activation=activation),
            )
            rows = (
                rows
                if not loss.startswith("lecun")
                else (*rows[:-1], EuclideanRBF("OUTPUT", units=2))
            )
            model = LeNet(Spec("m", rows, recipe))
            assert float(model.optimizer.learning_rate) == 0.25
            assert {name: getattr(model.optimizer, name) for name in options} == options
            assert np.isfinite(model.train_on_batch(batch, np.eye(2, dtype="float32"))).all()


def test_initializers_draw_from_their_distributions():
    def initialize(initializer):
        layer = build_layer(Dense("d", units=300, initializer=initializer), 0)
        layer.build((None, 200))
        return np.asarray(layer.kernel)

    assert initialize(Initializer("random_normal", stddev=0.3)).std() == pytest.approx(
        0.3, rel=0.02
    )
    assert np.abs(initialize(Initializer("truncated_normal", stddev=0.3))).max() <= 0.6
    uniform = initialize(Initializer("random_uniform", limit=0.7))
    assert 0.69 < uniform.max() <= 0.7
    assert -0.7 <= uniform.min() < -0.69
    scaled = initialize(
        Initializer(
            "variance_scaling", scale=3.0, mode="fan_out", distribution="untruncated_normal"
        )
    )
    assert scaled.std() == pytest.approx(np.sqrt(3.0 / 300), rel=0.02)


def test_the_model_runs_on_another_keras_backend(tmp_path):
    """Keras' JAX backend gives TensorFlow's outputs."""
    pytest.importorskip("jax", reason="JAX is no dependency of this package")
    model = LeNet("lenet5", seed=4)
    model.save_weights(tmp_path / "m.weights.h5")
    np.save(tmp_path / "outputs.npy", model.predict(draw_images(2), verbose=0))
    script = (
        "import numpy as np, keras, lenet_tf; assert keras.backend.backend() == 'jax';"
        "model = lenet_tf.LeNet('lenet5', seed=4); model.load_weights('m.weights.h5');"
        "images = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32);"
        "outputs = model.predict(images, verbose=0);"
        "np.testing.assert_allclose(outputs, np.load('outputs.npy'), atol=1e-6)"
    )
    done = python("-c", script, cwd=tmp_path, env=os.environ | {"KERAS_BACKEND": "jax"})
    assert done.returncode == 0, done.stderr[-2000:]


def test_unknown_precision():
    with pytest.raises(SpecError, match="unknown precision 'float8'"):
        LeNet(precision="float8")
