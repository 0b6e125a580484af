"""`tf.data` pipelines that turn raw images and labels into prepared batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.data.augmentation import distort
from lenet_tf.data.file_batches import epoch_batches
from lenet_tf.data.label_files import LabelFile
from lenet_tf.data.preprocessing import NORMALIZED_RANGES, one_hot, prepare_images
from lenet_tf.data.selections import Indices, Selection
from lenet_tf.data.streaming import ImageFile
from lenet_tf.specs import Augmentation, Preparation, Spec
from lenet_tf.specs.cost import compute_evaluation_batch

# Tracing with AutoGraph would take a second, and nothing here needs it.
_without_autograph = tf.autograph.experimental.do_not_convert

# Values of a batch of which only one is made ahead of its use: 64 MiB of float32.
_MAX_VALUES_AHEAD = 1 << 24

Images = np.ndarray | ImageFile
Labels = np.ndarray | LabelFile
# Batches of (batch seed, what selects its images), and a function from the latter to raw images
# and labels.
_Source = tuple[tf.data.Dataset, Callable[..., tuple[tf.Tensor, tf.Tensor]]]


def training_batches(
    images: Images,
    labels: Labels,
    num_classes: int,
    preparation: Preparation,
    batch_size: int,
    seed: int,
    augmentation: Augmentation | None = None,
    indices: Indices | None = None,
    first_epoch: int = 0,
    prepare: bool = True,
) -> tf.data.Dataset:
    """Build an endless dataset of shuffled training batches.

    Every epoch has each image once, in an order that depends only on `seed` and the epoch's number.
    It has ⌈images / `batch_size`⌉ batches, of which the last may be smaller.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255. Images in a file are
            read ahead and shuffled as in `lenet_tf.data.file_batches.shuffled_batches`.
        labels: Integers (N,) in 0…`num_classes` − 1.
        num_classes: Width of the one-hot labels.
        preparation: How raw images become the network's input.
        batch_size: Images per batch.
        seed: Decides order and distortions.
        augmentation: Distorts each image differently in each epoch; None distorts nothing.
        indices: Which images to train on; None means all.
        first_epoch: Number of the epoch to start from, counted from 0.
        prepare: False yields raw images, for a training step that prepares them itself.

    Returns:
        Batches of float32 images (n, height, width, channels) and float32 one-hot labels
        (n, `num_classes`).
    """
    indices = Selection(len(images)) if indices is None else indices
    background = NORMALIZED_RANGES[preparation.normalization][0]
    options = (indices, batch_size, seed, first_epoch)
    source, fetch = (
        _shuffle_file(images, labels, *options)
        if isinstance(images, ImageFile)
        else _shuffle_memory(images, np.asarray(labels), *options)
    )
    values = batch_size * math.prod(preparation.output_shape(images.shape[1:]))

    def make_batch(batch_seed: tf.Tensor, *selection: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = fetch(*selection)
        x = prepare_images(x, preparation) if prepare else x
        x = x if augmentation is None else distort(x, batch_seed, augmentation, background)
        return x, one_hot(y, num_classes)

    return _prefetch(source, make_batch, values)


def _derive_epoch_seeds(seed: int, epoch: tf.Tensor) -> list[tf.Tensor]:
    """Return an epoch's seeds: for its order, and for its batches."""
    return tf.unstack(
        tf.random.split(tf.random.fold_in(tf.constant([seed, 0x1E4E7], tf.int64), epoch), 2)
    )


def _shuffle_memory(
    images: np.ndarray,
    labels: np.ndarray,
    indices: Indices,
    batch_size: int,
    seed: int,
    first_epoch: int,
) -> _Source:
    images, labels = _place_on_cpu(images), _place_on_cpu(labels)
    indices = tf.constant(np.asarray(indices), tf.int32)

    def make_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order_seed, batches_seed = _derive_epoch_seeds(seed, epoch)
        order = tf.random.experimental.stateless_shuffle(indices, order_seed)
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size).enumerate()
        return batches.map(
            _without_autograph(
                lambda number, selected: (tf.random.fold_in(batches_seed, number), selected)
            )
        )

    # A counter would leave its function in TensorFlow's global graph.
    source = tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(
        _without_autograph(make_epoch)
    )
    return source, lambda selected: (tf.gather(images, selected), tf.gather(labels, selected))


def _shuffle_file(
    images: ImageFile,
    labels: Labels,
    indices: Indices,
    batch_size: int,
    seed: int,
    first_epoch: int,
) -> _Source:
    scalar = tf.TensorSpec((), tf.int64)
    numbers = tf.TensorSpec((None,), tf.int64)
    pixels = tf.TensorSpec((None, *images.shape[1:]), tf.uint8)
    batches = tf.data.Dataset.from_generator(
        lambda: epoch_batches(images, labels, indices, batch_size, seed, first_epoch),
        output_signature=(scalar, scalar, pixels, numbers),
    )

    def add_seed(epoch: tf.Tensor, number: tf.Tensor, *batch: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return tf.random.fold_in(_derive_epoch_seeds(seed, epoch)[1], number), *batch

    return batches.map(_without_autograph(add_seed)), lambda pixels, numbers: (pixels, numbers)


def evaluation_batches(
    images: Images,
    labels: Labels,
    num_classes: int,
    preparation: Preparation,
    indices: Indices | None = None,
    spec: Spec | None = None,
) -> tf.data.Dataset:
    """Build a dataset of prepared batches, in the images' own order.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255.
        labels: Integers (N,) in 0…`num_classes` − 1.
        num_classes: Width of the one-hot labels.
        preparation: How raw images become the network's input.
        indices: Which images to use, in this order; None means all.
        spec: The network that takes the batches, whose layers bound their size.

    Returns:
        Batches of up to 1,000 float32 images (n, height, width, channels) and float32 one-hot
        labels (n, `num_classes`).
    """
    if not isinstance(images, ImageFile):
        labels = np.asarray(labels)
        if indices is not None:
            chosen = np.asarray(indices)
            images, labels, indices = images[chosen], labels[chosen], None
    count = len(images) if indices is None else len(indices)
    image_shape = preparation.output_shape(images.shape[1:])
    size = compute_evaluation_batch(image_shape, () if spec is None else spec.layers)
    read = _make_reader(images, labels, indices, count)

    def make_batch(start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = read(start, tf.minimum(start + size, count))
        return prepare_images(x, preparation), one_hot(y, num_classes)

    values = size * math.prod(image_shape)
    return _prefetch(tf.data.Dataset.range(0, count, size), make_batch, values)


def _make_reader(
    images: Images, labels: Labels, indices: Indices | None, count: int
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Return a graph function from a range to raw images and labels."""
    if not isinstance(images, ImageFile):
        x, y = _place_on_cpu(images), _place_on_cpu(np.asarray(labels))
        order = tf.range(count)
        return lambda start, end: (tf.gather(x, order[start:end]), tf.gather(y, order[start:end]))
    file = images

    def read_file(start: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(int(start), int(end))
        selected = part if indices is None else indices[part]
        return file[selected], labels[selected].astype(np.int64)

    def read(start: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(read_file, [start, end], (tf.uint8, tf.int64))
        return tf.ensure_shape(x, (None, *file.shape[1:])), tf.ensure_shape(y, (None,))

    return read


def _place_on_cpu(values: np.ndarray) -> tf.Tensor:
    """Copy an array to memory once; `from_tensor_slices` would copy it into each graph."""
    with tf.device("/CPU:0"):
        return tf.constant(values)


def _prefetch(
    source: tf.data.Dataset, make_batch: Callable[..., Any], values: int
) -> tf.data.Dataset:
    """Make batches of so many values ahead of their use: two at a time, or one if it is large."""
    options = tf.data.Options()
    # On one core, stopping an iterator waits for the autotuner's thread, which sleeps ever longer.
    options.autotune.enabled = False
    ahead = 1 if values > _MAX_VALUES_AHEAD else 2
    return (
        source.map(_without_autograph(make_batch), num_parallel_calls=ahead, deterministic=True)
        .prefetch(ahead)
        .with_options(options)
    )
