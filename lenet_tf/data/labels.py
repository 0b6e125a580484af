"""Checks of class labels, whose messages say how to convert other forms of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.data.label_files import MAX_CLASSES, LabelFile, find_labels
from lenet_tf.data.validation import dtype_name
from lenet_tf.errors import DataError


def check_labels(
    labels: Any, num_classes: int, count: int | None = None, name: str = "labels"
) -> None:
    """Check class labels, as a NumPy array or a backend tensor.

    Args:
        labels: Should be integers (N,) in 0…`num_classes` − 1. A symbolic tensor's values are not
            checked.
        num_classes: Number of classes.
        count: Number of images that the labels belong to; None skips the comparison.
        name: What error messages call the labels.

    Raises:
        DataError: If the type, rank, dtype, range or number is wrong.
    """
    check_label_type(labels, name)
    if count is not None and len(labels) != count:
        raise DataError(f"{name}: {len(labels):,} labels for {count:,} images")
    if (
        isinstance(labels, np.ndarray | LabelFile)
        and labels.size
        and (labels.min() < 0 or labels.max() >= num_classes)
    ):
        raise DataError(
            f"{name} must lie in 0…{num_classes - 1} for {num_classes} classes, "
            f"not in {labels.min()}…{labels.max()}{_advise_on_range(labels, num_classes)}"
        )


def check_label_type(labels: Any, name: str = "labels") -> None:
    """Check rank and dtype of class labels.

    Args:
        labels: Should be integers (N,).
        name: What error messages call the labels.

    Raises:
        DataError: If they are something else. The message says how to convert it.
    """
    if not hasattr(labels, "shape") or len(labels.shape) != 1 or "int" not in dtype_name(labels):
        actual = (
            f"{dtype_name(labels)} of shape {tuple(labels.shape)}"
            if hasattr(labels, "shape")
            else type(labels).__name__
        )
        raise DataError(
            f"{name} must be whole numbers of shape (N,), not {actual}{_advise_on_labels(labels)}"
        )


def _advise_on_labels(labels: Any) -> str:
    """Return what to do about labels of a wrong kind, or nothing."""
    if not isinstance(labels, np.ndarray):
        return ""
    # Attack: labels of gigabytes, which the comparisons below would copy.
    labels = labels[:MAX_CLASSES] if labels.ndim else labels
    if labels.dtype.kind in "USOT":
        return ": number them with names, labels = numpy.unique(labels, return_inverse=True)"
    if labels.ndim == 2 and labels.shape[1] == 1:
        return ": use labels[:, 0]"
    if labels.ndim == 2 and _is_one_hot(labels):
        return ": they are one-hot, so use labels.argmax(axis=1)"
    is_whole = labels.dtype.kind == "b" or (
        labels.dtype.kind == "f" and bool((labels == np.rint(labels)).all())
    )
    return ": use labels.astype(int)" if labels.ndim == 1 and is_whole else ""


def _is_one_hot(labels: np.ndarray) -> bool:
    """Return whether each row has one 1 and zeros."""
    if labels.dtype.kind not in "biuf":
        return False
    ones = (labels == 1).sum(axis=1)
    return bool((ones == 1).all() and ((labels == 0) | (labels == 1)).all())


def _advise_on_range(labels: np.ndarray | LabelFile, num_classes: int) -> str:
    """Return what to do about labels that do not start at 0, or nothing."""
    low, high = int(labels.min()), int(labels.max())
    if (low, high) == (-1, 1) and 0 not in find_labels(labels):
        return ": use (labels + 1) // 2 for −1 and 1"
    if low > 0 and high - low < num_classes:
        return f": classes start at 0, so subtract {low}"
    return ""


def check_class_count(value: Any, name: str) -> None:
    """Raise `DataError` unless a number of classes is a whole number of 2 to 10,000."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise DataError(f"{name}: num_classes must be a whole number of at least 2, not {value!r}")
    # Attack: a small file whose number of classes makes outputs and labels that fill the memory.
    if value > MAX_CLASSES:
        raise DataError(
            f"{name}: num_classes is {value:,}, and the limit is {MAX_CLASSES:,}: outputs, labels"
            " and confusions of more classes would fill the memory"
        )
    if value == 1:
        raise DataError(f"{name}: num_classes is 1, but one class leaves nothing to tell apart")


def count_classes(labels: Any, name: str) -> int:
    """Count the classes of training labels.

    Args:
        labels: Should be integers (N,) of at least two classes, numbered from 0 without a gap, as
            `lenet_tf.data.conversions` makes them.
        name: What error messages call the labels.

    Raises:
        DataError: If they are something else.
    """
    check_label_type(labels, name)
    if not len(labels):
        raise DataError(f"{name} is empty")
    low, high = int(labels.min()), int(labels.max())
    if low == high:
        raise DataError(
            f"{name} has one class only, the label {low}, which leaves nothing to tell"
            " apart: add images of another class"
        )
    check_labels(labels, MAX_CLASSES, name=name)
    return high + 1
