"""A person's own picture: a PNG, JPEG, WebP or BMP file."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.errors import DataError
from lenet_tf.io.bounded import read_bounded

MAX_BYTES = 32 << 20
MAX_PIXELS = 32_000_000
# Pillow holds a WebP's picture four times, with 4 bytes for each pixel.
_MAX_WEBP_PIXELS = 12_500_000
_PNG = b"\x89PNG\r\n\x1a\n"
# Encoders write chunks of 8 KiB and more; Pillow takes its time for each.
_MAX_CHUNKS = 10_000
# A JPEG's tables take less than 10 KiB, and progressive ones have about ten scans, each of which goes through all pixels.
_MAX_TABLES, _MAX_SCANS = 1 << 20, 20
# Bytes and pixels of a BMP of run lengths, which Pillow unpacks one at a time; runs may skip 255 rows.
_MAX_RUNS, _WIDEST_RUNS = 4_000_000, 65_535
_RUN_LENGTHS = (1, 2)
# In JPEG, what is neither a byte of 255 among the pixels nor a restart in them.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _NOTES = 0xDA, 0xD9, 0xE1
# Comments and what programs leave for each other, but for JFIF's and Adobe's notes, which say what the colors are.
_NOT_PIXELS = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
# How a picture is turned upright: where that is noted, and what is done by what is noted.
_EXIF, _XMP, _IN_XMP = (
    b"Exif\0\0",
    b"http://ns.adobe.com/xap/1.0/\0",
    re.compile(rb'tiff:Orientation(?:="|>)([1-8])'),
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
# What damage makes Pillow raise beside OSError and ValueError.
_DAMAGE = (SyntaxError, EOFError, IndexError, KeyError, OverflowError, struct.error, zlib.error)


def read_picture(path: str | Path) -> np.ndarray:
    """The picture in a PNG, JPEG, WebP or BMP file as gray uint8 (height, width), 0 black … 255 white; nothing is scaled or inverted.

    The content says which it is, not the name. Colors become gray by their lightness (ITU-R 601), of 16 bits the upper 8 count, what is
    transparent shows white paper, and a photograph is turned upright as its camera noted; of an animation the first picture. At most
    `MOST_BYTES` and `MOST_PIXELS` (WebP, and BMP of run lengths: fewer), looked at before anything is
    unpacked. Raises `DataError` for a file that is missing, larger, damaged or none of these.
    """
    path = Path(path)
    try:
        content = read_bounded(path, MAX_BYTES)
        kind, noted = _kind(content), {}
        if kind in _SEPARATED:
            content, noted = _SEPARATED[kind](content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # No other format may be tried: each is a parser of its own. Opened, only the header has been read.
            with Image.open(io.BytesIO(content), formats=(kind,)) as image:
                _check_size(*image.size, _MAX_WEBP_PIXELS if kind == "WEBP" else MAX_PIXELS)
                if kind == "BMP" and image.info.get("compression") in _RUN_LENGTHS:
                    _check_runs(*image.size, len(content))
                image.load()
                return _upright(_gray(image), image.info | noted)
    except (OSError, ValueError, Image.DecompressionBombError, *_DAMAGE) as error:
        raise DataError(f"{path}: not a readable picture ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    texts = {
        Image.UnidentifiedImageError: "its header or its pixels are damaged",
        Image.DecompressionBombError: f"it has more than the {MAX_PIXELS:,} pixels that are read; make it smaller",
    }
    text = texts.get(type(error)) or str(error)
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


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if not 0 < width * height <= most:
        raise ValueError(
            f"it has {width:,}×{height:,} pixels, and up to {most:,} are read; make it smaller"
        )


def _check_runs(width: int, height: int, size: int) -> None:
    if max(width * height, size) > _MAX_RUNS or width > _WIDEST_RUNS:
        raise ValueError(
            f"it is compressed by run lengths, and of that up to {_MAX_RUNS:,} pixels and bytes are read; save it as PNG"
        )


def _png(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """(A PNG up to its last chunk's end without what is none of its pixels, its EXIF and XMP); raises `ValueError` unless it is a chain of
    chunks that says a bearable size. Texts could have the names under which Pillow keeps what it knows of the pixels.
    """
    if content[12:16] != b"IHDR" or len(content) < 33:
        raise ValueError("it is truncated")
    _check_size(*struct.unpack(">II", content[16:24]))
    kept, place = [_PNG], len(_PNG)
    noted: dict[str, bytes] = {}
    for _ in range(_MAX_CHUNKS):
        if place + 12 > len(content):
            raise ValueError("it is truncated")
        (length,) = struct.unpack_from(">I", content, place)
        start, kind, place = place, content[place + 4 : place + 8], place + 12 + length
        # A capital letter marks what a reader must know.
        if kind[:1].isupper() or kind == b"tRNS":
            kept.append(content[start:place])
        elif kind == b"eXIf" or (
            kind == b"iTXt" and content.startswith(b"XML:com.adobe.xmp\0", start + 8)
        ):
            noted["exif" if kind == b"eXIf" else "xmp"] = content[start + 8 : place - 4]
        if kind == b"IEND" and place <= len(content):
            return b"".join(kept), noted
    raise ValueError(f"it has more than {_MAX_CHUNKS:,} chunks")


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """(Kind, where it begins, where it ends) of each segment of a JPEG, up to its first picture's end; raises `ValueError` for no JPEG."""
    place = 2
    for _ in range(_MAX_CHUNKS):
        found = _MARKER.search(content, place)
        if found is None or content[found.start() + 1] == _END:
            yield _END, *(found.span() if found else (len(content),) * 2)
            return
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        place = found.end() + length
        if length < 2 or place > len(content):
            raise ValueError("it is truncated")
        yield content[found.start() + 1], found.start(), place
    raise ValueError(f"it has more than {_MAX_CHUNKS:,} segments")


def _jpeg(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """(A JPEG's first picture, its EXIF and XMP), as `_png` does; raises `ValueError` unless it is little enough work."""
    tables, size, scans, first, pixels = [content[:2]], 0, 0, 0, 0
    noted: dict[str, bytes] = {}
    for kind, start, end in _segments(content):
        if kind in _SIZE_MARKERS:
            height, width = struct.unpack(">HH", content[start + 5 : start + 9])
            _check_size(width, height)
            pixels = width * height
        first, scans = (first or start, scans + 1) if kind == _SCAN else (first, scans)
        if scans * pixels > _MAX_SCANS * MAX_PIXELS:
            raise ValueError(
                f"it goes through its pixels {scans:,} times and more; save it as a JPEG that is not progressive"
            )
        if scans:
            continue
        if kind == _NOTES:
            for name, mark in (("exif", _EXIF), ("xmp", _XMP)):
                if content.startswith(mark, start + 4):
                    noted.setdefault(name, content[start + 4 : end])
        elif kind not in _NOT_PIXELS:
            tables.append(content[start:end])
            size += end - start
            if size > _MAX_TABLES:
                raise ValueError(f"its tables are larger than {_MAX_TABLES:,} bytes")
    if not scans:
        raise ValueError("it is truncated")
    return b"".join(tables) + content[first:end], noted


# What is made of the content before Pillow sees it.
_SEPARATED = {"PNG": _png, "JPEG": _jpeg}


def _upright(gray: np.ndarray, info: dict[str, Any]) -> np.ndarray:
    orientation = _orientation(info.get("exif", b"").removeprefix(_EXIF).removeprefix(_EXIF))
    if orientation is None and (found := _IN_XMP.search(info.get("xmp", b""))):
        orientation = int(found[1])
    turn = _TURNS.get(orientation)
    return gray if turn is None else np.array(Image.fromarray(gray).transpose(turn))


def _orientation(exif: bytes) -> int | None:
    """1 … 8; Pillow would unpack all of it and write it again, and fails at what is not well-formed or is much."""
    order = "<" if exif.startswith(b"II") else ">"
    with contextlib.suppress(struct.error):
        (place,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, place)
        for start in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind, number, value = struct.unpack_from(f"{order}HHIH", exif, start)
            if (tag, kind, number) == (0x0112, 3, 1):
                return value
    return None


def _gray(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # gray of 16 bits
        values = np.asarray(image)
        gray = (values >> 8).astype(np.uint8)
        if isinstance(clear := image.info.get("transparency"), int):
            gray[values == clear] = 255
        return gray
    if image.mode == "P" and image.palette is None:
        raise ValueError("its palette is missing")
    if not image.has_transparency_data:
        return np.array(image.convert("L"))
    image = image if image.mode == "RGBA" else image.convert("RGBA")
    paper = Image.new("L", image.size, 255)
    paper.paste(image.convert("L"), mask=image.getchannel("A"))
    return np.array(paper)
