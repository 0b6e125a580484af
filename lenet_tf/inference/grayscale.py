"""Turns a decoded picture into gray levels that show its strokes."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops

from lenet_tf.io.pictures import check_palette, reduce_to_8_bits

# Statistics are taken from a copy of at most this side.
_SMALL_SIDE = 128
# Strokes and paper differ in color, not in lightness, from this distance and ratio on.
_MIN_COLOR_DISTANCE, _MAX_LIGHTNESS_RATIO = 40, 0.3
# A partly transparent picture shows a sheet if it is mostly opaque and its lightness varies.
_MIN_SHEET_AREA, _MIN_SHEET_DEVIATION = 0.5, 20


def to_gray(image: Image.Image) -> np.ndarray:
    """Turn a picture into gray levels.

    Args:
        image: Picture of any mode, with its pixels loaded.

    Returns:
        uint8 (height, width), 0 black … 255 white.

    Raises:
        ValueError: If the picture is damaged.
    """
    if image.mode.startswith("I"):
        return reduce_to_8_bits(image)
    check_palette(image)
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            return _fill_transparent(image)
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    return _reduce_colors(image.convert("RGB"))


def _shrink(image: Image.Image) -> Image.Image:
    scale = min(1.0, _SMALL_SIDE / max(image.size))
    width, height = (max(1, round(size * scale)) for size in image.size)
    return image.resize((width, height), Image.Resampling.BOX)


def _fill_transparent(image: Image.Image) -> np.ndarray:
    """Fill what is transparent with white, or with black around light strokes."""
    small = _shrink(image)
    opacity = np.asarray(small.getchannel("A"), np.float64)
    lightness = np.asarray(small.convert("L"), np.float64)
    total = max(float(opacity.sum()), 1.0)
    mean = float((lightness * opacity).sum()) / total
    deviation = (float(((lightness - mean) ** 2 * opacity).sum()) / total) ** 0.5
    is_sheet = opacity.mean() / 255 > _MIN_SHEET_AREA and deviation > _MIN_SHEET_DEVIATION
    # Light strokes would vanish on white.
    fill = 0 if mean > 127 and not is_sheet else 255
    gray = Image.new("L", image.size, fill)
    gray.paste(image.convert("L"), mask=image.getchannel("A"))
    return np.array(gray)


def _reduce_colors(image: Image.Image) -> np.ndarray:
    """Return the lightness, or the likeness to the paper's color where the lightness is even."""
    gray = image.convert("L")
    small = _shrink(image)
    colors = np.asarray(small, np.float64)
    paper = np.median(_take_rim(colors), axis=0)
    distance = np.percentile(np.abs(colors - paper).max(axis=2), 99)
    lightness = np.asarray(small.convert("L"), np.float64)
    contrast = np.percentile(np.abs(lightness - np.median(_take_rim(lightness))), 99)
    if distance < _MIN_COLOR_DISTANCE or contrast > _MAX_LIGHTNESS_RATIO * distance:
        return np.array(gray)
    solid = Image.new("RGB", image.size, tuple(round(float(value)) for value in paper))
    red, green, blue = ImageChops.difference(image, solid).split()
    return 255 - np.asarray(ImageChops.lighter(ImageChops.lighter(red, green), blue))


def _take_rim(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
