"""NumPy's files of plain numbers, `.npy` and `.npz`: nothing is allocated before the file is known to hold what its header says.

Every reader here raises `ValueError`, or `OSError` where a file cannot be read, with what is wrong; whoever calls knows the path.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file

MAGIC = b"\x93NUMPY"
# NumPy's own bound of a header.
_MAX_HEADER = 10_000
_MAX_MEMBERS = 64
# What deflate makes of one byte at most.
RATIO = 1032
# Read at a time, and the longest read that is allowed: zipfile reads an archive's directory in one, of whatever length the archive says.
_PART = 1 << 20
# What a damaged archive makes zipfile and zlib raise beside OSError and ValueError.
_DAMAGE = (RuntimeError, EOFError, struct.error, OverflowError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Header:
    """What a `.npy` file says of itself; the numbers begin at byte `offset`, in C order unless `fortran`."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int


def read_header(file: BinaryIO, length: int, kinds: str = "biuf") -> Header:
    """Reads and checks the header of a `.npy` file of `length` bytes; `kinds` are the kinds of dtype that may be."""
    start = file.read(10)
    if start[:6] != MAGIC or len(start) < 10:
        raise ValueError(
            "it is an archive of several"
            if start[:4] == b"PK\x03\x04"
            else "it does not begin as a .npy file does"
        )
    if start[6:8] not in (b"\x01\x00", b"\x02\x00"):
        raise ValueError(
            f"it is of version {start[6]}.{start[7]} of the format, and only 1.0 and 2.0 hold plain numbers"
        )
    start += file.read(2) if start[6] == 2 else b""
    size = int.from_bytes(start[8:], "little")
    if size > _MAX_HEADER:
        raise ValueError(f"its header of {size:,} bytes is longer than {_MAX_HEADER:,}")
    header = _parsed(start + file.read(size), kinds)
    held = length - header.offset
    if prod(header.shape) * header.dtype.itemsize != held:
        says = f"{'×'.join(map(str, header.shape)) or 'one'} of {header.dtype}"
        raise ValueError(
            f"its header says {says}, {prod(header.shape) * header.dtype.itemsize:,} bytes, but it holds {held:,}"
        )
    return header


def _parsed(content: bytes, kinds: str) -> Header:
    file = io.BytesIO(content)
    read = (
        np.lib.format.read_array_header_1_0
        if np.lib.format.read_magic(file) == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(file, max_header_size=_MAX_HEADER)
    except Exception as error:  # it is Python's text, and whatever its parsers raise can come of it
        raise ValueError("its header cannot be read") from error
    if dtype.hasobject or dtype.kind not in kinds or dtype.subdtype is not None:
        raise ValueError(
            f"it holds {'Python objects' if dtype.hasobject else str(dtype)[:80]}, not plain numbers"
        )
    if len(shape) > 8 or any(type(size) is not int or not 0 <= size < 1 << 63 for size in shape):
        raise ValueError("the shape in its header cannot be")
    if 0 in shape:
        raise ValueError(f"it is empty: shape {shape}")
    return Header(shape, dtype, fortran, file.tell())


def _read(file: BinaryIO, length: int, kinds: str) -> np.ndarray:
    """The array in a `.npy` file of `length` bytes."""
    header = read_header(file, length, kinds)
    if length > MAX_ARRAY_BYTES:
        raise ValueError(
            f"it is larger than {MAX_ARRAY_BYTES:,} bytes, and images beyond that are read from a folder of .npy files"
        )
    try:
        flat = np.empty(prod(header.shape), header.dtype)
    except MemoryError as error:
        raise ValueError(f"memory does not hold its {length:,} bytes") from error
    # A view of bytes, into which a file can be read.
    view, done = memoryview(flat.view(np.uint8)), 0
    while done < len(view):
        got = file.readinto(view[done : done + _PART])
        if not got:
            raise ValueError("it ends before its header says")
        done += got
    # Behind the last byte zipfile looks at the checksum.
    if file.read(1):
        raise ValueError("it goes on behind what its header says")
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def read_npy(path: Path) -> np.ndarray:
    """The array in a `.npy` file of plain numbers, at most `MAX_ARRAY_BYTES` bytes of them."""
    with open_regular_file(path) as file:
        return _read(file, os.fstat(file.fileno()).st_size, "biuf")


def read_npz(
    path: Path, wanted: Collection[str], kinds: str = "biuf"
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those of the `wanted` arrays that an `.npz` file has, at most `MAX_ARRAY_BYTES` bytes of them, and the names of all that it has.

    Its members are stored or deflated; a size that deflate cannot have made of the file's bytes is refused before it is allocated.
    """
    with open_regular_file(path) as file:
        length = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(_ShortReads(file)) as archive:
                members = _members(archive, length)
                return {
                    name: _member(archive, name, members[name], kinds)
                    for name in wanted
                    if name in members
                }, list(members)
        except _DAMAGE as error:
            raise ValueError(str(error) or type(error).__name__) from error


class _ShortReads(io.BufferedReader):
    """Refuses to read more at once than `_PART`."""

    def read(self, size: int | None = -1) -> bytes:
        everything = size is None or size < 0
        content = super().read(_PART + 1 if everything else min(size, _PART + 1))
        if len(content) > _PART:
            raise ValueError("its directory is too long")
        return content


def _members(archive: zipfile.ZipFile, length: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's arrays by name, once their sizes can be true."""
    infos = archive.infolist()
    if len(infos) > _MAX_MEMBERS:
        raise ValueError(f"it has {len(infos):,} members, more than {_MAX_MEMBERS}")
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) < len(infos):
        raise ValueError("two of its members have the same name")
    for name, info in members.items():
        if (
            info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            or info.flag_bits & 1
        ):
            raise ValueError(
                f"its member {name[:80]!r} is encrypted or compressed by something else than deflate"
            )
        if info.file_size > info.compress_size * (
            RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
        ):
            raise ValueError(
                f"its member {name[:80]!r} says {info.file_size:,} bytes, which {info.compress_size:,} bytes cannot become"
            )
    if sum(info.compress_size for info in infos) > length:
        raise ValueError("its members overlap")
    if sum(info.file_size for info in infos) > MAX_ARRAY_BYTES:
        raise ValueError(
            f"it holds more than {MAX_ARRAY_BYTES:,} bytes, and images beyond that are read from a folder of .npy files"
        )
    return members


def _member(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, kinds: str) -> np.ndarray:
    try:
        with archive.open(info) as file:
            return _read(file, info.file_size, kinds)
    except (ValueError, *_DAMAGE) as error:
        raise ValueError(f"{name}: {str(error) or type(error).__name__}") from error
