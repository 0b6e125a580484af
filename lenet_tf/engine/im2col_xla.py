"""Convolution and subsampling as slices and matrix products, which XLA compiles into one loop.

For a step on one image, TensorFlow's operations take longer to start than to run, and XLA gives
Keras' convolutions to slow routines. The counterpart for batches is `lenet_tf.engine.im2col`. Both
use im2col, the unrolling of Chellapilla, Puri and Simard 2006.
"""

from __future__ import annotations

import math
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
        """Return the model's outputs for images (N, height, width, channels)."""
        outputs = images
        for layer in self._layers:
            if hasattr(layer, "kernel_size"):
                outputs = _convolve(layer, outputs)
            elif type(layer) is Subsampling:
                outputs = _subsample(layer, outputs)
            else:
                outputs = layer(outputs, training=training)
        return outputs


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


def _convolve(layer: layers.Layer, images: Any) -> Any:
    kernel = layer.kernel.value
    if isinstance(layer, TableConvolution):
        kernel = layer.expand_kernel(kernel)
    filters = kernel.shape[-1]
    height, width = layer.output.shape[1:3]
    patches = tf.reshape(
        _extract_patches(images, layer.kernel_size, layer.strides, (height, width)),
        (-1, math.prod(kernel.shape[:-1])),
    )
    sums = tf.matmul(patches, tf.reshape(kernel, (-1, filters))) + layer.bias.value
    return layer.activation(tf.reshape(sums, (-1, height, width, filters)))


def _extract_patches(
    images: Any, kernel_size: IntPair, strides: IntPair, output_size: IntPair
) -> Any:
    """Return each unit's inputs.

    The shape is (N, output height, output width, kernel height × kernel width × channels).
    """
    # For each row and column of the kernel, the rows and columns of the image that it meets.
    rows, columns = (
        [slice(start, start + (count - 1) * stride + 1, stride) for start in range(size)]
        for size, stride, count in zip(kernel_size, strides, output_size, strict=True)
    )
    by_column = tf.concat([images[:, :, column] for column in columns], axis=-1)
    return tf.concat([by_column[:, row] for row in rows], axis=-1)


def _subsample(layer: Subsampling, maps: Any) -> Any:
    (height, width), (rows, columns) = layer.size, layer.output.shape[1:3]
    count = maps.shape[-1]
    windows = tf.reshape(
        maps[:, : rows * height, : columns * width], (-1, rows, height, columns, width, count)
    )
    sums = tf.reduce_sum(windows, axis=(2, 4))
    sums = tf.repeat(sums, layer.multiplier, axis=-1) if layer.multiplier > 1 else sums
    return layer.activation(sums * layer.coefficient.value + layer.bias.value)
