"""Checks of rank, dtype and range for raw images and labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.errors import DataError


def array_namespace(values: Any) -> Any:
    """Return the module of array functions for `values`: NumPy for arrays, else `keras.ops`."""
    if isinstance(values, np.ndarray):
        return np
    import keras

    return keras.ops


def dtype_name(values: Any) -> str:
    """Return the name of an array's or a tensor's dtype, such as `uint8`."""
    return getattr(values.dtype, "name", str(values.dtype))


def check_images(images: Any, name: str = "images") -> None:
    """Check raw images, as a NumPy array or a backend tensor.

    Args:
        images: Should be integers 0…255 of shape (N, height, width) or
            (N, height, width, channels). A symbolic tensor's values are not checked.
        name: What error messages call the images.

    Raises:
        DataError: If the type, rank, dtype or range is wrong, or the array is empty.
    """
    if not hasattr(images, "shape") or not hasattr(images, "dtype"):
        raise DataError(f"{name} must be an array, not {type(images).__name__}")
    if len(images.shape) not in (3, 4):
        raise DataError(
            f"{name} must be (N, height, width) or (N, height, width, channels), "
            f"not of shape {tuple(images.shape)}"
        )
    if "int" not in dtype_name(images):
        raise DataError(
            f"{name} must be raw whole numbers from 0 to 255, not {dtype_name(images)}: "
            "normalization is done here, once"
        )
    if isinstance(images, np.ndarray):
        if 0 in images.shape:
            raise DataError(f"{name} are empty: shape {images.shape}")
        if images.dtype != np.uint8 and (images.min() < 0 or images.max() > 255):
            raise DataError(f"{name} must lie in 0…255, not in {images.min()}…{images.max()}")


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
    if not hasattr(labels, "shape") or len(labels.shape) != 1 or "int" not in dtype_name(labels):
        actual = (
            f"{dtype_name(labels)} of shape {tuple(labels.shape)}"
            if hasattr(labels, "shape")
            else type(labels).__name__
        )
        raise DataError(f"{name} must be whole numbers of shape (N,), not {actual}")
    if count is not None and len(labels) != count:
        raise DataError(f"{name}: {len(labels):,} labels for {count:,} images")
    if (
        isinstance(labels, np.ndarray)
        and labels.size
        and (labels.min() < 0 or labels.max() >= num_classes)
    ):
        raise DataError(
            f"{name} must lie in 0…{num_classes - 1} for {num_classes} classes, "
            f"not in {labels.min()}…{labels.max()}"
        )
