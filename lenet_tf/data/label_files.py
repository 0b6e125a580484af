"""Labels read from a file on demand, for data sets of many millions of images."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.kept_facts import keep_fact
from lenet_tf.data.streaming import ArrayFile
from lenet_tf.errors import DataError
from lenet_tf.io import npy

# More classes are a mistake, such as pixels in the place of labels.
MAX_CLASSES = 10_000
# So many labels take 24 MB while they are split and shuffled. They are arrays, as people expect.
MAX_IN_MEMORY = 1 << 18
# Labels that are read at a time; a multiple of 8, whose bits fill bytes.
PART = 1 << 19
# Labels this close to each other are counted in an array.
_MAX_SPREAD = 1 << 20
_MAX_LABEL = np.iinfo(np.int64).max


class LabelFile(ArrayFile):
    """Whole numbers (N,) in a `.npy` file.

    It has an array's shape, length and indexing. `numpy.asarray` reads all labels.

    Args:
        path: The `.npy` file.
        classes: The different labels in order, int64, which are numbered from 0. None leaves the
            labels as they are.

    Raises:
        DataError: If the file is missing or holds something else.
    """

    def __init__(self, path: Path, classes: np.ndarray | None = None) -> None:
        super().__init__(path)
        self._classes = classes
        if classes is not None:
            self.dtype = np.dtype(np.int64)

    def _check_header(self, header: npy.Header, path: Path) -> None:
        if header.dtype.kind not in "iu" or len(header.shape) != 1:
            raise DataError(
                f"{path} must hold whole numbers of shape (N,), not {header.dtype} of shape"
                f" {header.shape}"
            )

    def renumber(self, classes: np.ndarray) -> LabelFile:
        """Return these labels as positions in `classes`, which are sorted and have all of them."""
        if self._classes is not None:
            classes = self._classes[classes]
        return LabelFile(self.path, classes)

    @property
    def details(self) -> list[int] | None:
        """What the labels are, apart from the file."""
        return None if self._classes is None else self._classes.tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _read_range(self, first: int, last: int) -> np.ndarray:
        return self._number(super()._read_range(first, last))

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self._number(super()._read(indices))

    def _number(self, labels: np.ndarray) -> np.ndarray:
        return labels if self._classes is None else np.searchsorted(self._classes, labels)

    def parts(self) -> Iterator[np.ndarray]:
        """Iterate over all labels in the file's order, half a million at a time."""
        return (self[start : start + PART] for start in range(0, len(self), PART))

    @cached_property
    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """The different labels in order, int64, and how many images have each, int64.

        Raises:
            DataError: There are more than 10,000 different labels.
        """

        def count() -> list[list[int]]:
            return [each.tolist() for each in _count(LabelFile(self.path))]

        kept, _ = keep_fact([self], "labels", None, count, self._is_count)
        values, counts = (np.array(each, np.int64) for each in kept)
        return values if self._classes is None else np.searchsorted(self._classes, values), counts

    def _is_count(self, value: Any) -> bool:
        """Return whether a value is what `_count` may have returned for this file."""
        if not isinstance(value, list) or len(value) != 2 or len(value[0]) != len(value[1]):
            return False
        are_whole = all(type(each) is int for each in itertools.chain(*value))
        return are_whole and sum(value[1]) == len(self) and value[0] == sorted(set(value[0]))

    def min(self) -> int:
        """Return the smallest label."""
        return int(self.counts[0][0])

    def max(self) -> int:
        """Return the largest label."""
        return int(self.counts[0][-1])


def _count(labels: LabelFile) -> tuple[np.ndarray, np.ndarray]:
    total: dict[int, int] = {}
    for part in labels.parts():
        low, high = int(part.min()), int(part.max())
        if high > _MAX_LABEL:
            raise DataError(f"{labels.path} has the label {high}, and the limit is {_MAX_LABEL}")
        if high - low <= _MAX_SPREAD:
            bins = np.bincount(part.astype(np.int64) - low)
            values = np.flatnonzero(bins)
            counts, values = bins[values], values + low
        else:
            values, counts = np.unique(part, return_counts=True)
        if len(values) > MAX_CLASSES or len(total) > MAX_CLASSES:
            raise DataError(
                f"{labels.path} has more than {MAX_CLASSES:,} different labels, and the limit is"
                f" {MAX_CLASSES:,} classes"
            )
        for value, number in zip(values.tolist(), counts.tolist(), strict=True):
            total[value] = total.get(value, 0) + number
    order = sorted(total)
    return np.array(order), np.array([total[value] for value in order])


def find_labels(labels: Any) -> np.ndarray:
    """Return the different labels of an array or a file, in order."""
    return labels.counts[0] if isinstance(labels, LabelFile) else np.unique(labels)


def find_first_images(labels: Any, classes: int) -> np.ndarray:
    """Return the index of the first image of each class that occurs, int (n,).

    Args:
        labels: Labels in memory or in a file.
        classes: The number of classes to look for, from class 0.
    """
    wanted, first, start = set(range(classes)), dict[int, int](), 0
    for part in labels.parts() if isinstance(labels, LabelFile) else (labels,):
        values, indices = np.unique(part, return_index=True)
        for value, index in zip(values.tolist(), indices.tolist(), strict=True):
            if value in wanted:
                wanted.remove(value)
                first[value] = start + index
        start += len(part)
        if not wanted:
            break
    return np.array([first[value] for value in sorted(first)], np.int64)
