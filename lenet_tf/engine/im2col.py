"""Convolution with its pooling as one matrix product (im2col), faster on a CPU than Keras' layers.

Unrolling a convolution into a matrix product is from Chellapilla, Puri and Simard 2006, "High
performance convolutional neural networks for document processing". Two things are added. The
images are the innermost axis, so that each value of a patch is gathered in one contiguous run. The
windows of one pooling unit share a patch, each with its own shifted copy of the kernel, so that
pooling is a sum or a maximum of whole matrices.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.python.eager import record

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

    def __init__(self, stages: list[_Stage], rest: list[layers.Layer]) -> None:
        self._stages, self._rest = stages, rest

    @classmethod
    def from_model(cls, model: keras.Sequential) -> Im2colModel | None:
        """Return None unless the model begins with small convolutions and has no others."""
        rest = list(model.layers)
        stages: list[_Stage] = []
        while rest and _is_supported_convolution(rest[0]):
            convolution = rest.pop(0)
            pooling = rest.pop(0) if rest and _is_supported_pooling(rest[0]) else None
            stages.append(_Stage(convolution, pooling, is_first=not stages))
        has_others = any(hasattr(layer, "kernel_size") for layer in rest)
        return cls(stages, rest) if stages and not has_others else None

    def __call__(self, images: Any, training: bool = False) -> Any:
        """Return the model's outputs for images (N, height, width, channels)."""
        columns = tf.transpose(tf.reshape(images, (-1, math.prod(images.shape[1:]))))
        for stage in self._stages:
            columns = stage(columns)
        height, width, channels = self._stages[-1].output_shape
        outputs = tf.transpose(tf.reshape(columns, (channels, height, width, -1)), (3, 1, 2, 0))
        for layer in self._rest:
            outputs = layer(outputs, training=training)
        return outputs


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


class _Stage:
    """One convolution and the pooling after it, if any.

    Takes (values per image, N) and returns (values per map stack, N). An image's values are in the
    order row, column, channel; those of feature maps in the order channel, row, column.
    """

    def __init__(
        self, convolution: layers.Conv2D, pooling: layers.Layer | None, is_first: bool
    ) -> None:
        self.convolution, self.pooling = convolution, pooling
        self.pool_size = tuple(pooling.pool_size) if pooling is not None else (1, 1)
        self.output_shape = tuple((pooling or convolution).output.shape[1:])
        height, width, channels = convolution.input.shape[1:]
        self.num_inputs = height * width * channels
        indices = np.arange(self.num_inputs)
        if is_first:
            indices = indices.reshape(height, width, channels)
        else:
            indices = indices.reshape(channels, height, width).transpose(1, 2, 0)
        views = self._view_patches(indices)
        rows, columns = self.output_shape[:2]
        self.num_positions = rows * columns
        # To (row in the patch, column in the patch, channel, row, column).
        patches = views[:rows, :columns].transpose(3, 4, 2, 0, 1)
        # For each value of each patch, the input that it takes.
        self.gather_indices = patches.reshape(-1).astype(np.int32)
        self.has_padding = bool((self.gather_indices == self.num_inputs).any())
        self.sorted_uses = np.argsort(self.gather_indices, kind="stable").astype(np.int32)

    def _view_patches(self, indices: np.ndarray) -> np.ndarray:
        """Return the inputs' indices in each patch.

        Args:
            indices: Index of each input, (height, width, channels).

        Returns:
            (rows, columns, channels, patch height, patch width). Padding has the index behind the
            last input.
        """
        height, width, channels = indices.shape
        top, left = (self._count_padding(axis, size) for axis, size in enumerate((height, width)))
        sizes = [
            (out * pool - 1) * stride + kernel for out, pool, stride, kernel in self._list_axes()
        ]
        padded = np.full(
            (max(sizes[0], top + height), max(sizes[1], left + width), channels), indices.size
        )
        padded[top : top + height, left : left + width] = indices
        self.patch_size, steps = zip(
            *(
                ((pool - 1) * stride + kernel, pool * stride)
                for _, pool, stride, kernel in self._list_axes()
            ),
            strict=True,
        )
        views = np.lib.stride_tricks.sliding_window_view(padded, self.patch_size, axis=(0, 1))
        return views[:: steps[0], :: steps[1]]

    def _list_axes(self) -> list[tuple[int, int, int, int]]:
        """Return (outputs, pool size, stride, kernel size) of the rows and of the columns."""
        layer = self.convolution
        return list(
            zip(
                self.output_shape[:2], self.pool_size, layer.strides, layer.kernel_size, strict=True
            )
        )

    def _count_padding(self, axis: int, size: int) -> int:
        """Return the zeros above (axis 0) or to the left (axis 1) of `size` inputs."""
        layer = self.convolution
        return conv_arithmetic.compute_padding_before(
            size, layer.kernel_size[axis], layer.strides[axis], layer.padding
        )

    def __call__(self, columns: Any) -> Any:
        """Convolve and pool columns (values, N)."""
        windows, filters = math.prod(self.pool_size), self.output_shape[-1]
        sums = tf.matmul(self._build_weights(), self._gather_patches(columns))
        bias = tf.tile(self.convolution.bias.value, [windows])
        outputs = self.convolution.activation(sums + bias[:, None])
        if self.pooling is not None:
            parts = tf.unstack(tf.reshape(outputs, (windows, filters, -1)))
            if isinstance(self.pooling, layers.AveragePooling2D):
                outputs = tf.add_n(parts) * (1 / windows)
            else:
                outputs = functools.reduce(tf.maximum, parts)
        return tf.reshape(outputs, (filters * self.num_positions, -1))

    def _build_weights(self) -> Any:
        """Return (windows × filters, values of a patch): the kernel at each offset in a patch."""
        layer = self.convolution
        kernel = tf.transpose(layer.kernel.value, (3, 0, 1, 2))
        copies = []
        for row in range(self.pool_size[0]):
            for column in range(self.pool_size[1]):
                offsets = (row * layer.strides[0], column * layer.strides[1])
                padding = [
                    (offset, patch - offset - size)
                    for offset, patch, size in zip(
                        offsets, self.patch_size, layer.kernel_size, strict=True
                    )
                ]
                copies.append(tf.pad(kernel, ((0, 0), *padding, (0, 0))))
        return tf.reshape(tf.concat(copies, axis=0), (-1, self._patch_values))

    @property
    def _patch_values(self) -> int:
        return len(self.gather_indices) // self.num_positions

    def _gather_patches(self, columns: Any) -> Any:
        """Turn (values, N) into (values of a patch, positions × N)."""

        def compute_gradient(patch_gradients: Any) -> list[Any]:
            # Sorting puts the uses of each input side by side. TensorFlow's own gradient of a
            # gather is slower.
            uses = tf.gather(patch_gradients, self.sorted_uses)
            segments = self.gather_indices[self.sorted_uses]
            sums = tf.math.segment_sum(uses, segments)[: self.num_inputs]
            # Inputs after the last one that a patch uses.
            unused = max(0, self.num_inputs - 1 - int(self.gather_indices.max()))
            return [tf.pad(sums, ((0, unused), (0, 0)))]

        # As tf.custom_gradient does, which also enters each graph into a registry of the process,
        # where it would stay.
        with record.stop_recording():
            source = tf.pad(columns, ((0, 1), (0, 0))) if self.has_padding else columns
            patches = tf.gather(source, self.gather_indices)
        record.record_operation("gather_patches", [patches], [columns], compute_gradient)
        return tf.reshape(patches, (self._patch_values, -1))
