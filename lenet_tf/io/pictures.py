"""Reader of picture files: opens them with bounds, and only in the formats that are allowed."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.io.images import MAX_PIXELS, check_image_size, strip_gif, strip_jpeg, strip_png
from lenet_tf.io.picture_formats import detect_format
from lenet_tf.io.tiff import strip_tiff

MAX_BYTES = 32 << 20
# Larger pictures are not decoded by several threads at once: each pixel takes up to nine bytes.
MAX_SMALL_PIXELS = 2_000_000
# Pillow holds four copies of a WebP picture, at 4 bytes per pixel.
_MAX_WEBP_PIXELS = 12_500_000
# Limits of pixels, bytes and width for BMP files with run lengths, which Pillow decodes slowly.
_MAX_RLE_SIZE, _MAX_RLE_WIDTH = 4_000_000, 65_535
_RLE_COMPRESSIONS = (1, 2)
_STRIPPERS = {"PNG": strip_png, "JPEG": strip_jpeg, "GIF": strip_gif, "TIFF": strip_tiff}
# What a damaged file can make Pillow raise, beside OSError and ValueError.
_DAMAGE = (SyntaxError, EOFError, IndexError, KeyError, OverflowError, struct.error, zlib.error)


@contextlib.contextmanager
def open_picture(content: bytes) -> Iterator[tuple[Image.Image, Mapping[str, Any]]]:
    """Open a picture whose header alone has been read.

    Args:
        content: A file of at most `MAX_BYTES` bytes.

    Yields:
        The picture, and metadata for `lenet_tf.io.orientation`.

    Raises:
        ValueError: If the file is damaged, too large or of another format, also if decoding inside
            the block fails. The message is one line.
    """
    try:
        metadata: dict[str, bytes] = {}
        image_format = detect_format(content)
        if image_format in _STRIPPERS:
            content, metadata = _STRIPPERS[image_format](content)
        # Attack: a file for one of Pillow's many other parsers, so only one format is allowed.
        with Image.open(io.BytesIO(content), formats=(image_format,)) as image:
            _check_header(image, image_format, len(content))
            yield image, image.info | metadata
    except (OSError, ValueError, Image.DecompressionBombError, *_DAMAGE) as error:
        raise ValueError(_describe(error)) from error


@contextlib.contextmanager
def hide_decoder_warnings() -> Iterator[None]:
    """Hide what Pillow warns of. The filters are the process's: use it outside of threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def check_palette(image: Image.Image) -> None:
    """Raise `ValueError` if a picture refers to a palette that it lacks."""
    # Damage that makes Pillow fail an assertion.
    if image.mode == "P" and image.palette is None:
        raise ValueError("its palette is missing")


def reduce_to_8_bits(image: Image.Image) -> np.ndarray:
    """Keep the highest 8 bits that a 16-bit file uses: some hold 8, 10 or 12 bits.

    Args:
        image: Picture of a mode that begins with `I`.

    Returns:
        uint8 (height, width). Levels that the file calls transparent become white.
    """
    values = np.asarray(image)
    if values.min() < 0:
        raise ValueError("it has negative levels; save it as PNG")
    gray = (values >> max(0, int(values.max()).bit_length() - 8)).astype(np.uint8)
    if isinstance(transparent := image.info.get("transparency"), int):
        gray[values == transparent] = 255
    return gray


def _describe(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "its header or its pixels are damaged"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more pixels than the limit of {MAX_PIXELS:,}; make it smaller"
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]


def _check_header(image: Image.Image, image_format: str, byte_count: int) -> None:
    width, height = image.size
    if image.mode == "F":
        raise ValueError("its levels are no whole numbers; save it as PNG")
    check_image_size(width, height, _MAX_WEBP_PIXELS if image_format == "WEBP" else MAX_PIXELS)
    # Attack: runs that take Pillow minutes, since one run can skip 255 rows.
    if (
        image_format == "BMP"
        and image.info.get("compression") in _RLE_COMPRESSIONS
        and (max(width * height, byte_count) > _MAX_RLE_SIZE or width > _MAX_RLE_WIDTH)
    ):
        raise ValueError(
            f"it is run-length encoded, and the limit is {_MAX_RLE_SIZE:,} pixels and bytes; "
            "save it as PNG"
        )
