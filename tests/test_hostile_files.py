"""Hostile files: no reader crashes, hangs or uses memory that the file does not justify."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pickle
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lenet_tf.data.sources import load_data
from lenet_tf.data.sources.arrays import load_npy_folder, load_npz
from lenet_tf.data.sources.cache import CACHE_FILE, load_cached, save_cached
from lenet_tf.data.sources.idx import FILES, load_idx_file
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError, LenetError, RunError, SpecError
from lenet_tf.inference.image_files import read_picture
from lenet_tf.io import bounded
from lenet_tf.runs import run_folder
from lenet_tf.specs import Spec, conv_arithmetic, get_spec
from lenet_tf.specs.toml import load_spec

SOAK = Path(__file__).parent.parent / "soak"
READERS = (
    *("idx", "gzip", "npy", "npz", "csv", "png", "jpeg", "webp", "bmp", "gif", "tiff", "toml"),
    "json",
)
QUICK = settings(derandomize=True, deadline=None, max_examples=300, database=None)


@pytest.fixture(scope="module")
def hostile():
    """The makers of hostile files, shared with `make soak`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SOAK))
        import hostile

        yield hostile


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def idx_bytes(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim])
        + b"".join(size.to_bytes(4, "big") for size in array.shape)
        + array.astype(np.uint8).tobytes()
    )


def refused(read, path: Path, message: str, kind: type[LenetError] = DataError) -> None:
    """Check that a reader refuses a file in one or two lines that name it."""
    with pytest.raises(kind) as caught:
        read(path)
    text = str(caught.value)
    assert message in text
    assert path.name in text or str(path.parent) in text
    assert len(text.splitlines()) <= 2 and len(text) <= 1_001


# Any file


# Making or reading one of these files takes ten times as long as one of the others.
SLOW_READERS = ("csv", "gif", "tiff")


@pytest.mark.parametrize("reader", READERS)
def test_hostile_files_are_refused_or_read(reader, hostile, tmp_path_factory):
    path = hostile.prepare_path(reader, tmp_path_factory.mktemp(reader))
    count = 100 if reader in SLOW_READERS else QUICK.max_examples
    reader = hostile.READERS[reader]
    outcomes = set()

    @settings(QUICK, max_examples=count)
    @given(st.integers(0, 2**64), st.booleans())
    def check(seed, damaged):
        random = hostile.Random(seed)
        path.write_bytes(reader.make_damaged(random) if damaged else reader.make(random))
        try:
            reader.read(path)
            outcomes.add("read")
        except LenetError as error:
            outcomes.add("refused" if len(str(error).splitlines()) <= 2 else "refused at length")

    check()
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("reader", READERS)
@QUICK
@given(content=st.binary(max_size=300))
def test_noise_is_refused(reader, content, hostile, tmp_path_factory):
    path = hostile.prepare_path(reader, tmp_path_factory.getbasetemp())
    path.write_bytes(content)
    with contextlib.suppress(LenetError):
        hostile.READERS[reader].read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("reader", READERS)
def test_a_named_pipe_is_refused(reader, hostile, tmp_path):
    path = hostile.prepare_path(reader, tmp_path)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(LenetError):
        hostile.READERS[reader].read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_that_takes_a_files_place_is_refused(tmp_path, monkeypatch):
    """It comes after the first look at the file; opening it must not wait for its other end."""
    (tmp_path / "file").write_bytes(b"1")
    status = os.stat(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
    with pytest.raises(ValueError, match="it is not a regular file"):
        bounded.open_regular_file(tmp_path / "pipe")


def test_links_are_followed_only_where_the_user_names_the_file(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with bounded.open_regular_file(tmp_path / "link") as file:
        assert file.read() == b"1"
    with pytest.raises(ValueError, match="it is a link to another file"):
        bounded.open_regular_file(tmp_path / "link", follow_links=False)


def test_an_error_quotes_at_most_1000_characters():
    assert len(str(DataError("a" * 10**6))) == 1_001


# IDX


@QUICK
@given(
    st.lists(st.integers(0, 6) | st.sampled_from([2**31, 2**32 - 1]), min_size=3, max_size=3),
    st.integers(-3, 3),
    st.booleans(),
)
def test_idx_is_read_where_header_and_length_agree(folder, shape, more, packed):
    size = prod(shape)
    payload = bytes(i % 251 for i in range(max(0, min(size, 500) + more)))
    content = bytes([0, 0, 8, 3]) + b"".join(part.to_bytes(4, "big") for part in shape) + payload
    path = folder / ("a.gz" if packed else "a")
    path.write_bytes(gzip.compress(content) if packed else content)
    if size and len(payload) == size:
        assert load_idx_file(path, 3).tobytes() == payload
    else:
        refused(lambda p: load_idx_file(p, 3), path, "not a readable IDX file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not begin as an IDX file does"),
        (idx_bytes(np.ones((2, 3, 4)))[:9], "does not begin"),
        (
            idx_bytes(np.ones((2, 3))),
            "images must be unsigned bytes (type 8) or another type of IDX, of 3 dimensions, not of"
            " type 8 and 2",
        ),
        (b"\0\0\x0f\3" + idx_bytes(np.ones((2, 3, 4)))[4:], "not of type 15 and 3"),
        (
            b"\0\0\x0d\3" + idx_bytes(np.ones((2, 3, 4)))[4:],
            "its header states 2×3×4 numbers of 4 bytes, ",
        ),
        (idx_bytes(np.ones((2, 3, 4)))[:-1], "states 2×3×4 bytes, but"),
        (idx_bytes(np.ones((2, 3, 4))) + b"\0", "states 2×3×4 bytes, but"),
        (idx_bytes(np.ones((0, 3, 4))), "it is empty"),
        (b"\0\0\x08\3" + b"\xff" * 12, "but the limit is 4,294,967,296 bytes"),
    ],
)
def test_invalid_idx_files_are_refused(tmp_path, content, message):
    for path, packed in (
        (tmp_path / "plain", content),
        (tmp_path / "packed.gz", gzip.compress(content)),
    ):
        path.write_bytes(packed)
        start = "its header states 2×3×4 " if "states 2×3×4" in message else message
        refused(lambda p: load_idx_file(p, 3), path, start)


def test_invalid_gzip_files_are_refused(tmp_path):
    packed, path = gzip.compress(idx_bytes(np.arange(24).reshape(2, 3, 4))), tmp_path / "x.gz"
    path.write_bytes(packed)
    np.testing.assert_array_equal(load_idx_file(path, 3), np.arange(24).reshape(2, 3, 4))
    for content, message in (
        (packed[:-1], "ends before its checksum"),
        (packed[:-9], ""),
        (packed[:-8] + b"abcd" + packed[-4:], "incorrect data check"),
        (packed[:-4] + b"abcd", "incorrect length check"),
        (idx_bytes(np.ones((2, 3, 4))), "incorrect header check"),
        # Ten million zeros where 24 bytes are announced, and 4 GB announced by a small file.
        (gzip.compress(idx_bytes(np.ones((2, 3, 4))) + bytes(10**7)), "but more follow them"),
        (
            gzip.compress(b"\0\0\x08\3" + struct.pack(">III", 4, 2**15, 2**15)),
            "gzipped bytes can hold",
        ),
        (packed + packed, "more bytes follow its gzipped array"),
        (packed + b"\0", "more bytes follow its gzipped array"),
    ):
        path.write_bytes(content)
        refused(lambda p: load_idx_file(p, 3), path, message)
    for length in range(len(packed)):
        path.write_bytes(packed[:length])
        refused(lambda p: load_idx_file(p, 3), path, "not a readable IDX file")


def write_idx(folder: Path, arrays: dict[str, np.ndarray], packed: bool) -> None:
    for part, name in FILES.items():
        content = idx_bytes(arrays[part])
        (folder / (f"{name}.gz" if packed else name)).write_bytes(
            gzip.compress(content) if packed else content
        )


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_idx_files_is_a_data_set(tmp_path, arrays, packed):
    write_idx(tmp_path, arrays, packed)
    data = load_data(f"{tmp_path}/")
    assert (data.source, data.num_classes, data.x_train.shape, data.y_train.dtype) == (
        "file",
        10,
        (40, 28, 28, 1),
        np.int64,
    )
    np.testing.assert_array_equal(data.x_test[..., 0], arrays["x_test"])
    np.testing.assert_array_equal(data.y_train, arrays["y_train"])
    next(tmp_path.glob("t10k-labels*")).unlink()
    refused(lambda p: load_data(f"{p}/"), tmp_path, "has no t10k-labels-idx1-ubyte (or with .gz)")


@pytest.mark.parametrize("packed", [False, True])
def test_files_of_a_set_have_one_limit_together(tmp_path, arrays, packed, monkeypatch):
    """60 labels take eight bytes each in memory, and 60 images of 28×28 are 47,040 bytes."""
    write_idx(tmp_path, arrays, packed)
    module = "lenet_tf.data.sources.idx.MAX_ARRAY_BYTES"
    for limit, message in (
        (60 * 8 + 47_040, None),
        (60 * 8 + 47_039, r"t10k-images.*20×28×28 bytes, but the limit is 15,679 bytes"),
        (60 * 8 - 1, r"t10k-labels.*its header states 20 bytes, but the limit is 19 bytes"),
        (40 * 8 - 1, r"train-labels.*its header states 40 bytes, but the limit is 39 bytes"),
    ):
        monkeypatch.setattr(module, limit)
        if message is None:
            load_data(f"{tmp_path}/")
            continue
        with pytest.raises(DataError, match=message):
            load_data(f"{tmp_path}/")


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_labels_in_numpy_files_are_counted_together(tmp_path, arrays, kind, monkeypatch):
    small = {name: array.astype(np.uint8) for name, array in arrays.items()}
    path = tmp_path / "data.npz" if kind == "npz" else tmp_path
    if kind == "npz":
        np.savez(path, **small)
    for name, array in () if kind == "npz" else small.items():
        np.save(tmp_path / f"{name}.npy", array)
    monkeypatch.setattr("lenet_tf.data.sources.arrays.MAX_ARRAY_BYTES", 60 * 8)
    assert load_data(path).num_classes == 10
    monkeypatch.setattr("lenet_tf.data.sources.arrays.MAX_ARRAY_BYTES", 60 * 8 - 1)
    refused(load_data, path, "has 60 labels, and the limit is 59")
    if kind == "npy":
        monkeypatch.setattr("lenet_tf.data.sources.arrays.MAX_ARRAY_BYTES", 180)
        refused(load_data, path, "y_test.npy: not a readable .npy file of numbers (it is larger")


@pytest.mark.slow
def test_original_files_equal_the_data_of_tfds(monkeypatch, tfds_folder, originals):
    """TFDS shuffles: it has the same pairs of image and label in another order."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    ours, theirs = load_data(str(originals / "mnist")), load_data("mnist", originals)
    assert ours.num_classes == theirs.num_classes
    for part in ("train", "test"):
        pairs = []
        for data in (ours, theirs):
            images, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
            assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
            pairs.append(
                (
                    images.shape,
                    sorted(
                        zip((image.tobytes() for image in images), labels.tolist(), strict=True)
                    ),
                )
            )
        assert pairs[0] == pairs[1]


# NumPy's files


class Trap:
    """Creates a file when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("sprung"),)


def npy_bytes(
    header: str, payload: bytes = b"", version: bytes = b"\x01\x00", length: int | None = None
) -> bytes:
    size = len(header) if length is None else length
    return (
        b"\x93NUMPY"
        + version
        + size.to_bytes(2 if version[0] == 1 else 4, "little")
        + header.encode("latin1")
        + payload
    )


def fields(shape: str, descr: str = "'|u1'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


NPY = [
    (npy_bytes(fields("(10**12,)")), "header is unreadable"),
    (
        npy_bytes(fields("(1000000000000,)")),
        "header declares 1000000000000 of uint8, 1,000,000,000,000 bytes, but the file holds 0",
    ),
    (npy_bytes(fields("(3,)"), b"12345"), "holds 5"),
    (npy_bytes(fields("(-3,)"), b"123"), "its header has an invalid shape"),
    (npy_bytes(fields("(True,)"), b"1"), "its header has an invalid shape"),
    (npy_bytes(fields("(0, 99999999999999999999999)")), "it is empty"),
    (npy_bytes(fields("(0, 5)")), "it is empty"),
    (
        npy_bytes(fields("(1,)", "'|O'"), pickle.dumps([Trap()])),
        "Python objects, not plain numbers",
    ),
    (npy_bytes(fields("(1,)", "[('a', '<i4'), ('b', '<i4')]"), b"12345678"), "not plain numbers"),
    (npy_bytes(fields("(1,)", "'<c8'"), b"12345678"), "complex64, not plain numbers"),
    (npy_bytes(fields("(1,)", "('<i4', (2,))"), b"12345678"), "not plain numbers"),
    (npy_bytes("(" * 5000), "header is unreadable"),
    (npy_bytes("-" * 9000 + "1"), "header is unreadable"),
    (npy_bytes("'''\n"), "header is unreadable"),
    (npy_bytes("  1\n 2"), "header is unreadable"),
    (
        npy_bytes("{}", version=b"\x02\x00", length=2**32 - 1),
        "header of 4,294,967,295 bytes is longer than 10,000",
    ),
    (npy_bytes("{}", version=b"\x03\x00"), "format version is 3.0"),
    (b"\x93NUMPY\x01", "it is not a .npy file"),
    (pickle.dumps(Trap()), "it is not a .npy file"),
]


@pytest.mark.parametrize(("content", "message"), NPY)
def test_invalid_npy_files_are_refused(tmp_path, monkeypatch, arrays, content, message):
    monkeypatch.chdir(tmp_path)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    path = tmp_path / "y_train.npy"
    path.write_bytes(content)
    refused(ImageFile, path, message)
    refused(lambda p: load_npy_folder(p.parent), path, message)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name in arrays:
            file.write(tmp_path / f"{name}.npy", f"{name}.npy")
    refused(load_npz, tmp_path / "x.npz", "y_train: ")
    refused(load_npz, tmp_path / "x.npz", message)
    assert not Path("sprung").exists()


def patched(content: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite the bytes at `offset` after every `mark` by `value`."""
    work, place = bytearray(content), content.find(mark)
    while place >= 0:
        work[place + offset : place + offset + len(value)] = value
        place = content.find(mark, place + 1)
    return bytes(work)


def test_invalid_npz_files_are_refused(tmp_path, arrays):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, **arrays)
    good = path.read_bytes()
    assert load_npz(path).num_classes == 10
    lzma = io.BytesIO()
    with zipfile.ZipFile(lzma, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("x_train.npy", b"x")
    directory = b"PK\1\2"
    for content, message in (
        (patched(good, directory, 24, b"\xff\xff\xff\xf0"), "compressed bytes can hold"),
        (patched(good, directory, 8, b"\1\0"), "encrypted"),
        (patched(good, directory, 10, b"\x63\0"), "neither stored nor deflated"),
        (patched(good, directory, 20, struct.pack("<I", len(good))), "its members overlap"),
        (lzma.getvalue(), "neither stored nor deflated"),
        (good[:-30], "not a zip file"),
        (good + b"PK\5\6" + bytes(8) + b"\xff\xff\xff\x7f" + bytes(6), ""),
        (patched(good, directory, 16, b"abcd"), "Bad CRC-32"),
    ):
        path.write_bytes(content)
        refused(load_npz, path, message)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archives_with_two_arrays_of_one_name_or_many_are_refused(tmp_path, arrays):
    path = tmp_path / "x.npz"
    for names, message in (
        ([*arrays, "x_train"], "two of its members have the same name"),
        ([*arrays, *(f"a{number}" for number in range(61))], "it has 65 members, more than 64"),
    ):
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(f"{name}.npy", npy_bytes(fields("(1,)"), b"1"))
        refused(load_npz, path, message)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    """Its directory declares the most that deflate could expand the file to."""
    path = tmp_path / "x.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("x_train.npy", "w") as member,
    ):
        member.write(npy_bytes(fields("(8388608,)")))
        member.write(bytes(8 << 20))
    content = path.read_bytes()
    path.write_bytes(
        patched(content, b"PK\1\2", 20, struct.pack("<II", len(content), len(content) * 1032))
    )
    refused(load_npz, path, "")
    (tmp_path / "sparse.npz").write_bytes(content)
    with (tmp_path / "big.npy").open("wb") as file:
        file.write(npy_bytes(fields(f"({5 << 30},)")))
        file.truncate(file.tell() + (5 << 30))
    np.save(tmp_path / "x_train.npy", np.zeros((1, 2, 2), np.uint8))
    for name in ("x_test", "y_test"):
        np.save(tmp_path / f"{name}.npy", np.zeros((1, 2, 2), np.uint8))
    (tmp_path / "big.npy").rename(tmp_path / "y_train.npy")
    refused(load_npy_folder, tmp_path, "larger than 4,294,967,296 bytes")


def test_images_of_a_truncated_file_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 4, 4), np.uint8))
    images = ImageFile(tmp_path / "x.npy")
    with (tmp_path / "x.npy").open("rb+") as file:
        file.truncate(100)
    refused(lambda _: images[0], tmp_path / "x.npy", "can no longer be read")


@pytest.mark.parametrize("classes", [-1, 2**40, [1, 2], 1.5])
def test_invalid_numbers_of_classes_are_refused(tmp_path, arrays, classes):
    np.savez(tmp_path / "x.npz", **arrays, num_classes=np.array(classes))
    refused(load_npz, tmp_path / "x.npz", "num_classes must be one whole number up to 10,000")


def test_the_cache_returns_the_data_or_none_if_damaged(tmp_path, digits):
    save_cached(tmp_path, digits, "published")
    assert [path.name for path in tmp_path.iterdir()] == [CACHE_FILE]
    assert load_cached(tmp_path, "sample", "", "sample", "published").sha256 == digits.sha256
    assert load_cached(tmp_path, "sample", "", "sample", "tfds") is None, "in another order"
    content = (tmp_path / CACHE_FILE).read_bytes()
    for place in np.random.default_rng(0).integers(0, len(content), 60):
        (tmp_path / CACHE_FILE).write_bytes(content[:place])
        assert load_cached(tmp_path, "sample", "", "sample", "published") is None
        (tmp_path / CACHE_FILE).write_bytes(
            content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]
        )
        again = load_cached(tmp_path, "sample", "", "sample", "published")
        assert again is None or again.sha256 == digits.sha256


# PNG


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_bytes(width: int, height: int, *middle: bytes, pixels: bytes | None = None) -> bytes:
    rows = zlib.compress(bytes(height * (width + 1))) if pixels is None else pixels
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(middle) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_pictures_become_gray(tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "x.png"
    gray = random.integers(0, 256, (9, 7), dtype=np.uint8)
    deep = random.integers(0, 65_536, (9, 7), dtype=np.uint16)
    ink = np.zeros((9, 7, 4), np.uint8)
    ink[..., 3] = gray
    for picture, options, expected in (
        (Image.fromarray(gray), {}, gray),
        (Image.fromarray(gray).convert("RGB"), {}, gray),
        (Image.fromarray(gray).convert("P"), {}, gray),
        (Image.fromarray(gray > 99), {}, np.uint8(255) * (gray > 99)),
        (Image.fromarray(deep), {}, deep >> 8),
        (
            Image.fromarray(gray),
            {"transparency": int(gray[0, 0])},
            np.where(gray == gray[0, 0], 255, gray),
        ),
        # Black ink that is as transparent as it is thin, on white paper.
        (Image.fromarray(ink), {}, 255 - gray),
    ):
        picture.save(path, **options)
        read = read_picture(path)
        assert (read.dtype, read.shape) == (np.uint8, (9, 7))
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is not a PNG, JPEG, WebP, BMP, GIF or TIFF file"),
        (b"P6\n" + bytes(50), "it is not a PNG, JPEG, WebP, BMP, GIF or TIFF file but PPM"),
        (png_bytes(4, 4)[:-12], "truncated"),
        (png_bytes(4, 4)[:-30], "truncated"),
        (png_bytes(4, 4, pixels=zlib.compress(bytes(7))), "truncated"),
        (
            png_bytes(1, 1).replace(
                struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000), 1
            ),
            "60,000×60,000 pixels",
        ),
        (
            png_bytes(1, 1).replace(struct.pack(">II", 1, 1), struct.pack(">II", 0, 5), 1),
            "0×5 pixels",
        ),
        (png_bytes(4, 4, *[chunk(b"ABCD", b"")] * 10_000), "more than 10,000 chunks"),
        (png_bytes(4, 4).replace(b"IDAT", b"IDAX"), "not a readable picture"),
    ],
)
def test_invalid_pictures_are_refused(tmp_path, content, message):
    (tmp_path / "x.png").write_bytes(content)
    refused(read_picture, tmp_path / "x.png", message)


def test_pictures_of_other_formats_or_too_large_are_refused(tmp_path):
    for kind in ("PPM", "ICO"):
        Image.new("L", (16, 16)).save(tmp_path / "x.png", kind)
        refused(read_picture, tmp_path / "x.png", "GIF or TIFF file but")
    for kind in ("BMP", "JPEG", "WEBP", "GIF", "TIFF"):
        Image.new("L", (16, 16), 77).save(tmp_path / "x.png", kind)
        assert abs(int(read_picture(tmp_path / "x.png")[8, 8]) - 77) <= 2, (
            "the content says what it is, not the name"
        )
        content = (tmp_path / "x.png").read_bytes()
        (tmp_path / "x.png").write_bytes(content[: len(content) // 2])
        refused(read_picture, tmp_path / "x.png", "not a readable picture")
    with (tmp_path / "x.png").open("wb") as file:
        file.write(png_bytes(4, 4))
        file.truncate((32 << 20) + 1)
    refused(read_picture, tmp_path / "x.png", "larger than 33,554,432 bytes")
    refused(read_picture, tmp_path / "none.png", "No such file")


# TOML and JSON


EXAMPLE = (Path(__file__).parent.parent / "examples" / "lenet5.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # tomllib took the square of the parts: hours for a file of 1 MiB.
        (".".join(["a"] * 20_000) + " = 1\n" + EXAMPLE, "line 1 has more than 100 dots"),
        ("a = [" + "[" * 30_000, "nested too deeply"),
        ("a = " + "[" * 200 + "]" * 200, "nested deeper than 32 levels"),
        ("a." * 60 + "a = 1", "nested deeper than 32 levels"),
        ("rows = 0x" + "F" * 100_000, "rows must be a list of rows, not a number of 400,000 bits"),
        ("rows = " + "9" * 5_000, "is not TOML"),
        ('rows = "' + "a" * 500_000 + '"', "rows must be a list of rows, not 'aaa"),
        ("[[rows]]\n" * 100_000, "100,000 rows are more than the 1,000"),
        ("x" * (1 << 20) + "=1", "larger than 1,048,576 bytes"),
        (
            EXAMPLE.replace("filters = 6", "filters = nan"),
            "filters must be a whole number of at least 1, not nan",
        ),
        (EXAMPLE + "\0", "is not TOML"),
    ],
)
def test_invalid_toml_files_are_refused(tmp_path, text, message):
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    refused(load_spec, tmp_path / "x.toml", message, SpecError)


def test_a_long_list_of_numbers_on_one_line_is_read(tmp_path):
    rates = ", ".join(f"{0.1 / (i + 1):.6f}" for i in range(300))
    (tmp_path / "x.toml").write_text(
        EXAMPLE.replace('name = "adam"', f'name = "adam"\nlearning_rate = [{rates}]\n#', 1).replace(
            "#\nlearning_rate", "#"
        )
    )
    text = (tmp_path / "x.toml").read_text()
    (tmp_path / "x.toml").write_text(
        "\n".join(line for line in text.split("\n") if not line.startswith("learning_rate = 0"))
    )
    assert len(load_spec(tmp_path / "x.toml").recipe.optimizer.learning_rate) == 300


JSON = [
    ("NaN", "NaN is not a finite number"),
    ("-Infinity", "-Infinity is not a finite number"),
    ("1e999", "1e999 is not a finite number"),
    ("9" * 5_000, "4300 digits"),
    ("[" * 50_000, "nested too deeply"),
    ("[" * 33 + "]" * 33, "nested deeper than 32 levels"),
    ('"\\ud800"', "surrogates not allowed"),
    ('"\\udfff x"', "surrogates not allowed"),
    ("", "cannot be read"),
    (" " * (1 << 20), "larger than 1,048,576 bytes"),
]


@pytest.mark.parametrize(("value", "message"), JSON)
def test_invalid_json_is_refused(tmp_path, value, message):
    path = tmp_path / "config.json"
    path.write_text(f'{{"format": 2, "spec": {value}}}', encoding="utf-8")
    refused(run_folder.read_json, path, message, RunError)
    path.write_bytes(b'{"a": "\xff"}')
    refused(run_folder.read_json, path, "utf-8", RunError)


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
INNER = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(QUICK, max_examples=100)
@given(st.dictionaries(TEXT, INNER, max_size=3))
def test_valid_json_is_read_unchanged(folder, values):
    (folder / "x.json").write_text(json.dumps(values), encoding="utf-8")
    assert run_folder.read_json(folder / "x.json") == values
    assert bounded.read_json(folder / "x.json") == json.loads(json.dumps(values))


# Networks that are too large


def lenet5(change) -> dict:
    values = get_spec("lenet5").to_dict()
    change(values)
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["rows"][1].update(filters=10**9),
            "row 2 (C1, convolution): its output of 28×28×1000000000 values is more than",
        ),
        (
            lambda d: d["rows"][1].update(kernel=10**7),
            "row 2 (C1, convolution): with it the network has more than 2,147,483,647 parameters",
        ),
        (
            lambda d: d["rows"][3].update(kernel=10**7),
            "kernel 10000000×10000000 is larger than its input",
        ),
        (lambda d: d["rows"][1].update(kernel=10**30), "kernel must be at most 2,147,483,647"),
        (lambda d: d["rows"][1].update(kernel=True), "kernel must be a whole number"),
        (
            lambda d: d["rows"][0].update(shape=[2**31 - 1, 2**31 - 1, 1]),
            "row 1 (INPUT, input): its output",
        ),
        (
            lambda d: d["rows"][0].update(shape=5),
            "row 1 (INPUT, input): shape must be (height, width, channels), not 5",
        ),
        (
            lambda d: d.update(rows=[d["rows"][1]] * 10**5),
            "lenet5: 100,000 rows are more than the 1,000",
        ),
        (lambda d: d["rows"][1].update(name="a" * 10**6), "name must be up to 100 letters"),
        (
            lambda d: d["rows"][1].update(name="C1\nC2"),
            "name must be up to 100 letters a-z or A-Z",
        ),
        (lambda d: d["rows"][1].update(name=[1]), "start with a letter or digit, not (1,)"),
        (lambda d: d["rows"][1].update(activation="a" * 10**6), "unknown activation 'aaa"),
        (lambda d: d["rows"][1].update({"b" * 10**6: 1}), "unknown field 'bbb"),
        (lambda d: d.update(name="a" * 10**6), "a network's name must be up to 100 letters"),
        (lambda d: d.update(name=["a"]), "a network's name must be"),
        (lambda d: d.update(notes="a" * 10**6), "notes must be a text of up to 10,000 letters"),
        (lambda d: d.update(notes={"a": 1}), "notes must be a text"),
        (lambda d: d.update(source=5), "source must be a text"),
        (lambda d: d.update(departures=3), "departures must be a list of texts"),
        (lambda d: d.update(departures=[3]), "a departure must be a text"),
        (lambda d: d.update(expected_parameters="x"), "expected_parameters must be a whole number"),
        (
            lambda d: d["recipe"].update(epochs=10**30),
            "recipe: epochs must be at most 2,147,483,647",
        ),
        (
            lambda d: d["recipe"].update(batch_size=10**5000),
            "recipe: batch_size must be at most 2,147,483,647, not a number of 16,610 bits",
        ),
        (lambda d: d["recipe"].update(validation=float("nan")), "validation must be a fraction"),
        (
            lambda d: d["recipe"]["optimizer"].update(learning_rate=float("inf")),
            "learning_rate must be a number above 0",
        ),
        (
            lambda d: d["recipe"]["optimizer"].update(learning_rate=True),
            "learning_rate must be a number above 0",
        ),
        (
            lambda d: d["recipe"]["optimizer"].update(name="adamw", weight_decay=10**400),
            "weight_decay must be a number above 0",
        ),
        (
            lambda d: d["recipe"].update(augmentation={"shear": float("inf")}),
            "shear must be a number at least 0, not inf",
        ),
        (lambda d: d["preparation"].update(pad_to=10**6), "pad_to must be at most 4,096"),
        (lambda d: d["preparation"].update(channels=10**6), "channels must be at most 16"),
    ],
)
def test_fields_of_a_network_are_bounded(change, message):
    with pytest.raises(SpecError) as caught:
        Spec.from_dict(lenet5(change))
    assert message in str(caught.value)
    assert len(str(caught.value)) <= 1_001


def test_the_product_of_strides_is_bounded():
    rows = [
        {"kind": "input"},
        *(
            {"kind": "pooling", "name": f"S{i}", "size": 60_000, "padding": "same"}
            for i in range(900)
        ),
    ]
    with pytest.raises(SpecError, match="the strides multiply to more than"):
        Spec.from_dict(
            {
                "name": "deep",
                "rows": [*rows, {"kind": "flatten"}, {"kind": "dense", "name": "O", "units": 3}],
            }
        )


def test_the_largest_network_is_computed_quickly():
    """A thousand rows with windows on two billion pixels."""
    pools = [
        {"kind": "pooling", "name": f"S{i}", "size": 3, "stride": 1, "padding": "same"}
        for i in range(997)
    ]
    rows = [
        {"kind": "input", "shape": [2**31 - 1, 1, 1]},
        *pools,
        {"kind": "global_average_pooling"},
    ]
    spec = Spec.from_dict(
        {
            "name": "long",
            "rows": [*rows, {"kind": "dense", "name": "O", "units": 3, "activation": "softmax"}],
        }
    )
    assert spec.layers[1].connections == 3 * (2**31 - 1) - 2


@QUICK
@given(
    st.integers(1, 40),
    st.integers(1, 60),
    st.integers(1, 50),
    st.sampled_from(conv_arithmetic.PADDINGS),
)
def test_covered_inputs_equal_a_count_window_by_window(size, window, stride, padding):
    if padding == "valid" and window > size:
        return
    first = conv_arithmetic.compute_padding_before(size, window, stride, padding)
    starts = [
        number * stride - first
        for number in range(conv_arithmetic.compute_output_length(size, window, stride, padding))
    ]
    assert conv_arithmetic.count_covered_inputs(size, window, stride, padding) == sum(
        min(start + window, size) - max(start, 0) for start in starts
    )
