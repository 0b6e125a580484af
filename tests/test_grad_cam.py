"""Grad-CAM against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import LenetError
from lenet_tf.evaluation.inspection import find_grad_cam_layer, grad_cam
from lenet_tf.specs import Convolution, Dense, Flatten, Input, Pooling, Spec

ROWS = (
    Input(),
    Convolution("C1", filters=3, kernel=5, activation="tanh"),
    Pooling("S2", pool="average", size=6),
    Flatten(),
    Dense("OUTPUT", units=10, activation="softmax"),
)


def pad_and_interpolate(heat: np.ndarray, size: int) -> np.ndarray:
    """Enlarge a map by linear interpolation between the centers of its pixels, with loops."""
    large = np.zeros((size, size))
    for row, column in np.ndindex(large.shape):
        y, x = (
            np.clip((place + 0.5) * len(heat) / size - 0.5, 0, len(heat) - 1)
            for place in (row, column)
        )
        top, left = int(y), int(x)
        bottom, right = min(top + 1, len(heat) - 1), min(left + 1, len(heat) - 1)
        upper = heat[top, left] * (1 - x + left) + heat[top, right] * (x - left)
        lower = heat[bottom, left] * (1 - x + left) + heat[bottom, right] * (x - left)
        large[row, column] = upper * (1 - y + top) + lower * (y - top)
    return large


@pytest.mark.parametrize("classes", [None, [3, 0]])
def test_grad_cam_against_loops(digits, classes):
    model = lenet_tf.LeNet(Spec("small", rows=ROWS), seed=2)
    images = digits.x_test[:2]
    kernel, bias = (np.asarray(weight, float) for weight in model.get_layer("C1").weights)
    dense, offset = (np.asarray(weight, float) for weight in model.get_layer("OUTPUT").weights)
    found = grad_cam(model, images, None if classes is None else np.array(classes))
    assert found.shape == (2, 28, 28)
    prepared = np.asarray(prepare_images(images, model.spec.preparation), float)[..., 0]
    for number, image in enumerate(prepared):
        maps = np.zeros((24, 24, 3))
        for row, column, feature in np.ndindex(maps.shape):
            window = image[row : row + 5, column : column + 5]
            maps[row, column, feature] = np.sum(window * kernel[..., 0, feature]) + bias[feature]
        maps = np.tanh(maps)
        pooled = maps.reshape(4, 6, 4, 6, 3).mean(axis=(1, 3))
        scores = pooled.ravel() @ dense + offset
        chosen = scores.argmax() if classes is None else classes[number]
        # The mean gradient of a score: each pixel of a map counts 1/36 in one unit of the 16.
        weights = dense[:, chosen].reshape(16, 3).sum(axis=0) / 576
        heat = np.maximum(maps @ weights, 0)
        np.testing.assert_allclose(found[number], pad_and_interpolate(heat, 28), atol=1e-6)
    assert found.max() > 0


@pytest.mark.parametrize(
    ("variant", "layer"), [("lenet5-1998", "C3"), ("lenet5-color", "C3"), ("lenet1", "C3")]
)
def test_networks_with_a_convolution(digits, variant, layer):
    """Of 1998 too: RBF outputs, connections by table, maps of one pixel in C5."""
    model = lenet_tf.LeNet(variant, seed=0)
    assert find_grad_cam_layer(model) == layer
    images = digits.x_test[:3]
    if variant == "lenet5-color":
        images = np.repeat(images.reshape(-1, 28, 28, 1), 3, axis=-1)
    heat = grad_cam(model, images)
    assert heat.shape == (3, *model.input_shape[1:3])
    assert heat.dtype == np.float32 and np.isfinite(heat).all() and (heat >= 0).all()


def test_a_network_without_a_convolution_says_so(digits):
    with pytest.raises(LenetError, match="mlp-300-100 has no convolution.*use inspection.saliency"):
        grad_cam(lenet_tf.LeNet("mlp-300-100"), digits.x_test[:1])
