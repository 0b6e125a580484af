"""The published order of MNIST's images, and the shuffled one in which TFDS keeps them.

Papers number test images as the published files do: image 0 is a 7. TFDS sorts the images of a split by a hash of their published number,
so its image 0 is a 2. Versions of this package before 0.3.0 used TFDS' order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from lenet_tf.data.dataset import RawData

# The sets whose images TFDS numbers from 0, as their files do.
SETS = ("mnist", "fashion_mnist", "kmnist")
PUBLISHED, SHUFFLED = "published", "tfds"


@cache
def _published_numbers(split: str, count: int) -> np.ndarray:
    """The published number of each image of a split, in TFDS' order: as `tensorflow_datasets.core.hashing` sorts them."""
    salt = hashlib.md5(split.encode(), usedforsecurity=False)

    def key(number: int) -> bytes:
        digest = salt.copy()
        digest.update(str(number).encode())
        return digest.digest()

    return np.array(sorted(range(count), key=key))


def to_published_order(data: RawData) -> RawData:
    """Images and labels in TFDS' order → the same in the published order."""
    return _taken(data, lambda split, count: np.argsort(_published_numbers(split, count)))


def to_tfds_order(data: RawData) -> RawData:
    """Images and labels in the published order → the same in TFDS' order."""
    return _taken(data, _published_numbers)


def _taken(data: RawData, numbers: Callable[[str, int], np.ndarray]) -> RawData:
    """The images of each split in the order that `numbers` gives for its name and count."""
    arrays = {}
    for split in ("train", "test"):
        images, labels = getattr(data, f"x_{split}"), getattr(data, f"y_{split}")
        chosen = numbers(split, len(images))
        arrays |= {f"x_{split}": images[chosen], f"y_{split}": labels[chosen]}
    return replace(data, **arrays)


def is_in_tfds_order(data: RawData, sha256: str) -> bool:
    """Whether `sha256` is that of the images of `data`, which are in the published order, in TFDS' order."""
    return data.name in SETS and data.sha256 != sha256 and to_tfds_order(data).sha256 == sha256


def describe_order(data: RawData) -> str:
    """What is said of a run that was trained in TFDS' order; `data` are in the published order."""
    first = _published_numbers("test", len(data.x_test))[0]
    return (
        f"The run was trained on {data.name} in TFDS' shuffled order (test image 0 is a {data.y_test[first]}),"
        f" and lenet_tf 0.3.0 and later load it in the published order (test image 0 is a {data.y_test[0]})."
    )
