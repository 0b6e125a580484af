"""Hostile, damaged and unusual pictures are read or rejected, quickly and in bounded memory."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet_tf.errors import DataError
from lenet_tf.inference.image_files import read_picture

GRAY = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)
TOO_MANY = "and the limit is 32,000,000; make it smaller"


def encode(picture: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(content: bytes) -> np.ndarray:
        (tmp_path / "x.png").write_bytes(content)
        return read_picture(tmp_path / "x.png")

    return read


@pytest.fixture
def check_rejected(read):
    """Check that content is rejected in one line with the file's path."""

    def check_rejected(content: bytes, message: str = "not a readable picture") -> None:
        with pytest.raises(DataError) as caught:
            read(content)
        text = str(caught.value)
        assert message in text and "x.png: not a readable picture (" in text
        assert len(text.splitlines()) == 1 and len(text) <= 400

    return check_rejected


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    return png[:33] + png_chunk(kind, content) + png[33:]


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    return jpeg[:2] + segment(marker, content) + jpeg[2:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    inner = b"".join(
        name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner


def bmp(
    width: int,
    height: int,
    bits: int,
    pixels: bytes,
    palette: bytes = b"",
    compression: int = 0,
    masks: bytes = b"",
) -> bytes:
    start = 54 + len(masks) + len(palette)
    head = struct.pack(
        "<IHHIIiiHHIIIIII",
        start + len(pixels),
        0,
        0,
        start,
        40,
        width,
        height,
        1,
        bits,
        compression,
        0,
        0,
        0,
        0,
        0,
    )
    return b"BM" + head + masks + palette + pixels


def exif(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """Return EXIF data with a table of (tag, type, length, value)."""
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(entries))
    form = {3: "HHIHxx"}
    return (
        head
        + b"".join(struct.pack(order + form.get(entry[1], "HHII"), *entry) for entry in entries)
        + bytes(4)
    )


# Pictures that are read


UPRIGHT = {
    0: GRAY,
    1: GRAY,
    2: GRAY[:, ::-1],
    3: GRAY[::-1, ::-1],
    4: GRAY[::-1],
    5: GRAY.T,
    6: np.rot90(GRAY, -1),
    7: GRAY[::-1, ::-1].T,
    8: np.rot90(GRAY),
    9: GRAY,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_orientation_in_exif(orientation, read):
    expected = UPRIGHT[orientation]
    sharp = Image.fromarray(GRAY).convert("RGB")
    for order, mark in itertools.product("<>", (b"", b"Exif\0\0")):
        metadata = mark + exif((0x0100, 3, 1, 7), (0x0112, 3, 1, orientation), order=order)
        np.testing.assert_array_equal(
            read(encode(sharp, "WEBP", lossless=True, exif=metadata)), expected
        )
        np.testing.assert_array_equal(
            read(with_chunk(encode(GRAY, "PNG"), b"eXIf", metadata)), expected
        )
    jpeg, metadata = (
        encode(GRAY, "JPEG", quality=100),
        b"Exif\0\0" + exif((0x0112, 3, 1, orientation)),
    )
    photograph = read(with_segment(jpeg, 0xE1, metadata))
    assert photograph.shape == expected.shape
    assert np.abs(photograph.astype(int) - expected).max() <= 4


def test_orientation_in_xmp_counts_only_without_exif(read):
    metadata = b'<x tiff:Orientation="6"/>'
    for content in (
        with_segment(
            encode(GRAY, "JPEG", quality=100), 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + metadata
        ),
        with_chunk(encode(GRAY, "PNG"), b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata),
        encode(Image.fromarray(GRAY), "WEBP", lossless=True, xmp=metadata),
    ):
        assert np.abs(read(content).astype(int) - UPRIGHT[6]).max() <= 4
    both = with_chunk(
        with_chunk(encode(GRAY, "PNG"), b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata),
        b"eXIf",
        exif((0x0112, 3, 1, 3)),
    )
    np.testing.assert_array_equal(read(both), UPRIGHT[3])


@pytest.mark.parametrize(
    "metadata",
    [
        b"",
        b"no table",
        b"II*\0\xff\xff\xff\xff",
        exif((0x0112, 3, 1, 3))[:-10],
        exif((0x0112, 5, 2**31, 2**32 - 1)),
    ],
)
def test_damaged_exif_is_ignored(metadata, read):
    np.testing.assert_array_equal(read(with_chunk(encode(GRAY, "PNG"), b"eXIf", metadata)), GRAY)
    read(encode(Image.fromarray(GRAY), "WEBP", lossless=True, exif=metadata or b"x"))
    read(with_segment(encode(GRAY, "JPEG"), 0xE1, b"Exif\0\0" + metadata))


@pytest.mark.parametrize(
    "entry", [(0x011A, 2, 4, 0x31313131), (0x010F, 12, 1, 40), (0x011A, 1, 4, 0), (0x8769, 5, 1, 8)]
)
def test_exif_that_pillow_cannot_rewrite(entry, read):
    """`ImageOps.exif_transpose` rewrites EXIF, and raised TypeError and AttributeError."""
    for order in "<>":
        metadata = exif((0x0112, 3, 1, 3), entry, order=order) + bytes(40)
        np.testing.assert_array_equal(
            read(encode(Image.fromarray(GRAY), "WEBP", lossless=True, exif=metadata)), UPRIGHT[3]
        )
        assert (
            read(with_segment(encode(GRAY, "JPEG"), 0xE1, b"Exif\0\0" + metadata)).shape
            == GRAY.shape
        )


@pytest.mark.parametrize(
    "name", [b"exif", b"xmp", b"transparency", b"dpi", b"interlace", b"gamma", b"XML:com.adobe.xmp"]
)
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_texts_in_a_png_may_have_any_name(name, mode, read):
    """Pillow mixes them with properties of the pixels, and raised TypeError."""
    good = encode(Image.fromarray(GRAY).convert(mode), "PNG")
    for kind, content in (
        (b"tEXt", b"\0v"),
        (b"zTXt", b"\0\0" + zlib.compress(b"v")),
        (b"iTXt", b"\0\0\0\0\0v"),
    ):
        text = png_chunk(kind, name + content)
        for offset in (33, -12):
            np.testing.assert_array_equal(read(good[:offset] + text + good[offset:]), GRAY)


def test_palettes_with_transparent_colors_show_white_paper(read):
    picture = Image.fromarray(GRAY % 4, "P")
    picture.putpalette([0, 0, 0, 90, 90, 90, 255, 0, 0, 200, 200, 200])
    expected = np.array([0, 90, 76, 200])[GRAY % 4]
    np.testing.assert_array_equal(read(encode(picture, "PNG")), expected)
    np.testing.assert_array_equal(
        read(encode(picture, "PNG", transparency=0)), np.where(GRAY % 4 == 0, 255, expected)
    )
    half = bytes([255, 0, 255, 255])
    np.testing.assert_array_equal(
        read(encode(picture, "PNG", transparency=half)), np.where(GRAY % 4 == 1, 255, expected)
    )


def test_bmp_of_every_depth(read):
    grays = bytes(itertools.chain.from_iterable((gray,) * 3 + (0,) for gray in range(256)))
    sixteen = b"".join(grays[4 * gray : 4 * gray + 4] for gray in range(0, 256, 17))
    for height, down in ((2, slice(None, None, -1)), (-2, slice(None))):
        np.testing.assert_array_equal(
            read(bmp(3, height, 1, b"\xa0\0\0\0\x40\0\0\0", grays[:4] + grays[-4:]))[down],
            [[255, 0, 255], [0, 255, 0]],
        )
        np.testing.assert_array_equal(
            read(bmp(3, height, 4, b"\x01\x20\0\0\x34\x50\0\0", sixteen))[down],
            [[0, 17, 34], [51, 68, 85]],
        )
        np.testing.assert_array_equal(
            read(bmp(3, height, 8, b"\x09\x08\x07\0\x01\x02\x03\0", grays))[down],
            [[9, 8, 7], [1, 2, 3]],
        )
        np.testing.assert_array_equal(
            read(bmp(2, height, 16, b"\xff\x7f\0\0\0\0\xff\x7f"))[down], [[255, 0], [0, 255]]
        )
        np.testing.assert_array_equal(
            read(bmp(1, height, 24, b"\5\5\5\0\6\6\6\0"))[down], [[5], [6]]
        )
        np.testing.assert_array_equal(
            read(bmp(1, height, 32, b"\5\5\5\0\6\6\6\0"))[down], [[5], [6]]
        )
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    np.testing.assert_array_equal(
        read(bmp(2, 1, 16, b"\xff\xff\0\0", compression=3, masks=masks)), [[255, 0]]
    )
    # Four of 9; one of 7, and an end; two literal bytes; the bitmap's end.
    runs = b"\4\x09\0\0\1\7\0\0\0\3\1\2\3\0\1\4\0\0\0\1"
    np.testing.assert_array_equal(
        read(bmp(4, 3, 8, runs, grays, 1))[::-1], [[9, 9, 9, 9], [7, 0, 0, 0], [1, 2, 3, 4]]
    )
    np.testing.assert_array_equal(read(bmp(4, 1, 4, b"\4\x12\0\1", sixteen, 2)), [[17, 34, 17, 34]])


def test_the_first_of_several_pictures_is_read(read):
    first = Image.fromarray(GRAY)
    other = Image.new("L", first.size)
    np.testing.assert_array_equal(
        read(encode(first, "PNG", save_all=True, append_images=[other])), GRAY
    )
    np.testing.assert_array_equal(
        read(encode(first, "WEBP", save_all=True, append_images=[other], lossless=True)), GRAY
    )
    together = encode(
        first.convert("RGB"),
        "MPO",
        save_all=True,
        append_images=[other.convert("RGB")],
        quality=100,
    )
    np.testing.assert_array_equal(
        read(together), read(encode(first.convert("RGB"), "JPEG", quality=100))
    )
    # A phone's photograph, followed by a video that happens to contain a scan's marker.
    np.testing.assert_array_equal(
        read(encode(first, "JPEG") + b"\xff\xda" * 50_000), read(encode(first, "JPEG"))
    )


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_photographs_of_every_kind(mode, progressive, read):
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8) * 2
    content = encode(
        Image.fromarray(smooth).convert(mode),
        "JPEG",
        quality=95,
        progressive=progressive,
        restart_marker_rows=1,
        comment=b"x",
    )
    assert np.abs(read(content).astype(int) - smooth).max() <= 6
    # More application segments than Pillow has names for, and fill bytes before a marker.
    for _ in range(40):
        content = with_segment(content, 0xED, b"Photoshop 3.0\0" + b"8BIM" * 9)
    assert np.abs(read(content[:2] + b"\xff" * 9 + content[2:]).astype(int) - smooth).max() <= 6


# Pictures that are rejected


def webp_of(lossless: bool) -> bytes:
    return encode(Image.new("RGB", (64, 64)), "WEBP", lossless=lossless)[20:]


def canvas(width: int, height: int) -> bytes:
    """Return an animation with a canvas of that size and one small transparent picture."""
    edge = (63).to_bytes(3, "little")
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(6) + edge * 2 + bytes(4) + riff((b"VP8L", webp_of(True)))[12:]
    return riff((b"VP8X", b"\x12\0\0\0" + size), (b"ANIM", bytes(6)), (b"ANMF", frame))


def jpeg_of(width: int, height: int, **options) -> bytes:
    content = encode(Image.new("RGB", (64, 64)), "JPEG", **options)
    offset = content.index(b"\xff\xc2" if options else b"\xff\xc0") + 5
    return content[:offset] + struct.pack(">HH", height, width) + content[offset + 4 :]


def test_headers_that_state_too_many_pixels(check_rejected):
    lossy, lossless = webp_of(False), webp_of(True)
    check_rejected(
        riff((b"VP8 ", lossy[:6] + struct.pack("<HH", 16_383, 16_383) + lossy[10:])),
        "it has more pixels than the limit of 32,000,000; make it smaller",
    )
    check_rejected(
        riff((b"VP8L", b"\x2f" + struct.pack("<I", 16_382 | 16_382 << 14) + lossless[5:])),
        "it has more pixels than the limit of 32,000,000",
    )
    check_rejected(
        riff((b"VP8L", b"\x2f" + struct.pack("<I", 7_999 | 7_999 << 14) + lossless[5:])),
        "8,000×8,000 pixels, and the limit is 12,500,000",
    )
    for width, height in ((2**24, 2**8), (2**16 - 1, 2**16 - 1), (2**24, 2**24)):
        check_rejected(canvas(width, height))
    for width, height in (
        (2**31 - 1, 2**31 - 1),
        (2**31 - 1, -(2**31)),
        (9, -(2**31)),
        (-1, 3),
        (-(2**31), 1),
        (32_000_001, 1),
    ):
        check_rejected(bmp(width, height, 24, b"xxxx"), "32,000,000")
    check_rejected(bmp(0, 3, 24, b"xxxx"))
    for options in ({}, {"progressive": True}):
        check_rejected(jpeg_of(65_500, 65_500, **options), f"65,500×65,500 pixels, {TOO_MANY}")
        check_rejected(jpeg_of(64, 0, **options), "64×0 pixels")


def test_missing_palettes(check_rejected):
    """Pillow fails an assertion without one."""
    good = encode(Image.fromarray(GRAY).convert("P"), "PNG")
    start = good.index(b"PLTE") - 4
    end = start + 12 + int.from_bytes(good[start : start + 4], "big")
    check_rejected(good[:start] + good[end:], "its palette is missing")
    check_rejected(good.replace(b"PLTE", b"pLTE"), "its palette is missing")


def test_truncated_files(check_rejected, read):
    smooth = np.add.outer(np.arange(20), np.arange(24)).astype(np.uint8) * 5
    for kind, options in (
        ("PNG", {}),
        ("BMP", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        (
            "WEBP",
            {
                "lossless": True,
                "exif": exif((0x0112, 3, 1, 6)),
                "save_all": True,
                "append_images": [Image.new("L", (24, 20))],
            },
        ),
    ):
        content = encode(smooth, kind, **options)
        assert read(content).size == smooth.size
        for length in range(len(content)):
            check_rejected(content[:length])


# Without a limit, each takes many seconds, or more memory than its pixels.


def build_bombs() -> dict[str, tuple[bytes, str]]:
    """Return (content, expected message) by name; an empty message means a picture."""
    jpeg, palette, most = encode(GRAY, "JPEG"), bytes(range(256)) * 4, (32 << 20) - 5_000
    scans = jpeg_of(8_000, 4_000, progressive=True)
    last = scans.rindex(b"\xff\xda")
    too_long = (
        "it is run-length encoded, and the limit is 4,000,000 pixels and bytes; save it as PNG"
    )
    return {
        "empty segments": (
            jpeg[:2] + b"\xff\xe0\0\2" * (most // 4) + jpeg[2:],
            "more than 10,000 segments",
        ),
        "fill": (jpeg[:2] + b"\xff" * most, "truncated"),
        "junk": (jpeg[:3] + bytes(most), "truncated"),
        "notes": (jpeg[:2] + segment(0xE1, b"Exif\0\0" + bytes(65_000)) * 500 + jpeg[2:], ""),
        "resources": (
            jpeg[:2]
            + segment(0xED, b"Photoshop 3.0\0" + (b"8BIM\0\1\0\0" + bytes(4)) * 5_000) * 500
            + jpeg[2:],
            "",
        ),
        "tables": (
            jpeg[:2]
            + segment(0xDB, b"\0" + bytes([1] * 64)) * 9_000
            + segment(0xC4, bytes(65_000)) * 20
            + jpeg[2:],
            "its tables are",
        ),
        "scans": (
            scans[:last] + scans[last:-2] * 200 + scans[-2:],
            "it has 21 or more progressive scans",
        ),
        "runs": (bmp(8_000, 4_000, 8, b"\1\5" * (most // 2), palette, 1), too_long),
        "runs of 4 bits": (
            bmp(8_000, 4_000, 4, b"\xff\x12" * (most // 2), palette[:64], 2),
            too_long,
        ),
        "a line's end": (bmp(32_000_000, 1, 8, b"\1\5\0\0", palette, 1), too_long),
        "skipped rows": (bmp(4_000_000, 1, 8, b"\0\2\0\xff", palette, 1), too_long),
        "text": (
            with_chunk(encode(GRAY, "PNG"), b"zTXt", b"k\0\0" + zlib.compress(bytes(400 << 20), 1)),
            "",
        ),
        "canvas": (canvas(4_166, 3_000), "(3000, 4166)"),
        "canvas of more": (
            canvas(4_167, 3_000),
            "it has 4,167×3,000 pixels, and the limit is 12,500,000",
        ),
        "exif": (
            with_chunk(
                encode(GRAY, "PNG"),
                b"eXIf",
                exif(*[(0x9000 + i, 7, 7 << 20, 8) for i in range(900)]) + bytes(8 << 20),
            ),
            "",
        ),
    }


CHILD = """
import resource, sys, time
from pathlib import Path
from lenet_tf.errors import DataError
from lenet_tf.inference.image_files import read_picture

def peak():
    shift = 20 if sys.platform == "darwin" else 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> shift

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        output = str(read_picture(path).shape)
    except DataError as error:
        output = str(error)
    print(path.name, time.process_time() - start, peak() - before, output, sep="|")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_small_files_that_are_expensive_to_decode(tmp_path):
    expected = build_bombs()
    for name, (content, _) in expected.items():
        assert len(content) <= 32 << 20
        (tmp_path / name).write_bytes(content)
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path], capture_output=True, text=True, cwd=root
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == set(expected)
    for name, seconds, peak, output in rows:
        assert float(seconds) < 5, f"{name}: {seconds} s"
        assert int(peak) < 256, f"{name}: {peak} MiB"
        assert (expected[name][1] in output) if expected[name][1] else (output == "(9, 7)"), (
            f"{name}: {output}"
        )
