"""GIF and TIFF files: what is read of them, and what is refused."""

from __future__ import annotations

import contextlib
import io
import struct
import time
from random import Random

import numpy as np
import pytest
from PIL import Image

from lenet_tf.data.picture_images import to_image
from lenet_tf.io.images import strip_gif
from lenet_tf.io.pictures import hide_decoder_warnings
from lenet_tf.io.tiff import strip_tiff

GRAY = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)


def encode(picture: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(content: bytes) -> np.ndarray:
    with hide_decoder_warnings():
        return to_image(content).pixels


def tiff(*tags: tuple[int, int, int, int], order: str = "<", pixels: bytes = b"") -> bytes:
    """Return a TIFF file whose pixels begin at byte 8."""
    start = struct.pack(f"{order}I", 8 + len(pixels))
    form = {3: "HHIHxx"}
    entries = b"".join(struct.pack(order + form.get(tag[1], "HHII"), *tag) for tag in tags)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + start + pixels
    return head + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)


def gray_tags(width: int, height: int, length: int, compression: int = 1):
    return [
        *[(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression)],
        *[(262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, length)],
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_plain_tiff_in_both_byte_orders(order):
    content = tiff(*gray_tags(7, 9, 63), order=order, pixels=GRAY.tobytes())
    np.testing.assert_array_equal(read(content), GRAY)
    turned = tiff(*gray_tags(7, 9, 63), (274, 3, 1, 6), order=order, pixels=GRAY.tobytes())
    np.testing.assert_array_equal(read(turned), np.rot90(GRAY, -1))


@pytest.mark.parametrize(
    "compression", [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"]
)
@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA", "CMYK", "I;16", "1", "LA"])
def test_tiff_of_every_kind(mode, compression):
    levels = GRAY if mode != "1" else np.where(GRAY > 127, 255, 0).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(levels.astype(np.uint16) << 8 | 7)
    elif mode in ("RGBA", "LA"):
        picture = Image.fromarray(levels).convert(mode)
    else:
        picture = Image.fromarray(levels).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    content = encode(picture, "TIFF", compression=compression)
    np.testing.assert_array_equal(read(content), levels)


def test_fax_tiff_and_the_first_of_several_pages():
    levels = np.where(GRAY > 127, 255, 0).astype(np.uint8)
    scan = Image.fromarray(levels).convert("1")
    np.testing.assert_array_equal(read(encode(scan, "TIFF", compression="group4")), levels)
    other = Image.new("L", (7, 9))
    pages = encode(GRAY, "TIFF", save_all=True, append_images=[other])
    np.testing.assert_array_equal(read(pages), GRAY)


def test_gif():
    image = Image.fromarray(GRAY)
    other = Image.new("L", (7, 9))
    for content in (
        encode(image, "GIF"),
        encode(image, "GIF", save_all=True, append_images=[other], comment=b"x" * 900),
        encode(image, "GIF", interlace=1),
    ):
        np.testing.assert_array_equal(read(content), GRAY)
    colors = Image.new("RGB", (7, 9), (250, 10, 20))
    assert read(encode(colors, "GIF"))[0, 0].tolist() == [250, 10, 20]
    clear = Image.fromarray(GRAY % 4, "P")
    clear.putpalette([0, 0, 0, 90, 90, 90, 30, 30, 30, 200, 200, 200])
    expected = np.array([255, 90, 30, 200])[GRAY % 4]
    np.testing.assert_array_equal(read(encode(clear, "GIF", transparency=0)), expected)


def refuse(content: bytes, message: str | None = None) -> None:
    """Check that a file is refused in one line, soon."""
    start = time.process_time()
    with pytest.raises(ValueError, match=message) as caught:
        read(content)
    assert len(str(caught.value).splitlines()) == 1
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([(256, 4, 1, 60_000), (257, 4, 1, 60_000)], "60,000×60,000 pixels, and the limit"),
        ([(256, 4, 1, 0)], "0×9 pixels"),
        ([(259, 3, 1, 7)], "compression .number 7. is not read; save it as PNG"),
        ([(259, 3, 1, 50_000)], "compression .number 50000. is not read"),
        ([(258, 3, 1, 64)], "too many values or bits"),
        ([(277, 3, 1, 100)], "too many values or bits"),
        ([(279, 4, 1, 10_000)], "overlap"),
        ([(322, 4, 1, 2**31), (323, 4, 1, 2**31)], "its tiles are too large"),
        ([(322, 4, 1, 0), (323, 4, 1, 16)], "its tiles are too large"),
        ([(322, 4, 1, 30_000), (323, 4, 1, 1), (257, 4, 1, 9_000)], "its tiles are too large"),
        ([(257, 4, 1, 4_000_000), (278, 4, 1, 1)], "more than 65,536 strips or tiles"),
        ([(279, 4, 2**20, 8)], "truncated"),
        ([(320, 3, 2**30, 8)], "truncated"),
        ([(254, 4, 1, 1)], "a camera's raw file"),
        ([(50706, 1, 4, 1)], "a camera's raw file"),
        ([(339, 3, 1, 3), (258, 3, 1, 32), (279, 4, 1, 63)], None),
    ],
)
def test_tiff_that_is_refused(change, message):
    tags = {tag[0]: tag for tag in gray_tags(7, 9, 63)} | {tag[0]: tag for tag in change}
    refuse(tiff(*sorted(tags.values()), pixels=GRAY.tobytes()), message)


def test_many_tags_that_are_each_as_long_as_the_file():
    pixels = bytes(8 << 20)
    tags = [(0x9000 + i, 7, len(pixels), 8) for i in range(900)]
    content = tiff(*gray_tags(7, 9, 63), *tags, pixels=GRAY.tobytes() + pixels)
    np.testing.assert_array_equal(read(content), GRAY)
    assert len(strip_tiff(content)[0]) < len(content) + 300
    refuse(tiff(*[(0x4000 + i, 7, 1, 8) for i in range(1_001)]), "more than 1,000 tags")


def test_gif_that_is_refused():
    good = encode(GRAY, "GIF")
    refuse(good[:6] + b"\xff\xff\xff\xff" + good[10:], "65,535×65,535 pixels")
    table = 13 + (3 << (good[10] & 7) + 1)
    assert good[table : table + 1] == b","
    refuse(good[: table + 1] + b"\xff" * 8 + good[table + 9 :], "pixels, and the limit")
    refuse(good[:table] + bytes(90), "no picture")
    comments = b"!\xfe" + (b"\xff" + bytes(255)) * 80_000 + b"\0"
    with_comments = good[:table] + comments + good[table:]
    np.testing.assert_array_equal(read(with_comments), GRAY)
    assert len(strip_gif(with_comments)[0]) <= len(good)
    refuse(good[:table] + b"!\xfe\0" * 11_000 + good[table:], "no picture")


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_damaged_files(kind):
    """Cut anywhere they are refused; with wrong bytes they are read or refused."""
    options = {} if kind == "GIF" else {"compression": "tiff_lzw"}
    content = encode(
        Image.fromarray(GRAY).convert("RGB" if kind == "TIFF" else "L"), kind, **options
    )
    for length in range(0, len(content) - 1, 3):
        refuse(content[:length])
    random = Random(0)
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(random.randint(1, 4)):
            place = random.choice((random.randrange(len(damaged)), random.randrange(64)))
            damaged[place] = random.choice((0, 1, 127, 255, random.randrange(256)))
        # Anything but a ValueError fails the test.
        with contextlib.suppress(ValueError):
            assert read(bytes(damaged)).dtype == np.uint8
