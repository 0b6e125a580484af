"""Hostile files made on purpose: valid ones with fields that lie, for the tests and for `soak/fuzz.py`; and who reads them.

Every maker takes a `random.Random` and gives the content of a file, and the same numbers give the same content.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from hostile_arrays import gz, idx, npy, npz
from hostile_photos import jpeg, webp
from hostile_pictures import bmp, png
from ruin import SIZES, havoc

from lenet_tf.data.sources.arrays import ARRAY_NAMES, load_npy_folder, load_npz
from lenet_tf.data.sources.idx import load_idx_file
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.inference.image_files import read_picture
from lenet_tf.runs import run_record
from lenet_tf.specs import get_spec
from lenet_tf.specs.toml import load_spec

VALUES: tuple[Any, ...] = (
    *SIZES, -1, 10**30, 10**4000, True, False, None, 0.5, -0.5, 1e300, float("inf"), float("nan"), "", "a", "tanh", "same", "a" * 20_000,
    "\n", "\x1b[2J", "../x", [], [1], [[0]], [3, 3], [0.1] * 500, {}, {"name": "adam"}, {"a": {"b": [1]}},
)  # fmt: skip


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
        return (
            "{"
            + ", ".join(
                f"{json.dumps(key)} = {_toml(inner)}"
                for key, inner in value.items()
                if inner is not None
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(_toml(inner) for inner in value if inner is not None) + "]"
    if isinstance(value, float):
        return str(value)
    return (
        _digits(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else json.dumps(value)
    )


def _digits(value: int) -> str:
    return str(value) if abs(value) < 10**4000 else hex(value)


def toml(random: Random) -> bytes:
    content = "\n".join(
        f"{key} = {_toml(value)}"
        for key, value in _changed(random.choice(_OFTEN), random).items()
        if value is not None
    )
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
        "format": run_record.FORMAT, "initial_weights": "seed", "recipe": table.pop("recipe"), "spec": table, "seed": 0,
        "data": {"name": "mnist", "sha256": "0"}, "device": {"name": "/CPU:0", "label": "CPU"},
        "settings": {"precision": "float32", "deterministic": False, "engine": "graph", "early_stopping": None}, "versions": {"keras": "3"},
    }  # fmt: skip
    content = json.dumps(_changed(whole, random))
    for _ in range(random.choice((0, 0, 0, 1))):
        place = (
            random.choice([0, *[number for number, letter in enumerate(content) if letter in ":,"]])
            + 1
        )
        nasty = (
            "NaN",
            "Infinity",
            "1e999",
            "[" * 3_000,
            '"\\ud800"',
            "9" * 5_000,
            '{"a": 1, "a": 2}',
            "\ufeff",
            "-0",
            "1E400",
            "[[]" * 40,
        )
        content = (
            content[:place]
            + random.choice(nasty)
            + random.choice(("", ",", ', "x":'))
            + content[place:]
        )
    return content.encode() if random.random() < 0.8 else havoc(content.encode(), random)


def _read_idx(path: Path) -> None:
    try:
        load_idx_file(path, 3)
    except DataError:
        load_idx_file(path, 1)


def _read_npy(path: Path) -> None:
    try:
        ImageFile(path)[:]
    except DataError:
        load_npy_folder(path.parent)


def _read_toml(path: Path) -> None:
    spec = load_spec(path)
    assert spec == type(spec).from_dict(spec.to_dict())
    assert spec.parameters <= 2**31
    str((spec.connections, spec.multiply_adds, spec.layers))


def _read_json(path: Path) -> None:
    run = run_record.read_repeatable_run(path.parent)
    str((run.data_name, run.spec.layers, run.device, run_record.version_differences(run.config)))


# Reader → the name of its file, how a file is made, how it is read.
READERS: dict[str, tuple[str, Callable[[Random], bytes], Callable[[Path], Any]]] = {
    "idx": ("x-idx3-ubyte", idx, _read_idx),
    "gzip": ("x-idx3-ubyte.gz", gz, _read_idx),
    "npy": ("y_train.npy", npy, _read_npy),
    "npz": ("x.npz", npz, load_npz),
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
        for name in ARRAY_NAMES:
            np.save(
                folder / f"{name}.npy",
                np.zeros((6, 3, 3), np.uint8) if name[0] == "x" else np.arange(6) % 3,
            )
    return folder / READERS[reader][0]
