"""Indices of a large part of a data set, of which memory holds one bit for each image."""

from __future__ import annotations

from typing import Any

import numpy as np

# Images whose bits are counted together, and indices that are looked up at a time.
_CHUNK, _STEP = 512, 1 << 16


def make_bits(total: int) -> np.ndarray:
    """Return an array of zeros that has a bit for each of so many images, uint8."""
    return np.zeros(-(-total // _CHUNK) * _CHUNK // 8, np.uint8)


class Selection:
    """Sorted indices, each once. It has an array's length, dtype and indexing.

    Args:
        total: Number of images to select from.
        bits: One bit for each image in an array of `make_bits`, as `numpy.packbits` orders them.
            None selects all images.
        value: The bits of the images that are selected, 0 or 1.
    """

    dtype, ndim = np.dtype(np.int64), 1

    def __init__(self, total: int, bits: np.ndarray | None = None, value: int = 1) -> None:
        self._total, self._bits, self._value = total, bits, value
        self._length = total
        if bits is not None:
            self._bits = bits.reshape(-1, _CHUNK // 8)
            counts = np.bitwise_count(self._bits).sum(axis=1, dtype=np.int64)
            if not value:
                counts = _CHUNK - counts
                counts[-1] -= counts.size * _CHUNK - total
            # Number of selected images before each chunk.
            self._before = np.concatenate([[0], np.cumsum(counts)])
            self._length = int(self._before[-1])

    @property
    def shape(self) -> tuple[int]:
        """The shape of the array that this stands for."""
        return (self._length,)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Any) -> Any:
        """Return the index at a position, or an int64 array of those of a slice or an array."""
        if isinstance(key, slice):
            return self._find(np.arange(*key.indices(self._length)))
        positions = np.asarray(key)
        if positions.dtype.kind not in "iu" or positions.ndim > 1:
            positions = np.arange(self._length)[key]
        if positions.size and not -self._length <= positions.min() <= positions.max() < len(self):
            raise IndexError(f"only {self._length:,} images are selected")
        positions = np.where(positions < 0, positions + self._length, positions)
        found = self._find(np.atleast_1d(positions))
        return found if positions.ndim else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _find(self, positions: np.ndarray) -> np.ndarray:
        """Return the indices at positions, which are not negative."""
        if self._bits is None:
            return positions.astype(np.int64)
        found = np.empty(len(positions), np.int64)
        for start in range(0, len(positions), _STEP):
            part = positions[start : start + _STEP]
            found[start : start + _STEP] = self._find_in_chunks(part)
        return found

    def _find_in_chunks(self, positions: np.ndarray) -> np.ndarray:
        assert self._bits is not None
        chunks, places = np.unique(
            np.searchsorted(self._before, positions, side="right") - 1, return_inverse=True
        )
        selected = np.unpackbits(self._bits[chunks], axis=1) == self._value
        before = np.concatenate([[0], np.cumsum(selected.sum(axis=1))[:-1]])
        number, offset = np.divmod(np.flatnonzero(selected), _CHUNK)
        wanted = before[places] + positions - self._before[chunks[places]]
        return chunks[number[wanted]] * _CHUNK + offset[wanted]


Indices = np.ndarray | Selection
