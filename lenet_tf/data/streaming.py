"""Images read from a file on demand, for data sets that do not fit in memory."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Iterator
from io import BufferedReader
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
# Bytes between two images that are read and dropped rather than skipped.
_MAX_GAP = 16 << 10


class ImageFile:
    """uint8 images (N, height, width[, channels]) in a `.npy` file.

    It has an array's shape, dtype, length and indexing. Each access opens the file and reads what
    it needs. A memory map would count every page as the process's memory, and end the process
    if the file is cut short.

    Args:
        path: The `.npy` file.

    Attributes:
        failure: Why the last access failed, or None.

    Raises:
        DataError: If the file is missing or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            with open_regular_file(self.path) as file:
                status = os.fstat(file.fileno())
                header = npy.read_header(file, status.st_size)
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
        self._offset, self._state = header.offset, _get_state(status)
        self._pixels = math.prod(self.shape[1:])
        self.failure: DataError | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read the images that a whole number, a slice or an array of whole numbers selects."""
        if isinstance(index, slice):
            return self._read(np.arange(*index.indices(len(self))))
        indices = np.asarray(index)
        if indices.dtype.kind not in "iu" or indices.ndim > 1:
            indices = np.arange(len(self))[index]
        if indices.size and not -len(self) <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"{self.path} has {len(self):,} images")
        images = self._read(np.atleast_1d(np.where(indices < 0, indices + len(self), indices)))
        return images if indices.ndim else images[0]

    @contextlib.contextmanager
    def _open(self) -> Iterator[BufferedReader]:
        """Open the file, which must be as it was."""
        try:
            with open_regular_file(self.path) as file:
                if _get_state(os.fstat(file.fileno())) != self._state:
                    raise ValueError("it has changed")
                yield file
        except (OSError, ValueError) as error:
            self.failure = DataError(
                f"{self.path} can no longer be read ({error}). "
                "Do not move or change a data set's files while they are in use."
            )
            raise self.failure from error

    def _read(self, indices: np.ndarray) -> np.ndarray:
        """Read the images of these indices, which are not negative, in their order."""
        images, pixels = np.empty((len(indices), *self.shape[1:]), np.uint8), self._pixels
        with self._open() as file:
            for start, end in self._list_spans(indices):
                first, last = int(indices[start]), int(indices[end - 1])
                if last - first == end - 1 - start:
                    self._fill(file, images[start:end], first * pixels)
                    continue
                span = np.empty((last - first + 1, *self.shape[1:]), np.uint8)
                self._fill(file, span, first * pixels)
                images[start:end] = span[indices[start:end] - first]
        return images

    def _list_spans(self, indices: np.ndarray) -> Iterator[tuple[int, int]]:
        """Yield the slices of `indices` that are read at once: increasing, with small gaps."""
        steps = np.diff(indices)
        most = 1 + _MAX_GAP // self._pixels
        edges = np.flatnonzero((steps < 1) | (steps > most)) + 1
        return itertools.pairwise([0, *edges.tolist(), len(indices)] if len(indices) else [])

    def _fill(self, file: BufferedReader, pixels: np.ndarray, start: int) -> None:
        """Read as many pixels as the array has, from number `start` of the file on."""
        file.seek(self._offset + start)
        if file.readinto(pixels.data.cast("B")) != pixels.nbytes:
            raise ValueError("it was cut short")

    def parts(self) -> Iterator[np.ndarray]:
        """Iterate over all images in the file's order, a few MB at a time."""
        step = max(1, _PART // self._pixels)
        return (self[start : start + step] for start in range(0, len(self), step))

    def flat_parts(self) -> Iterator[np.ndarray]:
        """Iterate over all pixels in the file's order, a few MB at a time for any image size."""
        count = len(self) * self._pixels
        for start in range(0, count, _PART):
            part = np.empty(min(_PART, count - start), np.uint8)
            with self._open() as file:
                self._fill(file, part, start)
            yield part


@contextlib.contextmanager
def translate_read_errors(*images: Any) -> Iterator[None]:
    """Raise the `DataError` of a file that TensorFlow's input pipeline could not read.

    Args:
        *images: The images that the block reads; arrays never fail.

    Yields:
        Nothing.

    Raises:
        DataError: The block failed, and so did reading a file.
    """
    try:
        yield
    except Exception:
        failures = [each.failure for each in images if isinstance(each, ImageFile)]
        for failure in filter(None, failures):
            raise failure from None
        raise


def _get_state(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


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
