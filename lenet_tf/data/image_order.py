"""Conversion between MNIST's published order of images and the shuffled order of TFDS.

Papers number test images as in the published files, where image 0 is a 7. TFDS sorts the images of
a split by a hash of their published number, so its image 0 is a 2. Versions of this package before
0.3.0 used TFDS' order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData

# The data sets whose images TFDS numbers from 0 in the order of the published files.
REORDERED_SETS = ("mnist", "fashion_mnist", "kmnist")
PUBLISHED, SHUFFLED = "published", "tfds"
# EMNIST in TFDS' order, which this package turns upright.
UPRIGHT = "tfds, upright"


@cache
def _sort_like_tfds(split: str, count: int) -> np.ndarray:
    """Return the published number of each image of a split, in TFDS' order.

    The hash is that of `tensorflow_datasets.core.hashing`.
    """
    salt = hashlib.md5(split.encode(), usedforsecurity=False)

    def hash_number(number: int) -> bytes:
        digest = salt.copy()
        digest.update(str(number).encode())
        return digest.digest()

    return np.array(sorted(range(count), key=hash_number))


def to_published_order(data: RawData) -> RawData:
    """Reorder images and labels from TFDS' order to the published one."""
    return _reorder(data, lambda split, count: np.argsort(_sort_like_tfds(split, count)))


def to_tfds_order(data: RawData) -> RawData:
    """Reorder images and labels from the published order to that of TFDS."""
    return _reorder(data, _sort_like_tfds)


def _reorder(data: RawData, order: Callable[[str, int], np.ndarray]) -> RawData:
    """Reorder both splits; `order` maps a split's name and length to indices."""
    arrays: dict[str, Any] = {}
    for split in ("train", "test"):
        images, labels = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        indices = order(split, len(images))
        arrays |= {f"x_{split}": images[indices], f"y_{split}": labels[indices]}
    return replace(data, **arrays)


def is_in_tfds_order(data: RawData, sha256: str) -> bool:
    """Return whether a hash is that of the same data set in TFDS' order.

    Args:
        data: A data set in the published order.
        sha256: The hash that a run recorded for its data.
    """
    return (
        data.name in REORDERED_SETS
        and data.sha256 != sha256
        and to_tfds_order(data).sha256 == sha256
    )


def describe_order(data: RawData) -> str:
    """Explain that a run used TFDS' order; `data` is in the published order."""
    first = _sort_like_tfds("test", len(data.x_test))[0]
    return (
        f"The run was trained on {data.name} in TFDS' shuffled order "
        f"(test image 0 is a {data.y_test[first]}). lenet_tf 0.3.0 and later load it "
        f"in the published order (test image 0 is a {data.y_test[0]})."
    )
