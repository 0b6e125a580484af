"""Finds a folder again that was renamed while it was in use."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lenet_tf.io import folders


@contextlib.contextmanager
def track_folder(path: Path) -> Iterator[Callable[[], Path | None]]:
    """Keep a folder open, to find it again after it was renamed.

    Args:
        path: The folder.

    Yields:
        A function that returns the folder's path now, or None if it was deleted.
    """
    try:
        is_opened = folders.USES_DESCRIPTORS
        descriptor = os.open(path, os.O_RDONLY | folders.OPEN_FOLDER) if is_opened else None
    except OSError:
        descriptor = None
    try:
        yield lambda: _find_again(path, descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _find_again(path: Path, descriptor: int | None) -> Path | None:
    if descriptor is None:
        return path if path.is_dir() else None
    for read_path in (lambda _: path, _read_open_path):
        # A deleted folder's path leads nowhere, or to another folder.
        with contextlib.suppress(OSError):
            place = read_path(descriptor)
            if os.path.samestat(place.stat(), os.fstat(descriptor)):
                return place
    return None


def _read_open_path(descriptor: int) -> Path:
    """Return the path of an open folder, from Linux or macOS."""
    import fcntl

    if hasattr(fcntl, "F_GETPATH"):
        name = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
        return Path(os.fsdecode(name.rstrip(b"\0")))
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
