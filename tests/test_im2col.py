"""The im2col forward pass against Keras' layers: outputs and gradients equal up to rounding."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import fit

import lenet_tf
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, use_engine
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.parallel_forward import forward
from lenet_tf.errors import DataError
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import (
    VARIANTS,
    Convolution,
    Dense,
    Flatten,
    GlobalAveragePooling,
    Input,
    Pooling,
    Recipe,
    Spec,
)

pytestmark = pytest.mark.cpu

LAST = (Flatten(), Dense("OUTPUT", units=3, activation="softmax"))
NETWORKS = {
    "same, average": (
        Input(shape=(12, 10, 1)),
        Convolution("C1", filters=3, kernel=5, padding="same", activation="tanh"),
        Pooling("S2"),
        *LAST,
    ),
    "max, odd sizes": (
        Input(shape=(13, 11, 2)),
        Convolution("C1", filters=4, kernel=3, activation="relu"),
        Pooling("S2", pool="max"),
        *LAST,
    ),
    "strides": (
        Input(shape=(17, 14, 1)),
        Convolution("C1", filters=2, kernel=4, stride=2, padding="same"),
        Pooling("S2", pool="max"),
        *LAST,
    ),
    "pooling by three": (
        Input(shape=(16, 16, 3)),
        Convolution("C1", filters=2, kernel=2, activation="sigmoid"),
        Pooling("S2", size=3),
        *LAST,
    ),
    "no pooling": (
        Input(shape=(9, 9, 1)),
        Convolution("C1", filters=2, kernel=3),
        Convolution("C2", filters=3, kernel=3, padding="same"),
        *LAST,
    ),
    "overlapping pooling": (
        Input(shape=(9, 9, 1)),
        Convolution("C1", filters=2, kernel=3),
        Pooling("S2", size=3, stride=2),
        *LAST,
    ),
    "padded pooling": (
        Input(shape=(9, 9, 1)),
        Convolution("C1", filters=2, kernel=3),
        Pooling("S2", padding="same"),
        *LAST,
    ),
    "deep, strides": (
        *(
            Input(shape=(21, 18, 1)),
            Convolution("C1", filters=3, kernel=3, padding="same", activation="tanh"),
        ),
        *(
            Convolution("C2", filters=4, kernel=3, stride=2, padding="same", activation="tanh"),
            Pooling("S3", pool="max"),
        ),
        *(Convolution("C4", filters=3, kernel=2, stride=2, activation="tanh"), *LAST),
    ),
    "many feature maps": (
        *(
            Input(shape=(14, 13, 1)),
            Convolution("C1", filters=13, kernel=3, padding="same", activation="tanh"),
            Pooling("S2", pool="max"),
        ),
        *(
            Convolution("C3", filters=15, kernel=3, activation="relu"),
            Pooling("S4", pool="max"),
        ),
        *LAST,
    ),
    "a large window": (
        Input(shape=(12, 12, 1)),
        Convolution("C1", filters=2, kernel=3),
        Pooling("S2", size=5),
        *LAST,
    ),
    "deep": (
        *(
            Input(shape=(20, 20, 1)),
            Convolution("C1", filters=3, kernel=3, activation="elu"),
            Pooling("S2", pool="max"),
        ),
        *(
            Convolution("C3", filters=5, kernel=3, activation="relu"),
            Convolution("C4", filters=4, kernel=1, activation="elu"),
        ),
        *(
            Pooling("S5"),
            GlobalAveragePooling("S6"),
            Dense("OUTPUT", units=3, activation="softmax"),
        ),
    ),
}


def create_network(rows):
    network = LeNet(Spec("own", rows), seed=3)
    random = np.random.default_rng(0)
    # Biases of 0 would hide a mistake.
    network.set_weights(
        [random.normal(0, 0.3, weight.shape).astype(np.float32) for weight in network.weights]
    )
    return network


def compute_outputs_and_gradients(network, forward, images):
    with tf.GradientTape() as tape:
        outputs = forward(images)
        loss = tf.reduce_sum(outputs[:, 0] ** 2 - outputs[:, 1])
    return outputs, tape.gradient(loss, [weight.value for weight in network.trainable_variables])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("images", ["random", "one color"])
def test_im2col_equals_keras_layers(name, images):
    """In images of one color, all inputs of a maximum are equal; both choose the same one."""
    network = create_network(NETWORKS[name])
    shape = (7, *network.input_shape[1:])
    x = tf.constant(
        np.random.default_rng(1).random(shape) if images == "random" else np.full(shape, 0.5),
        tf.float32,
    )
    im2col_model = Im2colModel.from_model(network)
    expected = compute_outputs_and_gradients(network, lambda x: network(x, training=True), x)
    actual = compute_outputs_and_gradients(network, lambda x: im2col_model(x, training=True), x)
    np.testing.assert_allclose(actual[0], expected[0], atol=1e-6)
    for weight, gradient, expected_gradient in zip(
        network.trainable_variables, actual[1], expected[1], strict=True
    ):
        scale = np.abs(expected_gradient).max()
        assert scale > 0, weight.path
        np.testing.assert_allclose(
            gradient, expected_gradient, atol=1e-5 * scale, err_msg=weight.path
        )


def test_im2col_supports_networks_with_small_convolutions():
    supported = {
        name for name, spec in VARIANTS.items() if Im2colModel.from_model(LeNet(spec)) is not None
    }
    assert supported == {
        "lenet5",
        "lenet5-32",
        "lenet5-modern",
        "lenet5-3x3",
        "lenet5-color",
        "lenet5-modern-color",
        "cnn-38k",
        "tiny",
    }


def test_the_parallel_forward_pass_of_any_number_of_images(digits):
    """Of the two parts, the first is empty for one image."""
    for variant in ("lenet5", "lenet-caffe"):
        network = LeNet(variant, seed=1)
        for count in (1, 3, 10, 64):
            images = tf.constant(digits.x_train[:count, ..., None] / np.float32(255))
            np.testing.assert_allclose(forward(network, images), network(images), atol=1e-6)


def test_no_part_of_a_batch_is_empty():
    """OneDNN's convolution of no image has a wrong shape, as in the last batch of 1,001 images."""

    class Recorder:
        layers = ()

        def __call__(self, images, training):
            sizes.append(len(images))
            return images

    for count in range(1, 6):
        sizes = []
        images = tf.reshape(tf.range(count, dtype=tf.float32), (count, 1))
        np.testing.assert_array_equal(forward(Recorder(), images), images)
        assert min(sizes) == max(1, count // 2)


def test_the_test_step_equals_keras_own(digits):
    x, y = digits.x_test[:77, ..., None] / np.float32(255), one_hot(digits.y_test[:77], 10)
    for loss in ("categorical_crossentropy", "mean_squared_error"):
        network = LeNet(Spec("own", VARIANTS["lenet5"].rows, recipe=Recipe(loss=loss)), seed=1)
        expected = network.evaluate(x, y, batch_size=30, verbose=0, return_dict=True)
        network.graph_loop, network.test_function = GraphLoop(32), None
        scores = network.evaluate(x, y, batch_size=30, verbose=0, return_dict=True)
        assert scores == pytest.approx(expected, rel=1e-5)
        weights = np.arange(77) % 3
        scores = network.evaluate(
            x, y, batch_size=30, sample_weight=weights, verbose=0, return_dict=True
        )
        network.graph_loop, network.test_function = None, None
        assert scores == pytest.approx(
            network.evaluate(
                x, y, batch_size=30, sample_weight=weights, verbose=0, return_dict=True
            ),
            rel=1e-5,
        )


@pytest.mark.parametrize("variant", ["lenet5", "lenet-caffe"])
def test_the_loss_of_probabilities_that_round_to_0_is_keras_own(digits, variant):
    """Cross-entropy comes from the logits, not from a clipped probability."""
    x, y = prepare_images(digits.x_test, VARIANTS[variant].preparation), one_hot(digits.y_test, 10)
    network = LeNet(variant, seed=1)
    network.layers[-1].kernel.assign(network.layers[-1].kernel * 1e4)
    expected = network.evaluate(x, y, batch_size=64, verbose=0, return_dict=True)
    assert expected["loss"] > 100, "a clipped probability would give less"
    with use_engine(network, GraphLoop(32)):
        scores = network.evaluate(x, y, batch_size=64, verbose=0, return_dict=True)
        one = network.evaluate(x[:1], y[:1], verbose=0, return_dict=True)
    assert scores == pytest.approx(expected, rel=1e-4)
    assert one == pytest.approx(
        network.evaluate(x[:1], y[:1], verbose=0, return_dict=True), rel=1e-4
    )


@pytest.mark.slow
def test_predictions_for_raw_images(digits, tmp_path):
    """A model, a run, its folder and its file predict what Keras predicts for prepared images."""
    run = fit("lenet5-32", digits, epochs=1, device="cpu", logs=tmp_path, quiet=True)
    expected = run.model.predict(
        prepare_images(digits.x_test, run.model.spec.preparation), verbose=0
    )
    for source in (run.model, run, run.path, str(run.path / "final.keras")):
        outputs = lenet_tf.predict_outputs(source, digits.x_test)
        assert outputs.dtype == np.float32
        np.testing.assert_allclose(outputs, expected, atol=1e-6)
    changed = lenet_tf.load_model(run.path)
    lenet_tf.predict_outputs(changed, digits.x_test[:5])
    changed.pop()
    changed.add(keras.layers.Dense(4, name="NEW"))
    expected = changed.predict(prepare_images(digits.x_test, changed.spec.preparation), verbose=0)
    np.testing.assert_allclose(
        lenet_tf.predict_outputs(changed, digits.x_test), expected, atol=1e-5
    )

    class PredictEachEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            accuracies.append(
                np.mean(
                    lenet_tf.predict_outputs(self.model, digits.x_test).argmax(1) == digits.y_test
                )
            )

    accuracies = []
    options = {"epochs": 2, "validation": "test", "device": "cpu", "logs": tmp_path, "quiet": True}
    run_with_predictions = fit("tiny", digits, callbacks=[PredictEachEpoch()], **options)
    np.testing.assert_allclose(
        accuracies,
        run_with_predictions.history["val_accuracy"],
        rtol=1e-6,
        err_msg="predicted during training",
    )
    with pytest.raises(
        DataError, match="lenet5-32 takes images of 32×32×1, and these are 32×32×3 when prepared"
    ):
        lenet_tf.predict_outputs(run, np.zeros((2, 32, 32, 3), np.uint8))
    with pytest.raises(DataError, match="images: values range from -1 to -1 in float64"):
        lenet_tf.predict_outputs(run, np.full((2, 28, 28), -1.0))
