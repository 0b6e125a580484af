"""Raw images in, prepared batches out: compact in memory, and for training in an order that the seed and the epoch alone decide."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from lenet_tf.augment import distort
from lenet_tf.data import RANGES, one_hot, prepare_images
from lenet_tf.specs import Augmentation, Preparation

EVALUATION_BATCH = 1000


def training_batches(
    images: np.ndarray,
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
    images come as they are, for a training step that prepares them itself.
    """
    images, labels = _held(images, labels)
    numbers = tf.range(len(images)) if chosen is None else tf.constant(chosen, tf.int32)
    background = RANGES[preparation.normalisation][0]
    start = tf.constant([seed, 0x1E4E7], tf.int64)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order_seed, own_seed = tf.unstack(tf.random.split(tf.random.fold_in(start, epoch), 2))
        order = tf.random.experimental.stateless_shuffle(numbers, order_seed)
        parts = tf.data.Dataset.from_tensor_slices(order).batch(batch_size).enumerate()
        return parts.map(lambda number, taken: (tf.random.fold_in(own_seed, number), taken))

    def one_batch(own_seed: tf.Tensor, taken: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch = tf.gather(images, taken)
        batch = prepare_images(batch, preparation) if prepared else batch
        batch = batch if how is None else distort(batch, own_seed, how, background)
        return batch, one_hot(tf.gather(labels, taken), num_classes)

    epochs = tf.data.Dataset.counter(first_epoch).flat_map(one_epoch)
    return epochs.map(one_batch, num_parallel_calls=2, deterministic=True).prefetch(2).with_options(_options())


def evaluation_batches(images: np.ndarray, labels: np.ndarray, num_classes: int, preparation: Preparation) -> tf.data.Dataset:
    """All raw images in their order, once: batches of prepared images and one-hot labels, the last one with what is left."""
    images, labels = _held(images, labels)

    def one_batch(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        part = slice(start, start + EVALUATION_BATCH)
        return prepare_images(images[part], preparation), one_hot(labels[part], num_classes)

    starts = tf.data.Dataset.range(0, len(images), EVALUATION_BATCH)
    return starts.map(one_batch, num_parallel_calls=2, deterministic=True).prefetch(2).with_options(_options())


def _held(images: np.ndarray, labels: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
    """Held once, as bytes, where batches are made, and taken from by number; a data set of slices would copy them into its graph."""
    with tf.device("/CPU:0"):
        return tf.constant(images), tf.constant(labels)


def _options() -> tf.data.Options:
    options = tf.data.Options()
    # The thread that tunes sleeps ever longer, and on a machine or in a process of one core an iterator's end waits for it.
    options.autotune.enabled = False
    return options
