"""The poolings that Keras doesn't have, against loops, and the draws of stochastic pooling."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_tf.models import pooling


def pool_by_loops(x, size, strides, padding, reduce):
    """Apply `reduce` to each window's inputs; padding doesn't count."""
    if padding == "valid":
        starts = [
            range(0, n - f + 1, s) for n, f, s in zip(x.shape[1:3], size, strides, strict=True)
        ]
    else:
        counts = [-(-n // s) for n, s in zip(x.shape[1:3], strides, strict=True)]
        starts = [
            [i * s - max((count - 1) * s + f - n, 0) // 2 for i in range(count)]
            for n, f, s, count in zip(x.shape[1:3], size, strides, counts, strict=True)
        ]
    out = np.zeros((len(x), len(starts[0]), len(starts[1]), x.shape[-1]))
    for n, row, column, channel in np.ndindex(out.shape):
        r, c = starts[0][row], starts[1][column]
        out[n, row, column, channel] = reduce(
            x[n, max(r, 0) : r + size[0], max(c, 0) : c + size[1], channel]
        )
    return out


def average_by_value(window):
    window = np.maximum(window, 0)
    return (window**2).sum() / window.sum() if window.sum() else 0


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (2, 1)), ((3, 3), (3, 3)), ((1, 2), (2, 2))]
)
@pytest.mark.parametrize(
    ("layer_class", "reduce"),
    [
        (pooling.MinPooling2D, np.min),
        (pooling.SumPooling2D, np.sum),
        (pooling.StochasticPooling2D, average_by_value),
    ],
    ids=["min", "sum", "stochastic"],
)
def test_pooling_against_loops(layer_class, reduce, size, strides, padding):
    x = np.random.default_rng(0).normal(size=(2, 7, 8, 3)).astype("float32")
    layer = layer_class(size, strides, padding)
    expected = pool_by_loops(x, size, strides, padding, reduce)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    assert layer.compute_output_shape(x.shape) == expected.shape


def test_stochastic_pooling_draws_in_proportion():
    """1, 2, 3 and 4 are drawn in as many tenths of 20,000 windows, with the inference mean of 3."""
    window = np.array([[1, 2], [3, 4]], "float32").reshape(1, 2, 2, 1)
    x = np.tile(window, (20_000, 1, 1, 1))
    layer = pooling.StochasticPooling2D((2, 2), seed=0)
    drawn = np.asarray(layer(x, training=True)).ravel()
    shares = [np.mean(drawn == value) for value in (1, 2, 3, 4)]
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.3, 0.4], atol=0.015)
    assert sum(shares) == pytest.approx(1)
    assert float(np.asarray(layer(window)).item()) == pytest.approx(3.0)
    assert drawn.mean() == pytest.approx(3.0, abs=0.03)


def test_stochastic_pooling_draws_no_zero_and_passes_the_gradient_to_the_drawn_value():
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(1).normal(size=(50, 4, 4, 3)).astype("float32"))
    layer = pooling.StochasticPooling2D((2, 2), seed=3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        drawn = layer(x, training=True)
    gradient = tape.gradient(drawn, x).numpy()
    is_empty = pool_by_loops(x.numpy(), (2, 2), (2, 2), "valid", np.max) <= 0
    assert ((drawn.numpy() > 0) == ~is_empty).all()
    assert set(np.unique(gradient)) == {0, 1}
    assert gradient.sum() == (~is_empty).sum()
    np.testing.assert_allclose((gradient * x.numpy()).sum(), drawn.numpy().sum(), rtol=1e-5)


def test_stochastic_pooling_repeats_with_its_seed():
    x = np.random.default_rng(2).random((4, 6, 6, 2), dtype=np.float32)
    first, same, other = (
        np.asarray(pooling.StochasticPooling2D((2, 2), seed=seed)(x, training=True))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
