"""Atomic file writes and locks between processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


class WriteError(OSError):
    """A file of a run could not be written."""


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file so that readers see the old content or the new, never a part of it.

    The block writes to a temporary file beside `path`. When it ends, that file is flushed to
    disk and renamed to `path`. If the block raises, `path` keeps its old content and the
    temporary file is removed.

    Args:
        path: File to create or replace.

    Yields:
        Path of the temporary file, which the block must create.

    Raises:
        OSError: If the file cannot be written or renamed.
    """
    partial = path.with_name(f".{path.stem}-{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
        # Some network file systems cannot flush a folder; the rename has succeeded anyway.
        with contextlib.suppress(OSError):
            _flush(path.parent)
    finally:
        # If the folder is gone or read-only, the block has already raised that error.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows cannot open a folder.
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_partials(folder: Path) -> None:
    """Remove temporary files that killed processes left in a folder.

    Args:
        folder: Folder in which no other process is writing.
    """
    for partial in folder.glob(".*.partial*"):
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def file_lock(path: Path, timeout: float = 0) -> Iterator[None]:
    """Hold a lock that at most one process can hold at a time.

    The operating system releases the lock when the process ends, even if it is killed.

    Args:
        path: Lock file, created here and removed afterwards.
        timeout: Seconds to wait for another process; -1 waits forever.

    Yields:
        Nothing; the lock is held within the block.

    Raises:
        filelock.Timeout: If another process still holds the lock after `timeout` seconds.
    """
    from filelock import FileLock

    with FileLock(path, timeout=timeout):
        try:
            yield
        finally:
            # Unlink before releasing, so that another process' lock file is never removed.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
