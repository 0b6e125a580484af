"""Batches of images in a file: each once per epoch, in a seeded order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from lenet_tf.data.label_files import LabelFile
from lenet_tf.data.selections import Indices
from lenet_tf.data.streaming import ImageFile

# Neighboring images that are read together, and the bytes of images that are shuffled together.
# Runs are resumed in the order that these two make.
BLOCK, WINDOW = 128, 32 << 20

# Indices, images and labels of a batch.
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


def shuffled_batches(
    images: ImageFile,
    labels: np.ndarray | LabelFile,
    indices: Indices,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Iterate over one epoch's batches in an order that depends only on `seed` and `epoch`.

    Blocks of neighboring images are read in random order, and about 32 MB of them are shuffled
    together. A file that is sorted by class is therefore mixed only as far as its blocks are.

    Args:
        images: The file.
        labels: Labels of all its images, int (N,).
        indices: Sorted indices of the images to use, each once.
        batch_size: Images per batch; the last batch may be smaller.
        seed: Seed of the order.
        epoch: Number of the epoch.

    Yields:
        Indices (n,) of a batch's images, the uint8 images (n, height, width[, channels]), and
        their labels, int64 (n,).
    """
    pending: list[Batch] = []
    missing = batch_size
    for window, order in _shuffle_windows(images, indices, seed, epoch):
        # Larger images are read one batch at a time, since a few of them fill a window.
        is_read = BLOCK * images.item_bytes <= WINDOW
        window_labels = labels[window].astype(np.int64)
        window_images = images[window] if is_read else None
        start = 0
        while start < len(order):
            chosen = order[start : start + missing]
            pixels = images[window[chosen]] if window_images is None else window_images[chosen]
            pending.append((window[chosen], pixels, window_labels[chosen]))
            start, missing = start + len(chosen), missing - len(chosen)
            if not missing:
                yield _join(pending)
                pending, missing = [], batch_size
        # Before the next window is read.
        del window, order, window_labels, window_images, chosen, pixels
    if pending:
        yield _join(pending)


def _shuffle_windows(
    images: ImageFile, indices: Indices, seed: int, epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the sorted indices of each window's images, and the order in which they are used."""
    random = np.random.default_rng([seed, epoch])
    # The order of blocks takes a sixteenth of a byte for each image.
    blocks = random.permutation(math.ceil(len(indices) / BLOCK))
    blocks_per_window = max(1, WINDOW // (BLOCK * images.item_bytes))
    for start in range(0, len(blocks), blocks_per_window):
        window = np.sort(blocks[start : start + blocks_per_window])
        positions = (window[:, None] * BLOCK + np.arange(BLOCK)).reshape(-1)
        # The last block may be smaller.
        selected = indices[positions[: np.searchsorted(positions, len(indices))]]
        del positions
        yield selected, random.permutation(len(selected))
        del selected


def _join(parts: list[Batch]) -> Batch:
    if len(parts) == 1:
        return parts[0]
    selected, images, labels = zip(*parts, strict=True)
    return np.concatenate(selected), np.concatenate(images), np.concatenate(labels)


def epoch_batches(
    images: ImageFile,
    labels: np.ndarray | LabelFile,
    indices: Indices,
    batch_size: int,
    seed: int,
    first_epoch: int,
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Iterate over the batches of `shuffled_batches`, epoch after epoch, without end.

    Args:
        images: The file.
        labels: Labels of all its images.
        indices: Sorted indices of the images to use.
        batch_size: Images per batch.
        seed: Seed of the order.
        first_epoch: Number of the epoch to start from.

    Yields:
        The epoch's number, the batch's number within it, the images and their labels.
    """
    for epoch in itertools.count(first_epoch):
        batches = shuffled_batches(images, labels, indices, batch_size, seed, epoch)
        for number, (_, pixels, batch_labels) in enumerate(batches):
            yield epoch, number, pixels, batch_labels
