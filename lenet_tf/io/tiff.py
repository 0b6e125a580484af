"""Bounded reader of the structure of TIFF files, before Pillow decodes their pixels."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from lenet_tf.io.images import MAX_PIXELS, check_image_size

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
SIGNATURES = tuple(_ORDERS)
# Bytes of a value by its type, and struct's letter of those that are read here.
_TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8)
_LETTERS = {1: "B", 3: "H", 4: "I"}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR = 256, 257, 258, 259, 277, 284
_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_ORIENTATION, _SUBFILE, _DNG_VERSION, _SHORT = 274, 254, 50706, 3
# What describes the pixels: also photometric interpretation, fill order, fax options, predictor,
# palette, ink set, extra samples and sample format.
_KEPT_TAGS = frozenset(
    (_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _PLANAR, _STRIP_OFFSETS, _ROWS_PER_STRIP)
) | {_STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES}
_KEPT_TAGS |= {262, 266, 292, 293, 317, 320, 332, 338, 339}
# None, fax, LZW, deflate and run lengths. JPEG inside of TIFF can take minutes.
_COMPRESSIONS = (1, 2, 3, 4, 5, 8, 32773, 32946)
_FAX = (2, 3, 4)
# Far beyond what scanners and cameras write.
_MAX_ENTRIES, _MAX_TABLE_BYTES, _MAX_PARTS, _MAX_SAMPLES = 1_000, 1 << 20, 1 << 16, 8
# Tiles may exceed a picture at its right and lower edge.
_MAX_PADDED_PIXELS = 4 * MAX_PIXELS
_RESAVE = "save it as PNG"


class _Entry(NamedTuple):
    """An entry of a directory: its bytes, and where its values lie."""

    raw: bytes
    kind: int
    length: int
    offset: int


def strip_tiff(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Reduce a TIFF file to the tags that describe the pixels of its first picture.

    Args:
        content: The file, which begins with one of `SIGNATURES`.

    Returns:
        The file with a new directory, and the picture's orientation as `exif`.

    Raises:
        ValueError: If the file is truncated, states too many pixels, strips or tiles, or is
            compressed in a way that is not read.
    """
    order = _ORDERS[content[:4]]
    try:
        entries = _read_directory(content, order)
        reader = _Values(content, order, entries)
        _check_picture(reader)
    except struct.error as error:
        raise ValueError("it is truncated") from error
    orientation = reader.get(_ORIENTATION, 1)
    kept = [entries[tag].raw for tag in sorted(entries) if tag in _KEPT_TAGS]
    body = content + b"\0" * (len(content) % 2)
    start = struct.pack(f"{order}I", len(body))
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + bytes(4)
    exif = content[:4] + struct.pack(
        f"{order}IHHHIHxxI", 8, 1, _ORIENTATION, _SHORT, 1, orientation & 0xFFFF, 0
    )
    return body[:4] + start + body[8:] + directory, {"exif": exif}


def _read_directory(content: bytes, order: str) -> dict[int, _Entry]:
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    (count,) = struct.unpack_from(f"{order}H", content, start)
    # Attack: thousands of entries whose values are each as long as the file.
    if count > _MAX_ENTRIES:
        raise ValueError(f"it has more than {_MAX_ENTRIES:,} tags")
    entries: dict[int, _Entry] = {}
    total = 0
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length, offset = struct.unpack_from(f"{order}HHII", content, place)
        size = length * _TYPE_BYTES[kind] if kind < len(_TYPE_BYTES) else 0
        if tag in _KEPT_TAGS:
            # Texts and fractions in their place make Pillow fail in many ways.
            if kind not in _LETTERS:
                raise ValueError("its tags are damaged")
            total += size
            if size > 4 and offset + size > len(content):
                raise ValueError("it is truncated")
        offset = offset if size > 4 else place + 8
        entries[tag] = _Entry(content[place : place + 12], kind, length, offset)
    if total > _MAX_TABLE_BYTES:
        raise ValueError(f"its tags are larger than {_MAX_TABLE_BYTES:,} bytes")
    return entries


class _Values:
    """The whole numbers in a directory's entries."""

    def __init__(self, content: bytes, order: str, entries: Mapping[int, _Entry]) -> None:
        self.content, self._order, self._entries = content, order, entries

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def get_all(self, tag: int) -> tuple[int, ...]:
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _LETTERS:
            return ()
        if entry.length > _MAX_PARTS:
            raise ValueError(f"it has more than {_MAX_PARTS:,} strips or tiles")
        form = f"{self._order}{entry.length}{_LETTERS[entry.kind]}"
        return struct.unpack_from(form, self.content, entry.offset)

    def get(self, tag: int, default: int) -> int:
        return next(iter(self.get_all(tag)), default)


def _check_picture(values: _Values) -> None:
    """Raise `ValueError` unless the picture can be decoded soon and in little memory."""
    # The first picture of such a file is a thumbnail.
    if _DNG_VERSION in values or values.get(_SUBFILE, 0) & 1:
        raise ValueError("it is a camera's raw file; save it as JPEG or PNG")
    width, height = values.get(_WIDTH, 0), values.get(_HEIGHT, 0)
    check_image_size(width, height)
    compression, samples = values.get(_COMPRESSION, 1), values.get(_SAMPLES, 1)
    if compression not in _COMPRESSIONS:
        raise ValueError(f"its compression (number {compression}) is not read; {_RESAVE}")
    # libtiff would print a line of its own.
    if compression in _FAX and (samples, *values.get_all(_BITS)) not in ((1,), (1, 1)):
        raise ValueError("its fax compression is for black and white pixels only")
    if not 1 <= samples <= _MAX_SAMPLES or max(values.get_all(_BITS), default=1) > 32:
        raise ValueError(f"its pixels have too many values or bits; {_RESAVE}")
    if _TILE_WIDTH in values or _TILE_HEIGHT in values:
        across, down = values.get(_TILE_WIDTH, 0), values.get(_TILE_HEIGHT, 0)
        sizes = values.get_all(_TILE_BYTES)
    else:
        across, down = width, min(values.get(_ROWS_PER_STRIP, height), height)
        sizes = values.get_all(_STRIP_BYTES)
    # Attack: a tile of gigabytes, or many that lie mostly beside the picture.
    if not (across > 0 and down > 0 and across * down <= _MAX_PADDED_PIXELS):
        raise ValueError("its tiles are too large")
    parts = -(-width // across) * -(-height // down)
    if parts * across * down > _MAX_PADDED_PIXELS:
        raise ValueError("its tiles are too large")
    # Attack: millions of strips, or strips that share their bytes.
    if parts * samples > _MAX_PARTS:
        raise ValueError(f"it has more than {_MAX_PARTS:,} strips or tiles")
    if sum(sizes) > len(values.content):
        raise ValueError("its strips or tiles overlap")
