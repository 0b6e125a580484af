"""Pictures in memory: which arrays mean one picture, several, or a network's own images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.data.conversions import convert_pictures
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.validation import check_images, to_array
from lenet_tf.errors import DataError

_CHANNELS = (1, 3, 4)


def is_one_picture(array: np.ndarray) -> bool:
    """Return whether an array is (height, width) or (height, width, channels)."""
    return array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in _CHANNELS)


def convert_array(values: Any, options: ReadOptions) -> tuple[np.ndarray, bool]:
    """Convert an array to raw images.

    Args:
        values: One picture or several, see `lenet_tf.predict`.
        options: What the user says of them.

    Returns:
        uint8 (N, height, width[, channels]), and whether it was one picture.

    Raises:
        DataError: If it has another shape or can be read in several ways.
    """
    array = to_array(values, "pictures")
    is_one = is_one_picture(array)
    images = convert_pictures(array[None] if is_one else array, options)
    check_images(images, "pictures")
    if images.ndim == 4 and images.shape[-1] not in _CHANNELS:
        raise DataError(
            f"pictures must have 1, 3 or 4 channels on the last axis, not {images.shape[-1]}"
        )
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    return np.asarray(images, np.uint8), is_one


def is_picture_list(values: Any) -> bool:
    """Return whether a list holds paths, PIL images or arrays, and not numbers."""
    if not isinstance(values, list | tuple):
        return False
    return all(not isinstance(each, list | tuple | int | float | bool) for each in values)


def to_pillow(image: np.ndarray) -> Image.Image:
    """Turn uint8 (height, width) or (height, width, 3 or 4) into a PIL image."""
    return Image.fromarray(np.ascontiguousarray(image))


def find_raw_images(images: np.ndarray, raw_shape: Sequence[int]) -> np.ndarray | None:
    """Return images that have the shape that a network was trained on, else None.

    Args:
        images: uint8 (N, height, width[, channels]).
        raw_shape: Height, width and channels.
    """
    shape = (*images.shape[1:], 1)[:3]
    return images if shape == tuple(raw_shape) else None
