"""A forward pass whose halves of a batch run in parallel."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from lenet_tf.engine.im2col import Im2colModel

# More parts gain nothing and take longer to trace.
PREDICTION_PARTS = 2


def forward(model: keras.Model, images: Any) -> Any:
    """Run a model's forward pass, with the parts of the batch in parallel.

    Args:
        model: A built model.
        images: Prepared images (N, height, width, channels), N ≥ 1.

    Returns:
        The outputs (N, classes).
    """
    return concatenate_outputs(forward_in_parts(model, images))


class BatchPart(NamedTuple):
    """A slice of a batch, how many of its images count, and the outputs of all of them."""

    rows: slice
    count: Any
    outputs: Any


def forward_in_parts(model: keras.Model, images: Any) -> list[BatchPart]:
    """Run the forward pass of a batch in parts, in the batch's order.

    No part is empty, because oneDNN's convolution of an empty batch returns its input's shape. In
    a batch smaller than the number of parts, an empty part repeats an image that doesn't count.
    """
    network, count = Im2colModel.from_model(model) or model, tf.shape(images)[0]
    edges = [count * number // PREDICTION_PARTS for number in range(PREDICTION_PARTS + 1)]
    slices = [
        (slice(start, tf.maximum(end, start + 1)), end - start)
        for start, end in itertools.pairwise(edges)
    ]
    return [BatchPart(rows, own, network(images[rows], training=False)) for rows, own in slices]


def concatenate_outputs(parts: list[BatchPart]) -> Any:
    """Return the outputs of the images that count, in the batch's order."""
    return tf.concat([part.outputs[: part.count] for part in parts], axis=0)
