"""Batches for training whose content depends on the seed and the epoch alone, not on threads, timing or what ran before."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from lenet_tf.augment import distort
from lenet_tf.specs import Augmentation


def batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    how: Augmentation | None = None,
    background: float = 0.0,
    first_epoch: int = 0,
) -> tf.data.Dataset:
    """Epoch after epoch without end from `first_epoch` on: batches of images and their labels, every image once an epoch.

    Takes prepared images (N, height, width, channels) and one-hot labels (N, classes); an epoch has ⌈N/batch_size⌉ batches, the last one
    with what is left. `how` distorts each image anew in each epoch, `background` coming in from outside.
    """
    # Held once and taken from by number; a data set of slices would copy them into its graph.
    images, labels = tf.constant(images), tf.constant(labels)
    start = tf.constant([seed, 0x1E4E7], tf.int64)

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order_seed, own_seed = tf.unstack(tf.random.split(tf.random.fold_in(start, epoch), 2))
        order = tf.random.experimental.stateless_shuffle(tf.range(len(images)), order_seed)
        parts = tf.data.Dataset.from_tensor_slices(order).batch(batch_size).enumerate()
        return parts.map(lambda number, chosen: (tf.random.fold_in(own_seed, number), chosen))

    def one_batch(own_seed: tf.Tensor, chosen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        taken = tf.gather(images, chosen)
        return taken if how is None else distort(taken, own_seed, how, background), tf.gather(labels, chosen)

    options = tf.data.Options()
    # The thread that tunes sleeps ever longer, and on a machine or in a process of one core an iterator's end waits for it.
    options.autotune.enabled = False
    epochs = tf.data.Dataset.counter(first_epoch).flat_map(one_epoch)
    return epochs.map(one_batch, num_parallel_calls=2, deterministic=True).prefetch(2).with_options(options)
