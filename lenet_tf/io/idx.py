"""Bounded reader of IDX files, the format of MNIST, plain or gzipped.

https://yann.lecun.org/exdb/mnist defines the format: two zero bytes, the type, the number of
dimensions, each dimension as four bytes (big-endian), then the numbers.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file
from lenet_tf.io.npy import MAX_DEFLATE_RATIO

# The format's numbers of types, and NumPy's.
_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CHUNK = 1 << 20
# Bytes before the sizes of the axes, and bytes of each size.
_START = 4


def read_idx(
    path: Path, dimensions: int | Collection[int], max_bytes: int = MAX_ARRAY_BYTES
) -> np.ndarray:
    """Read an IDX file of numbers.

    Args:
        path: The file; a name that ends in `.gz` is a gzipped one.
        dimensions: Number of axes that the array must have, or several numbers.
        max_bytes: Largest accepted array.

    Returns:
        An array of the file's type: mostly uint8, or big-endian numbers.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, of another type or rank, or larger than `max_bytes`.
    """
    ranks = (dimensions,) if isinstance(dimensions, int) else tuple(dimensions)
    with open_regular_file(path) as file:
        length = os.fstat(file.fileno()).st_size
        try:
            if path.suffix.lower() == ".gz":
                return _read_gzipped(file, length, ranks, max_bytes)
            return _read_plain(file, length, ranks, max_bytes)
        except zlib.error as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True)
class _Header:
    """The type and the shape of an array."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        unit = "bytes" if self.dtype.itemsize == 1 else f"numbers of {self.dtype.itemsize} bytes"
        return f"{'×'.join(map(str, self.shape))} {unit}"


def _read_header(read: Callable[[int], bytes], ranks: Collection[int], max_bytes: int) -> _Header:
    """Read and check a header, with a function that returns as many bytes as there are."""
    start = read(_START)
    if len(start) < _START or start[:2] != b"\0\0":
        raise ValueError("it does not begin as an IDX file does")
    if start[2] not in _TYPES or start[3] not in ranks:
        contents = {1: "labels", 3: "images"}.get(max(ranks, key=(1, 3).count), "numbers")
        known = " or ".join(map(str, sorted(ranks)))
        raise ValueError(
            f"{contents} must be unsigned bytes (type 8) or another type of IDX, of {known}"
            f" dimension{'s' * (known != '1')}, not of type {start[2]} and {start[3]}"
        )
    sizes = read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise ValueError("it does not begin as an IDX file does")
    shape = (int.from_bytes(sizes[at : at + 4], "big") for at in range(0, len(sizes), 4))
    header = _Header(np.dtype(_TYPES[start[2]]), tuple(shape))
    if 0 in header.shape:
        raise ValueError(f"it is empty: {header}")
    # Attack: a header that states terabytes.
    if header.size > max_bytes:
        raise ValueError(f"its header states {header}, but the limit is {max_bytes:,} bytes")
    return header


def _fill_array(header: _Header, read: Callable[[int], bytes]) -> tuple[np.ndarray, int]:
    """Return a new array and the number of bytes that `read` had for it."""
    try:
        array = np.empty(header.shape, header.dtype)
    except MemoryError as error:
        raise ValueError(f"its {header} do not fit in memory") from error
    view, count = array.view(np.uint8).data.cast("B"), 0
    while count < len(view) and (part := read(min(_CHUNK, len(view) - count))):
        view[count : count + len(part)] = part
        count += len(part)
    return array, count


def _read_plain(file: BinaryIO, length: int, ranks: Collection[int], max_bytes: int) -> np.ndarray:
    header = _read_header(file.read, ranks, max_bytes)
    rest = length - file.tell()
    # Attack: a short file that states a large array.
    if rest != header.size:
        raise ValueError(f"its header states {header}, but {rest:,} bytes follow it")
    array, count = _fill_array(header, file.read)
    if count < array.nbytes:
        raise ValueError("it became shorter while it was read")
    return array


def _read_gzipped(
    file: BinaryIO, length: int, ranks: Collection[int], max_bytes: int
) -> np.ndarray:
    decompressor = zlib.decompressobj(wbits=31)

    def read(count: int) -> bytes:
        content = b""
        while len(content) < count and (
            more := _decompress(decompressor, file, count - len(content))
        ):
            content += more
        return content

    header = _read_header(read, ranks, max_bytes)
    # Attack: a small file that states gigabytes.
    if header.size > MAX_DEFLATE_RATIO * length:
        raise ValueError(f"its header states {header}, more than {length:,} gzipped bytes can hold")
    array, count = _fill_array(header, partial(_decompress, decompressor, file))
    if count < array.nbytes:
        raise ValueError(f"its header states {header}, but only {count:,} could be decompressed")
    # Attack: a decompression bomb behind the array, of which one byte is decompressed here.
    if _decompress(decompressor, file, 1):
        raise ValueError(f"its header states {header}, but more follow them")
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
