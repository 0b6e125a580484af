"""An export's network as one TensorFlow function, from which converters make other formats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.data.preprocessing import NORMALIZED_RANGES, compute_overlaps
from lenet_tf.inference.export.graph_layers import apply_layer
from lenet_tf.inference.export.network import INPUT, OUTPUT, ExportNetwork
from lenet_tf.pretrained.plain_layers import (
    PlainConvolution,
    PlainDense,
    PlainFlatten,
    PlainLayer,
    PlainScale,
)
from lenet_tf.specs import Preparation
from lenet_tf.specs.preparation import MNIST_DIGIT


def build_module(network: ExportNetwork, takes_floats: bool = False) -> tf.Module:
    """Build a network as a TensorFlow function.

    Args:
        network: The network.
        takes_floats: Whether raw images arrive as float32 of 0…255, as int8's converter needs.

    Returns:
        A module whose `serve` takes a batch of any size and returns the output by its name.
    """
    dtype = "float32" if takes_floats else network.input_dtype
    layers = network.layers
    if network.preparation is not None:
        layers = fold_normalization(network.preparation, layers)

    def serve(images: Any) -> dict[str, Any]:
        values = images
        if network.preparation is not None:
            # Quantized numbers are rounded anyway.
            values = _prepare(images, network.preparation, network.image_shape, not takes_floats)
        for layer in layers:
            values = apply_layer(layer, values)
        return {OUTPUT: tf.nn.softmax(values) if network.needs_softmax else values}

    signature = tf.TensorSpec((None, *network.image_shape), dtype, name=INPUT)
    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[signature], autograph=False)
    return module


def save_module(module: tf.Module, folder: Path) -> None:
    """Write a module as a SavedModel with one signature.

    Args:
        module: The result of `build_module`.
        folder: A folder that doesn't exist yet.
    """
    signatures = {tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: module.serve}
    tf.saved_model.save(module, str(folder), signatures=signatures)


def _prepare(images: Any, preparation: Preparation, shape: tuple[int, ...], rounds: bool) -> Any:
    """Prepare raw images as `lenet_tf.prepare_images` does, without the normalization."""
    height, width, channels = (*shape, 1)[:3]
    values = tf.cast(images, tf.float32)
    if len(shape) == 2:
        values = tf.reshape(values, (-1, height, width, 1))
    if preparation.digit_size is not None:
        values = _reduce_digits(values, preparation.digit_size, rounds)
    if preparation.pad_to is not None and preparation.pad_to > min(height, width):
        rows, columns = preparation.pad_to - height, preparation.pad_to - width
        frame = (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)
        values = tf.pad(values, ((0, 0), *frame, (0, 0)))
    if preparation.channels is not None and preparation.channels != channels:
        values = tf.concat([values] * preparation.channels, axis=3)
    return values


def _reduce_digits(images: Any, size: int, rounds: bool) -> Any:
    """Reduce digits by two matrix products, as `lenet_tf.data.preprocessing.reduce_digits`."""
    _, height, width, channels = images.shape
    # Integers up to 2²⁴, so that floats are exact; the last division is that of the original.
    down, across = (compute_overlaps(side, size) for side in (height, width))
    if not rounds:
        down, across = down / MNIST_DIGIT, across / MNIST_DIGIT
    values = tf.reshape(images, (-1, height, width * channels))
    values = tf.matmul(_transpose(values), down.T)
    values = tf.reshape(_transpose(values), (-1, height, width, channels))
    values = tf.transpose(values, (0, 1, 3, 2))
    values = tf.reshape(values, (-1, height * channels, width))
    values = tf.matmul(values, across.T)
    values = tf.reshape(values, (-1, height, channels, width))
    values = tf.transpose(values, (0, 1, 3, 2))
    return tf.floor(values / float(MNIST_DIGIT**2) + 0.5) if rounds else values


def _transpose(values: Any) -> Any:
    return tf.transpose(values, (0, 2, 1))


def fold_normalization(
    preparation: Preparation, layers: tuple[PlainLayer, ...]
) -> tuple[PlainLayer, ...]:
    """Fold the scale of raw images into the layers.

    Args:
        preparation: What the layers expect.
        layers: Layers that take normalized images.

    Returns:
        Layers that take raw ones: the first with other weights, where that is exact, or one more.
    """
    low, high = NORMALIZED_RANGES[preparation.normalization]
    factor, offset = np.float32((high - low) / 255), np.float32(low)
    index = 1 if isinstance(layers[0], PlainFlatten) else 0
    first = layers[index] if index < len(layers) else None
    if isinstance(first, PlainConvolution) and (first.padding == "valid" or not low):
        bias = first.bias + offset * first.kernel.sum(axis=(0, 1, 2))
        folded: PlainLayer = replace(first, kernel=first.kernel * factor, bias=bias)
    elif isinstance(first, PlainDense):
        bias = first.bias + offset * first.kernel.sum(axis=0)
        folded = replace(first, kernel=first.kernel * factor, bias=bias)
    else:
        return (PlainScale("normalization", np.array([factor]), np.array([offset])), *layers)
    return (*layers[:index], folded, *layers[index + 1 :])
