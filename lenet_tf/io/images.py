"""Bounded readers of the structure of PNG, JPEG and GIF files, before Pillow decodes pixels."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

MAX_PIXELS = 32_000_000
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Encoders write chunks of 8 KiB and more.
_MAX_CHUNKS = 10_000
# A JPEG's tables take less than 10 KiB, and a progressive one has about ten scans.
_MAX_TABLE_BYTES, _MAX_SCANS = 1 << 20, 20

# Any JPEG marker but a byte of 255 among the pixels and a restart between them.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _APP1 = 0xDA, 0xD9, 0xE1
_GIF_CONTROL = 0xF9
# Comments and application data, except those of JFIF and Adobe, which describe the colors.
_METADATA_MARKERS = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))
EXIF_PREFIX = b"Exif\0\0"
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP_PREFIX = b"XML:com.adobe.xmp\0"


def check_image_size(width: int, height: int, max_pixels: int = MAX_PIXELS) -> None:
    """Raise `ValueError` unless an image has between 1 and `max_pixels` pixels."""
    # Attack: a header that states billions of pixels.
    if not 0 < width * height <= max_pixels:
        raise ValueError(
            f"it has {width:,}×{height:,} pixels, and the limit is {max_pixels:,}; make it smaller"
        )


def strip_png(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Reduce a PNG file to the chunks that describe its pixels.

    Args:
        content: The file, which begins with the signature of PNG.

    Returns:
        The reduced file, up to its last chunk, and the file's metadata under `exif` and `xmp`.

    Raises:
        ValueError: If the file is truncated, has too many chunks or states too many pixels.
    """
    if content[12:16] != b"IHDR" or len(content) < 33:
        raise ValueError("it is truncated")
    width, height = struct.unpack(">II", content[16:24])
    check_image_size(width, height)
    chunks, end = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    metadata: dict[str, bytes] = {}
    # Attack: millions of empty chunks, each of which takes Pillow time.
    for _ in range(_MAX_CHUNKS):
        if end + 12 > len(content):
            raise ValueError("it is truncated")
        (length,) = struct.unpack_from(">I", content, end)
        start, kind, end = end, content[end + 4 : end + 8], end + 12 + length
        # Attack: compressed texts that fill memory, and texts named like Pillow's own properties.
        # Chunks that a reader must understand begin with a capital letter.
        if kind[:1].isupper() or kind == b"tRNS":
            chunks.append(content[start:end])
        elif kind == b"eXIf":
            metadata["exif"] = content[start + 8 : end - 4]
        elif kind == b"iTXt" and content.startswith(_PNG_XMP_PREFIX, start + 8):
            metadata["xmp"] = content[start + 8 : end - 4]
        if kind == b"IEND" and end <= len(content):
            return b"".join(chunks), metadata
    raise ValueError(f"it has more than {_MAX_CHUNKS:,} chunks")


def strip_jpeg(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Reduce a JPEG file to its first picture, without comments and application data.

    Args:
        content: The file, which begins with the marker of JPEG.

    Returns:
        The reduced file, and the file's metadata under `exif` and `xmp`.

    Raises:
        ValueError: If the file is truncated, states too many pixels, or would take long to decode.
    """
    tables, table_bytes, scans, first_scan, pixels = [content[:2]], 0, 0, 0, 0
    metadata: dict[str, bytes] = {}
    end = len(content)
    for kind, start, end in _iterate_segments(content):
        if kind in _FRAME_MARKERS:
            height, width = struct.unpack(">HH", content[start + 5 : start + 9])
            check_image_size(width, height)
            pixels = width * height
        if kind == _SCAN:
            first_scan, scans = first_scan or start, scans + 1
        # Attack: a progressive image with hundreds of scans, each of which touches all pixels.
        if scans * pixels > _MAX_SCANS * MAX_PIXELS:
            raise ValueError(
                f"it has {scans:,} or more progressive scans; save it as a baseline JPEG"
            )
        if scans:
            continue
        if kind == _APP1:
            for name, prefix in (("exif", EXIF_PREFIX), ("xmp", _XMP_PREFIX)):
                if content.startswith(prefix, start + 4):
                    metadata.setdefault(name, content[start + 4 : end])
        elif kind not in _METADATA_MARKERS:
            tables.append(content[start:end])
            table_bytes += end - start
            # Attack: tables that are redefined thousands of times.
            if table_bytes > _MAX_TABLE_BYTES:
                raise ValueError(f"its tables are larger than {_MAX_TABLE_BYTES:,} bytes")
    if not scans:
        raise ValueError("it is truncated")
    return b"".join(tables) + content[first_scan:end], metadata


def _iterate_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Iterate over the segments of a JPEG up to the end of its first picture.

    Yields:
        The marker's second byte, and the start and the end of the segment.
    """
    end = 2
    # Attack: millions of empty segments.
    for _ in range(_MAX_CHUNKS):
        marker = _MARKER.search(content, end)
        if marker is None:
            yield _END, len(content), len(content)
            return
        if content[marker.start() + 1] == _END:
            yield _END, *marker.span()
            return
        length = int.from_bytes(content[marker.end() : marker.end() + 2], "big")
        end = marker.end() + length
        if length < 2 or end > len(content):
            raise ValueError("it is truncated")
        yield content[marker.start() + 1], marker.start(), end
    raise ValueError(f"it has more than {_MAX_CHUNKS:,} segments")


def strip_gif(content: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Reduce a GIF file to its first picture, without comments.

    Args:
        content: The file, which begins with `GIF8`.

    Returns:
        The reduced file, and no metadata.

    Raises:
        ValueError: If the file is truncated, states too many pixels or has no picture.
    """
    try:
        width, height, flags = struct.unpack_from("<HHB", content, 6)
        check_image_size(width, height)
        head = end = 13 + _count_table_bytes(flags)
        control = b""
        # Attack: megabytes of comments, which Pillow joins piece by piece.
        for _ in range(_MAX_CHUNKS):
            start, kind = end, content[end : end + 1]
            if kind == b"!":
                end = _skip_blocks(content, start + 2)
                is_control = content[start + 1] == _GIF_CONTROL and end - start == 8
                control = content[start:end] if is_control else control
            elif kind == b",":
                left, top, width, height, flags = struct.unpack_from("<HHHHB", content, start + 1)
                check_image_size(left + width, top + height)
                # Pillow enlarges the canvas to what the first picture needs.
                end = _skip_blocks(content, start + 11 + _count_table_bytes(flags))
                return b"".join([content[:head], control, content[start:end], b";"]), {}
            else:
                break
    except (struct.error, IndexError) as error:
        raise ValueError("it is truncated") from error
    raise ValueError("it holds no picture")


def _count_table_bytes(flags: int) -> int:
    """Return the bytes of a GIF's color table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(content: bytes, end: int) -> int:
    """Return where a chain of a GIF's data blocks ends."""
    while size := content[end]:
        end += 1 + size
    return end + 1
