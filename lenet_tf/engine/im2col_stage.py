"""One convolution and its pooling as a matrix product (im2col), for `lenet_tf.engine.im2col`."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.python.eager import record

from lenet_tf.specs import conv_arithmetic

# Rows of a matrix that oneDNN multiplies fast with the transpose of a wide one (measured: 4
# products of 6 rows take half as long as one of 24).
_MAX_ROWS = 12


class Stage:
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
        self._patch_values = patches.size // self.num_positions
        # For each value of each patch, the input that it takes.
        # Behind the inputs are a row of zeros, for padding, and a row of ones, for the bias.
        ones = np.full(self.num_positions, self.num_inputs + 1)
        self.gather_indices = np.concatenate([patches.reshape(-1), ones]).astype(np.int32)
        order = np.argsort(self.gather_indices, kind="stable").astype(np.int32)
        self.sorted_uses = order[self.gather_indices[order] < self.num_inputs]
        self.is_first = is_first

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

    def build_weights(self) -> Any:
        """Return the kernel at each offset in a patch, and the bias as the last row.

        The shape is (values of a patch + 1, windows × filters).
        """
        layer = self.convolution
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
                copies.append(tf.pad(layer.kernel.value, (*padding, (0, 0), (0, 0))))
        copies = [tf.reshape(copy, (self._patch_values, -1)) for copy in copies]
        bias = tf.tile(layer.bias.value, [len(copies)])[None]
        return tf.concat([tf.concat(copies, axis=1), bias], axis=0)

    def __call__(self, columns: Any, weights: Any) -> Any:
        """Convolve and pool columns (values, N) with the weights of `build_weights`."""
        windows, filters = math.prod(self.pool_size), self.output_shape[-1]
        parts = self._multiply_patches(columns, weights)
        activation = self.convolution.activation
        if isinstance(self.pooling, layers.MaxPooling2D) and activation.__name__ == "relu":
            # The same number from a fraction of the values.
            outputs = activation(functools.reduce(tf.maximum, parts))
        elif isinstance(self.pooling, layers.MaxPooling2D):
            outputs = functools.reduce(tf.maximum, map(activation, parts))
        elif self.pooling is not None:
            outputs = tf.add_n([activation(part) for part in parts]) * (1 / windows)
        else:
            outputs = activation(parts[0])
        return tf.reshape(outputs, (filters * self.num_positions, -1))

    def _multiply_patches(self, columns: Any, weights: Any) -> list[Any]:
        """Gather patches and multiply; return (filters, positions × N) for each window."""
        # As tf.custom_gradient does, which also enters each graph into a registry of the process,
        # where it would stay.
        with record.stop_recording():
            count = columns.shape[1] or tf.shape(columns)[1]
            inputs = tf.concat([columns, tf.zeros((1, count)), tf.ones((1, count))], axis=0)
            patches = tf.reshape(
                tf.gather(inputs, self.gather_indices), (self._patch_values + 1, -1)
            )
            products = tf.matmul(weights, patches, transpose_a=True)
            windows = tf.split(products, math.prod(self.pool_size))

        def compute_gradient(*gradients: Any) -> list[Any]:
            # Nobody asks for the gradient of the images.
            columns_gradient = None if self.is_first else self._sum_uses(weights, gradients)
            return [columns_gradient, _multiply_gradients(patches, gradients)]

        record.record_operation("multiply_patches", windows, [columns, weights], compute_gradient)
        return windows

    def _sum_uses(self, weights: Any, gradients: tuple[Any, ...]) -> Any:
        """Return the gradient of the inputs (values, N) from those of the windows."""
        patches = tf.matmul(weights, tf.concat(gradients, axis=0))
        # Sorting puts the uses of each input side by side. TensorFlow's own gradient of a gather
        # is slower.
        uses = tf.gather(tf.reshape(patches, (len(self.gather_indices), -1)), self.sorted_uses)
        segments = self.gather_indices[self.sorted_uses]
        sums = tf.math.segment_sum(uses, segments)
        # Inputs after the last one that a patch uses.
        unused = self.num_inputs - 1 - int(segments[-1])
        return tf.pad(sums, ((0, unused), (0, 0))) if unused else sums


def _multiply_gradients(patches: Any, gradients: tuple[Any, ...]) -> Any:
    """Return the gradient of the weights from those of the windows, each (filters, columns)."""
    if gradients[0].shape[0] > _MAX_ROWS:
        return tf.matmul(patches, tf.concat(gradients, axis=0), transpose_b=True)
    products = [tf.matmul(gradient, patches, transpose_b=True) for gradient in gradients]
    return tf.transpose(tf.concat(products, axis=0))
