"""Hostile PNG and BMP files, built field by field."""

from __future__ import annotations

import struct
import zlib
from random import Random

from mutations import SIZES, mutate_bytes, random_payload

# EXIF tags that readers interpret: orientation, resolution, pointers, maker notes; and others.
_TAGS = (0x0112, 0x011A, 0x0128, 0x8769, 0x8825, 0xA005, 0x927C, 0x010F, 0x9286, 0x0001)
# A small one and a bomb of 2 MB.
_ZLIB_STREAMS = [zlib.compress(bytes(size), 9) for size in (1_000, 2_000_000)]
# PNG: (color type, bit depth), and the channels of each color type.
_PNG_TYPES = (
    *((0, 8), (0, 1), (0, 4), (0, 16), (2, 8), (2, 16)),
    *((3, 8), (3, 2), (4, 8), (4, 16), (6, 8), (6, 16)),
)
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# BMP: the masks of red, green, blue and alpha by bits per pixel.
_MASKS = {
    16: ((0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)),
    24: ((0xFF0000, 0xFF00, 0xFF, 0),),
    32: (
        (0xFF0000, 0xFF00, 0xFF, 0),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0, 0, 0, 0),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    ),
}


def make_exif(random: Random) -> bytes:
    """Returns EXIF data: usually an orientation, among entries that point anywhere."""
    order = random.choice("<>")
    entries = [(0x0112, 3, 1, random.randrange(10))] * (random.random() < 0.9)
    for _ in range(random.choice((0, 0, 1, 3))):
        number = random.choice((1, 1, 2, 9, 255, 2**31, 2**32 - 1))
        tag, kind = random.choice(_TAGS), random.randrange(14)
        entries.append((tag, kind, number, random.choice((0, 8, 26, 60, 2**31, 2**32 - 1))))
    random.shuffle(entries)
    count = len(entries) if random.random() < 0.9 else random.choice((0, 255, 65_535))
    table = struct.pack(f"{order}H", count)
    for tag, kind, number, value in entries:
        is_short = kind == 3 and number == 1
        values = (value % 65_536, 0) if is_short else (value,)
        table += struct.pack(f"{order}HHI{'HH' if is_short else 'I'}", tag, kind, number, *values)
    start = random.choice((8,) * 9 + (0, 9, 2**32 - 1))
    header = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", start)
    next_table = struct.pack(f"{order}I", random.choice((0, 0, 8)))
    content = header + table + next_table + random.randbytes(random.choice((0, 40)))
    return content if random.random() < 0.8 else mutate_bytes(content, random)


def _choose_size(random: Random) -> tuple[int, int]:
    """Returns (width, height), small except for a few that lie."""
    width, height = (
        random.choice(SIZES) % 2**32 if random.random() < 0.03 else random.randint(1, 12)
        for _ in range(2)
    )
    return width, height


def _pack_chunk(kind: bytes, content: bytes, random: Random) -> bytes:
    checksum = zlib.crc32(kind + content) if random.random() < 0.98 else random.getrandbits(32)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _make_png_chunks(random: Random, width: int, height: int) -> list[tuple[bytes, bytes]]:
    """Returns optional chunks, each hostile in its own way."""
    bomb = random.choice(_ZLIB_STREAMS)
    # Keys under which Pillow stores what it reads.
    name = random.choice(
        (b"exif", b"xmp", b"transparency", b"XML:com.adobe.xmp", b"interlace", b"dpi")
    )
    chunks = {
        b"tRNS": random.randbytes(random.choice((1, 2, 6, 5, 256))),
        b"PLTE": random.randbytes(random.choice((3, 6, 48, 768, 769, 0))),
        b"zTXt": random.choice((b"k\0\0" + bomb, name + b"\0\0" + zlib.compress(b"v"))),
        b"iTXt": random.choice(
            (b"k\0\1\0\0\0" + bomb, b"k\0\0", b"k", b"k\0\1\0en\0k\0x", name + b"\0\0\0\0\0v")
        ),
        b"tEXt": random.choice((b"k\0v", b"", b"\0" * 9, name + b"\0v")),
        b"iCCP": b"k\0\0" + bomb,
        b"gAMA": random.randbytes(random.choice((4, 3))),
        b"cHRM": random.randbytes(random.choice((32, 5))),
        b"sRGB": random.randbytes(random.randrange(2)),
        b"pHYs": random.randbytes(random.choice((9, 4, 0))),
        b"eXIf": random.choice((random.randbytes(9), make_exif(random))),
        b"acTL": struct.pack(">II", random.choice((0, 1, 3, 2**31)), 0),
        b"fcTL": struct.pack(
            ">IIIIIHHBB", 0, width, height, random.choice((0, 9)), 0, 1, 1, random.randrange(3), 0
        ),
        b"IHDR": random.randbytes(random.choice((13, 5))),
        b"ABCD": b"x",
    }
    return sorted(chunks.items())


def make_png(random: Random) -> bytes:
    color, depth = random.choice(_PNG_TYPES)
    width, height = _choose_size(random)
    methods = [random.choice((0,) * 20 + (1, 2, 255)) for _ in range(3)]
    row = (min(width, 12) * depth * _PNG_CHANNELS[color] + 7) // 8 + 1
    lines = b"".join(
        bytes([random.choice((0, 1, 2, 3, 4, 4, random.randrange(256)))])
        + random.randbytes(row - 1)
        for _ in range(min(height, 12))
    )
    raw = lines if random.random() < 0.9 else random_payload(random, len(lines))
    pixels = zlib.compress(raw, 1)
    optional = _make_png_chunks(random, width, height)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, *methods))]
    chunks += [(b"PLTE", random.randbytes(48 if depth < 8 else 768))] * (color == 3)
    chunks += random.sample(optional, random.choice((0, 0, 1, 2)))
    chunks += [(b"IDAT", pixels)] * random.choice((1,) * 20 + (0, 2))
    chunks += random.sample(optional, random.choice((0, 0, 0, 1)))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        _pack_chunk(*chunk, random) for chunk in (*chunks, (b"IEND", b""))
    )
    return content if random.random() < 0.7 else mutate_bytes(content, random)


def _make_run_lengths(random: Random, width: int, height: int) -> bytes:
    """Returns run lengths for about that many pixels, with skips, line ends and literal bytes."""
    content = b""
    for _ in range(min(height, 12)):
        for _ in range(random.choice((1, 2, 3, 6))):
            count = random.choice((min(width, 12), 1, 3, 255, random.randrange(3, 256)))
            literal = bytes([0, min(255, max(3, count))]) + random.randbytes(count + count % 2)
            content += random.choice(
                (bytes([count, random.randrange(256)]),) * 3
                + (literal, b"\0\2" + random.randbytes(2))
            )
        content += random.choice((b"\0\0",) * 9 + (b"", b"\0\1"))
    return content + random.choice((b"\0\1", b"\0\1", b"", b"\0"))


def _make_palette(random: Random, bits: int, header_size: int, colors: int) -> bytes:
    is_gray = random.random() < 0.3
    step = 255 // ((1 << bits) - 1)
    entries = (
        bytes([number * step % 256] * 3) if is_gray else random.randbytes(3)
        for number in range(min(colors or 1 << bits, 300))
    )
    return b"".join(entry + b"\0" * (header_size != 12) for entry in entries)


def _choose_masks(random: Random, bits: int) -> bytes:
    masks = (
        random.choice(_MASKS.get(bits, ((0xF00, 0xF0, 0xF, 0),)))
        if random.random() < 0.95
        else tuple(random.randbytes(4))
    )
    return struct.pack("<IIII", *masks)


def make_bmp(random: Random) -> bytes:
    bits = (
        random.choice((1, 4, 8, 8, 16, 24, 24, 32, 32))
        if random.random() < 0.98
        else random.randrange(65_536)
    )
    header_size = (
        random.choice((40,) * 6 + (12, 52, 56, 64, 108, 124))
        if random.random() < 0.98
        else random.choice(SIZES) % 2**32
    )
    allowed = {4: (0, 0, 2), 8: (0, 1), 16: (0, 3), 24: (0,), 32: (0, 3)}.get(bits, (0,))
    compression = (
        random.choice(allowed)
        if random.random() < 0.95
        else random.choice((1, 2, 3, 4, 5, 11, 2**32 - 1))
    )
    width, height = _choose_size(random)
    # A negative height means that the first row is the top.
    signed_height = random.choice((height, height, -height % 2**32))
    row = (min(width, 12) * min(bits, 64) + 31) // 32 * 4
    colors = (
        0 if random.random() < 0.8 else random.choice((1, 2, 5, 16, 256, 300, 65_536, 2**32 - 1))
    )
    palette = _make_palette(random, bits, header_size, colors) if bits <= 8 else b""
    masks = _choose_masks(random, bits)
    if header_size == 12:
        header = struct.pack("<HHHH", width % 65_536, height % 65_536, 1, bits)
    else:
        size = random.choice((0, row))
        fields = (width, signed_height, 1, bits, compression, size, 2_835, 2_835, colors, 0)
        header = struct.pack("<IIHHIIIIII", *fields)
        if compression == 3 or header_size > 40:
            header += masks[: 12 if header_size == 40 else 16]
        header = header.ljust(min(header_size, 200) - 4, b"\0")
    pixels = (
        _make_run_lengths(random, width, height)
        if compression in (1, 2)
        else random_payload(random, row * min(height, 12))
    )
    start = 18 + len(header) + len(palette)
    start = start if random.random() < 0.95 else random.choice((0, 14, start + 1, *SIZES)) % 2**32
    file_size = random.choice((0, start % 65_536))
    content = b"BM" + struct.pack("<IHHI", file_size, 0, 0, start)
    content += struct.pack("<I", header_size) + header + palette + pixels
    return content if random.random() < 0.7 else mutate_bytes(content, random)
