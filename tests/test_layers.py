"""The 1998 layers and losses against loops, their gradients against finite differences."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from lenet_tf.errors import SpecError
from lenet_tf.models import layers
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import (
    Dense,
    EuclideanRBF,
    Flatten,
    Input,
    Spec,
    Subsampling,
    TableConvolution,
    get_spec,
)
from lenet_tf.specs.rbf_codes import DIGIT_CODES, HEIGHT, WIDTH

TABLE = ((0,), (1, 2), (0, 1, 2), (2,))


@pytest.fixture
def random():
    return np.random.default_rng(0)


def set_random(layer, random):
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    return [weight.astype(np.float64) for weight in layer.get_weights()]


def squash(a):
    return 1.7159 * np.tanh(2 / 3 * a)


def subsample_by_loops(x, coefficient, bias, size):
    batch, height, width, maps = x.shape
    out = np.zeros((batch, height // size[0], width // size[1], maps))
    for n, row, column, number in np.ndindex(out.shape):
        window = x[
            n,
            row * size[0] : (row + 1) * size[0],
            column * size[1] : (column + 1) * size[1],
            number,
        ]
        out[n, row, column, number] = squash(coefficient[number] * window.sum() + bias[number])
    return out


def convolve_by_loops(x, kernel, bias, table):
    batch, height, width, _ = x.shape
    k = kernel.shape[1]
    out = np.zeros((batch, height - k + 1, width - k + 1, len(table)))
    for n, row, column, target in np.ndindex(out.shape):
        first = sum(len(maps) for maps in table[:target])
        total = bias[target]
        for position, source in enumerate(table[target]):
            total += (
                x[n, row : row + k, column : column + k, source] * kernel[first + position]
            ).sum()
        out[n, row, column, target] = squash(total)
    return out


def test_scaled_tanh_sends_one_to_one():
    values = layers.scaled_tanh(np.array([-1.0, 0.0, 1.0, 30.0], "float32"))
    np.testing.assert_allclose(values, [-1, 0, 1, 1.7159], atol=2e-5)


@pytest.mark.parametrize("size", [(2, 2), (3, 2)])
def test_subsampling_against_loops(random, size):
    x = random.normal(size=(2, 7, 6, 3)).astype("float32")
    layer = layers.Subsampling(size)
    layer.build(x.shape)
    assert layer.count_params() == 6
    np.testing.assert_allclose(
        layer(x), subsample_by_loops(x, np.full(3, 0.25), np.zeros(3), size), atol=1e-5
    )
    coefficient, bias = set_random(layer, random)
    np.testing.assert_allclose(layer(x), subsample_by_loops(x, coefficient, bias, size), atol=1e-5)


def test_subsampling_with_two_copies_against_loops(random):
    """The copies of a map are neighbors, each with its own coefficient and bias."""
    x = random.normal(size=(2, 4, 6, 3)).astype("float32")
    layer = layers.Subsampling(multiplier=2)
    layer.build(x.shape)
    coefficient, bias = set_random(layer, random)
    assert coefficient.shape == (6,)
    np.testing.assert_allclose(
        layer(x),
        subsample_by_loops(x[..., [0, 0, 1, 1, 2, 2]], coefficient, bias, (2, 2)),
        atol=1e-5,
    )


def test_table_convolution_against_loops(random):
    x = random.normal(size=(2, 6, 5, 3)).astype("float32")
    layer = layers.TableConvolution(TABLE, (3, 3), activation=layers.scaled_tanh)
    layer.build(x.shape)
    kernel, bias = set_random(layer, random)
    assert kernel.shape == (7, 3, 3)
    np.testing.assert_allclose(layer(x), convolve_by_loops(x, kernel, bias, TABLE), atol=1e-5)


def test_a_full_table_is_an_ordinary_convolution(random):
    x = random.normal(size=(2, 6, 6, 3)).astype("float32")
    ours = layers.TableConvolution(((0, 1, 2),) * 4, (3, 3), strides=(2, 2), padding="same")
    ours.build(x.shape)
    theirs = keras.layers.Conv2D(4, 3, 2, padding="same")
    theirs.build(x.shape)
    kernel, bias = random.normal(size=(3, 3, 3, 4)), random.normal(size=4)
    theirs.set_weights([kernel, bias])
    ours.set_weights([kernel.transpose(3, 2, 0, 1).reshape(12, 3, 3), bias])
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


def test_table_convolution_initializes_each_map_for_its_fan_in():
    table = ((0,),) * 50 + (tuple(range(16)),) * 50
    layer = layers.TableConvolution(table, (5, 5), kernel_initializer=layers.lecun1998_uniform(3))
    layer.build((None, 8, 8, 16))
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    for part, fan_in in ((kernel[:50], 25), (kernel[50:], 400)):
        bound = 2.4 / np.sqrt(fan_in)
        assert 0.98 * bound < np.abs(part).max() <= bound
    assert not np.array_equal(kernel[0], kernel[1]), "each feature map has its own seed"


def test_rbf_against_loops(random):
    x = random.normal(size=(3, 84)).astype("float32")
    expected = [
        [-sum((x[n, j] - DIGIT_CODES[i][j]) ** 2 for j in range(84)) for i in range(10)]
        for n in range(3)
    ]
    np.testing.assert_allclose(layers.EuclideanRBF()(x), expected, rtol=1e-5)
    codes = np.array(DIGIT_CODES, "float32")
    answers = keras.ops.convert_to_numpy(layers.EuclideanRBF()(codes))
    assert answers.argmax(1).tolist() == list(range(10))
    np.testing.assert_array_equal(np.diag(answers), 0)


def test_losses_against_loops(random):
    penalties = random.uniform(0, 20, size=(5, 10))
    labels = np.array([3, 0, 9, 9, 1])
    hot = np.eye(10)[labels]
    right = penalties[np.arange(5), labels]
    rest = np.log(np.exp(-10) + np.exp(-penalties).sum(1))
    np.testing.assert_allclose(layers.lecun1998_mle(hot, -penalties), right, rtol=1e-6)
    np.testing.assert_allclose(layers.lecun1998_map(hot, -penalties), right + rest, rtol=1e-6)
    np.testing.assert_allclose(
        layers.lecun1998_map(hot, -penalties, j=0.5),
        right + np.log(np.exp(-0.5) + np.exp(-penalties).sum(1)),
        rtol=1e-6,
    )
    far = np.full((1, 10), -1e4, "float32")
    assert np.isfinite(layers.lecun1998_map(np.eye(10, dtype="float32")[:1], far)).all()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: layers.Subsampling(dtype="float64"), (2, 4, 4, 3)),
        (lambda: layers.Subsampling(multiplier=2, dtype="float64"), (2, 4, 4, 3)),
        (
            lambda: layers.TableConvolution(
                TABLE, (2, 2), activation=layers.scaled_tanh, dtype="float64"
            ),
            (2, 4, 4, 3),
        ),
        (lambda: layers.EuclideanRBF(dtype="float64"), (2, 84)),
        (
            lambda: lambda x: layers.lecun1998_mle(tf.one_hot([3, 5], 10, dtype="float64"), x),
            (2, 10),
        ),
        (
            lambda: lambda x: layers.lecun1998_map(tf.one_hot([3, 5], 10, dtype="float64"), x),
            (2, 10),
        ),
    ],
    ids=["subsampling", "subsampling, two copies", "table convolution", "rbf", "eq. 8", "eq. 9"],
)
def test_gradients_against_finite_differences(random, make, shape):
    layer = make()
    if isinstance(layer, keras.layers.Layer):
        layer.build(shape)
        set_random(layer, random)
    x = tf.Variable(random.normal(size=shape))
    mix = random.normal(size=layer(x).shape)
    variables = [x, *(weight.value for weight in getattr(layer, "trainable_weights", []))]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * mix)
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        start = variable.numpy()
        for index in list(np.ndindex(start.shape))[:: max(1, start.size // 12)]:
            ends = []
            for step in (1e-6, -1e-6):
                moved = start.copy()
                moved[index] += step
                variable.assign(moved)
                ends.append(float(tf.reduce_sum(layer(x) * mix)))
            variable.assign(start)
            assert gradient.numpy()[index] == pytest.approx(
                (ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-6
            )


def test_codes_are_ten_different_bitmaps():
    codes = np.array(DIGIT_CODES)
    assert codes.shape == (10, HEIGHT * WIDTH) == (10, 84)
    assert set(codes.ravel()) == {-1, 1}
    distances = [(codes[i] != codes[j]).sum() for i in range(10) for j in range(i)]
    assert min(distances) >= 6


PUBLISHED = {
    "lenet5-1998": {
        "C1": (156, 122_304),
        "S2": (12, 5_880),
        "C3": (1_516, 151_600),
        "S4": (32, 2_000),
        "C5": (48_120, 48_120),
        "F6": (10_164, 10_164),
        "OUTPUT": (0, 840),
    },
    "lenet1": {
        "C1": (104, 59_904),
        "S2": (8, 2_880),
        "C3": (512, 32_768),
        "S4": (24, 960),
        "OUTPUT": (1_930, 1_930),
    },
}


@pytest.mark.parametrize(
    ("variant", "totals"), [("lenet5-1998", (60_000, 340_908)), ("lenet1", (2_578, 98_442))]
)
def test_each_layer_has_the_published_counts(variant, totals):
    spec, model = get_spec(variant), LeNet(variant)
    counts = {
        layer.row.name: (layer.parameters, layer.connections)
        for layer in spec.layers
        if layer.connections
    }
    assert counts == PUBLISHED[variant]
    assert (spec.parameters, spec.connections) == totals
    assert model.count_params() == totals[0]
    assert {layer.name: layer.count_params() for layer in model.layers if layer.name in counts} == {
        name: pair[0] for name, pair in counts.items()
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            TableConvolution("C1", table=((0,), (3,)), kernel=2),
            "table takes input map 3, but the input's 1 maps are numbered 0 to 0",
        ),
        (
            TableConvolution("C1", table=((0,), ()), kernel=2),
            "feature map 1 must take one or more different input maps, not ()",
        ),
        (
            TableConvolution("C1", table=((0, 0),), kernel=2),
            "feature map 0 must take one or more different input maps, not (0, 0)",
        ),
        (
            TableConvolution("C1", table=3, kernel=2),
            "table must have one list of input maps per feature map, not 3",
        ),
        (
            TableConvolution("C1", table=((0,),), kernel=29),
            "kernel 29×29 is larger than its input 28×28",
        ),
        (
            TableConvolution("C1", table=((0,),), kernel=0),
            "kernel must be a whole number of at least 1",
        ),
        (
            TableConvolution("C1", table=((0,),), kernel=3, activation="tahn"),
            "unknown activation 'tahn': did you mean tanh",
        ),
        (Subsampling("S1", size=30), "window 30×30 is larger than its input 28×28"),
        (Subsampling("S1", coefficient="big"), "coefficient must be a number, not 'big'"),
        (Subsampling("S1", coefficient=float("nan")), "coefficient must be a number, not nan"),
    ],
)
def test_invalid_rows_are_refused(row, message):
    with pytest.raises(SpecError) as caught:
        Spec("net", (Input(), row, Flatten(), Dense("OUTPUT", units=10, activation="softmax")))
    assert message in str(caught.value)


def test_invalid_rbf_rows_are_refused():
    with pytest.raises(
        SpecError,
        match="needs a flat vector of 84 units, one per pixel of a code, but its input is 784",
    ):
        Spec("net", (Input(), Flatten(), EuclideanRBF("OUTPUT")))
    with pytest.raises(SpecError, match="there are codes for 10 classes, not for 26"):
        get_spec("lenet5-1998").adapt(num_classes=26)
