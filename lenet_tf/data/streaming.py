"""Images read from a file on demand, for data sets that do not fit in memory."""

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

# Neighboring images that are read together, and the bytes of images that are shuffled together.
BLOCK, WINDOW = 128, 32 << 20
# Bytes to read at a time when the images are read in the file's order.
_PART = 8 << 20


class ImageFile:
    """uint8 images (N, height, width[, channels]) in a `.npy` file.

    It has an array's shape, dtype, length and indexing. Each access opens the file, because a
    memory map that stays open counts every page it has read as the process's memory.

    Args:
        path: The `.npy` file.

    Raises:
        DataError: If the file is missing or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            with open_regular_file(self.path) as file:
                header = npy.read_header(file, os.fstat(file.fileno()).st_size)
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: not a readable .npy file of numbers ({error})") from error
        if header.dtype != np.uint8 or header.fortran:
            order = "Fortran" if header.fortran else "C"
            raise DataError(
                f"{path} must hold uint8 images in C order, not {header.dtype} in {order} order"
            )
        self.shape = header.shape
        self.dtype = header.dtype
        self.ndim = len(header.shape)
        self._offset = header.offset

    def _open(self) -> np.ndarray:
        try:
            return np.memmap(self.path, self.dtype, "r", self._offset, self.shape)
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path} can no longer be read ({error}). "
                "Do not move or change a data set's files while they are in use."
            ) from error

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.array(self._open()[index])

    def parts(self) -> Iterator[np.ndarray]:
        """Iterate over all images in the file's order, a few MB at a time."""
        step = max(1, _PART // math.prod(self.shape[1:]))
        return (self[start : start + step] for start in range(0, len(self), step))

    def flat_parts(self) -> Iterator[np.ndarray]:
        """Iterate over all pixels in the file's order, a few MB at a time for any image size."""
        count = math.prod(self.shape)
        starts = range(0, count, _PART)
        return (np.array(self._open().reshape(-1)[start : start + _PART]) for start in starts)


def shuffled_batches(
    images: ImageFile, indices: np.ndarray, batch_size: int, seed: int, epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Iterate over one epoch's batches in an order that depends only on `seed` and `epoch`.

    Blocks of neighboring images are read in random order, and about 32 MB of them are shuffled
    together. A file that is sorted by class is therefore mixed only as far as its blocks are.

    Args:
        images: The file.
        indices: Sorted indices of the images to use, each once.
        batch_size: Images per batch; the last batch may be smaller.
        seed: Seed of the order.
        epoch: Number of the epoch.

    Yields:
        Indices (n,) of a batch's images, and the uint8 images (n, height, width[, channels]).
    """
    random = np.random.default_rng([seed, epoch])
    blocks = random.permutation(-(-len(indices) // BLOCK))
    blocks_per_window = max(1, WINDOW // (BLOCK * math.prod(images.shape[1:])))
    pending, pixels = np.empty(0, indices.dtype), np.empty((0, *images.shape[1:]), np.uint8)
    for start in range(0, len(blocks), blocks_per_window):
        window = np.sort(blocks[start : start + blocks_per_window])
        selected = np.concatenate(
            [indices[block * BLOCK : (block + 1) * BLOCK] for block in window]
        )
        order = random.permutation(len(selected))
        pending = np.concatenate([pending, selected[order]])
        pixels = np.concatenate([pixels, images[selected][order]])
        full = len(pending) // batch_size * batch_size
        for first in range(0, full, batch_size):
            yield pending[first : first + batch_size], pixels[first : first + batch_size]
        pending, pixels = pending[full:], pixels[full:]
    if len(pending):
        yield pending, pixels


def epoch_batches(
    images: ImageFile, indices: np.ndarray, batch_size: int, seed: int, first_epoch: int
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Iterate over the batches of `shuffled_batches`, epoch after epoch, without end.

    Args:
        images: The file.
        indices: Sorted indices of the images to use.
        batch_size: Images per batch.
        seed: Seed of the order.
        first_epoch: Number of the epoch to start from.

    Yields:
        The epoch's number, the batch's number within it, the indices and the images.
    """
    for epoch in itertools.count(first_epoch):
        batches = shuffled_batches(images, indices, batch_size, seed, epoch)
        for number, (selected, pixels) in enumerate(batches):
            yield epoch, number, selected, pixels
