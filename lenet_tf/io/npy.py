"""Readers for `.npy` and `.npz` files of plain numbers that bound memory.

They raise `ValueError`, or `OSError` if a file cannot be read; the caller adds the path. The
comment beside each check names the attack that it stops.
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
from typing import BinaryIO, cast

import numpy as np

from lenet_tf.io.bounded import MAX_ARRAY_BYTES, LimitedReader, open_regular_file

MAGIC = b"\x93NUMPY"
# NumPy's own limit.
_MAX_HEADER_BYTES = 10_000
_MAX_DIMENSIONS = 8
# The most bytes that deflate can expand one byte to.
MAX_DEFLATE_RATIO = 1032
_CHUNK_BYTES = 1 << 20
MAX_MEMBERS = 64
# What zipfile and zlib raise for a damaged archive, besides OSError and ValueError.
_DAMAGE_ERRORS = (
    RuntimeError,
    EOFError,
    struct.error,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Header:
    """The header of a `.npy` file.

    Attributes:
        shape: Shape of the array.
        dtype: Its dtype.
        fortran: Whether the numbers are in Fortran order instead of C order.
        offset: Position in bytes of the first number.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    offset: int


def read_header(file: BinaryIO, length: int, kinds: str = "biuf") -> Header:
    """Read and check the header of a `.npy` file.

    Args:
        file: The file, at its start.
        length: Length of the file in bytes.
        kinds: Accepted values of `numpy.dtype.kind`.

    Returns:
        The header, whose numbers fill the rest of the file exactly.

    Raises:
        ValueError: If the header is invalid or does not fit the length.
    """
    start = file.read(10)
    if start[:6] != MAGIC or len(start) < 10:
        is_zip = start[:4] == b"PK\x03\x04"
        raise ValueError("it is a .npz archive" if is_zip else "it is not a .npy file")
    if start[6:8] not in (b"\x01\x00", b"\x02\x00"):
        version = f"{start[6]}.{start[7]}"
        raise ValueError(f"its format version is {version}; plain numbers need only 1.0 or 2.0")
    start += file.read(2) if start[6] == 2 else b""
    size = int.from_bytes(start[8:], "little")
    # Attack: a header of gigabytes.
    if size > _MAX_HEADER_BYTES:
        raise ValueError(f"its header of {size:,} bytes is longer than {_MAX_HEADER_BYTES:,}")
    header = _parse_header(start + file.read(size), kinds)
    declared, actual = prod(header.shape) * header.dtype.itemsize, length - header.offset
    # Attack: a tiny file whose header declares more numbers than memory can hold.
    if declared != actual:
        shape = "×".join(map(str, header.shape)) or "one"
        raise ValueError(
            f"its header declares {shape} of {header.dtype}, {declared:,} bytes, "
            f"but the file holds {actual:,}"
        )
    return header


def _parse_header(content: bytes, kinds: str) -> Header:
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) == (1, 0):
        read = np.lib.format.read_array_header_1_0
    else:
        read = np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(file, max_header_size=_MAX_HEADER_BYTES)
    except Exception as error:  # The header is a Python literal, whose parser can raise anything.
        raise ValueError("its header is unreadable") from error
    # Attack: pickled objects, which run code when they are loaded.
    if dtype.hasobject or dtype.kind not in kinds:
        content_type = "Python objects" if dtype.hasobject else str(dtype)[:80]
        raise ValueError(f"it holds {content_type}, not plain numbers")
    # Attack: two negative sizes, whose product fits the file, or more axes than NumPy supports.
    sizes_are_valid = all(type(size) is int and size >= 0 for size in shape)
    if len(shape) > _MAX_DIMENSIONS or not sizes_are_valid:
        raise ValueError("its header has an invalid shape")
    # Attack: a size of 0, which hides an impossible size of another axis.
    if 0 in shape:
        raise ValueError(f"it is empty: shape {shape}")
    return Header(shape, dtype, fortran, file.tell())


def read_npy(path: Path, max_bytes: int = MAX_ARRAY_BYTES, kinds: str = "biuf") -> np.ndarray:
    """Read a `.npy` file of plain numbers.

    Args:
        path: The file.
        max_bytes: Its largest accepted length.
        kinds: Accepted values of `numpy.dtype.kind`.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is invalid or too large.
    """
    with open_regular_file(path) as file:
        return _read_array(file, os.fstat(file.fileno()).st_size, kinds, max_bytes)


def read_npz(
    path: Path,
    wanted: Collection[str],
    kinds: str = "biuf",
    max_bytes: int = MAX_ARRAY_BYTES,
    follow_links: bool = True,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read arrays of plain numbers from a stored or deflated `.npz` file.

    Args:
        path: The file.
        wanted: Names of the arrays to read.
        kinds: Accepted values of `numpy.dtype.kind`.
        max_bytes: The most bytes that all its arrays may take.
        follow_links: Whether `path` itself may be a link.

    Returns:
        The wanted arrays that the file has, and the names of all its arrays.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, invalid or too large.
    """
    with open_regular_file(path, follow_links) as file:
        length = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(LimitedReader(file.raw, _CHUNK_BYTES)) as archive:
                members = _list_members(archive, length, max_bytes)
                arrays = {
                    name: _read_member(archive, name, members[name], kinds)
                    for name in wanted
                    if name in members
                }
                return arrays, list(members)
        except _DAMAGE_ERRORS as error:
            raise ValueError(str(error) or type(error).__name__) from error


def _list_members(
    archive: zipfile.ZipFile, length: int, max_bytes: int
) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive of `length` bytes by name, if their sizes are possible."""
    infos = archive.infolist()
    # Attack: a message that lists thousands of names.
    if len(infos) > MAX_MEMBERS:
        raise ValueError(f"it has {len(infos):,} members, more than {MAX_MEMBERS}")
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    # Attack: two arrays of one name, of which another tool reads the other one.
    if len(members) < len(infos):
        raise ValueError("two of its members have the same name")
    for name, info in members.items():
        # Attack: bzip2 or LZMA, whose compression ratio has no useful bound.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its member {name[:80]!r} is neither stored nor deflated")
        ratio = MAX_DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
        # Attack: a tiny member that declares more bytes than memory can hold.
        if info.file_size > info.compress_size * ratio:
            raise ValueError(
                f"its member {name[:80]!r} declares {info.file_size:,} bytes, "
                f"more than {info.compress_size:,} compressed bytes can hold"
            )
    # Attack: a zip bomb of members that share their compressed bytes.
    if sum(info.compress_size for info in infos) > length:
        raise ValueError("its members overlap")
    # Attack: arrays that fill memory.
    if sum(info.file_size for info in infos) > max_bytes:
        advice = ": store images in a folder of .npy files" if max_bytes == MAX_ARRAY_BYTES else ""
        raise ValueError(f"it is larger than {max_bytes:,} bytes{advice}")
    return members


def _read_member(
    archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo, kinds: str
) -> np.ndarray:
    try:
        with archive.open(info) as file:
            size = info.file_size
            return _read_array(cast(io.BufferedIOBase, file), size, kinds, max_bytes=size)
    except (ValueError, *_DAMAGE_ERRORS) as error:
        raise ValueError(f"{name}: {str(error) or type(error).__name__}") from error


def _read_array(file: io.BufferedIOBase, length: int, kinds: str, max_bytes: int) -> np.ndarray:
    """Read the array in a `.npy` file of `length` bytes."""
    header = read_header(cast(BinaryIO, file), length, kinds)
    # Attack: an array that fills memory.
    if length > max_bytes:
        raise ValueError(f"it is larger than {max_bytes:,} bytes")
    try:
        flat = np.empty(prod(header.shape), header.dtype)
    except MemoryError as error:
        raise ValueError(f"there is no memory for its {length:,} bytes") from error
    view, done = flat.view(np.uint8).data, 0
    while done < len(view):
        count = file.readinto(view[done : done + _CHUNK_BYTES])
        # Attack: a short member, which would leave old memory of this process in the array.
        if not count:
            raise ValueError("it ends before its last number")
        done += count
    # zipfile checks the checksum only when it reads past the last byte.
    if file.read(1):
        raise ValueError("bytes follow its last number")
    return flat.reshape(header.shape, order="F" if header.fortran else "C")
