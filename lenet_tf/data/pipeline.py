"""Raw images in, prepared batches out: compact in memory, and for training in an order that the seed and the epoch alone decide."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.data.augmentation import distort
from lenet_tf.data.preprocessing import RANGES, one_hot, prepare_images
from lenet_tf.data.streaming import ImageFile, epoch_batches
from lenet_tf.specs import Augmentation, Preparation

# Images of an evaluation batch, and values in it at most, so that large images do not fill the memory with their feature maps.
EVALUATION_BATCH, EVALUATION_VALUES = 1000, 1000 * 32 * 32 * 3
# Nothing here needs AutoGraph's translation, which would take a second.
_as_it_is = tf.autograph.experimental.do_not_convert

# Images in memory or in a file.
Images = np.ndarray | ImageFile


def training_batches(
    images: Images,
    labels: np.ndarray,
    num_classes: int,
    preparation: Preparation,
    batch_size: int,
    seed: int,
    how: Augmentation | None = None,
    chosen: np.ndarray | None = None,
    first_epoch: int = 0,
    prepared: bool = True,
) -> tf.data.Dataset:
    """Epoch after epoch without end from `first_epoch` on: batches of prepared images and one-hot labels, every image once an epoch.

    Takes raw images (N, height, width[, channels]) and labels (N,), of which `chosen` names those that train (None: all); an epoch has
    ⌈images/batch_size⌉ batches, the last one with what is left. `how` distorts each image anew in each epoch. With `prepared` False the
    images come as they are, for a training step that prepares them itself. Images in a file are read ahead of their use and shuffled as
    `lenet_tf.data.streaming` says.
    """
    numbers = np.arange(len(images)) if chosen is None else chosen
    background = RANGES[preparation.normalization][0]
    of_source = _in_file if isinstance(images, ImageFile) else _in_memory
    source, take = of_source(images, _held(labels), numbers, batch_size, seed, first_epoch)

    def one_batch(own_seed: tf.Tensor, *what: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch, answers = take(*what)
        batch = prepare_images(batch, preparation) if prepared else batch
        batch = batch if how is None else distort(batch, own_seed, how, background)
        return batch, one_hot(answers, num_classes)

    return _ahead(source, one_batch)


# A batch's own seed and what says which images are in it, batch after batch; and a function from the latter to raw images and labels.
_Source = tuple[tf.data.Dataset, Callable[..., tuple[tf.Tensor, tf.Tensor]]]


def _seeds(seed: int, epoch: tf.Tensor) -> list[tf.Tensor]:
    """(Of an epoch's order, of its batches)."""
    return tf.unstack(
        tf.random.split(tf.random.fold_in(tf.constant([seed, 0x1E4E7], tf.int64), epoch), 2)
    )


def _in_memory(
    images: np.ndarray,
    labels: tf.Tensor,
    numbers: np.ndarray,
    batch_size: int,
    seed: int,
    first_epoch: int,
) -> _Source:
    images, numbers = _held(images), tf.constant(numbers, tf.int32)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order_seed, own_seed = _seeds(seed, epoch)
        order = tf.random.experimental.stateless_shuffle(numbers, order_seed)
        parts = tf.data.Dataset.from_tensor_slices(order).batch(batch_size).enumerate()
        return parts.map(
            _as_it_is(lambda number, taken: (tf.random.fold_in(own_seed, number), taken))
        )

    source = tf.data.Dataset.counter(first_epoch).flat_map(_as_it_is(one_epoch))
    return source, lambda taken: (tf.gather(images, taken), tf.gather(labels, taken))


def _in_file(
    images: ImageFile,
    labels: tf.Tensor,
    numbers: np.ndarray,
    batch_size: int,
    seed: int,
    first_epoch: int,
) -> _Source:
    scalar, taken, batch = (
        ((), tf.int64),
        ((None,), tf.int64),
        ((None, *images.shape[1:]), tf.uint8),
    )
    read = tf.data.Dataset.from_generator(
        lambda: epoch_batches(images, numbers, batch_size, seed, first_epoch),
        output_signature=tuple(tf.TensorSpec(*spec) for spec in (scalar, scalar, taken, batch)),
    )

    def with_seed(epoch: tf.Tensor, number: tf.Tensor, *what: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.random.fold_in(_seeds(seed, epoch)[1], number), *what

    return read.map(_as_it_is(with_seed)), lambda taken, batch: (batch, tf.gather(labels, taken))


def evaluation_batches(
    images: Images,
    labels: np.ndarray,
    num_classes: int,
    preparation: Preparation,
    chosen: np.ndarray | None = None,
) -> tf.data.Dataset:
    """All raw images, or those that `chosen` names, in their order, once: batches of prepared images and one-hot labels, the last one with
    what is left."""
    in_file = isinstance(images, ImageFile)
    if chosen is not None and not in_file:
        images, labels, chosen = images[chosen], labels[chosen], None
    count = len(images) if chosen is None else len(chosen)
    size = max(1, min(EVALUATION_BATCH, EVALUATION_VALUES // math.prod(images.shape[1:])))
    numbers = tf.range(count) if chosen is None else tf.constant(chosen, tf.int32)
    labels, source = _held(labels), images if in_file else _held(images)

    def one_batch(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        taken = numbers[start : start + size]
        if in_file:
            batch = tf.numpy_function(lambda taken: source[taken], [taken], tf.uint8)
            batch = tf.ensure_shape(batch, (None, *source.shape[1:]))
        else:
            batch = tf.gather(source, taken)
        return prepare_images(batch, preparation), one_hot(tf.gather(labels, taken), num_classes)

    return _ahead(tf.data.Dataset.range(0, count, size), one_batch)


def _held(values: np.ndarray) -> tf.Tensor:
    """Held once, as it is, where batches are made, and taken from by number; a data set of slices would copy it into its graph."""
    with tf.device("/CPU:0"):
        return tf.constant(values)


def _ahead(source: tf.data.Dataset, make: Callable[..., Any]) -> tf.data.Dataset:
    """Batches made two at a time, ahead of their use."""
    options = tf.data.Options()
    # The thread that tunes sleeps ever longer, and on a machine or in a process of one core an iterator's end waits for it.
    options.autotune.enabled = False
    return (
        source.map(_as_it_is(make), num_parallel_calls=2, deterministic=True)
        .prefetch(2)
        .with_options(options)
    )
