"""Pooling layers that Keras doesn't have, for every backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.rows import IntPair, Shape, as_pair

__all__ = ["MinPooling2D", "StochasticPooling2D", "SumPooling2D"]


class _Pooling2D(keras.layers.Layer):
    """Base class: a window that moves over (batch, height, width, channels), without weights."""

    def __init__(
        self,
        pool_size: int | IntPair = (2, 2),
        strides: int | IntPair | None = None,
        padding: str = "valid",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.pool_size, self.strides = as_pair(pool_size), as_pair(strides or pool_size)
        self.padding = padding

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        axes = zip(input_shape[1:3], self.pool_size, self.strides, strict=True)
        height, width = (
            conv_arithmetic.compute_output_length(*axis, self.padding) for axis in axes
        )
        return (input_shape[0], height, width, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


@keras.saving.register_keras_serializable("lenet_tf")
class MinPooling2D(_Pooling2D):
    """The smallest value of each window.

    Args:
        pool_size: (height, width) of the window, or one number for both.
        strides: (vertical, horizontal) step, or one number for both; None for `pool_size`.
        padding: `valid` or `same`; padding never counts as a value.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> image = np.array([[4.0, 1.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
        >>> float(lenet_tf.pooling.MinPooling2D()(image)[0, 0, 0, 0])
        1.0
    """

    def call(self, inputs: Any) -> Any:
        """Pool feature maps (batch, height, width, channels)."""
        return -ops.max_pool(-inputs, self.pool_size, self.strides, self.padding)


@keras.saving.register_keras_serializable("lenet_tf")
class SumPooling2D(_Pooling2D):
    """The sum of each window.

    Args:
        pool_size: (height, width) of the window, or one number for both.
        strides: (vertical, horizontal) step, or one number for both; None for `pool_size`.
        padding: `valid` or `same`.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> image = np.array([[4.0, 1.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
        >>> float(lenet_tf.pooling.SumPooling2D()(image)[0, 0, 0, 0])
        10.0
    """

    def call(self, inputs: Any) -> Any:
        """Pool feature maps (batch, height, width, channels)."""
        return ops.sum(_extract_windows(inputs, self.pool_size, self.strides, self.padding), axis=3)


@keras.saving.register_keras_serializable("lenet_tf")
class StochasticPooling2D(_Pooling2D):
    """Stochastic pooling (Zeiler and Fergus 2013), for inputs ≥ 0 such as a ReLU's.

    During training it draws one value of each window, with probability proportional to the value.
    Otherwise it returns the mean weighted by these probabilities, Σx²/Σx. Values below 0 count as
    0. A window of zeros gives 0.

    Args:
        pool_size: (height, width) of the window, or one number for both.
        strides: (vertical, horizontal) step, or one number for both; None for `pool_size`.
        padding: `valid` or `same`; padding is never drawn.
        seed: Seed of the draws; None for Keras' global generator.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> image = np.array([[4.0, 1.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
        >>> float(lenet_tf.pooling.StochasticPooling2D()(image)[0, 0, 0, 0])
        3.0
    """

    def __init__(
        self,
        pool_size: int | IntPair = (2, 2),
        strides: int | IntPair | None = None,
        padding: str = "valid",
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, **options)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Pool feature maps (batch, height, width, channels)."""
        windows = _extract_windows(inputs, self.pool_size, self.strides, self.padding)
        values = ops.relu(windows)
        cumulative = ops.cumsum(values, axis=3)
        total = cumulative[:, :, :, -1]
        if not training:
            return ops.divide_no_nan(ops.sum(ops.square(values), axis=3), total)
        shape = ops.shape(total)
        draw = keras.random.uniform(shape, dtype=values.dtype, seed=self.seed_generator)
        threshold = draw * total
        # One-hot: the first value at which the cumulative sum exceeds the threshold.
        exceeds = ops.cast(cumulative > ops.expand_dims(threshold, 3), values.dtype)
        shifted = ops.concatenate(
            [ops.zeros_like(exceeds[:, :, :, :1]), exceeds[:, :, :, :-1]], axis=3
        )
        return ops.sum(values * ops.stop_gradient(exceeds - shifted), axis=3)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"seed": self.seed}


def _extract_windows(inputs: Any, size: IntPair, strides: IntPair, padding: str) -> Any:
    """Return the values of each window, (batch, height', width', size, channels); padding is 0."""
    axes = list(zip(inputs.shape[1:3], size, strides, strict=True))
    counts = [conv_arithmetic.compute_output_length(*axis, padding) for axis in axes]
    if padding == "same":
        pads = [(0, 0)]
        for (length, window, stride), count in zip(axes, counts, strict=True):
            before = conv_arithmetic.compute_padding_before(length, window, stride, padding)
            total = max((count - 1) * stride + window - length, 0)
            pads.append((before, total - before))
        inputs = ops.pad(inputs, [*pads, (0, 0)])
    offsets = [
        inputs[
            :,
            row : row + (counts[0] - 1) * strides[0] + 1 : strides[0],
            column : column + (counts[1] - 1) * strides[1] + 1 : strides[1],
        ]
        for row in range(size[0])
        for column in range(size[1])
    ]
    return ops.stack(offsets, axis=3)


def __dir__() -> list[str]:
    return sorted(__all__)
