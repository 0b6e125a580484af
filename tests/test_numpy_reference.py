"""Convolution and pooling by hand against SciPy and Keras, disturbances of images, and the saliency of pixels."""

import keras
import numpy as np
import numpy_reference
import pytest
from scipy import signal

import lenet_tf
from lenet_tf.data.corruptions import add_noise, rotate, shift
from lenet_tf.evaluation import inspection

RNG = np.random.default_rng(0)
IMAGE, MAPS = RNG.normal(size=(9, 8)), RNG.normal(size=(7, 6, 3))


def test_one_kernel_is_scipys_correlation():
    kernel = RNG.normal(size=(3, 2))
    np.testing.assert_allclose(
        numpy_reference.convolve(IMAGE, kernel, 0.5),
        signal.correlate2d(IMAGE, kernel, "valid") + 0.5,
    )
    framed = signal.correlate2d(IMAGE, np.ones((3, 3)), "same", fillvalue=2.0)
    np.testing.assert_allclose(
        numpy_reference.convolve(IMAGE, np.ones((3, 3)), padding=1, constant=2.0), framed
    )


@pytest.mark.parametrize(
    ("stride", "padding"), [(1, "valid"), (1, "same"), (2, "valid"), ((2, 1), "valid")]
)
def test_many_kernels_are_keras_convolution(stride, padding):
    layer = keras.layers.Conv2D(
        4, 3, strides=stride, padding=padding, bias_initializer="random_normal"
    )
    expected = layer(MAPS[None].astype(np.float32))[0]
    kernels, biases = layer.get_weights()
    found = numpy_reference.convolve(
        MAPS, kernels, biases, stride, padding=1 if padding == "same" else 0
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_output_size_is_that_of_the_formula():
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
def test_pooling_is_keras(kind, size, stride):
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[kind](
        size, stride
    )
    np.testing.assert_allclose(
        numpy_reference.pool(MAPS, kind, size, stride), layer(MAPS[None])[0], atol=1e-6
    )


def test_other_kinds_of_pooling():
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
            "image of 3 channels: a kernel is as deep as its input",
        ),
        (
            lambda: numpy_reference.convolve(np.ones((2, 2)), np.ones((3, 3))),
            "window of 3×3 does not fit into 2×2",
        ),
        (
            lambda: numpy_reference.pool(np.ones((2, 2)), "median"),
            "unknown kind of pooling 'median': known are max, min, average, sum, stochastic",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(lenet_tf.LenetError, match=message):
        call()


@pytest.fixture(scope="module")
def spot():
    images = np.zeros((1, 9, 9, 1), np.uint8)
    images[0, 2, 6] = 200
    return images


def test_shifting_moves_a_pixel(spot):
    assert np.argwhere(shift(spot, 3, -2)[0, ..., 0]).tolist() == [[5, 4]]
    assert not shift(spot, 0, 3).any()


def test_rotating_turns_anticlockwise(spot):
    # Up right of the middle goes to up left.
    assert np.unravel_index(rotate(spot, 90)[0, ..., 0].argmax(), (9, 9)) == (2, 2)
    np.testing.assert_array_equal(rotate(spot, 0), spot)
    np.testing.assert_array_equal(rotate(spot, 180), spot[:, ::-1, ::-1])
    assert rotate(spot, 20).dtype == np.uint8 and rotate(spot[..., 0], 20).shape == (1, 9, 9)


def test_noise_has_its_deviation_and_its_seed():
    gray = np.full((20, 28, 28, 1), 128, np.uint8)
    found = add_noise(gray, 10, seed=3)
    assert found.dtype == np.uint8 and abs(found.std() - 10) < 0.3 and abs(found.mean() - 128) < 0.3
    np.testing.assert_array_equal(found, add_noise(gray, 10, seed=3))
    assert (found != add_noise(gray, 10, seed=4)).any()
    assert add_noise(np.full_like(gray, 255), 50).max() == 255


@pytest.mark.parametrize("variant", ["tiny", "lenet5-1998"])
def test_saliency_is_the_slope_of_the_answer(variant):
    model = lenet_tf.LeNet(variant, seed=1)
    images = RNG.integers(0, 256, (1, 28, 28, 1), dtype=np.uint8)
    found = inspection.saliency(model, images)
    prepared = lenet_tf.prepare_images(images, model.spec.preparation)
    assert found.shape == prepared.shape and found.dtype == np.float32
    outputs = np.asarray(model(prepared))[0]
    best = outputs.argmax()
    for place in [(10, 10), (14, 20)]:
        ends = []
        for step in (-0.01, 0.01):
            moved = prepared.copy()
            moved[0, place[0], place[1], 0] += step
            answer = float(np.asarray(model(moved))[0, best])
            ends.append(np.log(answer) if variant == "tiny" else answer)
        slope = (ends[1] - ends[0]) / 0.02
        assert found[0, place[0], place[1], 0] == pytest.approx(slope, rel=0.05, abs=2e-3)
