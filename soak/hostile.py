"""Hostile files made on purpose: valid ones with fields that lie, for the tests and for `soak/fuzz.py`; and who reads them.

Every maker takes a `random.Random` and gives the content of a file, and the same numbers give the same content.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hostile_photos import jpeg, webp
from hostile_pictures import bmp, png
from ruin import SIZES, around, havoc

from lenet_tf import runs, spec_files
from lenet_tf.errors import DataError
from lenet_tf.sources.arrays import NAMES, load_arrays, load_folder
from lenet_tf.sources.idx import read_idx
from lenet_tf.sources.pictures import read_picture
from lenet_tf.specs import get_spec
from lenet_tf.streaming import ImageFile

VALUES: tuple[Any, ...] = (
    *SIZES, -1, 10**30, 10**4000, True, False, None, 0.5, -0.5, 1e300, float("inf"), float("nan"), "", "a", "tanh", "same", "a" * 20_000,
    "\n", "\x1b[2J", "../x", [], [1], [[0]], [3, 3], [0.1] * 500, {}, {"name": "adam"}, {"a": {"b": [1]}},
)  # fmt: skip


def _sizes(random: Random, count: int) -> list[int]:
    return [random.choice(SIZES) if random.random() < 0.1 else random.randint(1, 5) for _ in range(count)]


def idx(random: Random) -> bytes:
    dimensions = random.choice((1, 3, 3, 3, 3, 0, 2, 4, 255))
    sizes = _sizes(random, min(dimensions, 4))
    kind = random.choice((8,) * 9 + (9, 13, 255))
    head = bytes([0, 0, kind, dimensions]) + b"".join((size % 2**32).to_bytes(4, "big") for size in sizes)
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
    array = random.choice((np.zeros((3, 4, 5), np.uint8), np.arange(6) % 3, np.array(3))) if array is None else array
    fields = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
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
                (tuple(_sizes(random, random.randrange(6))), (-1, 4), (True, 60), (1,) * 40, [60], (10**40,), 5)
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
    size = (length % 2**16).to_bytes(2, "little") if version == (1, 0) else (length % 2**32).to_bytes(4, "little")
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
        buffer, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    ) as file:
        for name, array in parts.items():
            good = io.BytesIO()
            np.save(good, array)
            file.writestr(f"{name}.npy", npy(random, array) if random.random() < 0.2 else good.getvalue())
        for _ in range(random.choice((0,) * 70 + (1,) * 28 + (100,))):
            file.writestr(random.choice(("num_classes.npy", f"{random.random()}", "a/../b")), npy(random, np.array(2)))
    content = bytearray(buffer.getvalue())
    for _ in range(random.choice((0, 0, 1, 2))):
        # A field of the archive's directory or of a member's head.
        start = random.choice([place for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for place in _all(content, mark)])
        field = start + random.choice((4, 6, 8, 10, 12, 16, 20, 24, 28, 30, 42))
        content[field : field + 4] = random.choice((random.choice(SIZES) % 2**32, random.randrange(99))).to_bytes(4, "little")
    return bytes(content) if random.random() < 0.7 else havoc(bytes(content), random)


def _all(content: bytes | bytearray, mark: bytes) -> list[int]:
    return [place for place in range(len(content)) if content[place : place + 4] == mark]


def _changed(values: Any, random: Random) -> Any:
    """The values with some of them, anywhere, replaced, left out or doubled."""
    values = copy.deepcopy(values)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        inner = values
        while True:
            key = random.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
            if not isinstance(inner[key], dict | list) or not inner[key] or random.random() < 0.15:
                break
            inner = inner[key]
        if random.random() < 0.15:
            del inner[key]
        elif isinstance(inner, list) and random.random() < 0.2:
            inner.extend([inner[key]] * random.choice((1, 3, 1_100)))
        else:
            inner[key] = copy.deepcopy(random.choice(VALUES))
        if not values:
            break
    return values


# The small one mostly: it is read ten times as fast.
_OFTEN = [get_spec(name).to_dict() for name in ("tiny",) * 18 + ("lenet5-1998", "lenet5-modern")]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items() if inner is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value if inner is not None) + "]"
    if isinstance(value, float):
        return str(value)
    return _digits(value) if isinstance(value, int) and not isinstance(value, bool) else json.dumps(value)


def _digits(value: int) -> str:
    return str(value) if abs(value) < 10**4000 else hex(value)


def toml(random: Random) -> bytes:
    content = "\n".join(f"{key} = {_toml(value)}" for key, value in _changed(random.choice(_OFTEN), random).items() if value is not None)
    nasty = (
        "a." * 300 + "a = 1",
        "a = " + "[" * 3_000,
        "a = 0x" + "f" * 9_000,
        "a = " + "9" * 5_000,
        "[[rows]]\n" * 1_200,
        "[a]\n[a]",
        "a = 1979-05-27",
    )
    content = random.choice(nasty) + "\n" + content if random.random() < 0.1 else content
    return content.encode() if random.random() < 0.7 else havoc(content.encode(), random)


def config(random: Random) -> bytes:
    table = copy.deepcopy(random.choice(_OFTEN))
    whole = {
        "format": runs.FORMAT, "initial_weights": "seed", "recipe": table.pop("recipe"), "spec": table, "seed": 0,
        "data": {"name": "mnist", "sha256": "0"}, "device": {"name": "/CPU:0", "label": "CPU"},
        "settings": {"precision": "float32", "deterministic": False, "engine": "graph", "early_stopping": None}, "versions": {"keras": "3"},
    }  # fmt: skip
    content = json.dumps(_changed(whole, random))
    for _ in range(random.choice((0, 0, 0, 1))):
        place = random.choice([0, *[number for number, letter in enumerate(content) if letter in ":,"]]) + 1
        nasty = ("NaN", "Infinity", "1e999", "[" * 3_000, '"\\ud800"', "9" * 5_000, '{"a": 1, "a": 2}', "\ufeff", "-0", "1E400", "[[]" * 40)
        content = content[:place] + random.choice(nasty) + random.choice(("", ",", ', "x":')) + content[place:]
    return content.encode() if random.random() < 0.8 else havoc(content.encode(), random)


def _read_idx(path: Path) -> None:
    try:
        read_idx(path, 3)
    except DataError:
        read_idx(path, 1)


def _read_npy(path: Path) -> None:
    try:
        ImageFile(path)[:]
    except DataError:
        load_folder(path.parent)


def _read_toml(path: Path) -> None:
    spec = spec_files.load_spec(path)
    assert spec == type(spec).from_dict(spec.to_dict())
    assert spec.parameters <= 2**31
    str((spec.connections, spec.multiply_adds, spec.layers))


def _read_json(path: Path) -> None:
    run = runs.rerun(path.parent)
    str((run.data_name(), run.spec.layers, run.device, runs.differences(run.config)))


# Reader → the name of its file, how a file is made, how it is read.
READERS: dict[str, tuple[str, Callable[[Random], bytes], Callable[[Path], Any]]] = {
    "idx": ("x-idx3-ubyte", idx, _read_idx),
    "gzip": ("x-idx3-ubyte.gz", gz, _read_idx),
    "npy": ("y_train.npy", npy, _read_npy),
    "npz": ("x.npz", npz, load_arrays),
    "png": ("x.png", png, read_picture),
    "jpeg": ("x.jpg", jpeg, read_picture),
    "webp": ("x.webp", webp, read_picture),
    "bmp": ("x.bmp", bmp, read_picture),
    "toml": ("x.toml", toml, _read_toml),
    "json": ("config.json", config, _read_json),
}


def prepare(reader: str, folder: Path) -> Path:
    """The path that the reader's file is to be written to, and beside it what else it needs."""
    if reader == "npy":
        for name in NAMES:
            np.save(folder / f"{name}.npy", np.zeros((6, 3, 3), np.uint8) if name[0] == "x" else np.arange(6) % 3)
    return folder / READERS[reader][0]
