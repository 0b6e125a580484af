"""Convolution and pooling in plain NumPy: slow, readable, and a reference for the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lenet_tf.errors import DataError
from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.rows import IntPair, as_pair, format_shape


def _pool_stochastically(window: np.ndarray) -> float:
    """Return the expected value of stochastic pooling (Zeiler and Fergus 2013)."""
    positive = np.maximum(window, 0)
    return (positive**2).sum() / (positive.sum() or 1.0)


# Reduce a window to one number; stochastic pooling as it is outside training.
POOLING_FUNCTIONS: dict[str, Callable[[np.ndarray], Any]] = {
    "max": np.max,
    "min": np.min,
    "average": np.mean,
    "sum": np.sum,
    "stochastic": _pool_stochastically,
}


def output_size(size: int, window: int, stride: int = 1, padding: int = 0) -> int:
    """Compute ⌊(W − F + 2P)/S⌋ + 1, the number of windows along an axis.

    Args:
        size: Length W of the axis in pixels.
        window: Length F of the window in pixels.
        stride: Step S between windows in pixels.
        padding: Pixels P added at both ends.

    Returns:
        The number of windows that fit.
    """
    return conv_arithmetic.compute_output_length(size + 2 * padding, window, stride, "valid")


def pad(image: np.ndarray, padding: int, constant: float = 0.0) -> np.ndarray:
    """Add pixels on every side of an image.

    Args:
        image: Array (height, width[, channels]).
        padding: Number of pixels on each side.
        constant: Value of the added pixels.

    Returns:
        Array (height + 2 · padding, width + 2 · padding[, channels]).
    """
    widths = ((padding, padding), (padding, padding)) + ((0, 0),) * (image.ndim - 2)
    return np.pad(image, widths, constant_values=constant)


def iter_windows(
    image: np.ndarray, size: int | IntPair, stride: int | IntPair = 1
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Iterate over all windows of an image, row by row.

    Args:
        image: Array (height, width[, channels]).
        size: Height and width of the window in pixels.
        stride: Vertical and horizontal step in pixels.

    Yields:
        (row, column, window). Row and column count windows, not pixels. An edge that is too small
        for another window is dropped.

    Raises:
        DataError: If the window is larger than the image.
    """
    size, stride = as_pair(size), as_pair(stride)
    if size[0] > image.shape[0] or size[1] > image.shape[1]:
        raise DataError(
            f"a window of {format_shape(size)} does not fit into {format_shape(image.shape[:2])}: "
            "use a smaller window"
        )
    rows, columns = _count_windows(image, size, stride)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride[0], column * stride[1]
            yield row, column, image[top : top + size[0], left : left + size[1]]


def _count_windows(image: np.ndarray, size: IntPair, stride: IntPair) -> tuple[int, int]:
    """Count the windows along both axes of an image."""
    rows, columns = (
        conv_arithmetic.compute_output_length(*axis, "valid")
        for axis in zip(image.shape[:2], size, stride, strict=True)
    )
    return rows, columns


def convolve(
    image: np.ndarray,
    kernels: np.ndarray,
    biases: np.ndarray | float = 0.0,
    stride: int | IntPair = 1,
    padding: int = 0,
    constant: float = 0.0,
) -> np.ndarray:
    """Compute feature maps: the sum of products of window and kernel, plus the bias.

    As in every deep learning library, the kernel is not rotated. Mathematicians call this a
    cross-correlation.

    Args:
        image: Array (height, width[, channels]).
        kernels: One kernel (kernel height, kernel width) for a gray image, or an array
            (kernel height, kernel width, channels, maps).
        biases: One number, or one per map.
        stride: Step of the kernel in pixels.
        padding: Pixels added on every side. For `same` with an odd kernel F, it is (F − 1)/2.
        constant: Value of the added pixels.

    Returns:
        float64 array (height', width') for one kernel, else (height', width', maps).

    Raises:
        DataError: If the kernels do not have as many channels as the image.
    """
    is_single = kernels.ndim == 2
    image = image[..., None] if image.ndim == 2 else image
    kernels = kernels[..., None, None] if is_single else kernels
    if kernels.ndim != 4 or kernels.shape[2] != image.shape[2]:
        raise DataError(
            f"kernels of shape {kernels.shape} do not fit an image with {image.shape[2]} channels: "
            "a kernel must be as deep as its input"
        )
    padded = pad(np.asarray(image, np.float64), padding, constant)
    biases = np.broadcast_to(np.asarray(biases, np.float64), kernels.shape[-1:])
    size, stride = kernels.shape[:2], as_pair(stride)
    maps = np.empty((*_count_windows(padded, size, stride), kernels.shape[-1]))
    for row, column, window in iter_windows(padded, size, stride):
        for number in range(kernels.shape[-1]):
            maps[row, column, number] = (window * kernels[..., number]).sum() + biases[number]
    return maps[..., 0] if is_single else maps


def pool(
    maps: np.ndarray,
    kind: str = "max",
    size: int | IntPair | None = 2,
    stride: int | IntPair | None = None,
) -> np.ndarray:
    """Reduce each window of each map to one number.

    Args:
        maps: Array (height, width[, maps]).
        kind: Key of `POOLING_FUNCTIONS`. `stochastic` is the mean weighted by the values
            themselves; negative values count as 0.
        size: Window in pixels; None pools the whole map (global pooling).
        stride: Step in pixels; None uses `size`, and a smaller step makes windows overlap.

    Returns:
        float64 array (height', width'[, maps]). Incomplete windows are dropped, as by `valid`.

    Raises:
        DataError: If the kind is unknown or the window is larger than the map.
    """
    if kind not in POOLING_FUNCTIONS:
        known = ", ".join(POOLING_FUNCTIONS)
        raise DataError(f"unknown kind of pooling {kind!r}: use one of {known}")
    size = maps.shape[:2] if size is None else as_pair(size)
    windows = list(
        iter_windows(np.asarray(maps, np.float64), size, size if stride is None else stride)
    )
    rows, columns, _ = windows[-1]
    pooled = np.empty((rows + 1, columns + 1, *maps.shape[2:]))
    for row, column, window in windows:
        values = window.reshape(size[0] * size[1], *maps.shape[2:])
        pooled[row, column] = np.apply_along_axis(POOLING_FUNCTIONS[kind], 0, values)
    return pooled
