"""A person's own images in IDX files, the form in which MNIST and the sets made after it are published, plain or gzipped.

https://yann.lecun.org/exdb/mnist has the form: two zeros, the type, the number of dimensions, each dimension in four bytes, most
significant first, then the numbers.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.errors import DataError
from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file
from lenet_tf.io.npy import RATIO

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_UBYTE = 8
# Read and unpacked at a time.
_PART = 1 << 20


def has_idx_files(folder: Path) -> bool:
    """Whether the folder holds one of the four files."""
    return any(_find(folder, name).is_file() for name in FILES.values())


def load_idx_folder(folder: Path) -> RawData:
    """Reads the four files, each with or without `.gz`: images uint8 (N, height, width, 1) in 0…255, labels int64 (N,).

    Raises `DataError` for a file that is missing, damaged or of another kind.
    """
    paths = {part: _find(folder, name) for part, name in FILES.items()}
    missing = [FILES[part] for part, path in paths.items() if not path.exists()]
    if missing:
        raise DataError(
            f"{folder} has no {', '.join(missing)} (or with .gz): a data set is a folder of {', '.join(FILES.values())}"
        )
    images = {part: read_idx(paths[part], 3)[..., None] for part in ("x_train", "x_test")}
    labels = {part: read_idx(paths[part], 1).astype(np.int64) for part in ("y_train", "y_test")}
    return RawData(**images, **labels, name=str(folder.resolve()), source="file")


def _find(folder: Path, name: str) -> Path:
    """The unpacked file where it is there, or else the gzipped one."""
    plain = folder / name
    return plain if plain.exists() else folder / f"{name}.gz"


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of an IDX file as uint8, of as many axes as `dimensions`; a name that ends in `.gz` is a gzipped one.

    At most `MAX_ARRAY_BYTES` bytes, and nothing is unpacked or allocated that the header does not announce. Raises `DataError`.
    """
    try:
        with open_regular_file(path) as file:
            return (_unpack if path.suffix == ".gz" else _read)(
                file, os.fstat(file.fileno()).st_size, dimensions
            )
    except (OSError, ValueError, zlib.error) as error:
        raise DataError(
            f"{path}: not a readable IDX file ({error}). Fetch or write it again."
        ) from error


def _shape(head: bytes, dimensions: int) -> tuple[int, ...]:
    """What the header says; raises `ValueError` unless it is that of bytes with so many dimensions and of a bearable size."""
    if len(head) < 4 + 4 * dimensions or head[:2] != b"\0\0":
        raise ValueError("it does not begin as an IDX file does")
    if head[2:4] != bytes([_UBYTE, dimensions]):
        what = {1: "labels", 3: "images"}.get(dimensions, "numbers")
        raise ValueError(
            f"{what} must be unsigned bytes (type 8) of {dimensions} dimension{'s' * (dimensions > 1)},"
            f" not of type {head[2]} and {head[3]}: other kinds of IDX are not read"
        )
    shape = tuple(
        int.from_bytes(head[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(dimensions)
    )
    if 0 in shape:
        raise ValueError(f"it is empty: {_said(shape)}")
    if _size(shape) > MAX_ARRAY_BYTES:
        raise ValueError(
            f"its header says {_said(shape)}, more than the {MAX_ARRAY_BYTES:,} bytes that are read"
        )
    return shape


def _said(shape: tuple[int, ...]) -> str:
    return f"{'×'.join(map(str, shape))} bytes"


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for axis in shape:
        size *= axis
    return size


def _allocate(shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.empty(shape, np.uint8)
    except MemoryError as error:
        raise ValueError(f"memory does not hold its {_said(shape)}") from error


def _read(file: BinaryIO, length: int, dimensions: int) -> np.ndarray:
    head = file.read(4 + 4 * dimensions)
    shape = _shape(head, dimensions)
    if length != len(head) + _size(shape):
        raise ValueError(
            f"its header says {_said(shape)}, but {length - len(head):,} bytes follow it"
        )
    array = _allocate(shape)
    if file.readinto(memoryview(array).cast("B")) != array.size:
        raise ValueError("it became shorter while it was read")
    return array


def _unpack(file: BinaryIO, length: int, dimensions: int) -> np.ndarray:
    """One gzip member and nothing behind it, its length and checksum right."""
    unpacker, head = zlib.decompressobj(wbits=31), 4 + 4 * dimensions
    start = _more(unpacker, file, head)
    while 0 < len(start) < head and (more := _more(unpacker, file, head - len(start))):
        start += more
    shape = _shape(start, dimensions)
    if _size(shape) > RATIO * length:
        raise ValueError(
            f"its header says {_said(shape)}, which {length:,} packed bytes cannot become"
        )
    array = _allocate(shape)
    view, done = memoryview(array).cast("B"), 0
    while done < len(view):
        part = _more(unpacker, file, min(_PART, len(view) - done))
        if not part:
            raise ValueError(f"its header says {_said(shape)}, but only {done:,} could be unpacked")
        view[done : done + len(part)] = part
        done += len(part)
    if _more(unpacker, file, 1):
        raise ValueError(f"its header says {_said(shape)}, but it goes on behind them")
    if not unpacker.eof:
        raise ValueError("it ends before its checksum")
    if unpacker.unused_data or file.read(1):
        raise ValueError("it goes on behind the end of its gzip member")
    return array


def _more(unpacker: zlib._Decompress, file: BinaryIO, most: int) -> bytes:
    """Up to `most` unpacked bytes; none at the end. Raises `zlib.error` for what is no gzip or has another checksum."""
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(1 << 16)
        part = unpacker.decompress(packed, most)
        if part or not packed:
            return part
    return b""
