"""Hostile JPEG and WebP files: the segments and chunks of an encoder's output, damaged."""

from __future__ import annotations

import functools
import io
import itertools
import struct
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import numpy as np
from hostile_bitmaps import make_exif
from mutations import SIZES, mutate_bytes
from PIL import Image

Part = TypeVar("Part")
Chunk = tuple[bytes, bytes]  # of a WebP: name, content
Segment = tuple[int, bytes]  # of a JPEG: marker, content


def _draw_pictures(modes: tuple[str, ...]) -> list[Image.Image]:
    """Returns gradients with noise in several sizes, so that their encodings differ."""
    pictures = []
    for seed, (mode, size) in enumerate(itertools.product(modes, ((1, 1), (9, 17), (24, 8)))):
        width, height = size
        random = np.random.default_rng(seed)
        pixels = random.integers(0, 256, (height, width, 4)) // 3 + np.arange(width)[:, None] * 5
        picture = Image.fromarray(pixels.astype(np.uint8), "RGBA" if mode == "RGBA" else "CMYK")
        if mode not in ("RGBA", "CMYK"):
            picture = picture.convert("RGB").convert(mode)
        pictures.append(picture)
    return pictures


def _encode(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


@functools.cache
def _encode_jpegs() -> list[bytes]:
    """Returns JPEGs of every color mode, subsampling and scan type, and one of three pictures."""
    encodings: list[dict[str, Any]] = [
        {},
        {"progressive": True},
        {"restart_marker_rows": 1, "quality": 30},
        {"optimize": True, "quality": 100},
    ]
    files = [
        _encode(picture, "JPEG", **options)
        for picture in _draw_pictures(("L", "RGB", "CMYK"))
        for options in encodings
    ]
    for subsampling, progressive in itertools.product((0, 1), (False, True)):
        files += [
            _encode(picture, "JPEG", subsampling=subsampling, progressive=progressive)
            for picture in _draw_pictures(("RGB",))
        ]
    first, second, third = _draw_pictures(("RGB",))
    return [*files, _encode(second, "MPO", save_all=True, append_images=[third, first])]


def _split_segments(content: bytes) -> list[Segment]:
    """Splits a well-formed JPEG into segments; those of a scan contain its pixels.

    Pillow 11 states two bytes too few for the segment that announces several pictures. Segments
    behind it are therefore found by their markers.
    """
    starts = [2]
    while content[starts[-1]] == 0xFF and content[starts[-1] + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(content[starts[-1] + 2 : starts[-1] + 4], "big")
        starts.append(starts[-1] + 2 + length)
    for position in range(starts[-1] + 2, len(content) - 1):
        # After the first scan only tables and scans follow, where 0xFF starts a marker.
        if content[position] == 0xFF and content[position + 1] not in (0, *range(0xD0, 0xD8)):
            starts.append(position)
    return [
        (content[start + 1], content[start + 2 : end])
        for start, end in zip(starts, [*starts[1:], len(content)], strict=True)
    ]


def _make_application_segment(random: Random) -> Segment:
    marker, content = random.choice(
        (
            (0xE1, b"Exif\0\0" + make_exif(random)),
            (0xE1, b"Exif\0\0" + make_exif(random)),
            (0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'),
            (0xE0, b"JFIF\0\1\2" + random.randbytes(random.choice((7, 0, 2)))),
            (0xE2, b"MPF\0" + make_exif(random)),
            (0xE2, b"ICC_PROFILE\0" + random.randbytes(random.choice((0, 1, 2, 40)))),
            (0xE2, b"FPXR\0"),
            (
                0xED,
                b"Photoshop 3.0\x008BIM\3\xed\0\0" + random.randbytes(random.choice((0, 3, 20))),
            ),
            (0xEE, b"Adobe\0d\0\0\0\0" + random.choice((b"", b"\0", b"\1", b"\2", b"\xff"))),
            (0xFE, random.randbytes(random.randrange(20))),
            (random.randrange(0xC0, 0x100), random.randbytes(random.randrange(20))),
        )
    )
    return marker, struct.pack(">H", len(content) + 2) + content


def _overwrite_field(content: bytes, random: Random, order: str) -> bytes:
    """Overwrites one field of 1, 2 or 4 bytes near the start. The order is "big" or "little"."""
    if not content:
        return content
    start = random.randrange(min(len(content), 32))
    value = random.choice((random.choice(SIZES), random.randrange(256), random.randrange(20)))
    width = random.choice((1, 1, 1, 2, 4))
    field = (value % 256**width).to_bytes(width, order)
    return content[:start] + field + content[start + width :]


def _mutate_parts(
    parts: list[Part], random: Random, change: Callable[[Part], Part], make: Callable[[], Part]
) -> list[Part]:
    """Returns the parts with some of them changed, dropped, repeated, swapped or added."""
    parts = list(parts)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        index = random.randrange(len(parts)) if parts else 0
        mutation = random.choice(("change", "change", "add", "add", "drop", "repeat", "swap"))
        if mutation == "add" or not parts:
            parts.insert(index, make())
        elif mutation == "change":
            parts[index] = change(parts[index])
        elif mutation == "drop":
            del parts[index]
        elif mutation == "repeat":
            parts[index:index] = [parts[index]] * random.choice((1, 1, 5, 40))
        else:
            other = random.randrange(len(parts))
            parts[index], parts[other] = parts[other], parts[index]
    return parts


def make_jpeg(random: Random) -> bytes:
    def change(segment: Segment) -> Segment:
        marker = segment[0] if random.random() < 0.9 else random.randrange(0xC0, 0x100)
        return marker, _overwrite_field(segment[1], random, "big")

    segments = _mutate_parts(
        _split_segments(random.choice(_encode_jpegs())),
        random,
        change,
        lambda: _make_application_segment(random),
    )
    padding = random.choice((b"",) * 20 + (b"\xff", b"\0\0", b"\xff\0"))
    content = b"\xff\xd8" + b"".join(
        padding + bytes([0xFF, marker]) + segment for marker, segment in segments
    )
    return content if random.random() < 0.7 else mutate_bytes(content, random)


@functools.cache
def _encode_webps() -> list[list[Chunk]]:
    """Returns WebPs, lossy and lossless, opaque and transparent, with metadata, and animated."""
    encodings: list[dict[str, Any]] = [
        {"lossless": True},
        {"quality": 50},
        {"quality": 90, "alpha_quality": 20},
        {"lossless": True, "exact": True},
    ]
    metadata = {"exif": make_exif(Random(0)), "icc_profile": b"icc", "xmp": b"<x/>"}
    pictures = _draw_pictures(("RGB", "RGBA"))
    products = itertools.product(pictures, encodings)
    files = [_encode(picture, "WEBP", method=0, **options) for picture, options in products]
    files += [_encode(picture, "WEBP", quality=50, **metadata) for picture in pictures]
    animations: list[dict[str, Any]] = [
        {"lossless": True},
        {"quality": 50},
        {"allow_mixed": True},
        {"minimize_size": True},
    ]
    for options, first, second in itertools.product(animations, pictures[::3], pictures[1::3]):
        first = first.resize(second.size)
        files.append(_encode(first, "WEBP", save_all=True, append_images=[second], **options))
    return [_split_chunks(content[12:]) for content in files]


def _split_chunks(content: bytes) -> list[Chunk]:
    chunks, start = [], 0
    while start < len(content):
        length = int.from_bytes(content[start + 4 : start + 8], "little")
        chunks.append((content[start : start + 4], content[start + 8 : start + 8 + length]))
        start += 8 + length + length % 2
    return chunks


def _join_chunks(chunks: list[Chunk], random: Random) -> bytes:
    """Joins the chunks. Some of them get a wrong length."""
    content = b""
    for name, data in chunks:
        length = len(data) if random.random() < 0.99 else random.choice(SIZES) % 2**32
        content += name + struct.pack("<I", length) + data + b"\0" * (len(data) % 2)
    return content


def _make_chunk(random: Random) -> Chunk:
    if random.random() < 0.5:
        return random.choice(random.choice(_encode_webps()))
    size = b"".join((random.choice(SIZES[1:]) % 2**24).to_bytes(3, "little") for _ in range(2))
    return random.choice(
        (
            (b"EXIF", random.choice((b"", b"Exif\0\0")) + make_exif(random)),
            (b"VP8X", bytes([random.randrange(64), 0, 0, 0]) + size),
            (b"ALPH", random.randbytes(random.choice((0, 1, 40)))),
            (b"ANIM", random.randbytes(random.choice((6, 0, 5)))),
            (b"ICCP", random.randbytes(9)),
            (random.randbytes(4), b"x"),
        )
    )


def _change_chunk(chunk: Chunk, random: Random) -> Chunk:
    name, data = chunk
    if name == b"ANMF" and random.random() < 0.6:
        frame = _mutate_chunks(_split_chunks(data[16:]), random)
        return name, data[:16] + _join_chunks(frame, random)
    if name == b"VP8X" and random.random() < 0.5:
        return name, bytes([data[0] ^ 1 << random.randrange(8)]) + data[1:]
    if random.random() < 0.7:
        return name, _overwrite_field(data, random, "little")
    return name, mutate_bytes(data, random)


def _mutate_chunks(chunks: list[Chunk], random: Random) -> list[Chunk]:
    return _mutate_parts(
        chunks,
        random,
        lambda chunk: _change_chunk(chunk, random),
        lambda: _make_chunk(random),
    )


def make_webp(random: Random) -> bytes:
    chunks = random.choice(_encode_webps())
    if chunks[0][0] == b"VP8X" and random.random() < 0.3:
        # Readers look for metadata only where the header's flag announces it.
        flags = chunks[0][1]
        header = (b"VP8X", bytes([flags[0] | 8]) + flags[1:])
        chunks = [header, *chunks[1:], (b"EXIF", make_exif(random))]
    content = _join_chunks(_mutate_chunks(chunks, random), random)
    length = len(content) + 4 if random.random() < 0.97 else random.choice(SIZES) % 2**32
    content = b"RIFF" + struct.pack("<I", length) + b"WEBP" + content
    return content if random.random() < 0.7 else mutate_bytes(content, random)
