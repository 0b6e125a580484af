"""Plain layers as TensorFlow operations that every converter knows."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.pretrained.plain_layers import (
    PlainConvolution,
    PlainDense,
    PlainDepthwise,
    PlainFlatten,
    PlainGlobalAverage,
    PlainLayer,
    PlainPooling,
    PlainRBF,
    PlainScale,
)
from lenet_tf.specs.conv_arithmetic import compute_output_length, compute_padding_before

# The sum of a window below which stochastic pooling gives 0, instead of dividing by 0.
_SMALLEST_SUM = 1e-30

# `lenet_tf.specs.rows.ACTIVATIONS`. Operations that some runtime lacks are spelled out.
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "tanh": tf.tanh,
    "scaled_tanh": lambda x: 1.7159 * tf.tanh(x * (2 / 3)),
    "sigmoid": tf.sigmoid,
    "softmax": tf.nn.softmax,
    "relu": tf.nn.relu,
    "leaky_relu": lambda x: tf.nn.leaky_relu(x, 0.2),
    "elu": tf.nn.elu,
    "selu": lambda x: 1.05070098 * (tf.nn.relu(x) + 1.67326324 * tf.nn.elu(-tf.nn.relu(-x))),
    "gelu": lambda x: tf.nn.gelu(x, approximate=False),
    "silu": lambda x: x * tf.sigmoid(x),
    "softplus": lambda x: tf.nn.relu(x) + tf.math.log(1.0 + tf.exp(-tf.abs(x))),
}


@singledispatch
def apply_layer(layer: PlainLayer, inputs: Any) -> Any:
    """Add the operations of one layer to the graph that is being traced.

    Args:
        layer: The layer.
        inputs: A float32 tensor (batch, height, width, channels), or (batch, units).

    Returns:
        Its outputs, likewise.
    """
    raise TypeError(f"no operations for {type(layer).__name__}")


@apply_layer.register
def _(layer: PlainConvolution, inputs: Any) -> Any:
    sums = tf.nn.conv2d(inputs, layer.kernel, layer.strides, layer.padding.upper())
    return ACTIVATIONS[layer.activation](tf.nn.bias_add(sums, layer.bias))


@apply_layer.register
def _(layer: PlainDepthwise, inputs: Any) -> Any:
    # TensorFlow's own takes equal strides only.
    if layer.strides[0] == layer.strides[1]:
        strides = (1, *layer.strides, 1)
        sums = tf.nn.depthwise_conv2d(inputs, layer.kernel, strides, "VALID")
    else:
        sums = tf.nn.conv2d(inputs, _spread_kernel(layer.kernel), layer.strides, "VALID")
    return ACTIVATIONS[layer.activation](tf.nn.bias_add(sums, layer.bias))


def _spread_kernel(kernel: np.ndarray) -> np.ndarray:
    """Return the kernel of a convolution, with zeros, that equals a depthwise one."""
    height, width, maps, multiplier = kernel.shape
    spread = np.zeros((height, width, maps, maps, multiplier), np.float32)
    for index in range(maps):
        spread[:, :, index, index] = kernel[:, :, index]
    return spread.reshape(height, width, maps, maps * multiplier)


@apply_layer.register
def _(layer: PlainPooling, inputs: Any) -> Any:
    window = {"ksize": layer.size, "strides": layer.strides, "padding": layer.padding.upper()}
    if layer.pool == "max":
        return tf.nn.max_pool2d(inputs, **window)
    if layer.pool == "min":
        return -tf.nn.max_pool2d(-inputs, **window)
    if layer.pool == "average":
        return tf.nn.avg_pool2d(inputs, **window)
    if layer.pool == "sum":
        return _sum_windows(layer, inputs)
    values = tf.nn.relu(inputs)
    total = _sum_windows(layer, values)
    return _sum_windows(layer, tf.square(values)) / tf.maximum(total, _SMALLEST_SUM)


def _sum_windows(layer: PlainPooling, inputs: Any) -> Any:
    if layer.padding == "same":
        pads = []
        for axis in zip(inputs.shape[1:3], layer.size, layer.strides, strict=True):
            length, size, stride = axis
            count = compute_output_length(*axis, "same")
            before = compute_padding_before(*axis, "same")
            pads.append((before, max((count - 1) * stride + size - length, 0) - before))
        inputs = tf.pad(inputs, [(0, 0), *pads, (0, 0)])
    means = tf.nn.avg_pool2d(inputs, layer.size, layer.strides, "VALID")
    return means * float(np.prod(layer.size))


@apply_layer.register
def _(layer: PlainGlobalAverage, inputs: Any) -> Any:
    return tf.reduce_mean(inputs, axis=(1, 2))


@apply_layer.register
def _(layer: PlainFlatten, inputs: Any) -> Any:
    return tf.reshape(inputs, (-1, int(np.prod(inputs.shape[1:]))))


@apply_layer.register
def _(layer: PlainScale, inputs: Any) -> Any:
    return inputs * layer.factor + layer.offset


@apply_layer.register
def _(layer: PlainDense, inputs: Any) -> Any:
    sums = tf.nn.bias_add(tf.matmul(inputs, layer.kernel), layer.bias)
    return ACTIVATIONS[layer.activation](sums)


@apply_layer.register
def _(layer: PlainRBF, inputs: Any) -> Any:
    return apply_layer(layer.to_dense(), inputs)
