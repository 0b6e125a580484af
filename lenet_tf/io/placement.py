"""Move finished files and folders to their place, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.folders import open_folder


def check_free(path: Path, replaces: bool) -> None:
    """Check that a file or folder can be written.

    Args:
        path: It.
        replaces: Whether an existing one may be replaced.

    Raises:
        OSError: If there is one already, or its folder does not exist or takes no files.
    """
    if os.path.lexists(path) and not replaces:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    with open_folder(path.parent):
        pass
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


def place_files(sources: Sequence[Path], folder: Path) -> None:
    """Copy files into a folder, replacing those of the same names.

    Args:
        sources: The files. If one cannot be written, the new ones before it are removed.
        folder: The folder.

    Raises:
        OSError: As `atomic_write`.
    """
    created = []
    try:
        for source in sources:
            target = folder / source.name
            is_new = not os.path.lexists(target)
            with atomic_write(target) as file, source.open("rb") as content:
                shutil.copyfileobj(content, file)
            created += [target] * is_new
    except BaseException:
        for target in created:
            with contextlib.suppress(OSError):
                target.unlink()
        raise


def place_folder(source: Path, target: Path) -> None:
    """Copy a folder to a place where there is none, or in place of another folder.

    Args:
        source: The folder.
        target: Its new path. It appears with all its files; an older folder disappears then.

    Raises:
        OSError: If it cannot be written; then `target` is as before.
    """
    staged = target.with_name(f".lenet_tf-{os.urandom(8).hex()}.partial")
    old = target.with_name(f".lenet_tf-{os.urandom(8).hex()}.partial")
    try:
        shutil.copytree(source, staged)
        if os.path.lexists(target):
            os.rename(target, old)
        try:
            os.rename(staged, target)
        except OSError:
            with contextlib.suppress(OSError):
                os.rename(old, target)
            raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
