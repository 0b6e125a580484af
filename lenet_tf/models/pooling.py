"""Kinds of pooling that Keras has no layer for, on `keras.ops`. All take and give (batch, height, width, channels) and have no weights."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.rows import IntPair, Shape

_register = keras.saving.register_keras_serializable("lenet_tf")


class _Pooling2D(keras.layers.Layer):
    def __init__(
        self,
        pool_size: IntPair = (2, 2),
        strides: IntPair | None = None,
        padding: str = "valid",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.pool_size, self.strides, self.padding = (
            tuple(pool_size),
            tuple(strides or pool_size),
            padding,
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(input_shape[1:3], self.pool_size, self.strides, strict=True)
        return (
            input_shape[0],
            *(conv_arithmetic.output_length(*axis, self.padding) for axis in axes),
            input_shape[3],
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


@_register
class MinPooling2D(_Pooling2D):
    """The smallest value of each window."""

    def call(self, inputs: Any) -> Any:
        return -ops.max_pool(-inputs, self.pool_size, self.strides, self.padding)


def windows(inputs: Any, size: IntPair, strides: IntPair, padding: str) -> Any:
    """(batch, height', width', size, channels): the inputs of each window one after another, 0 where they lie in the padding."""
    height, width = inputs.shape[1:3]
    counts = [
        conv_arithmetic.output_length(*axis, padding)
        for axis in zip((height, width), size, strides, strict=True)
    ]
    if padding == "same":
        axes = zip((height, width), size, strides, counts, strict=True)
        frame = [
            (conv_arithmetic.padding_before(n, f, s, padding), max((count - 1) * s + f - n, 0))
            for n, f, s, count in axes
        ]
        frame = [(first, both - first) for first, both in frame]
        inputs = ops.pad(inputs, [(0, 0), *frame, (0, 0)])
    parts = [
        inputs[
            :,
            row : row + (counts[0] - 1) * strides[0] + 1 : strides[0],
            column : column + (counts[1] - 1) * strides[1] + 1 : strides[1],
        ]
        for row in range(size[0])
        for column in range(size[1])
    ]
    return ops.stack(parts, axis=3)


@_register
class SumPooling2D(_Pooling2D):
    """The sum of each window."""

    def call(self, inputs: Any) -> Any:
        return ops.sum(windows(inputs, self.pool_size, self.strides, self.padding), axis=3)


@_register
class StochasticPooling2D(_Pooling2D):
    """Stochastic pooling, Zeiler and Fergus 2013: for inputs ≥ 0, such as a ReLU's; an input below 0 counts as 0.

    While training, one input of each window, drawn with a probability in proportion to its value; otherwise the mean with the
    probabilities as weights, Σx²/Σx. A window of zeros gives 0.
    """

    def __init__(self, *arguments: Any, seed: int | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        values = ops.relu(windows(inputs, self.pool_size, self.strides, self.padding))
        running = ops.cumsum(values, axis=3)
        total = running[:, :, :, -1]
        if not training:
            return ops.divide_no_nan(ops.sum(ops.square(values), axis=3), total)
        mark = (
            keras.random.uniform(ops.shape(total), dtype=values.dtype, seed=self.seed_generator)
            * total
        )
        # The first input at which the running sum passes the mark; one of value 0 adds nothing and is never it.
        passed = ops.cast(running > ops.expand_dims(mark, 3), values.dtype)
        first = passed - ops.concatenate(
            [ops.zeros_like(passed[:, :, :, :1]), passed[:, :, :, :-1]], axis=3
        )
        return ops.sum(values * ops.stop_gradient(first), axis=3)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"seed": self.seed}
