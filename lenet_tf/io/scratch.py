"""Private temporary folders, for libraries that read and write by path only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# No user gives a folder such a name, since folders of this name are removed.
_PREFIX = ".lenet_tf-private-"
_NAME = re.compile(re.escape(_PREFIX) + "[a-z0-9_]{8}")
# A folder younger than this may not be locked yet.
_LOCK_SECONDS = 60


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that no other user can write to, and remove it with its content.

    The folders that killed processes of this user left are removed too.

    Yields:
        The empty folder.

    Raises:
        OSError: If there is no place for temporary files.

    Example:
        >>> with private_folder() as folder:
        ...     _ = (folder / "digits.csv").write_text("7,2,1")
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    # On Windows a file that a virus scanner has open cannot be removed.
    folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=os.name == "nt")
    with folder as name, _lock_folder(Path(name)):
        yield Path(name)


@contextlib.contextmanager
def _lock_folder(path: Path) -> Iterator[bool]:
    """Hold a folder's lock, which ends with the process; yield whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows cannot lock folders.
        yield False
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_free = True
    except OSError:
        is_free = False
    try:
        yield is_free
    finally:
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    """Remove this user's temporary folders whose process has ended."""
    if not hasattr(os, "geteuid"):  # Windows has no such owners and locks.
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if not _NAME.fullmatch(entry.name):
                continue
            status = entry.stat(follow_symlinks=False)
            is_old = time.time() - status.st_mtime > _LOCK_SECONDS
            # Attack: a link of this name to a folder of the user's.
            if not (stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and is_old):
                continue
            with contextlib.suppress(OSError), _lock_folder(Path(entry.path)) as is_free:
                if is_free:
                    shutil.rmtree(entry.path, ignore_errors=True)
