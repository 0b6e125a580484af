"""Conversion of arrays, and checks of rank, dtype and range for raw images."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from lenet_tf.data.streaming import ArrayFile, ImageFile
from lenet_tf.errors import DataError, DataWarning

# Images whose brightest pixel is below this may have another range than 0…255.
_DARK = 128
ONLY_0_AND_1 = "hold only 0 and 1, but raw images range from 0 to 255: multiply them by 255"
# Images that are compared with it at a time; the first ones mostly suffice.
_IMAGES_PER_PART = 100


def array_namespace(values: Any) -> Any:
    """Return the module of array functions for `values`: NumPy for arrays, else `keras.ops`."""
    if isinstance(values, np.ndarray):
        return np
    import keras

    return keras.ops


def to_array(values: Any, name: str) -> Any:
    """Convert values to a plain NumPy array, by position and never by an index of their own.

    Args:
        values: An array, a list, a tensor, a pandas Series or anything else that NumPy converts.
        name: What error messages call the values.

    Returns:
        A `numpy.ndarray`, or an array in a file as it is.

    Raises:
        DataError: If they are no array, or some of them are masked.
    """
    if isinstance(values, ArrayFile) or type(values) is np.ndarray:
        return values
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DataError(f"{name} have masked values: fill or remove them first")
    try:
        array = np.asarray(values)
    # What any library raises, for tensors on another device or lists of unequal lengths.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"{name} of type {type(values).__name__} can't become a NumPy array: {reason}"
        ) from error
    if array.ndim == 0 and array.dtype.kind == "O":
        raise DataError(f"{name} must be an array, not {type(values).__name__}")
    return array


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
            f"not of shape {tuple(images.shape)}{_advise_on_shape(images)}"
        )
    if "int" not in dtype_name(images):
        raise DataError(
            f"{name} must be raw whole numbers from 0 to 255, not {dtype_name(images)}: "
            f"normalization is done here, once{_advise_on_type(images)}"
        )
    if _is_channels_first(images):
        raise DataError(
            f"{name} are N×C×H×W, of shape {tuple(images.shape)}, but channels come last here: "
            "use images.transpose(0, 2, 3, 1)"
        )
    if isinstance(images, np.ndarray):
        if 0 in images.shape:
            raise DataError(f"{name} are empty: shape {images.shape}")
        if images.dtype != np.uint8 and (images.min() < 0 or images.max() > 255):
            raise DataError(f"{name} must lie in 0…255, not in {images.min()}…{images.max()}")


def _advise_on_shape(images: Any) -> str:
    """Return what to do about images of a wrong rank, or nothing."""
    if len(images.shape) == 2 and isinstance(images.shape[1], int):
        side = math.isqrt(images.shape[1])
        if side > 1 and side * side == images.shape[1]:
            return f": use images.reshape(-1, {side}, {side})"
        return ": use images[None] for one image"
    return ""


def _advise_on_type(images: Any) -> str:
    """Return what to do about images of a wrong dtype, or nothing."""
    if not isinstance(images, np.ndarray) or images.dtype.kind not in "bf" or not images.size:
        return ""
    if images.dtype.kind == "b" or (images.min() >= 0 and images.max() <= 1):
        return ". For 0 to 1, use (images * 255.0).round().astype('uint8')"
    if images.min() >= 0 and images.max() <= 255:
        return ". For 0 to 255, use images.round().astype('uint8')"
    return ""


def _is_channels_first(images: Any) -> bool:
    """Return whether images are (N, channels, height, width): one is tiny, the last axis is not."""
    if len(images.shape) != 4 or not all(isinstance(size, int) for size in images.shape[1:]):
        return False
    channels, height, width = images.shape[1:]
    return channels in (1, 3) and height > 4 and width > 4


def _split(images: np.ndarray) -> Iterator[np.ndarray]:
    starts = range(0, len(images), _IMAGES_PER_PART)
    return (images[start : start + _IMAGES_PER_PART] for start in starts)


def check_brightness(images: Any, name: str = "images") -> None:
    """Check that raw images are bright enough to have the range 0…255, and no other one.

    Args:
        images: Raw images that `check_images` accepts, also an `ImageFile`.
        name: What messages call the images.

    Raises:
        DataError: If no pixel is above 1.

    Warns:
        DataWarning: If no pixel is above 127. A data set of dark images is as right as another.
    """
    brightest = 0
    # Attack: images in a file that are each larger than memory.
    parts = images.flat_parts() if isinstance(images, ImageFile) else _split(images)
    for part in parts:
        brightest = max(brightest, int(part.max()))
        if brightest >= _DARK:
            return
    if brightest == 0:
        raise DataError(f"{name} are blank: every pixel is 0")
    if brightest == 1:
        raise DataError(f"{name} {ONLY_0_AND_1}")
    warnings.warn(
        f"{name} are dark: raw images range from 0 to 255, and their brightest pixel is "
        f"{brightest}. If {brightest} stands for white, multiply them by {255 // brightest}.",
        DataWarning,
        stacklevel=4,
    )
