"""Selects the validation images that TensorBoard shows."""

from __future__ import annotations

import math

import numpy as np

from lenet_tf.data.dataset import Split

# A streamed data set may have a million validation images.
MAX_IMAGES = 10_000
# Bytes of these images, which are in memory at once.
_MAX_BYTES = 128 << 20


def evenly_spaced(count: int, limit: int) -> np.ndarray:
    """Return the indices of up to `limit` of `count` items, evenly spaced, int (n,)."""
    return np.linspace(0, count - 1, min(count, limit)).astype(int)


def validation_images(split: Split, limit: int = MAX_IMAGES) -> tuple[np.ndarray, np.ndarray]:
    """Return raw validation images and labels, evenly spaced: data may be sorted by class.

    Args:
        split: The run's data.
        limit: Largest number of images. Large images are fewer.

    Returns:
        Images (n, height, width[, channels]) of uint8, and labels (n,).
    """
    images, labels, indices = split.validation
    limit = min(limit, max(1, _MAX_BYTES // math.prod(images.shape[1:])))
    positions = evenly_spaced(len(images) if indices is None else len(indices), limit)
    selected = positions if indices is None else indices[positions]
    return images[selected], labels[selected]


def images_of_each_class(
    images: np.ndarray, labels: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first image of each of the first `limit` classes that occur, and those classes."""
    classes, first = (each[:limit] for each in np.unique(labels, return_index=True))
    return images[first], classes
