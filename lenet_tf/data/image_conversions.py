"""Conversion of images as people have them: floats, 16 bits, flat rows, channels first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lenet_tf.data.read_options import ReadOptions, format_range, suggest_option
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError

RAW_RANGE, _UNIT, _DEEP = (0, 255), (0, 1), (0, 65_535)
# White may be missing in a set, but no set is darker than half of it.
_HALF = 0.5
# Values that are converted at a time.
_BLOCK = 1 << 21
# Number of channels of a gray or color image, and with transparency.
_FIRST, _LAST = (1, 3), (1, 2, 3, 4)


def arrange_axes(
    images: np.ndarray, layout: str | None, is_last: bool, name: str
) -> tuple[np.ndarray, str]:
    """Bring the axes of images into the order (N, height, width[, channels]).

    Args:
        images: An array.
        layout: What the user says of the layout.
        is_last: Whether the labels say that the images are along the last axis.
        name: What error messages call the images.

    Returns:
        The images, and what was done in words if the layout was guessed.

    Raises:
        DataError: Two layouts are possible. The message names the option that chooses.
    """
    notes = []
    if layout == "images_last" or (layout is None and is_last):
        images = np.moveaxis(images, -1, 0)
        notes.append("images along the last axis → the first")
    if images.ndim == 2:
        images, note = _fold_rows(images, layout, name)
        notes.append(note)
    elif images.ndim == 4 and layout in (None, "channels_first"):
        images, note = _move_channels(images, layout, name)
        notes.append(note)
    return images, "" if layout else "; ".join(filter(None, notes))


def ends_with_count(shape: tuple[int, ...], count: int | None) -> bool:
    """Return whether the last axis alone has one entry for each label, as in MATLAB's files.

    Args:
        shape: Shape of images.
        count: Number of labels.
    """
    return (
        len(shape) in (3, 4)
        and shape[0] != count == shape[-1]
        # Attack: a wrong number of labels that happens to be the number of channels.
        and shape[-1] > max(shape[:-1])
    )


def _fold_rows(images: np.ndarray, layout: str | None, name: str) -> tuple[np.ndarray, str]:
    """Turn rows of pixels into square images, gray or of three channels."""
    count, pixels = images.shape
    side, color_side = math.isqrt(pixels), math.isqrt(pixels // 3)
    if side > 1 and side * side == pixels:
        return images.reshape(count, side, side), f"rows of {pixels:,} pixels → {side}×{side}"
    if color_side <= 1 or 3 * color_side * color_side != pixels:
        return images, ""
    shape = f"{color_side}×{color_side}×3"
    if layout is None:
        first, last = (suggest_option("layout", f"channels_{end}") for end in ("first", "last"))
        raise DataError(
            f"{name} has rows of {pixels:,} values, which can be images of {shape} in two orders:"
            f" pass {first} if all red values come first, as in CIFAR's files, or {last}"
        )
    if layout == "channels_first":
        folded = images.reshape(count, 3, color_side, color_side)
        return folded.transpose(0, 2, 3, 1), ""
    return images.reshape(count, color_side, color_side, 3), ""


def _move_channels(images: np.ndarray, layout: str | None, name: str) -> tuple[np.ndarray, str]:
    """Move channels from the second axis to the last."""
    channels, height, width = images.shape[1:]
    if layout is None:
        if channels not in _FIRST or (channels, height, width) == (1, 1, 1):
            return images, ""
        if width in _LAST:
            first, last = (suggest_option("layout", f"channels_{end}") for end in ("first", "last"))
            raise DataError(
                f"{name} of shape {images.shape} has channels on the second axis or on the last:"
                f" pass {first} or {last}"
            )
        # Attack: a few rows of wide images, which only a user can tell from channels.
        if height <= 4:
            return images, ""
    note = f"channels first, {images.shape[1:]} → {(height, width, channels)}"
    return images.transpose(0, 2, 3, 1), note


def find_range(images: np.ndarray, name: str) -> tuple[float, float]:
    """Find the values that stand for black and white.

    Args:
        images: An array.
        name: What error messages call the images.

    Returns:
        Two values; (0, 255) for raw images, and for what other checks refuse.

    Raises:
        DataError: Several ranges are possible. The message names the option that chooses.
    """
    kind = images.dtype.kind
    if kind == "b":
        return _UNIT
    if kind not in "iuf" or not images.size or images.ndim < 3:
        return RAW_RANGE
    low, high = _find_bounds(images, name)
    if kind in "iu" and low >= 0 and high <= 255:
        return _UNIT if high == 1 else RAW_RANGE
    if kind == "f" and low >= 0:
        if _HALF <= high <= 1:
            return _UNIT
        if 255 * _HALF <= high <= 255 or high == 0:
            return RAW_RANGE
    if low >= 0 and 65_535 * _HALF <= high <= 65_535:
        return _DEEP
    raise DataError(_ask_for_range(images.dtype.name, low, high, name))


def _find_bounds(images: np.ndarray, name: str) -> tuple[float, float]:
    """Find the smallest and the largest value, or the first parts of raw images."""
    low, high = math.inf, -math.inf
    for part in _split(images):
        smallest, largest = part.min().item(), part.max().item()
        if not (math.isfinite(smallest) and math.isfinite(largest)):
            raise DataError(f"{name} has NaN or infinite values: replace them, or leave out images")
        low, high = min(low, smallest), max(high, largest)
        if images.dtype == np.uint8 and high > 1:
            break
    return low, high


def _ask_for_range(dtype: str, low: float, high: float, name: str) -> str:
    own = format_range(*(float(f"{bound:.6g}") for bound in (low, high)))
    known = [_UNIT, RAW_RANGE] if low >= 0 else [(-1, 1)]
    known = [bounds for bounds in (*known, _DEEP) if bounds[0] <= low and high <= bounds[1]]
    known = [bounds for bounds in known if format_range(*bounds) != own][:1]
    choices = [format_range(*bounds) for bounds in known] + [own] * (low < high)
    pairs = " or ".join(suggest_option("values", choice) for choice in choices)
    return (
        f"{name}: values range from {low:.6g} to {high:.6g} in {dtype}, which leaves open what is"
        f" black and what is white: pass both, such as {pairs}"
    )


def scale_images(images: np.ndarray, values: tuple[float, float], name: str) -> np.ndarray:
    """Scale images such that two values become 0 and 255.

    Args:
        images: Numbers or booleans.
        values: What stands for black and white.
        name: What error messages call the images.

    Returns:
        uint8 images, or whole numbers of 0…255 as they are.

    Raises:
        DataError: A value is outside of the range by half a step of gray or more.
    """
    is_raw = images.dtype.kind in "iu" and values == RAW_RANGE
    if images.dtype.kind not in "biuf" or is_raw or not images.size or images.ndim < 3:
        return images
    low, high = values
    scaled = np.empty(images.shape, np.uint8)
    for part, target in zip(_split(images), _split(scaled), strict=True):
        gray = part.astype(np.float32 if part.dtype.itemsize <= 2 else np.float64)
        gray -= low
        gray *= 255 / (high - low)
        np.rint(gray, out=gray)
        if not (gray.min() >= 0 and gray.max() <= 255):
            raise DataError(
                f"{name} has the values {part.min():.6g}…{part.max():.6g}, which are not all"
                f" within values='{format_range(low, high)}'"
            )
        target[...] = gray
    return scaled


def describe_scaling(images: np.ndarray, values: tuple[float, float]) -> str:
    """Return in words what `scale_images` does, or nothing."""
    kind, dtype = images.dtype.kind, images.dtype.name
    if kind not in "bf" and values == RAW_RANGE:
        return ""
    if values == RAW_RANGE:
        return f"{dtype} 0…255 → rounded"
    source = "False and True" if kind == "b" else f"{dtype} {values[0]:g}…{values[1]:g}"
    return f"{source} → 0…255"


def _split(images: Any) -> Iterator[np.ndarray]:
    step = max(1, _BLOCK // max(1, math.prod(images.shape[1:])))
    return (images[start : start + step] for start in range(0, len(images), step))


def is_stored_raw(images: ImageFile, options: ReadOptions) -> bool:
    """Return whether images can be used as they are in their file, without a conversion."""
    if images.ndim not in (3, 4) or options.layout not in (None, "channels_last"):
        return False
    if options.values not in (None, RAW_RANGE):
        return False
    is_first = images.ndim == 4 and options.layout is None and images.shape[1] in _FIRST
    if is_first and images.shape[1:] != (1, 1, 1):
        return False
    return any(part.max() > 1 for part in images.flat_parts())
