"""Hostile arrays: MNIST's own format, packed and not, .npy and .npz, valid ones with fields that lie. As `hostile.py` says of makers."""

from __future__ import annotations

import gzip
import io
import zipfile
from random import Random

import numpy as np
from ruin import SIZES, around, havoc


def _sizes(random: Random, count: int) -> list[int]:
    return [
        random.choice(SIZES) if random.random() < 0.1 else random.randint(1, 5)
        for _ in range(count)
    ]


def idx(random: Random) -> bytes:
    dimensions = random.choice((1, 3, 3, 3, 3, 0, 2, 4, 255))
    sizes = _sizes(random, min(dimensions, 4))
    kind = random.choice((8,) * 9 + (9, 13, 255))
    head = bytes([0, 0, kind, dimensions]) + b"".join(
        (size % 2**32).to_bytes(4, "big") for size in sizes
    )
    return head + around(random, int(np.prod(np.array(sizes, object))))


def gz(random: Random) -> bytes:
    inner = idx(random) if random.random() < 0.95 else idx(random) + bytes(2_000_000)
    packed = gzip.compress(inner, 1, mtime=0)
    return random.choice(
        (
            lambda: packed,
            lambda: packed,
            lambda: packed[: random.randrange(len(packed))],
            lambda: packed + gzip.compress(b"more", 1, mtime=0),
            lambda: packed + random.randbytes(3),
            lambda: packed[:-8] + random.randbytes(8),
            lambda: packed[:3] + bytes([random.randrange(256)]) + packed[4:],
            lambda: havoc(packed, random),
        )
    )()


def npy(random: Random, array: np.ndarray | None = None) -> bytes:
    array = (
        random.choice((np.zeros((3, 4, 5), np.uint8), np.arange(6) % 3, np.array(3)))
        if array is None
        else array
    )
    fields = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    payload = array.tobytes()
    for _ in range(random.choice((0, 1, 1, 2))):
        what = random.choice((*fields, "payload", "extra"))
        if what == "descr":
            types = (
                "|u1",
                "<i8",
                ">i8",
                "<f4",
                "|O",
                "|V4",
                "<U3",
                "|S0",
                "<M8[s]",
                "|b1",
                "<c8",
                "?",
                "",
                5,
                [("a", "<i4")],
                ("<i4", (3,)),
            )
            fields["descr"] = random.choice(types)
        elif what == "fortran_order":
            fields["fortran_order"] = random.choice((True, 1, "no"))
        elif what == "shape":
            fields["shape"] = random.choice(
                (
                    tuple(_sizes(random, random.randrange(6))),
                    (-1, 4),
                    (True, 60),
                    (1,) * 40,
                    [60],
                    (10**40,),
                    5,
                )
            )
        elif what == "payload":
            payload = around(random, len(payload))
        else:
            fields["more"] = 1
    nasty = (
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
    text = random.choice(nasty) if random.random() < 0.1 else repr(fields)
    text = text.ljust(117) + "\n"
    version = random.choice(((1, 0),) * 8 + ((2, 0), (3, 0), (9, 9)))
    length = len(text) if random.random() < 0.9 else random.choice(SIZES)
    size = (
        (length % 2**16).to_bytes(2, "little")
        if version == (1, 0)
        else (length % 2**32).to_bytes(4, "little")
    )
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin1") + payload


def npz(random: Random) -> bytes:
    parts = {
        "x_train": np.zeros((4, 3, 3), np.uint8),
        "y_train": np.arange(4) % 2,
        "x_test": np.zeros((2, 3, 3), np.uint8),
        "y_test": np.zeros(2, int),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(
        buffer,
        "w",
        random.choice(
            (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
        ),
    ) as file:
        for name, array in parts.items():
            good = io.BytesIO()
            np.save(good, array)
            file.writestr(
                f"{name}.npy", npy(random, array) if random.random() < 0.2 else good.getvalue()
            )
        for _ in range(random.choice((0,) * 70 + (1,) * 28 + (100,))):
            file.writestr(
                random.choice(("num_classes.npy", f"{random.random()}", "a/../b")),
                npy(random, np.array(2)),
            )
    content = bytearray(buffer.getvalue())
    for _ in range(random.choice((0, 0, 1, 2))):
        # A field of the archive's directory or of a member's head.
        start = random.choice(
            [place for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for place in _all(content, mark)]
        )
        field = start + random.choice((4, 6, 8, 10, 12, 16, 20, 24, 28, 30, 42))
        content[field : field + 4] = random.choice(
            (random.choice(SIZES) % 2**32, random.randrange(99))
        ).to_bytes(4, "little")
    return bytes(content) if random.random() < 0.7 else havoc(bytes(content), random)


def _all(content: bytes | bytearray, mark: bytes) -> list[int]:
    return [place for place in range(len(content)) if content[place : place + 4] == mark]
