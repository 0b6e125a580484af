"""A person's own picture: a PNG, JPEG, WebP or BMP file."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lenet_tf.errors import DataError
from lenet_tf.files import read_bounded

MOST_BYTES = 32 << 20
MOST_PIXELS = 32_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
# Encoders write chunks of 8 KiB and more; Pillow takes its time for each.
_MOST_CHUNKS = 10_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# What damage makes Pillow raise beside OSError and ValueError.
_DAMAGE = (SyntaxError, EOFError, IndexError, KeyError, OverflowError, struct.error, zlib.error)


def read_picture(path: str | Path) -> np.ndarray:
    """The picture in a PNG, JPEG, WebP or BMP file as grey uint8 (height, width), 0 black … 255 white; nothing is scaled or inverted.

    The content says which it is, not the name. Colours become grey by their lightness (ITU-R 601), of 16 bits the upper 8 count, what is
    transparent shows white paper, and a photograph is turned upright as its camera noted; of an animation the first picture. At most
    `MOST_BYTES` and `MOST_PIXELS`, looked at before anything is unpacked. Raises `DataError` for a file that is missing, larger, damaged or
    none of these.
    """
    path = Path(path)
    try:
        content = read_bounded(path, MOST_BYTES)
        kind = _kind(content)
        if kind == "PNG":
            content = _checked(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # No other format may be tried: each is a parser of its own. Opened, only the header has been read.
            with Image.open(io.BytesIO(content), formats=(kind,)) as image:
                _check_size(*image.size)
                image.load()
                return _grey(ImageOps.exif_transpose(image))
    except (OSError, ValueError, Image.DecompressionBombError, *_DAMAGE) as error:
        raise DataError(f"{path}: not a readable picture ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    text = "its header or its pixels are damaged" if isinstance(error, Image.UnidentifiedImageError) else str(error)
    return (text.splitlines() or [type(error).__name__])[0][:200]


def _kind(content: bytes) -> str:
    """Pillow's name of the format; raises `ValueError` for another."""
    if content.startswith(_PNG):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"BM"):
        return "BMP"
    raise ValueError("it begins as neither PNG, JPEG, WebP nor BMP does")


def _check_size(width: int, height: int) -> None:
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError(f"it has {width:,}×{height:,} pixels, and up to {MOST_PIXELS:,} are read; make it smaller")


def _checked(content: bytes) -> bytes:
    """A PNG's content up to its last chunk's end; raises `ValueError` unless it is a chain of chunks that says a bearable size."""
    if content[12:16] != b"IHDR" or len(content) < 33:
        raise ValueError("it is truncated")
    _check_size(*struct.unpack(">II", content[16:24]))
    place = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        if place + 12 > len(content):
            raise ValueError("it is truncated")
        (length,) = struct.unpack_from(">I", content, place)
        kind, place = content[place + 4 : place + 8], place + 12 + length
        if kind == b"IEND" and place <= len(content):
            return content[:place]
    raise ValueError(f"it has more than {_MOST_CHUNKS:,} chunks")


def _grey(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # grey of 16 bits
        values = np.asarray(image)
        grey = (values >> 8).astype(np.uint8)
        if isinstance(clear := image.info.get("transparency"), int):
            grey[values == clear] = 255
        return grey
    if not image.has_transparency_data:
        return np.array(image.convert("L"))
    image = image.convert("RGBA")
    paper = Image.new("L", image.size, 255)
    paper.paste(image.convert("L"), mask=image.getchannel("A"))
    return np.array(paper)
