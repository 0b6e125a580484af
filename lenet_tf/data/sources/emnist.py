"""EMNIST's conventions: its images are stored transposed, and its letters are numbered from 1."""

from __future__ import annotations

import string
from typing import Any

import numpy as np

from lenet_tf.errors import DataError

_CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# Bymerge and balanced leave out the small letters that look like their capitals.
_MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
# Subset -> the names of its classes. Letters has one class for a capital and its small letter.
CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "byclass": tuple(_CHARACTERS),
    "bymerge": tuple(_MERGED),
    "balanced": tuple(_MERGED),
    "letters": tuple(string.ascii_uppercase),
    "digits": tuple(string.digits),
    "mnist": tuple(string.digits),
}


def convert_emnist(arrays: dict[str, Any], subset: str, name: str) -> dict[str, Any]:
    """Turn published images upright, and number the classes from 0.

    Args:
        arrays: `x_train`, `y_train`, and mostly `x_test` and `y_test` as published: uint8 images
            (N, height, width, 1) and integer labels (N,).
        subset: A key of `CLASS_NAMES`.
        name: What error messages call the data set.

    Returns:
        The same arrays converted, with `num_classes` and `class_names`.

    Raises:
        DataError: If a label is not one of the subset's.
    """
    converted: dict[str, Any] = {}
    # The published letters are labeled from 1, and TFDS names 37 classes of which 26 occur.
    first, names = int(subset == "letters"), CLASS_NAMES[subset]
    for part in ("train", "test"):
        if f"y_{part}" not in arrays:
            continue
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if images.ndim != 4 or labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise DataError(f"{name}: EMNIST's {part} files must hold images and whole numbers")
        low, high = labels.min(initial=first), labels.max(initial=first)
        if low < first or high >= first + len(names):
            raise DataError(
                f"{name}: labels of EMNIST's {subset} are {first}…{first + len(names) - 1},"
                f" but y_{part} has {low}…{high}"
            )
        converted[f"x_{part}"] = np.ascontiguousarray(images.swapaxes(1, 2))
        converted[f"y_{part}"] = labels - first
    return converted | {"num_classes": len(names), "class_names": names}
