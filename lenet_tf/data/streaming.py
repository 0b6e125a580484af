"""Images that may be more than memory holds: a file of bytes, read where they are needed, in an order that suits a disk."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import DataError
from lenet_tf.io import npy
from lenet_tf.io.bounded import open_regular_file

# Images that lie side by side in the file are read together, and as many such blocks are shuffled together as this many bytes hold.
BLOCK, WINDOW = 128, 32 << 20
# What is read at a time where the order is the file's.
_PART = 8 << 20


class ImageFile:
    """Images (N, height, width[, channels]) of uint8 in a `.npy` file, with an array's shape, length and indexing; each use reads anew.

    Raises `DataError` for a file that is missing or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            with open_regular_file(self.path) as file:
                header = npy.read_header(file, os.fstat(file.fileno()).st_size)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: not a readable .npy file of plain numbers ({error})"
            ) from error
        if header.dtype != np.uint8 or header.fortran:
            raise DataError(
                f"{path} must hold uint8 images in C order, not {header.dtype}{' in another' if header.fortran else ''}"
            )
        self.shape, self.dtype, self.ndim, self._offset = (
            header.shape,
            header.dtype,
            len(header.shape),
            header.offset,
        )

    def _open(self) -> np.ndarray:
        # Opened for each use: pages that were read once would count as this process's memory for as long as they stay mapped.
        try:
            return np.memmap(self.path, self.dtype, "r", self._offset, self.shape)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path} cannot be read any more ({error}): leave the files of a data set alone while it is used"
            ) from error

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.array(self._open()[index])

    def parts(self) -> Iterator[np.ndarray]:
        """All images in their order, some at a time."""
        step = max(1, _PART // math.prod(self.shape[1:]))
        return (self[start : start + step] for start in range(0, len(self), step))


def shuffled_batches(
    images: ImageFile, chosen: np.ndarray, batch_size: int, seed: int, epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches (numbers of the images, images) of an epoch: each of the `chosen` once, in an order that seed and epoch alone decide.

    Blocks of neighbors are read in random order, and the images of some 30 MB of them are shuffled together. A file that is sorted by
    class is mixed by that only as far as its blocks are.
    """
    random = np.random.default_rng([seed, epoch])
    blocks = random.permutation(-(-len(chosen) // BLOCK))
    together = max(1, WINDOW // (BLOCK * math.prod(images.shape[1:])))
    numbers, pixels = np.empty(0, chosen.dtype), np.empty((0, *images.shape[1:]), np.uint8)
    for start in range(0, len(blocks), together):
        mine = np.sort(blocks[start : start + together])
        read = np.concatenate([chosen[block * BLOCK : (block + 1) * BLOCK] for block in mine])
        order = random.permutation(len(read))
        numbers, pixels = (
            np.concatenate([numbers, read[order]]),
            np.concatenate([pixels, images[read][order]]),
        )
        whole = len(numbers) // batch_size * batch_size
        for first in range(0, whole, batch_size):
            yield numbers[first : first + batch_size], pixels[first : first + batch_size]
        numbers, pixels = numbers[whole:], pixels[whole:]
    if len(numbers):
        yield numbers, pixels


def epoch_batches(
    images: ImageFile, chosen: np.ndarray, batch_size: int, seed: int, first: int
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """(epoch, number of the batch in it, numbers, images), epoch after epoch without end."""
    for epoch in itertools.count(first):
        for number, (numbers, pixels) in enumerate(
            shuffled_batches(images, chosen, batch_size, seed, epoch)
        ):
            yield epoch, number, numbers, pixels
