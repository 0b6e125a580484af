"""Convolution and pooling as sums over windows, in plain NumPy: slow, to be read, and what the layers are held against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lenet_tf.errors import DataError
from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.rows import IntPair, as_pair, format_shape

# How a window becomes one number; of stochastic pooling (Zeiler and Fergus 2013) what it gives outside training.
POOLING_FUNCTIONS = {
    "max": np.max,
    "min": np.min,
    "average": np.mean,
    "sum": np.sum,
    "stochastic": lambda window: (
        (np.maximum(window, 0) ** 2).sum() / (np.maximum(window, 0).sum() or 1.0)
    ),
}


def output_size(size: int, window: int, stride: int = 1, padding: int = 0) -> int:
    """⌊(W − F + 2P)/S⌋ + 1: how many windows of `window` pixels, `stride` apart, fit along an axis with `padding` pixels at both ends."""
    return conv_arithmetic.output_length(size + 2 * padding, window, stride, "valid")


def pad(image: np.ndarray, padding: int, constant: float = 0.0) -> np.ndarray:
    """An image (height, width[, channels]) with a frame of `padding` pixels that have the value `constant`."""
    frame = ((padding, padding), (padding, padding)) + ((0, 0),) * (image.ndim - 2)
    return np.pad(image, frame, constant_values=constant)


def iter_windows(
    image: np.ndarray, size: int | IntPair, stride: int | IntPair = 1
) -> Iterator[tuple[int, int, np.ndarray]]:
    """(row, column, window) for every place of a window on an image (height, width[, channels]), line by line.

    `row` and `column` count windows, not pixels. A ragged edge, too small for one more window, is left out. Raises `DataError` for a
    window that is larger than the image.
    """
    size, stride = as_pair(size), as_pair(stride)
    if size[0] > image.shape[0] or size[1] > image.shape[1]:
        raise DataError(
            f"a window of {format_shape(size)} does not fit into {format_shape(image.shape[:2])}"
        )
    rows, columns = (
        conv_arithmetic.output_length(*axis, "valid")
        for axis in zip(image.shape[:2], size, stride, strict=True)
    )
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride[0], column * stride[1]
            yield row, column, image[top : top + size[0], left : left + size[1]]


def convolve(
    image: np.ndarray,
    kernels: np.ndarray,
    biases: np.ndarray | float = 0.0,
    stride: int | IntPair = 1,
    padding: int = 0,
    constant: float = 0.0,
) -> np.ndarray:
    """Feature maps of an image: at every place the sum of products of window and kernel, and the bias.

    Args:
        image: (height, width) or (height, width, channels).
        kernels: (kernel height, kernel width) for one kernel on a gray image, else (kernel height, kernel width, channels, maps).
        biases: one number, or one for each map.
        padding: pixels around the image that have the value `constant`. `same` is (F − 1)/2 of them for an odd kernel of size F.

    Returns:
        float64 (height', width') for one kernel, else (height', width', maps). As in every deep learning library the kernel is not
        turned around, which mathematics would call a cross-correlation.
    """
    plain = kernels.ndim == 2
    image = image[..., None] if image.ndim == 2 else image
    kernels = kernels[..., None, None] if plain else kernels
    if kernels.ndim != 4 or kernels.shape[2] != image.shape[2]:
        raise DataError(
            f"kernels of shape {kernels.shape} do not fit an image of {image.shape[2]} channels: a kernel is as deep as its input"
        )
    padded = pad(np.asarray(image, np.float64), padding, constant)
    biases = np.broadcast_to(np.asarray(biases, np.float64), kernels.shape[-1:])
    size, steps = kernels.shape[:2], as_pair(stride)
    counts = [
        conv_arithmetic.output_length(*axis, "valid")
        for axis in zip(padded.shape[:2], size, steps, strict=True)
    ]
    maps = np.empty((*counts, kernels.shape[-1]))
    for row, column, window in iter_windows(padded, size, steps):
        for number in range(kernels.shape[-1]):
            maps[row, column, number] = (window * kernels[..., number]).sum() + biases[number]
    return maps[..., 0] if plain else maps


def pool(
    maps: np.ndarray,
    kind: str = "max",
    size: int | IntPair | None = 2,
    stride: int | IntPair | None = None,
) -> np.ndarray:
    """Each map's windows, each as one number: `max`, `min`, `average`, `sum` or `stochastic`.

    Args:
        maps: (height, width) or (height, width, maps).
        kind: of `POOLING_FUNCTIONS`. `stochastic` is what it is outside training, the mean weighted by the values themselves; negative ones count
            as 0.
        size: None takes the whole map: global pooling.
        stride: None puts window beside window; a smaller one than `size` lets them overlap.

    Returns:
        float64 (height', width') or (height', width', maps); a ragged edge is dropped, as `valid` does.
    """
    if kind not in POOLING_FUNCTIONS:
        raise DataError(
            f"unknown kind of pooling {kind!r}: known are {', '.join(POOLING_FUNCTIONS)}"
        )
    size = maps.shape[:2] if size is None else as_pair(size)
    found = list(
        iter_windows(np.asarray(maps, np.float64), size, size if stride is None else stride)
    )
    pooled = np.empty((found[-1][0] + 1, found[-1][1] + 1, *maps.shape[2:]))
    for row, column, window in found:
        pooled[row, column] = np.apply_along_axis(
            POOLING_FUNCTIONS[kind], 0, window.reshape(size[0] * size[1], *maps.shape[2:])
        )
    return pooled
