"""Every reader of untrusted files, with a function that makes hostile files for it.

Used by the tests and by `soak/fuzz.py`. Each maker takes a `random.Random` and returns the content
of a file; equal seeds give equal content.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
from hostile_arrays import make_gzip, make_idx, make_npy, make_npz
from hostile_bitmaps import make_bmp, make_png
from hostile_photos import make_jpeg, make_webp
from hostile_scans import make_gif, make_tiff
from hostile_tables import make_csv
from hostile_texts import make_config, make_toml
from mutations import mutate_bytes

from lenet_tf.data.read_options import DEFAULT_OPTIONS
from lenet_tf.data.sources.arrays import ARRAY_NAMES, load_npy_folder, load_npz
from lenet_tf.data.sources.idx import load_idx_file
from lenet_tf.data.sources.tables import load_table
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.inference.image_files import read_picture
from lenet_tf.runs import run_record
from lenet_tf.specs.toml import load_spec


class Reader(NamedTuple):
    """A reader under attack: the name of its file, what makes the file, and what reads it."""

    file_name: str
    make: Callable[[Random], bytes]
    read: Callable[[Path], Any]

    def make_damaged(self, random: Random) -> bytes:
        """Returns a hostile file with random damage."""
        return mutate_bytes(self.make(random), random)


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


def _read_csv(path: Path) -> None:
    load_table(path, DEFAULT_OPTIONS, lambda _: None)


def _read_toml(path: Path) -> None:
    spec = load_spec(path)
    assert spec == type(spec).from_dict(spec.to_dict())
    assert spec.parameters <= 2**31
    str((spec.connections, spec.multiply_adds, spec.layers))


def _read_json(path: Path) -> None:
    run = run_record.read_repeatable_run(path.parent)
    str((run.data_name, run.spec.layers, run.device, run_record.version_differences(run.config)))


READERS = {
    "idx": Reader("x-idx3-ubyte", make_idx, _read_idx),
    "gzip": Reader("x-idx3-ubyte.gz", make_gzip, _read_idx),
    "npy": Reader("y_train.npy", make_npy, _read_npy),
    "npz": Reader("x.npz", make_npz, load_npz),
    "csv": Reader("x.csv", make_csv, _read_csv),
    "png": Reader("x.png", make_png, read_picture),
    "jpeg": Reader("x.jpg", make_jpeg, read_picture),
    "webp": Reader("x.webp", make_webp, read_picture),
    "bmp": Reader("x.bmp", make_bmp, read_picture),
    "gif": Reader("x.gif", make_gif, read_picture),
    "tiff": Reader("x.tif", make_tiff, read_picture),
    "toml": Reader("x.toml", make_toml, _read_toml),
    "json": Reader("config.json", make_config, _read_json),
}


def prepare_path(reader: str, folder: Path) -> Path:
    """Returns the path of the reader's file, after writing what else the reader needs."""
    if reader == "npy":
        for name in ARRAY_NAMES:
            array = np.full((6, 3, 3), 255, np.uint8) if name[0] == "x" else np.arange(6) % 3
            np.save(folder / f"{name}.npy", array)
    return folder / READERS[reader].file_name
