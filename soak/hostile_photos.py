"""Hostile pictures that an encoder makes, taken apart into their segments and chunks, which are then spoilt: JPEG and WebP."""

from __future__ import annotations

import functools
import io
import itertools
import struct
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from hostile_pictures import exif
from PIL import Image
from ruin import SIZES, havoc


def _pictures(modes: tuple[str, ...]) -> list[Image.Image]:
    """Smooth ones of a few sizes, so that their codes differ."""
    found = []
    for number, (mode, size) in enumerate(itertools.product(modes, ((1, 1), (9, 17), (24, 8)))):
        width, height = size
        random = np.random.default_rng(number)
        pixels = random.integers(0, 256, (height, width, 4)) // 3 + np.arange(width)[:, None] * 5
        picture = Image.fromarray(pixels.astype(np.uint8), "RGBA" if mode == "RGBA" else "CMYK")
        found.append(
            picture
            if mode == "RGBA"
            else picture.convert("RGB").convert(mode)
            if mode != "CMYK"
            else picture
        )
    return found


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@functools.cache
def _jpegs() -> list[bytes]:
    """Gray, colors with and without halved ones, CMYK; progressive, with restarts, with several pictures."""
    ways: list[dict[str, Any]] = [
        {},
        {"progressive": True},
        {"restart_marker_rows": 1, "quality": 30},
        {"optimize": True, "quality": 100},
    ]
    found = [
        _saved(picture, "JPEG", **way)
        for picture in _pictures(("L", "RGB", "CMYK"))
        for way in ways
    ]
    for subsampling, progressive in itertools.product((0, 1), (False, True)):
        found += [
            _saved(picture, "JPEG", subsampling=subsampling, progressive=progressive)
            for picture in _pictures(("RGB",))
        ]
    first, second, third = _pictures(("RGB",))
    return [*found, _saved(second, "MPO", save_all=True, append_images=[third, first])]


def _segments(content: bytes) -> list[tuple[int, bytes]]:
    """(Marker, what is between it and the next) of a well-formed JPEG; of a scan its pixels too.

    Pillow 11 states two bytes too few for the part with which it says that there are several pictures: behind it every marker begins a
    part.
    """
    places = [2]
    while content[places[-1]] == 0xFF and content[places[-1] + 1] not in (0xDA, 0xD9):
        places.append(
            places[-1] + 2 + int.from_bytes(content[places[-1] + 2 : places[-1] + 4], "big")
        )
    for place in range(places[-1] + 2, len(content) - 1):
        # Behind the first scan every marker is one: nothing but tables and scans is there.
        if content[place] == 0xFF and content[place + 1] not in (0, *range(0xD0, 0xD8)):
            places.append(place)
    return [
        (content[start + 1], content[start + 2 : end])
        for start, end in zip(places, [*places[1:], len(content)], strict=True)
    ]


def _application(random: Random) -> tuple[int, bytes]:
    marker, content = random.choice(
        (
            (0xE1, b"Exif\0\0" + exif(random)),
            (0xE1, b"Exif\0\0" + exif(random)),
            (0xE1, b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'),
            (0xE0, b"JFIF\0\1\2" + random.randbytes(random.choice((7, 0, 2)))),
            (0xE2, b"MPF\0" + exif(random)),
            (0xE2, b"ICC_PROFILE\0" + random.randbytes(random.choice((0, 1, 2, 40)))),
            (0xE2, b"FPXR\0"),
            (
                0xED,
                b"Photoshop 3.0\0"
                + b"8BIM\3\xed\0\0"
                + random.randbytes(random.choice((0, 3, 20))),
            ),
            (0xEE, b"Adobe\0d\0\0\0\0" + random.choice((b"", b"\0", b"\1", b"\2", b"\xff"))),
            (0xFE, random.randbytes(random.randrange(20))),
            (random.randrange(0xC0, 0x100), random.randbytes(random.randrange(20))),
        )
    )
    return marker, struct.pack(">H", len(content) + 2) + content


def _spoilt(content: bytes, random: Random, size: str) -> bytes:
    """With one field of a byte, or of two or four in that order, that lies."""
    if not content:
        return content
    place = random.randrange(min(len(content), 32))
    value = random.choice((random.choice(SIZES), random.randrange(256), random.randrange(20)))
    width = random.choice((1, 1, 1, 2, 4))
    packed = (value % 256**width).to_bytes(width, "big" if size == ">" else "little")
    return content[:place] + packed + content[place + width :]


def _shuffled(
    parts: list[Any], random: Random, change: Callable[[Any], Any], new: Callable[[], Any]
) -> list[Any]:
    """With some of them changed, left out, doubled, exchanged, or new ones among them."""
    parts = list(parts)
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        place = random.randrange(len(parts)) if parts else 0
        what = random.choice(("change", "change", "new", "new", "drop", "double", "exchange"))
        if what == "new" or not parts:
            parts.insert(place, new())
        elif what == "change":
            parts[place] = change(parts[place])
        elif what == "drop":
            del parts[place]
        elif what == "double":
            parts[place:place] = [parts[place]] * random.choice((1, 1, 5, 40))
        else:
            other = random.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
    return parts


def jpeg(random: Random) -> bytes:
    parts = _shuffled(
        _segments(random.choice(_jpegs())),
        random,
        lambda part: (
            part[0] if random.random() < 0.9 else random.randrange(0xC0, 0x100),
            _spoilt(part[1], random, ">"),
        ),
        lambda: _application(random),
    )
    junk = random.choice((b"",) * 20 + (b"\xff", b"\0\0", b"\xff\0"))
    content = b"\xff\xd8" + b"".join(
        junk + bytes([0xFF, marker]) + inner for marker, inner in parts
    )
    return content if random.random() < 0.7 else havoc(content, random)


@functools.cache
def _webps() -> list[list[tuple[bytes, bytes]]]:
    """Lossy and lossless ones, with transparency and without, still and moving, with what else goes along."""
    ways: list[dict[str, Any]] = [
        {"lossless": True},
        {"quality": 50},
        {"quality": 90, "alpha_quality": 20},
        {"lossless": True, "exact": True},
    ]
    more = {"exif": exif(Random(0)), "icc_profile": b"icc", "xmp": b"<x/>"}
    pictures = _pictures(("RGB", "RGBA"))
    found = [_saved(picture, "WEBP", method=0, **way) for picture in pictures for way in ways]
    found += [_saved(picture, "WEBP", quality=50, **more) for picture in pictures]
    moving: list[dict[str, Any]] = [
        {"lossless": True},
        {"quality": 50},
        {"allow_mixed": True},
        {"minimize_size": True},
    ]
    for way, first, second in itertools.product(moving, pictures[::3], pictures[1::3]):
        found.append(
            _saved(first.resize(second.size), "WEBP", save_all=True, append_images=[second], **way)
        )
    return [_chunks(content[12:]) for content in found]


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 0
    while place < len(content):
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        found.append((content[place : place + 4], content[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return found


def _joined(chunks: list[tuple[bytes, bytes]], random: Random) -> bytes:
    content = b""
    for name, inner in chunks:
        length = len(inner) if random.random() < 0.99 else random.choice(SIZES) % 2**32
        content += name + struct.pack("<I", length) + inner + b"\0" * (len(inner) % 2)
    return content


def webp(random: Random) -> bytes:
    def change(chunk: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        name, inner = chunk
        if name == b"ANMF" and random.random() < 0.6:
            return name, inner[:16] + _joined(
                _shuffled(_chunks(inner[16:]), random, change, new), random
            )
        if name == b"VP8X" and random.random() < 0.5:
            return name, bytes([inner[0] ^ 1 << random.randrange(8)]) + inner[1:]
        return name, _spoilt(inner, random, "<") if random.random() < 0.7 else havoc(inner, random)

    def new() -> tuple[bytes, bytes]:
        if random.random() < 0.5:
            return random.choice(random.choice(_webps()))
        size = b"".join((random.choice(SIZES[1:]) % 2**24).to_bytes(3, "little") for _ in range(2))
        return random.choice(
            (
                (b"EXIF", random.choice((b"", b"Exif\0\0")) + exif(random)),
                (b"VP8X", bytes([random.randrange(64), 0, 0, 0]) + size),
                (b"ALPH", random.randbytes(random.choice((0, 1, 40)))),
                (b"ANIM", random.randbytes(random.choice((6, 0, 5)))),
                (b"ICCP", random.randbytes(9)),
                (random.randbytes(4), b"x"),
            )
        )

    chunks = random.choice(_webps())
    if chunks[0][0] == b"VP8X" and random.random() < 0.3:
        # Said to be there, so that it is looked for.
        chunks = [
            (b"VP8X", bytes([chunks[0][1][0] | 8]) + chunks[0][1][1:]),
            *chunks[1:],
            (b"EXIF", exif(random)),
        ]
    content = _joined(_shuffled(chunks, random, change, new), random)
    length = len(content) + 4 if random.random() < 0.97 else random.choice(SIZES) % 2**32
    content = b"RIFF" + struct.pack("<I", length) + b"WEBP" + content
    return content if random.random() < 0.7 else havoc(content, random)
