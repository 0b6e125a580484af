"""Reader of the user's own pictures: PNG, JPEG, WebP and BMP files."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from lenet_tf.errors import DataError
from lenet_tf.inference.grayscale import to_gray
from lenet_tf.inference.orientation import turn_upright
from lenet_tf.io.bounded import read_bounded
from lenet_tf.io.images import (
    MAX_PIXELS,
    PNG_SIGNATURE,
    check_image_size,
    strip_jpeg,
    strip_png,
)
from lenet_tf.io.paths import to_path

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# Rarer endings of the same formats.
MORE_SUFFIXES = (".apng", ".jpe", ".jif", ".jfif", ".pjpeg", ".pjp", ".dib")
# Pictures of formats that are refused by name.
OTHER_SUFFIXES = (
    *(".heic", ".heif", ".hif", ".avif", ".gif", ".tif", ".tiff", ".jxl", ".jp2", ".j2k", ".svg"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".ico", ".cur", ".icns", ".psd", ".pcx", ".xcf"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)
_OTHER_SIGNATURES = {
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF": "PDF",
    b"<svg": "SVG",
    b"8BPS": "PSD",
    b"\0\0\1\0": "ICO",
    **{b"P%d\n" % number: name for number, name in enumerate(2 * ("PBM", "PGM", "PPM"), 1)},
}
_ISO_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}
MAX_BYTES = 32 << 20
# Pillow holds four copies of a WebP picture, at 4 bytes per pixel.
_MAX_WEBP_PIXELS = 12_500_000
# Limits of pixels, bytes and width for BMP files with run lengths, which Pillow decodes slowly.
_MAX_RLE_SIZE, _MAX_RLE_WIDTH = 4_000_000, 65_535
_RLE_COMPRESSIONS = (1, 2)
# Larger pictures are not decoded by several threads at once: each pixel takes up to nine bytes.
_MAX_SMALL_PIXELS = 2_000_000
_STRIPPERS = {"PNG": strip_png, "JPEG": strip_jpeg}
# What a damaged file can make Pillow raise, beside OSError and ValueError.
_DAMAGE = (SyntaxError, EOFError, IndexError, KeyError, OverflowError, struct.error, zlib.error)


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture as gray levels, neither scaled nor inverted.

    The file's content decides its format. Colors become their lightness (ITU-R 601), or their
    likeness to the paper's color where strokes are as light as the paper. 16-bit levels become the
    highest 8 bits that the file uses. Transparent pixels become white, or black if the strokes are
    light. A photograph is turned upright, and an animation gives its first picture.

    Args:
        path: PNG, JPEG, WebP or BMP file of at most 32 MiB and 32,000,000 pixels; 12,500,000 for
            WebP, and 4,000,000 for run-length encoded BMP.

    Returns:
        uint8 (height, width), 0 black … 255 white.

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
    picture = _read(to_path(path, DataError, "a picture"), MAX_PIXELS)
    assert picture is not None
    return picture


def read_small_picture(path: Path) -> np.ndarray | None:
    """Read a picture as `read_picture` does, or return None if it has over 2,000,000 pixels."""
    return _read(path, _MAX_SMALL_PIXELS)


def _read(path: Path, max_pixels: int) -> np.ndarray | None:
    try:
        content = read_bounded(path, MAX_BYTES)
        metadata: dict[str, bytes] = {}
        image_format = _detect_format(content)
        if image_format in _STRIPPERS:
            content, metadata = _STRIPPERS[image_format](content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Attack: a file for one of Pillow's many other parsers, so only one format is allowed.
            with Image.open(io.BytesIO(content), formats=(image_format,)) as image:
                # Only the header has been read so far.
                _check_header(image, image_format, len(content))
                if image.size[0] * image.size[1] > max_pixels:
                    return None
                image.load()
                return turn_upright(to_gray(image), image.info | metadata)
    except (OSError, ValueError, Image.DecompressionBombError, *_DAMAGE) as error:
        raise DataError(f"{path}: not a readable picture ({_describe(error)})") from error


def _describe(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "its header or its pixels are damaged"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more pixels than the limit of {MAX_PIXELS:,}; make it smaller"
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]


def _detect_format(content: bytes) -> str:
    """Return Pillow's name of a file's format."""
    if content.startswith(PNG_SIGNATURE):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"BM"):
        return "BMP"
    name = _OTHER_SIGNATURES.get(content[:4]) or _OTHER_SIGNATURES.get(content[:3])
    if content[4:8] == b"ftyp":
        name = _ISO_BRANDS.get(content[8:12])
    if name is not None:
        raise ValueError(f"it is not a PNG, JPEG, WebP or BMP file but {name}; save it as PNG")
    raise ValueError("it is not a PNG, JPEG, WebP or BMP file")


def _check_header(image: Image.Image, image_format: str, byte_count: int) -> None:
    width, height = image.size
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
