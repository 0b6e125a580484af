"""Convolution with its pooling as one matrix product (im2col), faster on a CPU than Keras' layers.

Unrolling a convolution into a matrix product is from Chellapilla, Puri and Simard 2006, "High
performance convolutional neural networks for document processing". Two things are added. The
images are the innermost axis, so that each value of a patch is gathered in one contiguous run. The
windows of one pooling unit share a patch, each with its own shifted copy of the kernel, so that
pooling is a sum or a maximum of whole matrices.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.python.eager import record

from lenet_tf.engine.im2col_stage import Stage
from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.cost import MAX_PATCH_VALUES

_ELEMENTWISE_ACTIVATIONS = (
    "linear",
    "relu",
    "tanh",
    "sigmoid",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "leaky_relu",
    "scaled_tanh",
)

# Input maps × feature maps. For more, oneDNN's convolutions win (measured: at 200 im2col saves a
# third of the time, at 1,000 nothing, at 2,048 it takes a fifth longer).
MAX_KERNELS = 256
# Convolution windows per patch. Each has its own copy of the kernel, mostly zeros in large patches.
_MAX_WINDOWS = 9


class Im2colModel:
    """A model's forward pass with im2col for its convolutions, with the model's own weights.

    It replaces the convolutions and their poolings, and calls the layers after them.
    """

    def __init__(self, stages: list[Stage], rest: list[layers.Layer]) -> None:
        self._stages, self._rest = stages, rest

    @classmethod
    def from_model(cls, model: keras.Sequential) -> Im2colModel | None:
        """Return None unless the model begins with small convolutions and has no others."""
        rest = list(model.layers)
        stages: list[Stage] = []
        while rest and _is_supported_convolution(rest[0]):
            convolution = rest.pop(0)
            pooling = rest.pop(0) if rest and _is_supported_pooling(rest[0]) else None
            stages.append(Stage(convolution, pooling, is_first=not stages))
        has_others = any(hasattr(layer, "kernel_size") for layer in rest)
        return cls(stages, rest) if stages and not has_others else None

    def __call__(self, images: Any, training: bool = False) -> Any:
        """Return the model's outputs for images (N, height, width, channels)."""
        return self.call_parts([images], training)[0]

    def call_parts(self, parts: list[Any], training: bool = False) -> list[Any]:
        """Return the outputs for each part of a batch; the weights are arranged once."""
        weights = [stage.build_weights() for stage in self._stages]
        return [self._call(part, weights, training) for part in parts]

    def _call(self, images: Any, weights: list[Any], training: bool) -> Any:
        columns = tf.transpose(tf.reshape(images, (-1, math.prod(images.shape[1:]))))
        for stage, matrix in zip(self._stages, weights, strict=True):
            columns = stage(columns, matrix)
        shape = self._stages[-1].output_shape
        columns, rest = _order_by_position(columns, shape), self._rest
        if rest and type(rest[0]) is layers.Flatten and _is_plain_dense(rest[1:2]):
            # The product takes the transpose as it is.
            dense, rest = rest[1], rest[2:]
            sums = tf.matmul(columns, dense.kernel.value, transpose_a=True)
            outputs = dense.activation(tf.nn.bias_add(sums, dense.bias.value))
        else:
            outputs = tf.reshape(tf.transpose(columns), (-1, *shape))
        for layer in rest:
            outputs = layer(outputs, training=training)
        return outputs


def _order_by_position(columns: Any, shape: tuple[int, ...]) -> Any:
    """Turn rows in the order channel, row, column into the order row, column, channel."""
    order = np.arange(math.prod(shape), dtype=np.int32).reshape(shape[2], -1).T.reshape(-1)
    # A gather moves whole rows, and so does its gradient; tf.transpose takes four times as long.
    with record.stop_recording():
        ordered = tf.gather(columns, order)
    inverse = np.argsort(order).astype(np.int32)
    record.record_operation(
        "order_by_position", [ordered], [columns], lambda gradient: [tf.gather(gradient, inverse)]
    )
    return ordered


def _is_plain_dense(candidates: list[layers.Layer]) -> bool:
    return bool(candidates) and (
        type(candidates[0]) is layers.Dense
        and candidates[0].use_bias
        and candidates[0].compute_dtype == "float32"
    )


def _is_supported_convolution(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and layer.groups == 1
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.padding in conv_arithmetic.PADDINGS
        and layer.use_bias
        and layer.compute_dtype == "float32"
        and layer.activation.__name__ in _ELEMENTWISE_ACTIVATIONS
        and layer.input.shape[-1] * layer.filters <= MAX_KERNELS
        # Of large images, the patches and their indices would fill the memory.
        and math.prod((*layer.output.shape[1:3], *layer.kernel.shape[:3])) <= MAX_PATCH_VALUES
    )


def _is_supported_pooling(layer: layers.Layer) -> bool:
    return (
        type(layer) in (layers.AveragePooling2D, layers.MaxPooling2D)
        and tuple(layer.pool_size) == tuple(layer.strides)
        and math.prod(layer.pool_size) <= _MAX_WINDOWS
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )
