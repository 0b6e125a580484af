"""Convolution and subsampling as slices and matrix products, which XLA compiles into one loop.

For a step on one image, TensorFlow's operations take longer to start than to run, and XLA gives
Keras' convolutions to slow routines. The counterpart for batches is `lenet_tf.engine.im2col`. Both
use im2col, the unrolling of Chellapilla, Puri and Simard 2006.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from keras import layers

from lenet_tf.models.layers import Subsampling, TableConvolution
from lenet_tf.specs.rows import IntPair


class XlaIm2colModel:
    """A model's forward pass in a form that XLA compiles well, with the model's own weights.

    It replaces convolutions and subsampling, and calls all other layers.
    """

    def __init__(self, model: Any) -> None:
        self._layers = list(model.layers)

    @classmethod
    def from_model(cls, model: Any) -> XlaIm2colModel | None:
        """Return None without XLA, or if the model has no or an unsupported convolution."""
        if not tf.test.is_built_with_xla():
            return None
        convolutions = [layer for layer in model.layers if hasattr(layer, "kernel_size")]
        is_supported = convolutions and all(map(_is_supported, convolutions))
        return cls(model) if is_supported else None

    def __call__(self, images: Any, training: bool = False) -> Any:
        """Return the model's outputs for one image (1, height, width, channels)."""
        outputs, has_maps = images, False
        for layer in self._layers:
            own_form = _find_own_form(layer)
            if (own_form is not None) != has_maps:
                outputs = _to_channels_last(outputs) if has_maps else _to_maps(outputs)
                has_maps = not has_maps
            outputs = own_form(layer, outputs) if own_form else layer(outputs, training=training)
        return _to_channels_last(outputs) if has_maps else outputs


def _find_own_form(layer: layers.Layer) -> Callable[[layers.Layer, Any], Any] | None:
    if hasattr(layer, "kernel_size"):
        return _convolve
    return _subsample if type(layer) is Subsampling else None


def _to_maps(image: Any) -> Any:
    """Return (channels, height, width) from (1, height, width, channels).

    The longest axis comes last, along which the processor's vectors run.
    """
    return tf.transpose(tf.ensure_shape(image, (1, None, None, None))[0], (2, 0, 1))


def _to_channels_last(maps: Any) -> Any:
    return tf.transpose(maps, (1, 2, 0))[None]


def _is_supported(layer: layers.Layer) -> bool:
    if layer.padding != "valid" or layer.compute_dtype != "float32":
        return False
    if type(layer) is TableConvolution:
        return True
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and layer.use_bias
        and layer.groups == 1
        and tuple(layer.dilation_rate) == (1, 1)
    )


def _convolve(layer: layers.Layer, maps: Any) -> Any:
    kernel = layer.kernel.value
    if isinstance(layer, TableConvolution):
        kernel = layer.expand_kernel(kernel)
    filters, output_size = kernel.shape[-1], layer.output.shape[1:3]
    patches = _extract_patches(maps, layer.kernel_size, layer.strides, output_size)
    sums = tf.matmul(tf.reshape(kernel, (-1, filters)), patches, transpose_a=True)
    sums += layer.bias.value[:, tf.newaxis]
    return layer.activation(tf.reshape(sums, (filters, *output_size)))


def _extract_patches(
    maps: Any, kernel_size: IntPair, strides: IntPair, output_size: IntPair
) -> Any:
    """Return each unit's inputs as a column.

    The shape is (kernel height × kernel width × channels, output height × output width).
    """
    # For each row and column of the kernel, the rows and columns of the image that it meets.
    rows, columns = (
        [slice(start, start + (count - 1) * stride + 1, stride) for start in range(size)]
        for size, stride, count in zip(kernel_size, strides, output_size, strict=True)
    )
    by_column = tf.stack([maps[:, :, column] for column in columns])
    patches = tf.stack([by_column[:, :, row] for row in rows])
    return tf.reshape(patches, (-1, math.prod(output_size)))


def _subsample(layer: Subsampling, maps: Any) -> Any:
    (height, width), (rows, columns) = layer.size, layer.output.shape[1:3]
    windows = tf.reshape(
        maps[:, : rows * height, : columns * width], (-1, rows, height, columns, width)
    )
    sums = tf.reduce_sum(windows, axis=(2, 4))
    sums = tf.repeat(sums, layer.multiplier, axis=0) if layer.multiplier > 1 else sums
    coefficient, bias = (
        tf.reshape(weight.value, (-1, 1, 1)) for weight in (layer.coefficient, layer.bias)
    )
    return layer.activation(sums * coefficient + bias)
