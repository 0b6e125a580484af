"""What raw images and labels must be, as NumPy arrays or as backend tensors; the values of a symbolic tensor cannot be checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.errors import DataError


def array_namespace(values: Any) -> Any:
    """NumPy for arrays, `keras.ops` for tensors: the same functions under the same names."""
    if isinstance(values, np.ndarray):
        return np
    import keras

    return keras.ops


def dtype_name(values: Any) -> str:
    return getattr(values.dtype, "name", str(values.dtype))


def check_images(images: Any, name: str = "images") -> None:
    """Raises `DataError` unless `images` is (N, height, width) or (N, height, width, channels) of whole numbers from 0 to 255."""
    if not hasattr(images, "shape") or not hasattr(images, "dtype"):
        raise DataError(f"{name} must be an array, not {type(images).__name__}")
    if len(images.shape) not in (3, 4):
        raise DataError(
            f"{name} must be (N, height, width) or (N, height, width, channels), not of shape {tuple(images.shape)}"
        )
    if "int" not in dtype_name(images):
        raise DataError(
            f"{name} must be raw whole numbers from 0 to 255, not {dtype_name(images)}: normalization is done here, once"
        )
    if isinstance(images, np.ndarray):
        if 0 in images.shape:
            raise DataError(f"{name} are empty: shape {images.shape}")
        if images.dtype != np.uint8 and (images.min() < 0 or images.max() > 255):
            raise DataError(f"{name} must lie in 0…255, not in {images.min()}…{images.max()}")


def check_labels(
    labels: Any, num_classes: int, count: int | None = None, name: str = "labels"
) -> None:
    """Raises `DataError` unless `labels` is (N,) of whole numbers from 0 to `num_classes` − 1, and N is `count` where that is given."""
    if not hasattr(labels, "shape") or len(labels.shape) != 1 or "int" not in dtype_name(labels):
        got = (
            f"{dtype_name(labels)} of shape {tuple(labels.shape)}"
            if hasattr(labels, "shape")
            else type(labels).__name__
        )
        raise DataError(f"{name} must be whole numbers of shape (N,), not {got}")
    if count is not None and len(labels) != count:
        raise DataError(f"{name}: {len(labels):,} labels for {count:,} images")
    if (
        isinstance(labels, np.ndarray)
        and labels.size
        and (labels.min() < 0 or labels.max() >= num_classes)
    ):
        raise DataError(
            f"{name} must lie in 0…{num_classes - 1} for {num_classes} classes, not in {labels.min()}…{labels.max()}"
        )
