"""Bounded reader of IDX files, the format of MNIST, plain or gzipped.

https://yann.lecun.org/exdb/mnist defines the format: two zero bytes, the type, the number of
dimensions, each dimension as four bytes (big-endian), then the numbers.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from functools import partial
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file
from lenet_tf.io.npy import MAX_DEFLATE_RATIO

_UNSIGNED_BYTE = 8
_CHUNK = 1 << 20


def read_idx(path: Path, dimensions: int, max_bytes: int = MAX_ARRAY_BYTES) -> np.ndarray:
    """Read an IDX file of unsigned bytes.

    Args:
        path: The file; a name that ends in `.gz` is a gzipped one.
        dimensions: Number of axes that the array must have.
        max_bytes: Largest accepted array.

    Returns:
        A uint8 array.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, of another type or rank, or larger than `max_bytes`.
    """
    with open_regular_file(path) as file:
        length = os.fstat(file.fileno()).st_size
        try:
            if path.suffix == ".gz":
                return _read_gzipped(file, length, dimensions, max_bytes)
            return _read_plain(file, length, dimensions, max_bytes)
        except zlib.error as error:
            raise ValueError(str(error)) from error


def _parse_header(header: bytes, dimensions: int, max_bytes: int) -> tuple[int, ...]:
    """Return the shape that a header states."""
    if len(header) < 4 + 4 * dimensions or header[:2] != b"\0\0":
        raise ValueError("it does not begin as an IDX file does")
    if header[2:4] != bytes([_UNSIGNED_BYTE, dimensions]):
        contents = {1: "labels", 3: "images"}.get(dimensions, "numbers")
        raise ValueError(
            f"{contents} must be unsigned bytes (type 8) of {dimensions} "
            f"dimension{'s' * (dimensions > 1)}, not of type {header[2]} and {header[3]}"
        )
    shape = tuple(
        int.from_bytes(header[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(dimensions)
    )
    if 0 in shape:
        raise ValueError(f"it is empty: {_describe(shape)}")
    # Attack: a header that states terabytes.
    if prod(shape) > max_bytes:
        raise ValueError(
            f"its header states {_describe(shape)}, but the limit is {max_bytes:,} bytes"
        )
    return shape


def _describe(shape: tuple[int, ...]) -> str:
    return f"{'×'.join(map(str, shape))} bytes"


def _fill_array(shape: tuple[int, ...], read: Callable[[int], bytes]) -> tuple[np.ndarray, int]:
    """Return a new array and the number of bytes that `read` had for it."""
    try:
        array = np.empty(shape, np.uint8)
    except MemoryError as error:
        raise ValueError(f"its {_describe(shape)} do not fit in memory") from error
    view, count = array.data.cast("B"), 0
    while count < len(view) and (part := read(min(_CHUNK, len(view) - count))):
        view[count : count + len(part)] = part
        count += len(part)
    return array, count


def _read_plain(file: BinaryIO, length: int, dimensions: int, max_bytes: int) -> np.ndarray:
    header = file.read(4 + 4 * dimensions)
    shape = _parse_header(header, dimensions, max_bytes)
    # Attack: a short file that states a large array.
    if length != len(header) + prod(shape):
        raise ValueError(
            f"its header states {_describe(shape)}, but {length - len(header):,} bytes follow it"
        )
    array, count = _fill_array(shape, file.read)
    if count < array.size:
        raise ValueError("it became shorter while it was read")
    return array


def _read_gzipped(file: BinaryIO, length: int, dimensions: int, max_bytes: int) -> np.ndarray:
    decompressor, header_size = zlib.decompressobj(wbits=31), 4 + 4 * dimensions
    header = _decompress(decompressor, file, header_size)
    while 0 < len(header) < header_size and (
        more := _decompress(decompressor, file, header_size - len(header))
    ):
        header += more
    shape = _parse_header(header, dimensions, max_bytes)
    # Attack: a small file that states gigabytes.
    if prod(shape) > MAX_DEFLATE_RATIO * length:
        raise ValueError(
            f"its header states {_describe(shape)}, more than {length:,} gzipped bytes can hold"
        )
    array, count = _fill_array(shape, partial(_decompress, decompressor, file))
    if count < array.size:
        raise ValueError(
            f"its header states {_describe(shape)}, but only {count:,} could be decompressed"
        )
    # Attack: a decompression bomb behind the array, of which one byte is decompressed here.
    if _decompress(decompressor, file, 1):
        raise ValueError(f"its header states {_describe(shape)}, but more follow them")
    # A download may be truncated; zlib compares the checksum only at the end of the stream.
    if not decompressor.eof:
        raise ValueError("it ends before its checksum")
    # Attack: a second gzip member or file behind the first, which other tools would read.
    if decompressor.unused_data or file.read(1):
        raise ValueError("more bytes follow its gzipped array")
    return array


def _decompress(decompressor: zlib._Decompress, file: BinaryIO, max_bytes: int) -> bytes:
    """Decompress up to `max_bytes` bytes; return none at the end of the stream."""
    while not decompressor.eof:
        compressed = decompressor.unconsumed_tail or file.read(1 << 16)
        part = decompressor.decompress(compressed, max_bytes)
        if part or not compressed:
            return part
    return b""
