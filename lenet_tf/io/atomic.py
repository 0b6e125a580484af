"""Atomic file writes and locks between processes: the one place that writes files."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lenet_tf.io.folders import UnsafePathError, describe_kind, open_folder

# Names of temporary files. Those of version 0.3 end with the number of their process.
_PARTIAL = re.compile(r"\.lenet_tf-[0-9a-f]{16}\.partial|\..+-[0-9]+\.partial(\.\w+)*")
# A temporary file this old belongs to a process that was killed.
STALE_SECONDS = 3600


class WriteError(OSError):
    """A file of a run could not be written."""


@contextlib.contextmanager
def atomic_write(path: Path, inside: Path | None = None) -> Iterator[BinaryIO]:
    """Write a file so that readers see the old content or the new, never a part of it.

    The block writes to a new file with a random name in the same folder. When it ends, that file
    is flushed to disk and renamed to `path`, whose permissions it has. If the block raises, `path`
    keeps its old content and the new file is removed. Links, folders, devices and pipes are never
    replaced.

    Args:
        path: File to create or replace.
        inside: A folder above `path`, such as a run folder, below which no link is followed. None
            follows the links in the path of the file's folder.

    Yields:
        The new file, open for writing and reading bytes.

    Raises:
        UnsafePathError: If `path` is no plain file, or a folder below `inside` is a link.
        OSError: If the file cannot be written or renamed.

    Example:
        >>> with atomic_write(Path("digits.csv")) as file:
        ...     _ = file.write(b"7,2,1")
    """
    temporary = f".lenet_tf-{os.urandom(8).hex()}.partial"
    try:
        with open_folder(path.parent, inside) as folder:
            replaced = folder.check_replaceable(path.name)
            # Attack: a link under the temporary name. It is random, and must not exist.
            file = folder.create(temporary, like=replaced)
            try:
                with file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                folder.check_replaceable(path.name)
                folder.replace(temporary, path.name)
            except BaseException:
                # If the folder is read-only now, the block has already raised that error.
                with contextlib.suppress(OSError):
                    folder.unlink(temporary)
                raise
            # Some network file systems cannot flush a folder; the rename has succeeded anyway.
            with contextlib.suppress(OSError):
                folder.flush()
    except OSError as error:
        if error.filename and os.path.basename(error.filename) in (temporary, path.name):
            error.filename, error.filename2 = str(path), None
        if os.name == "nt" and isinstance(error, PermissionError):
            error.strerror = f"{error.strerror}: is it open in another program, or read-only?"
        raise


def write_text(path: Path, text: str, inside: Path | None = None) -> None:
    """Write a text file, encoded as UTF-8, as `atomic_write` does.

    Args:
        path: File to create or replace.
        text: Its content. Lines end as they do here, on every system.
        inside: As in `atomic_write`.

    Raises:
        OSError: As `atomic_write`.

    Example:
        >>> write_text(Path("digits.csv"), "7,2,1")
    """
    with atomic_write(path, inside) as file:
        file.write(text.encode("utf-8"))


def open_log(path: Path) -> BinaryIO:
    """Open a file of messages to append to, which is created unless it exists.

    Args:
        path: The file.

    Returns:
        The file, open for writing bytes.

    Raises:
        UnsafePathError: If `path` is no plain file.
        OSError: If the file cannot be opened.
    """
    with open_folder(path.parent) as folder:
        folder.check_replaceable(path.name)
        return folder.append(path.name)


def check_writable(path: Path) -> None:
    """Check that a file can be written, before the work whose result goes into it.

    Args:
        path: File to create or replace.

    Raises:
        UnsafePathError: If `path` is no plain file.
        OSError: If its folder does not exist or takes no files.
    """
    with open_folder(path.parent) as folder:
        folder.check_replaceable(path.name)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


def make_folder(path: Path, inside: Path) -> None:
    """Make a folder unless it exists.

    Args:
        path: Folder to make.
        inside: A folder above `path`, below which no link is followed.

    Raises:
        UnsafePathError: If a folder below `inside`, or `path` itself, is a link or no folder.
        OSError: If the folder cannot be made.

    Example:
        >>> make_folder(Path("report"), Path())
    """
    with open_folder(path.parent, inside) as folder:
        folder.make_folder(path.name)
    with open_folder(path, inside):  # Refuse what was there before and is no folder.
        pass


def remove_partials(path: Path, inside: Path | None = None, min_age: float = 0) -> None:
    """Remove temporary files that killed processes left in a folder, if there is one.

    Args:
        path: Folder.
        inside: As in `atomic_write`.
        min_age: Seconds since the last write of a file to remove; 0 where no other process can be
            writing.

    Raises:
        UnsafePathError: If a folder below `inside` is a link.
    """
    with contextlib.suppress(FileNotFoundError), open_folder(path, inside) as folder:
        for name in folder.names():
            status = folder.status(name) if _PARTIAL.fullmatch(name) else None
            if status is None or not stat.S_ISREG(status.st_mode):
                continue
            if not min_age or time.time() - status.st_mtime >= min_age:
                with contextlib.suppress(OSError):
                    folder.unlink(name)


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
        UnsafePathError: If the lock file is no plain file, or has a second name.
        OSError: If the lock file cannot be created.
    """
    from filelock import FileLock

    _check_lock_file(path)
    with FileLock(path, timeout=timeout):
        try:
            yield
        finally:
            # Unlink before releasing, so that another process' lock file is never removed.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _check_lock_file(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    # Attack: a link, or a second name, of a file of the user's, which old locks truncate.
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        kind = "the second name of a file" if status.st_nlink > 1 else describe_kind(status)
        raise UnsafePathError(path, f"{path.name} is {kind}, not a lock file: remove it")
