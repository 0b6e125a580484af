"""Raw images 0…255 → channel axis, reduced digits, zero padding, normalization, one-hot labels.

Each step is a function that leaves its input alone and refuses a wrong rank, dtype or range. The steps take NumPy arrays or backend
tensors, so that they run eagerly and inside a `tf.data` pipeline alike; the values of a symbolic tensor cannot be checked.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from lenet_tf.data.validation import array_namespace, check_images, check_labels, dtype_name
from lenet_tf.errors import DataError
from lenet_tf.specs.preparation import (
    MNIST_DIGIT,
    Preparation,
    check_channels,
    check_padding,
)

# What a raw 0 (background) and a raw 255 (ink) become.
NORMALIZED_RANGES = {"unit": (0.0, 1.0), "lecun1998": (-0.1, 1.175), "unit_twice": (0.0, 1 / 255)}


def add_channel_axis(images: Any) -> Any:
    """(N, height, width) → (N, height, width, 1); images that have channels stay as they are."""
    check_images(images)
    return images[..., None] if len(images.shape) == 3 else images


def pad_to(images: Any, size: int) -> Any:
    """Zero padding of (N, height, width, channels) to `size` × `size`, centered; an odd row or column goes below and right."""
    check_images(images)
    height, width = images.shape[1:3]
    check_padding(height, width, size)
    rows, columns = size - height, size - width
    frame = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return array_namespace(images).pad(images, frame) if rows or columns else images


def reduce_digits(images: Any, size: int) -> Any:
    """Raw (N, height, width, channels) → the same, reduced as 20×20 is to `size` × `size`, centered in a frame as large as before.

    A pixel is the mean of the area that it now covers, rounded to a whole number, ties up; around the images there is background 0.
    """
    check_images(images)
    # In units of a `size`-th of a pixel all is whole: a pixel there was is `size` wide, one that will be 20.
    down, across = (_shared_lengths(side, size) for side in images.shape[1:3])
    ops = array_namespace(images)
    sums = ops.einsum("ih,nhwc->niwc", down, ops.array(images, dtype="float32"))
    sums = ops.einsum("jw,niwc->nijc", across, sums)
    return ops.array(
        ops.floor(sums / np.float32(MNIST_DIGIT**2) + np.float32(0.5)), dtype=dtype_name(images)
    )


@cache
def _shared_lengths(side: int, size: int) -> np.ndarray:
    """(side, side), whole numbers: how much of a pixel after reduction lies on each pixel before, both rows of pixels centered alike."""
    middle = np.arange(side) - (side - 1) / 2
    after, before = middle[:, None] * MNIST_DIGIT, middle[None, :] * size
    right = np.minimum(after + MNIST_DIGIT / 2, before + size / 2)
    left = np.maximum(after - MNIST_DIGIT / 2, before - size / 2)
    return np.maximum(right - left, 0).astype(np.float32)


def repeat_channels(images: Any, channels: int) -> Any:
    """(N, height, width, 1) → (N, height, width, `channels`), all channels equal; images with that many stay as they are."""
    check_images(images)
    check_channels(images.shape[-1], channels)
    return (
        images
        if images.shape[-1] == channels
        else array_namespace(images).repeat(images, channels, axis=-1)
    )


def normalize(images: Any, normalization: str = "unit") -> Any:
    """Whole numbers 0…255 → float32: `unit` 0…1, `lecun1998` −0.1 (background) … 1.175 (ink) (LeCun et al. 1998, section II.B), or
    `unit_twice` 0…1/255, divided by 255 twice as the tutorial does to its test images by mistake.
    """
    check_images(images)
    if normalization not in NORMALIZED_RANGES:
        raise DataError(
            f"unknown normalization {normalization!r}: known are {', '.join(NORMALIZED_RANGES)}"
        )
    low, high = (np.float32(bound) for bound in NORMALIZED_RANGES[normalization])
    scaled = array_namespace(images).array(images, dtype="float32") / np.float32(255)
    if normalization == "unit_twice":
        return scaled / np.float32(255)
    return scaled if normalization == "unit" else scaled * (high - low) + low


def one_hot(labels: Any, num_classes: int) -> Any:
    """Whole numbers (N,) in 0…`num_classes` − 1 → float32 (N, num_classes), 1 at the label and 0 elsewhere."""
    check_labels(labels, num_classes)
    classes = np.arange(num_classes)
    return array_namespace(labels).array(labels[:, None] == classes, dtype="float32")


def prepare_images(images: Any, preparation: Preparation) -> Any:
    """Raw (N, height, width[, channels]) 0…255 → float32 (N, height, width, channels) as the network takes it."""
    images = add_channel_axis(images)
    if preparation.digit_size is not None:
        images = reduce_digits(images, preparation.digit_size)
    if preparation.pad_to is not None:
        images = pad_to(images, preparation.pad_to)
    if preparation.channels is not None:
        images = repeat_channels(images, preparation.channels)
    return normalize(images, preparation.normalization)
