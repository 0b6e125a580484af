"""Networks that are read and run without Keras have Keras' outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from keras import ops

import lenet_tf
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.numpy_forward import ACTIVATION_FUNCTIONS, compute_outputs
from lenet_tf.pretrained.plain_layers import PlainDense, PlainRBF
from lenet_tf.pretrained.reading import read_network
from lenet_tf.specs import (
    VARIANTS,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    GlobalAveragePooling,
    Input,
    Pooling,
    Spec,
)
from lenet_tf.specs.rows import ACTIVATIONS

ODD = Spec(
    "odd",
    (
        Input(shape=(13, 11, 2)),
        Convolution("C1", filters=5, kernel=(3, 4), stride=(2, 1), padding="same"),
        BatchNormalization("N1"),
        Pooling("S2", pool="average", size=3, stride=2, padding="same"),
        Pooling("S3", pool="min", size=2, stride=1, padding="same"),
        Pooling("S4", pool="sum", size=2, stride=1, padding="same"),
        Pooling("S5", pool="stochastic", size=2, stride=1, padding="same"),
        Pooling("S6", pool="max", size=2, stride=1, padding="same"),
        Dropout("D7", rate=0.5),
        GlobalAveragePooling(),
        Dense("OUTPUT", units=3, activation="softmax"),
    ),
)

# The windows of gray images are copied in another way.
GRAY = replace(ODD, name="gray", rows=(Input(shape=(13, 11, 1)), *ODD.rows[1:]))


@pytest.mark.cpu
@pytest.mark.parametrize("spec", [*VARIANTS.values(), ODD, GRAY], ids=lambda spec: spec.name)
def test_outputs_are_those_of_keras(spec: Spec, tmp_path: Path) -> None:
    model, random = lenet_tf.LeNet(spec, seed=0), np.random.default_rng(0)
    model.set_weights(
        [
            weight + random.uniform(0, 0.1, weight.shape) * (weight.ndim == 1)
            for weight in model.get_weights()
        ]
    )
    model.save(tmp_path / "model.keras")
    network = read_network(tmp_path / "model.keras")
    images = random.uniform(0, 1, (7, *model.input_shape[1:])).astype(np.float32)
    outputs = compute_outputs(fold(network), images)
    expected = np.asarray(model(images))
    assert network.spec == spec and network.precision == "float32"
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, rtol=2e-6, atol=2e-6)
    assert compute_outputs(fold(network), images[:0]).shape == (0, spec.num_classes)


def test_many_images_are_computed_in_their_order() -> None:
    """Some images at a time."""
    layers = fold(read_any("lenet5-modern-mnist"))
    images = np.random.default_rng(0).uniform(0, 1, (101, 28, 28, 1)).astype(np.float32)
    expected = np.concatenate([compute_outputs(layers, image[None]) for image in images])
    np.testing.assert_allclose(compute_outputs(layers, images), expected, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_keras(name: str) -> None:
    from keras.activations import get

    from lenet_tf.models.layer_factory import _get_activation

    values = np.concatenate([np.linspace(-8, 8, 4001), [-90.0, 90.0]]).astype(np.float32)[None]
    expected = ops.convert_to_numpy(get(_get_activation(name))(ops.convert_to_tensor(values)))
    result = ACTIVATION_FUNCTIONS[name](values)
    np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)
    assert result.dtype == np.float32


def test_a_dense_layer_replaces_the_rbf_layer_before_a_softmax() -> None:
    random = np.random.default_rng(0)
    layer = PlainRBF("OUTPUT", random.choice([-1, 1], (10, 84)).astype(np.float32))
    inputs = random.uniform(-1, 1, (20, 84)).astype(np.float32)
    dense = layer.to_dense()
    assert isinstance(dense, PlainDense)
    softmax = ACTIVATION_FUNCTIONS["softmax"]
    np.testing.assert_allclose(
        softmax(compute_outputs([dense], inputs)),
        softmax(compute_outputs([layer], inputs)),
        atol=1e-5,
    )
