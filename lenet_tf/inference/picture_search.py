"""Finds picture files in folders, and the run that predicts them."""

from __future__ import annotations

import contextlib
import stat
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from lenet_tf.errors import DataError, RunError
from lenet_tf.io.picture_formats import ALL_SUFFIXES, SUFFIXES


def find_pictures(
    paths: Sequence[Path], notify: Callable[[str], None] = warnings.warn
) -> list[Path]:
    """List picture files, and replace each folder by the pictures in it, sorted by name.

    Pictures of formats that can't be read, such as HEIC, are listed too, so that each gets an error
    rather than being skipped in silence.

    Args:
        paths: Files, whatever their names, and folders.
        notify: Function that is called with a message for a folder whose subfolders are left out.

    Raises:
        DataError: If a path does not exist, or a folder holds no picture.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            pictures = sorted(
                file
                for file in path.iterdir()
                # Systems add files with a dot, such as ._7.png beside 7.png.
                if file.name[0] != "." and file.suffix.lower() in ALL_SUFFIXES and file.is_file()
            )
            count = sum(each.is_dir() and each.name[0] != "." for each in path.iterdir())
            folders = f"folders in it that are not searched: {count:,}" if count else ""
            if not pictures:
                reason = f"holds no picture ({', '.join(SUFFIXES)})"
                raise DataError(f"the folder {path} {reason}{folders and '; ' + folders}")
            if folders:
                notify(f"{path}: {folders}")
            files += pictures
        elif path.exists():
            files.append(path)
        else:
            raise DataError(f"there is no picture or folder {path}")
    return files


def find_newest_run(logs: Path) -> Path:
    """Find the run that finished last.

    Args:
        logs: Folder of run folders.

    Raises:
        RunError: If no run has finished.
    """
    times = {}
    for path in logs.glob("**/fit/*/metrics.json"):
        # A run may be removed in the meantime.
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                times[path] = status.st_mtime
    if not times:
        raise RunError(
            f"there is no finished run in {logs}. "
            "Train one with `lenet-tf train`, or choose another network with --model."
        )
    return max(times, key=lambda path: (times[path], path)).parent
