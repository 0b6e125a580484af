"""Arrays read from a file on demand, for data sets that do not fit in memory."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import time
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import DataError
from lenet_tf.io import npy
from lenet_tf.io.bounded import open_regular_file

# Bytes to read at a time when a file is read in its own order, or with gaps.
_PART = 8 << 20
# Bytes between two images that are read and dropped rather than skipped.
_MAX_GAP = 16 << 10
# Indices that are looked at together.
_STEP = 1 << 16
# Some file systems count time in steps of two seconds.
SETTLING_SECONDS = 2


class ArrayFile:
    """An array in a `.npy` file that stays on the disk.

    It has an array's shape, dtype, length and indexing. Each access opens the file and reads what
    it needs. A memory map would count every page as the process's memory, and end the process
    if the file is cut short.

    Args:
        path: The `.npy` file.

    Attributes:
        failure: Why the last access failed, or None.
        stamp: Size, times and inode of the file, which change when it is written to or replaced.
        is_settled: Whether the times are old enough to tell a later change.

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
        self._check_header(header, path)
        self.shape = header.shape
        self.dtype = self._stored = header.dtype
        self.ndim = len(header.shape)
        self.size = math.prod(header.shape)
        self._offset, self._state = header.offset, _get_state(status)
        self.stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        self.is_settled = time.time_ns() - changed > SETTLING_SECONDS * 1e9
        self.item_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self.failure: DataError | None = None

    def _check_header(self, header: npy.Header, path: Path) -> None:
        """Raise `DataError` unless the file holds what its class is for."""
        raise NotImplementedError

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read the items that a whole number, a slice or an array of whole numbers selects."""
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            if step == 1:
                return self._read_range(first, max(first, last))
            return self._read(np.arange(first, last, step))
        indices = np.asarray(index)
        if indices.dtype.kind not in "iu" or indices.ndim > 1:
            indices = np.arange(len(self))[index]
        if indices.size and not -len(self) <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"{self.path} has {len(self):,} items")
        items = self._read(np.atleast_1d(np.where(indices < 0, indices + len(self), indices)))
        return items if indices.ndim else items[0]

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

    def _read_range(self, first: int, last: int) -> np.ndarray:
        """Read the items from number `first` to before `last`."""
        items = np.empty((last - first, *self.shape[1:]), self._stored)
        with self._open() as file:
            self._fill(file, items, first * self.item_bytes)
        return items

    def _read(self, indices: np.ndarray) -> np.ndarray:
        """Read the items of these indices, which are not negative, in their order."""
        items = np.empty((len(indices), *self.shape[1:]), self._stored)
        with self._open() as file:
            for start, end in self._list_spans(indices):
                first, last = int(indices[start]), int(indices[end - 1])
                if last - first == end - 1 - start:
                    self._fill(file, items[start:end], first * self.item_bytes)
                    continue
                span = np.empty((last - first + 1, *self.shape[1:]), self._stored)
                self._fill(file, span, first * self.item_bytes)
                items[start:end] = span[indices[start:end] - first]
        return items

    def _list_spans(self, indices: np.ndarray) -> Iterator[tuple[int, int]]:
        """Yield the slices of `indices` that are read at once: increasing, with small gaps."""
        most = 1 + _MAX_GAP // self.item_bytes
        # Gaps are read too: many small ones would take many times the memory of the items.
        items_per_part = max(1, _PART // self.item_bytes)
        for begin in range(0, len(indices), _STEP):
            step = indices[begin : begin + _STEP]
            steps, parts = np.diff(step), np.diff(step // items_per_part)
            edges = np.flatnonzero((steps < 1) | (steps > most) | (parts != 0)) + 1
            yield from itertools.pairwise((begin + np.r_[0, edges, len(step)]).tolist())

    def _fill(self, file: BufferedReader, items: np.ndarray, start: int) -> None:
        """Read as many bytes as the array has, from number `start` of the file's items on."""
        file.seek(self._offset + start)
        if file.readinto(items.reshape(-1).view(np.uint8).data) != items.nbytes:
            raise ValueError("it was cut short")

    def parts(self) -> Iterator[np.ndarray]:
        """Iterate over all items in the file's order, a few MB at a time."""
        step = max(1, _PART // self.item_bytes)
        return (self[start : start + step] for start in range(0, len(self), step))


class ImageFile(ArrayFile):
    """uint8 images (N, height, width[, channels]) in a `.npy` file.

    Args:
        path: The `.npy` file.

    Raises:
        DataError: If the file is missing or holds something else.
    """

    def _check_header(self, header: npy.Header, path: Path) -> None:
        if header.dtype != np.uint8 or header.fortran:
            order = "Fortran" if header.fortran else "C"
            raise DataError(
                f"{path} must hold uint8 images in C order, not {header.dtype} in {order} order"
            )

    def flat_parts(self) -> Iterator[np.ndarray]:
        """Iterate over all pixels in the file's order, a few MB at a time for any image size."""
        count = len(self) * self.item_bytes
        for start in range(0, count, _PART):
            part = np.empty(min(_PART, count - start), np.uint8)
            with self._open() as file:
                self._fill(file, part, start)
            yield part


@contextlib.contextmanager
def translate_read_errors(*arrays: Any) -> Iterator[None]:
    """Raise the `DataError` of a file that TensorFlow's input pipeline could not read.

    Args:
        *arrays: Images and labels that the block reads; those in memory never fail.

    Yields:
        Nothing.

    Raises:
        DataError: The block failed, and so did reading a file.
    """
    try:
        yield
    except Exception:
        failures = [each.failure for each in arrays if isinstance(each, ArrayFile)]
        for failure in filter(None, failures):
            raise failure from None
        raise


def _get_state(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
