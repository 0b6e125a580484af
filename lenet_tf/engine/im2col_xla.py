"""Convolution and subsampling as slices, matrix products and sums, which XLA compiles into one tight loop over single images.

For a step on one image TensorFlow's own operations take longer to start than to run, and XLA hands Keras' convolutions to slow routines.
Unrolling a convolution into a matrix product is from Chellapilla, Puri and Simard 2006. The batched counterpart is `lenet_tf.engine.im2col`.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
from keras import layers

from lenet_tf.models.layers import Subsampling, TableConvolution


class XlaIm2colModel:
    """A network's answers with its convolutions and subsampling unrolled; other layers are called as they are. Weights are the layers'."""

    def __init__(self, model: Any) -> None:
        self._layers = list(model.layers)

    @classmethod
    def from_model(cls, model: Any) -> XlaIm2colModel | None:
        """None where TensorFlow has no XLA, or for a network with a convolution of another kind or without any."""
        convolutions = [layer for layer in model.layers if hasattr(layer, "kernel_size")]
        return (
            cls(model)
            if tf.test.is_built_with_xla() and convolutions and all(map(_unrolls, convolutions))
            else None
        )

    def __call__(self, images: Any, training: bool = False) -> Any:
        """(N, height, width, channels) → the model's output."""
        outputs = images
        for layer in self._layers:
            if hasattr(layer, "kernel_size"):
                outputs = _convolve(layer, outputs)
            elif type(layer) is Subsampling:
                outputs = _subsample(layer, outputs)
            else:
                outputs = layer(outputs, training=training)
        return outputs


def _unrolls(layer: layers.Layer) -> bool:
    plain = type(layer) is layers.Conv2D and layer.data_format == "channels_last" and layer.use_bias
    known = type(layer) is TableConvolution or (
        plain and (layer.groups, tuple(layer.dilation_rate)) == (1, (1, 1))
    )
    return known and layer.padding == "valid" and layer.compute_dtype == "float32"


def _convolve(layer: layers.Layer, images: Any) -> Any:
    kernel = (
        layer.expand_kernel(layer.kernel.value)
        if isinstance(layer, TableConvolution)
        else layer.kernel.value
    )
    filters = kernel.shape[-1]
    height, width = layer.output.shape[1:3]
    patches = tf.reshape(
        _patches(images, layer.kernel_size, layer.strides, (height, width)),
        (-1, math.prod(kernel.shape[:-1])),
    )
    sums = tf.matmul(patches, tf.reshape(kernel, (-1, filters))) + layer.bias.value
    return layer.activation(tf.reshape(sums, (-1, height, width, filters)))


def _patches(
    images: Any, kernel_size: tuple[int, int], strides: tuple[int, int], output: tuple[int, int]
) -> Any:
    """(N, output height, output width, kernel height × kernel width × channels): what each unit sees."""
    # Where a kernel's row or column lies in the image for each of the output's.
    rows, columns = (
        [slice(start, start + (count - 1) * step + 1, step) for start in range(size)]
        for size, step, count in zip(kernel_size, strides, output, strict=True)
    )
    beside = tf.concat([images[:, :, column] for column in columns], axis=-1)
    return tf.concat([beside[:, row] for row in rows], axis=-1)


def _subsample(layer: Subsampling, maps: Any) -> Any:
    (height, width), (rows, columns) = layer.size, layer.output.shape[1:3]
    count = maps.shape[-1]
    windows = tf.reshape(
        maps[:, : rows * height, : columns * width], (-1, rows, height, columns, width, count)
    )
    sums = tf.reduce_sum(windows, axis=(2, 4))
    sums = tf.repeat(sums, layer.multiplier, axis=-1) if layer.multiplier > 1 else sums
    return layer.activation(sums * layer.coefficient.value + layer.bias.value)
