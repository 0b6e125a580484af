"""The outputs of plain layers in NumPy, which starts in a tenth of a second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lenet_tf.pretrained.activations import ACTIVATION_FUNCTIONS
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
from lenet_tf.specs.rows import IntPair

# Windows of images that are computed together. They fit into a processor's cache, and BLAS
# multiplies so few of them in one thread. Several threads, BLAS' or Python's, take longer: they
# wait for each other.
_CHUNK_BYTES = 1 << 18

Array = np.ndarray


def compute_outputs(layers: Sequence[PlainLayer], images: Array) -> Array:
    """Compute a network's outputs.

    Args:
        layers: The network.
        images: Prepared images, float32 (N, height, width, channels).

    Returns:
        The outputs, float32 (N, classes), equal to Keras' up to rounding errors.
    """
    step = max(1, _CHUNK_BYTES // max(1, _measure_windows(layers, images.shape[1:])))
    if not len(images):
        step, images = 1, np.zeros((1, *images.shape[1:]), np.float32)
        return compute_outputs(layers, images)[:0]
    outputs = []
    for start in range(0, len(images), step):
        values = np.ascontiguousarray(images[start : start + step], np.float32)
        for layer in layers:
            values = apply_layer(layer, values)
        outputs.append(values)
    return np.concatenate(outputs)


def _measure_windows(layers: Sequence[PlainLayer], shape: Sequence[int]) -> int:
    """Return the bytes that the windows of the first convolution take for one image."""
    for layer in layers:
        if isinstance(layer, PlainConvolution):
            return 4 * shape[0] * shape[1] * layer.kernel[..., 0].size
    return 4 * int(np.prod(shape))


@singledispatch
def apply_layer(layer: PlainLayer, inputs: Array) -> Array:
    """Compute the outputs of one layer.

    Args:
        layer: The layer.
        inputs: float32 (N, height, width, channels), or (N, units).

    Returns:
        float32, likewise.
    """
    raise TypeError(f"no NumPy function for {type(layer).__name__}")


@apply_layer.register
def _(layer: PlainConvolution, inputs: Array) -> Array:
    height, width, maps, filters = layer.kernel.shape
    padded, counts = _pad(inputs, (height, width), layer.strides, layer.padding, 0.0)
    copy = _copy_columns_of_one_map if maps == 1 else _copy_columns
    columns = copy(padded, (height, width), layer.strides, counts)
    sums = columns @ layer.kernel.reshape(-1, filters)
    sums += layer.bias
    outputs = ACTIVATION_FUNCTIONS[layer.activation](sums)
    return outputs.reshape(len(inputs), *counts, filters)


@apply_layer.register
def _(layer: PlainDepthwise, inputs: Array) -> Array:
    height, width, maps, multiplier = layer.kernel.shape
    windows = _view_windows(inputs, (height, width), layer.strides, "valid", 0.0)
    sums = np.einsum("nhwcij,ijcm->nhwcm", windows, layer.kernel)
    sums = sums.reshape(*sums.shape[:3], maps * multiplier) + layer.bias
    return ACTIVATION_FUNCTIONS[layer.activation](sums)


@apply_layer.register
def _(layer: PlainPooling, inputs: Array) -> Array:
    if layer.pool == "min":
        return -_pool(np.maximum, -inputs, layer, -np.inf)
    if layer.pool == "max":
        return _pool(np.maximum, inputs, layer, -np.inf)
    if layer.pool == "stochastic":
        values = np.maximum(inputs, 0)
        total = _pool(np.add, values, layer, 0.0)
        squares = _pool(np.add, np.square(values), layer, 0.0)
        return np.divide(squares, total, out=np.zeros_like(total), where=total != 0)
    sums = _pool(np.add, inputs, layer, 0.0)
    if layer.pool == "sum":
        return sums
    return sums / _pool(np.add, np.ones_like(inputs[:1, :, :, :1]), layer, 0.0)


@apply_layer.register
def _(layer: PlainGlobalAverage, inputs: Array) -> Array:
    return inputs.mean(axis=(1, 2), dtype=np.float32)


@apply_layer.register
def _(layer: PlainFlatten, inputs: Array) -> Array:
    return inputs.reshape(len(inputs), -1)


@apply_layer.register
def _(layer: PlainScale, inputs: Array) -> Array:
    return inputs * layer.factor + layer.offset


@apply_layer.register
def _(layer: PlainDense, inputs: Array) -> Array:
    return ACTIVATION_FUNCTIONS[layer.activation](inputs @ layer.kernel + layer.bias)


@apply_layer.register
def _(layer: PlainRBF, inputs: Array) -> Array:
    return -np.square(inputs[:, None] - layer.codes).sum(axis=-1)


def _copy_columns(inputs: Array, size: IntPair, strides: IntPair, counts: IntPair) -> Array:
    """Copy each window into a row, (N · height' · width', window height · width · channels)."""
    windows = _slide(inputs, size, strides, counts)
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(len(inputs) * counts[0] * counts[1], -1)


def _copy_columns_of_one_map(
    inputs: Array, size: IntPair, strides: IntPair, counts: IntPair
) -> Array:
    """Copy the windows of gray images one position at a time: whole lines are copied faster."""
    columns = np.empty((*size, len(inputs), *counts), np.float32)
    for row, column in np.ndindex(*size):
        columns[row, column] = inputs[
            :,
            row : row + (counts[0] - 1) * strides[0] + 1 : strides[0],
            column : column + (counts[1] - 1) * strides[1] + 1 : strides[1],
            0,
        ]
    return columns.reshape(size[0] * size[1], -1).T


def _pool(combine: np.ufunc, inputs: Array, layer: PlainPooling, fill: float) -> Array:
    padded, counts = _pad(inputs, layer.size, layer.strides, layer.padding, fill)
    result: Array | None = None
    # Adding slices is several times as fast as reducing a view of the windows.
    for row in range(layer.size[0]):
        for column in range(layer.size[1]):
            part = padded[
                :,
                row : row + (counts[0] - 1) * layer.strides[0] + 1 : layer.strides[0],
                column : column + (counts[1] - 1) * layer.strides[1] + 1 : layer.strides[1],
            ]
            result = part.copy() if result is None else combine(result, part, out=result)
    assert result is not None
    return result


def _view_windows(
    inputs: Array, size: IntPair, strides: IntPair, padding: str, fill: float
) -> Array:
    """Return a view of the windows, (N, height', width', channels, window height, window width)."""
    padded, counts = _pad(inputs, size, strides, padding, fill)
    return _slide(padded, size, strides, counts)


def _slide(inputs: Array, size: IntPair, strides: IntPair, counts: IntPair) -> Array:
    windows = sliding_window_view(inputs, size, (1, 2))
    return windows[:, :: strides[0], :: strides[1]][:, : counts[0], : counts[1]]


def _pad(
    inputs: Array, size: IntPair, strides: IntPair, padding: str, fill: float
) -> tuple[Array, tuple[int, int]]:
    """Return the padded inputs, and the number of windows along both axes."""
    axes = list(zip(inputs.shape[1:3], size, strides, strict=True))
    rows, columns = (compute_output_length(*axis, padding) for axis in axes)
    if padding != "same":
        return inputs, (rows, columns)
    pads = [(0, 0)]
    for (length, window, stride), count in zip(axes, (rows, columns), strict=True):
        before = compute_padding_before(length, window, stride, padding)
        total = max((count - 1) * stride + window - length, 0)
        pads.append((before, total - before))
    return np.pad(inputs, [*pads, (0, 0)], constant_values=fill), (rows, columns)
