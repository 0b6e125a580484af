"""Files: written whole or not at all, read up to a bound, and held by one process at a time."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

# filelock: kept by the tox project; the system lets go of its locks when a process ends, however it ends.
from filelock import FileLock, Timeout

__all__ = ["Timeout", "locked", "read_bounded", "remove_partials", "whole"]


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a name beside `path` to write to; when the block ends, the file is flushed to the disk and renamed to `path`.

    A reader sees the old file or the new one, never half of one, whenever this process or the machine stops. A block that raises leaves
    `path` as it was, and nothing else.
    """
    partial = path.with_name(f".{path.stem}-{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
        _flush(path.parent)
    finally:
        # A folder that was deleted or has become read-only has its own error already.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows has no such thing
        return
    number = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_partials(folder: Path) -> None:
    """Removes what processes that were killed while they wrote have left in the folder; for whoever alone writes there."""
    for partial in folder.glob(".*.partial*"):
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path, seconds: float = 0) -> Iterator[None]:
    """Holds `path`, made for it, as a lock among processes; raises `Timeout` when another still holds it after so many seconds, and waits
    without end for −1."""
    lock = FileLock(path, timeout=seconds)
    with lock:
        try:
            yield
        finally:
            # While it is still held, so that nobody else's is removed. A folder that was deleted has no lock to remove.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises `OSError` where it cannot be read, and `ValueError` with the reason where it is larger, or no file: a pipe or a device could go
    on for ever.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit:,} bytes")
    return content
