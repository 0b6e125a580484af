"""Convolution with its pooling as one matrix product, for the graph engine: the same sums as Keras' layers, in an order that suits a CPU.

Unrolling a convolution into a matrix product is from Chellapilla, Puri and Simard 2006, "High performance convolutional neural networks
for document processing". Two things are added. The images are the innermost axis, so that a patch is gathered in runs of as many numbers
as there are images; and the windows that one pooling unit sees share a patch, each with its own shifted copy of the kernel, so that
pooling is a sum or maximum over whole matrices.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

# Those that look at one number at a time.
_ELEMENTWISE = (
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

# Input maps times feature maps. Beyond, oneDNN's convolutions gain more from their size than they lose to overhead (measured: 200 gains a
# third, 1,000 nothing, 2,048 loses a fifth).
MAX_KERNELS = 256
# Of a convolution in one patch: each has its own copy of the kernel, mostly zeros in a large patch.
_MAX_WINDOWS = 9


class Im2colModel:
    """A network's answers with all its convolutions lowered; the layers after them are called as they are."""

    def __init__(self, stages: list[_Stage], rest: list[layers.Layer]) -> None:
        self._stages, self._rest = stages, rest

    @classmethod
    def from_model(cls, model: keras.Sequential) -> Im2colModel | None:
        """None for a network that this does not suit: one without convolutions, with wide ones, or with other kinds between or behind."""
        rest = list(model.layers)
        stages: list[_Stage] = []
        while rest and _lowers(rest[0]):
            convolution = rest.pop(0)
            pooling = rest.pop(0) if rest and _merges(rest[0]) else None
            stages.append(_Stage(convolution, pooling, first=not stages))
        others = [layer for layer in rest if hasattr(layer, "kernel_size")]
        return cls(stages, rest) if stages and not others else None

    def __call__(self, images: Any, training: bool = False) -> Any:
        """(N, height, width, channels) → the model's output."""
        columns = tf.transpose(tf.reshape(images, (-1, math.prod(images.shape[1:]))))
        for stage in self._stages:
            columns = stage(columns)
        height, width, channels = self._stages[-1].output_shape
        outputs = tf.transpose(tf.reshape(columns, (channels, height, width, -1)), (3, 1, 2, 0))
        for layer in self._rest:
            outputs = layer(outputs, training=training)
        return outputs


def _lowers(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and (layer.groups, tuple(layer.dilation_rate)) == (1, (1, 1))
        and layer.padding in ("same", "valid")
        and layer.use_bias
        and layer.compute_dtype == "float32"
        and layer.activation.__name__ in _ELEMENTWISE
        and layer.input.shape[-1] * layer.filters <= MAX_KERNELS
    )


def _merges(layer: layers.Layer) -> bool:
    windows = type(layer) in (layers.AveragePooling2D, layers.MaxPooling2D) and tuple(
        layer.pool_size
    ) == tuple(layer.strides)
    small = windows and math.prod(layer.pool_size) <= _MAX_WINDOWS
    return small and layer.padding == "valid" and layer.data_format == "channels_last"


class _Stage:
    """One convolution and the pooling behind it, if there is one. Takes (values of an image, N) and gives (values, N): of the images the
    values in the order row, column, channel, of feature maps in the order channel, row, column."""

    def __init__(
        self, convolution: layers.Conv2D, pooling: layers.Layer | None, first: bool
    ) -> None:
        self.convolution, self.pooling = convolution, pooling
        height, width, channels = convolution.input.shape[1:]
        self.window = tuple(pooling.pool_size) if pooling is not None else (1, 1)
        self.output_shape = tuple((pooling or convolution).output.shape[1:])
        places = np.arange(height * width * channels).reshape(
            (height, width, channels) if first else (channels, height, width)
        )
        places = places if first else places.transpose(1, 2, 0)
        # The number behind the last is that of a row of zeros.
        top, left = (self._before(axis, size) for axis, size in enumerate((height, width)))
        sizes = [(out * pool - 1) * step + kernel for out, pool, step, kernel in self._axes()]
        padded = np.full(
            (max(sizes[0], top + height), max(sizes[1], left + width), channels), places.size
        )
        padded[top : top + height, left : left + width] = places
        (self.patch, step) = zip(
            *(((pool - 1) * step + kernel, pool * step) for _, pool, step, kernel in self._axes()),
            strict=True,
        )
        views = np.lib.stride_tricks.sliding_window_view(padded, self.patch, axis=(0, 1))[
            :: step[0], :: step[1]
        ]
        rows, columns = self.output_shape[:2]
        # (row, column, channel, row in the patch, column in the patch) → (row in the patch, column in the patch, channel, row, column)
        self.taken = views[:rows, :columns].transpose(3, 4, 2, 0, 1).reshape(-1).astype(np.int32)
        self.positions, self.inputs = rows * columns, places.size
        self.zeros = bool((self.taken == self.inputs).any())
        self.sorted = np.argsort(self.taken, kind="stable").astype(np.int32)

    def _axes(self) -> list[tuple[int, int, int, int]]:
        """For rows and for columns: (outputs, pooled windows, stride, kernel size)."""
        layer = self.convolution
        return list(
            zip(self.output_shape[:2], self.window, layer.strides, layer.kernel_size, strict=True)
        )

    def _before(self, axis: int, size: int) -> int:
        """Zeros above or to the left, as TensorFlow pads."""
        layer = self.convolution
        step, kernel = layer.strides[axis], layer.kernel_size[axis]
        return (
            max(((-(-size // step) - 1) * step + kernel - size), 0) // 2
            if layer.padding == "same"
            else 0
        )

    def __call__(self, columns: Any) -> Any:
        pooled, filters = self.window[0] * self.window[1], self.output_shape[-1]
        sums = tf.matmul(self._weights(), self._patches(columns))
        answers = self.convolution.activation(
            sums + tf.tile(self.convolution.bias.value, [pooled])[:, None]
        )
        if self.pooling is not None:
            parts = tf.unstack(tf.reshape(answers, (pooled, filters, -1)))
            average = isinstance(self.pooling, layers.AveragePooling2D)
            answers = (
                tf.add_n(parts) * (1 / pooled) if average else functools.reduce(tf.maximum, parts)
            )
        return tf.reshape(answers, (filters * self.positions, -1))

    def _weights(self) -> Any:
        """(window × filter, patch): the kernel at each of the places that it takes in a patch."""
        layer = self.convolution
        kernel = tf.transpose(layer.kernel.value, (3, 0, 1, 2))
        copies = []
        for row in range(self.window[0]):
            for column in range(self.window[1]):
                start = (row * layer.strides[0], column * layer.strides[1])
                around = [
                    (at, whole - at - own)
                    for at, whole, own in zip(start, self.patch, layer.kernel_size, strict=True)
                ]
                copies.append(tf.pad(kernel, ((0, 0), *around, (0, 0))))
        return tf.reshape(tf.concat(copies, axis=0), (-1, len(self.taken) // self.positions))

    def _patches(self, columns: Any) -> Any:
        """(values, N) → (patch, position × N)."""

        @tf.custom_gradient
        def gather(columns: Any) -> tuple[Any, Callable[[Any], Any]]:
            source = tf.pad(columns, ((0, 1), (0, 0))) if self.zeros else columns

            def gradient(of_patches: Any) -> Any:
                # Sorted by value, the uses of each lie side by side: TensorFlow's own gradient of a gather adds them in a slower way.
                uses = tf.gather(of_patches, self.sorted)
                sums = tf.math.segment_sum(uses, self.taken[self.sorted])[: self.inputs]
                # Values behind the last one that a patch takes.
                return tf.pad(sums, ((0, max(0, self.inputs - 1 - int(self.taken.max()))), (0, 0)))

            return tf.gather(source, self.taken), gradient

        return tf.reshape(gather(columns), (len(self.taken) // self.positions, -1))
