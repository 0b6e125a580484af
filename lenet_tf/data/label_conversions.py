"""Conversion of labels as people have them: one-hot, text, from 1, floats, one column."""

from __future__ import annotations

import numpy as np

from lenet_tf.data.label_numbering import Labels, number_from_0, number_texts
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.errors import DataError

_BLOCK = 1 << 21
# The largest whole numbers that a float holds exactly.
_MAX_WHOLE = 2**53


def flatten_labels(labels: np.ndarray) -> tuple[np.ndarray, str]:
    """Turn one row or column of labels into shape (N,).

    Returns:
        The labels, and what was done in words, or nothing.
    """
    if not 2 <= labels.ndim <= 4 or not labels.size == max(labels.shape) > 1:
        return labels, ""
    axis = "one row" if labels.shape[0] == 1 else "one column"
    return labels.reshape(-1), f"{axis} → shape (N,)"


def convert_labels(labels: Labels, options: ReadOptions) -> Labels:
    """Turn labels of shape (N,) or one-hot labels into whole numbers from 0.

    What is no form of labels stays as it is, for the checks that refuse it.

    Args:
        labels: The labels.
        options: What the user says of their range.

    Raises:
        DataError: They can be read in several ways, or the test part has an unknown label. The
            message names what to do.
    """
    labels = _decode_one_hot(labels)
    labels = number_texts(labels)
    if all(part.ndim == 1 and part.dtype.kind in "biuf" for part in labels.parts):
        labels = _convert_numbers(labels)
    if all(part.ndim == 1 and part.dtype.kind in "iu" and part.size for part in labels.parts):
        labels = number_from_0(labels, options)
    return labels


def _decode_one_hot(labels: Labels) -> Labels:
    parts = [_find_ones(part) for part in labels.parts]
    if all(part is None for part in parts):
        return labels
    columns = {part.shape[1] for part in labels.parts if part.ndim == 2}
    count = labels.num_classes or max(columns)
    if len(columns) > 1 or count != max(columns):
        numbers = " and ".join(f"{each:,}" for each in sorted(columns))
        raise DataError(
            f"{labels.names[0]}: one-hot labels have {numbers} columns for {count} classes: give"
            " each class one column in all parts"
        )
    notes = ["" if part is None else "one-hot → whole numbers" for part in parts]
    decoded = [old if new is None else new for old, new in zip(labels.parts, parts, strict=True)]
    return labels.change(decoded, notes, num_classes=count)


def _find_ones(labels: np.ndarray) -> np.ndarray | None:
    """Return the column of the 1 in each row of one-hot labels, or None for other ones."""
    if labels.ndim != 2 or labels.dtype.kind not in "biuf" or not labels.size:
        return None
    columns = np.empty(len(labels), np.int64)
    # Attack: labels of gigabytes, which comparisons would copy.
    step = max(1, _BLOCK // labels.shape[1])
    for start in range(0, len(labels), step):
        part = labels[start : start + step]
        ones = part == 1
        if not ((ones.sum(axis=1) == 1).all() and ((part == 0) | ones).all()):
            return None
        columns[start : start + step] = ones.argmax(axis=1)
    return columns


def _convert_numbers(labels: Labels) -> Labels:
    """Turn booleans and whole floats into integers."""
    parts, notes = [], []
    for part in labels.parts:
        is_whole = part.dtype.kind == "f" and bool(
            (np.isfinite(part) & (np.abs(part) < _MAX_WHOLE) & (part == np.rint(part))).all()
        )
        converts = part.dtype.kind == "b" or is_whole
        parts.append(part.astype(np.int64) if converts else part)
        notes.append(f"{part.dtype} → whole numbers" if converts else "")
    names = labels.class_names
    is_bool = all(part.dtype.kind == "b" for part in labels.parts)
    if is_bool and not len(names) and labels.num_classes in (0, 2):
        names = ("False", "True")
    return labels.change(parts, notes, class_names=names)
