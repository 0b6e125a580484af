"""One picture as an image of a data set: upright, in color or gray, cropped and resized."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lenet_tf.io.orientation import swaps_sides, turn_upright
from lenet_tf.io.pictures import MAX_SMALL_PIXELS, check_palette, open_picture, reduce_to_8_bits

# A photograph is decoded to at least so many times the wanted size, which JPEG does quickly.
_REDUCING_GAP = 2
# One large picture is decoded at a time: each pixel takes up to nine bytes.
_LARGE_PICTURES = threading.Lock()


@dataclass(frozen=True)
class PictureImage:
    """What a picture became.

    Attributes:
        size: Height and width of the upright picture.
        pixels: uint8 (height, width) if it is gray, else (height, width, 3).
    """

    size: tuple[int, int]
    pixels: np.ndarray


def to_image(
    content: bytes,
    size: tuple[int, int] | None = None,
    color: bool | None = None,
    keep_up_to: int = 0,
) -> PictureImage:
    """Decode a picture, and crop and resize it.

    What exceeds the wanted shape is cut off evenly on both sides, then the rest is resized
    (bicubic, antialiased). What is transparent becomes white. 16-bit levels become the highest 8
    bits that the file uses.

    Args:
        content: The file.
        size: Height and width of the result; None keeps the picture's own.
        color: Whether the result is gray (False) or has three channels (True). None: a picture
            whose channels are all equal is gray.
        keep_up_to: Pictures whose sides are at most so many pixels keep their size.

    Raises:
        ValueError: The picture is damaged, too large or of a format that is not read.
    """
    with open_picture(content) as (image, metadata):
        own_size = image.size if swaps_sides(metadata) else image.size[::-1]
        if size == own_size or max(own_size) <= keep_up_to:
            size = None
        if size is not None:
            side = _REDUCING_GAP * max(size)
            image.draft(image.mode, (side, side))
        is_large = image.size[0] * image.size[1] > MAX_SMALL_PIXELS
        with _LARGE_PICTURES if is_large else contextlib.nullcontext():
            image.load()
            upright = turn_upright(_flatten(image), metadata)
            if size is not None:
                upright = ImageOps.fit(upright, (size[1], size[0]))
        return PictureImage(own_size, _to_channels(upright, color))


def to_preview(content: bytes, side: int) -> np.ndarray:
    """Decode a whole picture, scaled down to sides of at most `side` pixels.

    Returns:
        uint8 (height, width), or (height, width, 3) in color.

    Raises:
        ValueError: As `to_image`.
    """
    with open_picture(content) as (image, metadata), _LARGE_PICTURES:
        image.draft(image.mode, (side, side))
        image.load()
        upright = turn_upright(_flatten(image), metadata)
        upright.thumbnail((side, side))
        return np.array(upright)


def resize_image(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Crop and resize an image as `to_image` does.

    Args:
        pixels: uint8 (height, width) or (height, width, 3).
        size: Height and width of the result.
    """
    return np.array(ImageOps.fit(Image.fromarray(pixels), (size[1], size[0])))


def fit_image(
    image: Image.Image, metadata: Mapping[str, Any], size: tuple[int, int], color: bool
) -> np.ndarray:
    """Crop and resize a decoded picture as `to_image` does.

    Args:
        image: The picture, with its pixels loaded.
        metadata: Bytes that say how it is turned, see `turn_upright`.
        size: Height and width of the result.
        color: Whether the result has three channels.

    Returns:
        uint8 (height, width), or (height, width, 3) in color.

    Raises:
        ValueError: The picture is damaged.
    """
    upright = turn_upright(_flatten(image), metadata)
    if upright.size != (size[1], size[0]):
        upright = ImageOps.fit(upright, (size[1], size[0]))
    return _to_channels(upright, color)


def _flatten(image: Image.Image) -> Image.Image:
    """Return an opaque picture of mode L or RGB."""
    if image.mode.startswith("I"):
        return Image.fromarray(reduce_to_8_bits(image))
    check_palette(image)
    is_gray = image.mode in ("1", "L", "LA", "La")
    if not image.has_transparency_data:
        return image.convert("L" if is_gray else "RGB")
    image = image.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return paper.convert("L") if is_gray else paper


def _to_channels(image: Image.Image, color: bool | None) -> np.ndarray:
    if color is not None:
        return np.array(image.convert("RGB" if color else "L"))
    pixels = np.array(image)
    is_gray = pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all())
    return pixels[..., 0].copy() if is_gray else pixels
