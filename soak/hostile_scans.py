"""Makes hostile GIF and TIFF files."""

from __future__ import annotations

import io
import struct
from random import Random

import numpy as np
from PIL import Image

_MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16")
_COMPRESSIONS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "group3", "group4", "jpeg")


def _draw(random: Random) -> Image.Image:
    shape = (random.randint(1, 40), random.randint(1, 40))
    return Image.fromarray(
        np.random.default_rng(random.randrange(2**32)).integers(0, 256, shape, dtype=np.uint8)
    )


def make_gif(random: Random) -> bytes:
    """Return a GIF file, sometimes with a wrong size or many blocks."""
    image, buffer = _draw(random), io.BytesIO()
    others = [_draw(random).resize(image.size) for _ in range(random.choice((0, 0, 2)))]
    image.save(
        buffer,
        "GIF",
        save_all=bool(others),
        append_images=others,
        interlace=random.randint(0, 1),
        comment=b"c" * random.choice((0, 0, 9_999)),
        transparency=random.choice((0, 255)),
    )
    content = bytearray(buffer.getvalue())
    if random.random() < 0.3:
        struct.pack_into("<HH", content, 6, *(random.choice((0, 1, 5_000, 65_535)),) * 2)
    if random.random() < 0.2:
        table = 13 + (3 << (content[10] & 7) + 1) if content[10] & 0x80 else 13
        content[table:table] = b"!\xfe\1c\0" * random.choice((1, 20_000))
    return bytes(content)


def make_tiff(random: Random) -> bytes:
    """Return a TIFF file, sometimes with wrong numbers in its directory."""
    mode, image = random.choice(_MODES), _draw(random)
    image = (
        Image.fromarray(np.asarray(image).astype(np.uint16) << 8)
        if mode == "I;16"
        else image.convert("RGB").convert(mode)
    )
    buffer = io.BytesIO()
    compression = random.choice(_COMPRESSIONS)
    try:
        image.save(buffer, "TIFF", compression=compression, big_tiff=random.random() < 0.02)
    except (OSError, ValueError, SystemError):
        # Fax is for black and white alone, JPEG for no palette.
        buffer = io.BytesIO()
        image.save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    order = "<" if content[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    if start + 2 > len(content) or random.random() < 0.4:
        return bytes(content)
    (count,) = struct.unpack_from(f"{order}H", content, start)
    for _ in range(random.randint(1, 3)):
        entry = start + 2 + 12 * random.randrange(max(count, 1))
        if entry + 12 <= len(content):
            place, form = random.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "H")))
            largest = 2**16 - 1 if form == "H" else 2**32 - 1
            value = random.choice((0, 1, 2, 8, 256, 273, 279, 322, 5_000, largest))
            struct.pack_into(f"{order}{form}", content, entry + place, value)
    return bytes(content)
