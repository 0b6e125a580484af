"""Hostile arrays: IDX, gzip, .npy and .npz files with fields that lie (see `hostile.py`)."""

from __future__ import annotations

import gzip
import io
import zipfile
from random import Random

import numpy as np
from mutations import SIZES, mutate_bytes, random_payload

DTYPES = (
    *("|u1", "<i8", ">i8", "<f4", "|O", "|V4", "<U3", "|S0", "<M8[s]", "|b1", "<c8", "?", ""),
    *(5, [("a", "<i4")], ("<i4", (3,))),
)
# Headers that are hard or dangerous to parse.
NPY_HEADERS = (
    "(" * 3_000,
    "-" * 9_000 + "1",
    "{" * 90,
    "0x" + "f" * 5_000,
    "9" * 5_000,
    "lambda: 1",
    "1L",
    "\0",
    "'\\N{x}'",
    '"""',
    "  \n x",
)


def _choose_sizes(random: Random, count: int) -> list[int]:
    return [
        random.choice(SIZES) if random.random() < 0.1 else random.randint(1, 5)
        for _ in range(count)
    ]


def make_idx(random: Random) -> bytes:
    dimensions = random.choice((1, 3, 3, 3, 3, 0, 2, 4, 255))
    sizes = _choose_sizes(random, min(dimensions, 4))
    data_type = random.choice((8,) * 9 + (9, 13, 255))
    header = bytes([0, 0, data_type, dimensions])
    header += b"".join((size % 2**32).to_bytes(4, "big") for size in sizes)
    return header + random_payload(random, int(np.prod(np.array(sizes, object))))


def make_gzip(random: Random) -> bytes:
    content = make_idx(random) if random.random() < 0.95 else make_idx(random) + bytes(2_000_000)
    packed = gzip.compress(content, 1, mtime=0)
    return random.choice(
        (
            lambda: packed,
            lambda: packed,
            lambda: packed[: random.randrange(len(packed))],
            lambda: packed + gzip.compress(b"more", 1, mtime=0),
            lambda: packed + random.randbytes(3),
            lambda: packed[:-8] + random.randbytes(8),
            lambda: packed[:3] + bytes([random.randrange(256)]) + packed[4:],
            lambda: mutate_bytes(packed, random),
        )
    )()


def _choose_shape(random: Random) -> object:
    return random.choice(
        (
            tuple(_choose_sizes(random, random.randrange(6))),
            (-1, 4),
            (True, 60),
            (1,) * 40,
            [60],
            (10**40,),
            5,
        )
    )


def make_npy(random: Random, array: np.ndarray | None = None) -> bytes:
    if array is None:
        arrays = (np.full((3, 4, 5), 255, np.uint8), np.arange(6) % 3, np.array(3))
        array = random.choice(arrays)
    fields = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    payload = array.tobytes()
    for _ in range(random.choice((0, 1, 1, 2))):
        part = random.choice((*fields, "payload", "extra"))
        if part == "descr":
            fields["descr"] = random.choice(DTYPES)
        elif part == "fortran_order":
            fields["fortran_order"] = random.choice((True, 1, "no"))
        elif part == "shape":
            fields["shape"] = _choose_shape(random)
        elif part == "payload":
            payload = random_payload(random, len(payload))
        else:
            fields["more"] = 1
    header = random.choice(NPY_HEADERS) if random.random() < 0.1 else repr(fields)
    header = header.ljust(117) + "\n"
    version = random.choice(((1, 0),) * 8 + ((2, 0), (3, 0), (9, 9)))
    length = len(header) if random.random() < 0.9 else random.choice(SIZES)
    width = 2 if version == (1, 0) else 4
    size = (length % 256**width).to_bytes(width, "little")
    return b"\x93NUMPY" + bytes(version) + size + header.encode("latin1") + payload


def make_npz(random: Random) -> bytes:
    arrays = {
        "x_train": np.full((4, 3, 3), 255, np.uint8),
        "y_train": np.arange(4) % 2,
        "x_test": np.full((2, 3, 3), 255, np.uint8),
        "y_test": np.zeros(2, int),
    }
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
    buffer, method = io.BytesIO(), random.choice(methods)
    with zipfile.ZipFile(buffer, "w") as archive:
        # `ZipInfo` has a fixed date, so that equal seeds give equal files.
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            content = make_npy(random, array) if random.random() < 0.2 else member.getvalue()
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content, method)
        for _ in range(random.choice((0,) * 70 + (1,) * 28 + (100,))):
            name = random.choice(("num_classes.npy", f"{random.random()}", "a/../b"))
            archive.writestr(zipfile.ZipInfo(name), make_npy(random, np.array(2)), method)
    content = bytearray(buffer.getvalue())
    for _ in range(random.choice((0, 0, 1, 2))):
        _overwrite_zip_field(content, random)
    return bytes(content) if random.random() < 0.7 else mutate_bytes(bytes(content), random)


def _overwrite_zip_field(content: bytearray, random: Random) -> None:
    """Overwrites a field of the archive's directory or of a member's header."""
    signatures = (b"PK\1\2", b"PK\3\4", b"PK\5\6")
    starts = [start for signature in signatures for start in _find_all(content, signature)]
    field = random.choice(starts) + random.choice((4, 6, 8, 10, 12, 16, 20, 24, 28, 30, 42))
    value = random.choice((random.choice(SIZES) % 2**32, random.randrange(99)))
    content[field : field + 4] = value.to_bytes(4, "little")


def _find_all(content: bytes | bytearray, signature: bytes) -> list[int]:
    return [start for start in range(len(content)) if content[start : start + 4] == signature]
