"""Reader of the user's own pictures as gray levels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.data.picture_images import to_image
from lenet_tf.data.read_options import DEFAULT_OPTIONS, ReadOptions
from lenet_tf.errors import DataError
from lenet_tf.inference.grayscale import to_gray
from lenet_tf.io.bounded import read_bounded
from lenet_tf.io.images import MAX_PIXELS
from lenet_tf.io.orientation import is_turned, turn_upright
from lenet_tf.io.paths import to_path
from lenet_tf.io.pictures import (
    MAX_BYTES,
    MAX_SMALL_PIXELS,
    hide_decoder_warnings,
    open_picture,
)


def read_picture(
    path: str | Path,
    *,
    image_size: int | tuple[int, int] | str | None = None,
    color: bool | None = None,
) -> np.ndarray:
    """Read a picture as gray levels, neither scaled nor inverted; or as `load_data` reads one.

    The file's content decides its format. Colors become their lightness (ITU-R 601), or their
    likeness to the paper's color where strokes are as light as the paper. 16-bit levels become the
    highest 8 bits that the file uses. Transparent pixels become white, or black if the strokes are
    light. A photograph is turned upright, and an animation gives its first picture.

    Args:
        path: PNG, JPEG, WebP, BMP, GIF or TIFF file of at most 32 MiB and 32,000,000 pixels;
            12,500,000 for WebP, and 4,000,000 for run-length encoded BMP.
        image_size: Side, or height and width, that the picture is cropped and resized to, as
            `load_data` does with folders of pictures.
        color: Whether the result has three channels (True) or is gray (False), likewise.

    Returns:
        uint8 (height, width), 0 black … 255 white; (height, width, 3) in color.

    Raises:
        DataError: If the file is missing, too large, damaged or of another format.

    Example:
        >>> import lenet_tf
        >>> from PIL import Image
        >>> Image.new("RGB", (40, 30), "white").save("blank.png")
        >>> picture = lenet_tf.read_picture("blank.png")
        >>> picture.shape, int(picture.min())
        ((30, 40), 255)
    """
    file = to_path(path, DataError, "a picture")
    options = ReadOptions(image_size=image_size, color=color)
    with hide_decoder_warnings():
        if options != DEFAULT_OPTIONS:
            return read_image(file, options.image_size, options.color)
        picture = read_gray(file)
    assert picture is not None
    return picture


def read_image(path: Path, size: tuple[int, int] | None, color: bool | None) -> np.ndarray:
    """Read a picture as an image of a data set of pictures, see `to_image`.

    Raises:
        DataError: If the file is missing, too large, damaged or of another format.
    """
    try:
        return to_image(read_bounded(path, MAX_BYTES), size, color).pixels
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable picture ({error})") from error


def read_gray(path: Path, max_pixels: int = MAX_PIXELS) -> np.ndarray | None:
    """Read a picture as `read_picture` does, or return None if it has over `max_pixels` pixels."""
    try:
        with open_picture(read_bounded(path, MAX_BYTES)) as (image, metadata):
            if image.size[0] * image.size[1] > max_pixels:
                return None
            image.load()
            return to_upright_gray(image, metadata)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable picture ({error})") from error


def to_upright_gray(image: Image.Image, metadata: Mapping[str, Any]) -> np.ndarray:
    """Turn a decoded picture into gray levels as `read_picture` does.

    Args:
        image: The picture, with its pixels loaded.
        metadata: Bytes that say how it is turned, see `turn_upright`.

    Returns:
        uint8 (height, width), 0 black … 255 white.

    Raises:
        ValueError: If the picture is damaged.
    """
    gray = to_gray(image)
    if not is_turned(metadata):
        return gray
    return np.array(turn_upright(Image.fromarray(gray), metadata))


def read_small_gray(path: Path) -> np.ndarray | None:
    """Read a picture as `read_picture` does, or return None if it has over 2,000,000 pixels."""
    return read_gray(path, MAX_SMALL_PIXELS)
