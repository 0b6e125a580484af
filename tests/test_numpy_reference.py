"""Tests of the NumPy reference against SciPy and Keras, of corruptions and of saliency."""

import keras
import numpy as np
import numpy_reference
import pytest
from scipy import signal

import lenet_tf
from lenet_tf import inspection
from lenet_tf.data.corruptions import add_noise, rotate, shift

RNG = np.random.default_rng(0)
IMAGE, MAPS = RNG.normal(size=(9, 8)), RNG.normal(size=(7, 6, 3))


def test_convolve_with_one_kernel_matches_scipy():
    kernel = RNG.normal(size=(3, 2))
    np.testing.assert_allclose(
        numpy_reference.convolve(IMAGE, kernel, 0.5),
        signal.correlate2d(IMAGE, kernel, "valid") + 0.5,
    )
    expected = signal.correlate2d(IMAGE, np.ones((3, 3)), "same", fillvalue=2.0)
    np.testing.assert_allclose(
        numpy_reference.convolve(IMAGE, np.ones((3, 3)), padding=1, constant=2.0), expected
    )


@pytest.mark.parametrize(
    ("stride", "padding"), [(1, "valid"), (1, "same"), (2, "valid"), ((2, 1), "valid")]
)
def test_convolve_with_many_kernels_matches_keras(stride, padding):
    layer = keras.layers.Conv2D(
        4, 3, strides=stride, padding=padding, bias_initializer="random_normal"
    )
    expected = layer(MAPS[None].astype(np.float32))[0]
    kernels, biases = layer.get_weights()
    output = numpy_reference.convolve(
        MAPS, kernels, biases, stride, padding=1 if padding == "same" else 0
    )
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_output_size_matches_formula_and_convolve():
    assert [
        numpy_reference.output_size(28, 5),
        numpy_reference.output_size(28, 5, padding=2),
        numpy_reference.output_size(7, 3, stride=2),
    ] == [24, 28, 3]
    assert (
        numpy_reference.convolve(np.ones((8, 8)), np.ones((3, 3)), stride=2).shape
        == (numpy_reference.output_size(8, 3, 2),) * 2
    )


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), ((2, 3), None)])
def test_pool_matches_keras(kind, size, stride):
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind](
        size, stride
    )
    np.testing.assert_allclose(
        numpy_reference.pool(MAPS, kind, size, stride), layer(MAPS[None])[0], atol=1e-6
    )


def test_pool_min_sum_stochastic_and_global():
    window = np.array([[1.0, 2.0], [3.0, 0.0]])
    assert numpy_reference.pool(window, "min") == 0 and numpy_reference.pool(window, "sum") == 6
    # 1·1/6 + 2·2/6 + 3·3/6
    assert numpy_reference.pool(window, "stochastic") == pytest.approx(14 / 6)
    assert (
        numpy_reference.pool(np.array([[-1.0, 2.0], [2.0, -5.0]]), "stochastic") == 2
        and numpy_reference.pool(-window, "stochastic") == 0
    )
    np.testing.assert_allclose(
        numpy_reference.pool(MAPS, "average", None), MAPS.mean(axis=(0, 1))[None, None]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: numpy_reference.convolve(np.ones((5, 5, 3)), np.ones((3, 3, 1, 2))),
            r"image with 3 channels: a kernel must be as deep as its input",
        ),
        (
            lambda: numpy_reference.convolve(np.ones((2, 2)), np.ones((3, 3))),
            "window of 3×3 does not fit into 2×2",
        ),
        (
            lambda: numpy_reference.pool(np.ones((2, 2)), "median"),
            "unknown kind of pooling 'median': use one of max, min, average, sum, stochastic",
        ),
    ],
)
def test_invalid_arguments_are_rejected(call, message):
    with pytest.raises(lenet_tf.LenetError, match=message):
        call()


@pytest.fixture(scope="module")
def dot():
    images = np.zeros((1, 9, 9, 1), np.uint8)
    images[0, 2, 6] = 200
    return images


def test_shift_moves_a_pixel(dot):
    assert np.argwhere(shift(dot, 3, -2)[0, ..., 0]).tolist() == [[5, 4]]
    assert not shift(dot, 0, 3).any()


def test_rotate_is_counterclockwise(dot):
    # The dot moves from the upper right to the upper left.
    assert np.unravel_index(rotate(dot, 90)[0, ..., 0].argmax(), (9, 9)) == (2, 2)
    np.testing.assert_array_equal(rotate(dot, 0), dot)
    np.testing.assert_array_equal(rotate(dot, 180), dot[:, ::-1, ::-1])
    assert rotate(dot, 20).dtype == np.uint8 and rotate(dot[..., 0], 20).shape == (1, 9, 9)


def test_noise_follows_deviation_and_seed():
    gray = np.full((20, 28, 28, 1), 128, np.uint8)
    noisy = add_noise(gray, 10, seed=3)
    assert noisy.dtype == np.uint8
    assert abs(noisy.std() - 10) < 0.3 and abs(noisy.mean() - 128) < 0.3
    np.testing.assert_array_equal(noisy, add_noise(gray, 10, seed=3))
    assert (noisy != add_noise(gray, 10, seed=4)).any()
    assert add_noise(np.full_like(gray, 255), 50).max() == 255


@pytest.mark.parametrize("variant", ["tiny", "lenet5-1998"])
def test_saliency_is_the_slope_of_the_prediction(variant):
    model = lenet_tf.LeNet(variant, seed=1)
    images = RNG.integers(0, 256, (1, 28, 28, 1), dtype=np.uint8)
    gradients = inspection.saliency(model, images)
    prepared = lenet_tf.prepare_images(images, model.spec.preparation)
    assert gradients.shape == prepared.shape and gradients.dtype == np.float32
    outputs = np.asarray(model(prepared))[0]
    best = outputs.argmax()
    for row, column in [(10, 10), (14, 20)]:
        values = []
        for step in (-0.01, 0.01):
            changed = prepared.copy()
            changed[0, row, column, 0] += step
            output = float(np.asarray(model(changed))[0, best])
            values.append(np.log(output) if variant == "tiny" else output)
        slope = (values[1] - values[0]) / 0.02
        assert gradients[0, row, column, 0] == pytest.approx(slope, rel=0.05, abs=2e-3)
