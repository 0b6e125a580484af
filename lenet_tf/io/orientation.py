"""Turns a photograph upright, as its EXIF or XMP metadata say."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image

from lenet_tf.io.images import EXIF_PREFIX

_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_EXIF_ORIENTATION, _UNSIGNED_SHORT = 0x0112, 3
_TURNS: dict[int | None, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = (5, 6, 7, 8)


def turn_upright(image: Image.Image, metadata: Mapping[str, Any]) -> Image.Image:
    """Rotate or mirror a picture as its metadata say.

    Args:
        image: The picture.
        metadata: Bytes under `exif` and `xmp`, if the file has them; EXIF takes precedence.

    Returns:
        The same picture, upright.
    """
    turn = _TURNS.get(_read_orientation(metadata))
    return image if turn is None else image.transpose(turn)


def is_turned(metadata: Mapping[str, Any]) -> bool:
    """Return whether `turn_upright` changes anything."""
    return _read_orientation(metadata) in _TURNS


def swaps_sides(metadata: Mapping[str, Any]) -> bool:
    """Return whether `turn_upright` exchanges the width and the height."""
    return _read_orientation(metadata) in _QUARTER_TURNS


def _read_orientation(metadata: Mapping[str, Any]) -> int | None:
    # Some programs write the prefix twice.
    exif = metadata.get("exif", b"").removeprefix(EXIF_PREFIX).removeprefix(EXIF_PREFIX)
    orientation = _read_exif_orientation(exif)
    if orientation is None and (match := _XMP_ORIENTATION.search(metadata.get("xmp", b""))):
        return int(match[1])
    return orientation


def _read_exif_orientation(exif: bytes) -> int | None:
    """Return the orientation, 1…8 in a valid file, or None if there is none."""
    if not exif:
        return None
    # Attack: Pillow would unpack all of the metadata, which can crash it or fill memory.
    order = "<" if exif.startswith(b"II") else ">"
    with contextlib.suppress(struct.error):
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for start in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind, length, value = struct.unpack_from(f"{order}HHIH", exif, start)
            if (tag, kind, length) == (_EXIF_ORIENTATION, _UNSIGNED_SHORT, 1):
                return value
    return None
