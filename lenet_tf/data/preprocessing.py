"""Steps that turn raw images and labels into a network's input: prepared images, one-hot labels.

Each step takes NumPy arrays or backend tensors, so it also runs inside a `tf.data` pipeline, and
returns a new array.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from lenet_tf.data.labels import check_labels
from lenet_tf.data.validation import array_namespace, check_images, dtype_name
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
    """Turn (N, height, width) into (N, height, width, 1); return other images unchanged."""
    check_images(images)
    return images[..., None] if len(images.shape) == 3 else images


def pad_to(images: Any, size: int) -> Any:
    """Pad images with zeros to a square, centered.

    Args:
        images: Raw images (N, height, width, channels).
        size: Height and width of the result, in pixels. An odd row or column goes below or right.

    Returns:
        Images (N, `size`, `size`, channels) of the same dtype.

    Raises:
        DataError: If the images are larger than `size`.
    """
    check_images(images)
    height, width = images.shape[1:3]
    check_padding(height, width, size)
    rows, columns = size - height, size - width
    frame = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return array_namespace(images).pad(images, frame) if rows or columns else images


def reduce_digits(images: Any, size: int) -> Any:
    """Scale images by `size` / 20 around their middle, and keep their shape.

    MNIST's digits fit a box of 20×20 pixels; the result's fit a box of `size` × `size`. Each pixel
    becomes the mean of the area that it covers, and the border is 0.

    Args:
        images: Raw images (N, height, width, channels), integers 0…255.
        size: Side of the new box, in pixels, at most 20.

    Returns:
        Images of the same shape and dtype.
    """
    check_images(images)
    down, across = (compute_overlaps(side, size) for side in images.shape[1:3])
    ops = array_namespace(images)
    sums = ops.einsum("ih,nhwc->niwc", down, ops.array(images, dtype="float32"))
    sums = ops.einsum("jw,niwc->nijc", across, sums)
    return ops.array(
        ops.floor(sums / np.float32(MNIST_DIGIT**2) + np.float32(0.5)), dtype=dtype_name(images)
    )


@cache
def compute_overlaps(side: int, size: int) -> np.ndarray:
    """Compute the length that each new pixel shares with each old one, along one axis.

    Lengths are in units of 1/`size` of an old pixel, which makes all of them integers: an old pixel
    is `size` wide and a new one 20. Both rows of pixels have the same middle.

    Returns:
        float32 (`side`, `side`), new pixels by old ones.
    """
    offsets = np.arange(side) - (side - 1) / 2
    new, old = offsets[:, None] * MNIST_DIGIT, offsets[None, :] * size
    right = np.minimum(new + MNIST_DIGIT / 2, old + size / 2)
    left = np.maximum(new - MNIST_DIGIT / 2, old - size / 2)
    return np.maximum(right - left, 0).astype(np.float32)


def repeat_channels(images: Any, channels: int) -> Any:
    """Turn gray images into images of `channels` equal channels.

    Args:
        images: Raw images (N, height, width, 1), or with `channels` channels, which are returned
            unchanged.
        channels: Number of channels of the result.

    Raises:
        DataError: If the images have another number of channels.
    """
    check_images(images)
    check_channels(images.shape[-1], channels)
    return (
        images
        if images.shape[-1] == channels
        else array_namespace(images).repeat(images, channels, axis=-1)
    )


def normalize(images: Any, normalization: str = "unit") -> Any:
    """Scale raw images to the network's range.

    Args:
        images: Raw images, integers 0…255.
        normalization: `unit` gives 0…1. `lecun1998` gives −0.1 (background) … 1.175 (ink), as in
            LeCun et al. 1998, section II.B. `unit_twice` gives 0…1/255, the tutorial's mistake of
            dividing its test images by 255 twice.

    Returns:
        float32 images of the same shape.

    Raises:
        DataError: If the normalization is unknown.
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
    """Encode integer labels (N,) in 0…`num_classes` − 1 as float32 (N, `num_classes`)."""
    check_labels(labels, num_classes)
    ops = array_namespace(labels)
    # TensorFlow would compare in the labels' dtype, where 256 classes of uint8 begin again at 0.
    numbers = ops.array(labels, dtype="int64")
    return ops.array(numbers[:, None] == np.arange(num_classes), dtype="float32")


def prepare_images(images: Any, preparation: Preparation) -> Any:
    """Turn raw images into a network's input.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255, as a NumPy array or a
            backend tensor.
        preparation: What the network expects, such as `get_spec("lenet5").preparation`.

    Returns:
        float32 (N, height, width, channels), of the kind that `images` is.

    Raises:
        DataError: If the images have a wrong rank, dtype or range, or do not fit the preparation.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> preparation = lenet_tf.get_spec("lenet5-1998").preparation
        >>> images = lenet_tf.prepare_images(data.x_test, preparation)
        >>> data.x_test.shape, images.shape
        ((1000, 28, 28, 1), (1000, 32, 32, 1))
        >>> images.dtype
        dtype('float32')
    """
    images = add_channel_axis(images)
    if preparation.digit_size is not None:
        images = reduce_digits(images, preparation.digit_size)
    if preparation.pad_to is not None:
        images = pad_to(images, preparation.pad_to)
    if preparation.channels is not None:
        images = repeat_channels(images, preparation.channels)
    return normalize(images, preparation.normalization)
