"""Checks the members of a `.keras` file, a ZIP archive, before their content is read."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, Any

from lenet_tf.io.bounded import MAX_TEXT_BYTES, parse_json
from lenet_tf.io.npy import MAX_DEFLATE_RATIO
from lenet_tf.runs import checkpoints

# The largest variant needs 15 MB with its optimizer's state.
MAX_FILE_BYTES = 1 << 30

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
DAMAGED = "it is damaged or incomplete"
_MEMBERS = (METADATA, CONFIG, WEIGHTS, checkpoints.PROGRESS_MEMBER)
_MAX_DIRECTORY_BYTES, _MAX_ZEROS_BYTES = 4096, 16 << 20
_END_RECORD = struct.Struct("<4s4H2LH")
# What zipfile raises for headers that are damaged or contradict each other.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,
)


def check_directory(stream: IO[bytes], size: int) -> None:
    """Raise `ValueError` unless the archive's directory is short.

    Attack: a directory of millions of members, which zipfile reads before anything else. The end
    record must be the file's last bytes, so that zipfile can't find another one.
    """
    if size < _END_RECORD.size:
        raise ValueError(DAMAGED)
    # A ZIP64 locator takes 20 bytes before the end record.
    stream.seek(max(0, size - _END_RECORD.size - 20))
    tail = stream.read()
    signature, *_, length, start, comment_length = _END_RECORD.unpack(tail[-_END_RECORD.size :])
    is_last = start + length + _END_RECORD.size == size and not comment_length
    is_zip64 = tail.startswith(b"PK\6\7")
    if signature != b"PK\5\6" or not is_last or is_zip64:
        raise ValueError(DAMAGED)
    if length > _MAX_DIRECTORY_BYTES:
        raise ValueError(f"it holds other files than {METADATA}, {CONFIG} and {WEIGHTS}")


def list_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by name if their names and sizes are acceptable."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.orig_filename
        # Attack: paths, and two versions of a member of which another tool sees the other one.
        if name not in _MEMBERS or name in members:
            raise ValueError(
                f"it holds {name[:80]!r}{', twice' * (name in members)},"
                " which is not part of a LeNet's file"
            )
        # Attack: a small file that decompresses to more than deflate can, or than the limit.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its {name} is compressed in a way that Keras does not use")
        ratio = MAX_DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
        if info.file_size > ratio * info.compress_size:
            raise ValueError(DAMAGED)
        # Attack: a megabyte of zeros, deflated, that becomes a gigabyte of weights. Real weights
        # and an optimizer's initial state deflate to a third.
        if name == WEIGHTS and info.file_size > _MAX_ZEROS_BYTES + 8 * info.compress_size:
            raise ValueError(f"its {name} is mostly empty")
        limit = MAX_FILE_BYTES if name == WEIGHTS else MAX_TEXT_BYTES
        if info.file_size > limit and name != checkpoints.PROGRESS_MEMBER:
            raise ValueError(f"its {name} is larger than {limit:,} bytes")
        members[name] = info
    missing = [name for name in (METADATA, CONFIG, WEIGHTS) if name not in members]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    return members


def read_json(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    """Read a member that is JSON, or raise `ValueError` with its name."""
    try:
        return parse_json(archive.read(info))
    except ValueError as error:
        raise ValueError(f"its {info.filename} cannot be read: {error}") from error
