"""Checks that a run folder holds only plain files and folders of its own.

The attacker is someone who sends a run folder, or shares the machine: links in it lead to files
and folders of the user's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from lenet_tf.errors import RunError
from lenet_tf.io import folders

# The folders in a run folder, two of which hold event files.
PARTS = ("train", "validation", "report", "projector")


def check_parts(folder: Path) -> None:
    """Check that a run folder and its parts are plain files and folders of this user or of root.

    For root they may also all be of the run folder's owner: containers run as root in folders of
    the user who starts them. Call it before writing into a folder that someone else may have
    made. Its files may be links to files of the user's, and its folders links to folders.

    Args:
        folder: The run folder. It may itself be named by a link.

    Raises:
        RunError: A part is something else. The message names it.
    """
    try:
        root = folder.stat()
        owners = folders.find_trusted_owners(root if folders.is_root() else None)
        folders.check_owner(folder, root, owners)
        with os.scandir(folder) as entries:
            for entry in entries:
                # A temporary file of another process may be gone by now.
                with contextlib.suppress(FileNotFoundError):
                    _check_part(folder / entry.name, owners)
    except folders.UnsafePathError as error:
        raise unsafe_error(folder, error) from error
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {error.strerror or error}") from error


def _check_part(path: Path, owners: set[int]) -> None:
    status = path.lstat()
    if path.name in PARTS:
        folders.check_real_folder(path)
    elif not _is_own_file(path.name):
        return  # The user's own, which no command writes to.
    elif not stat.S_ISREG(status.st_mode):
        kind = folders.describe_kind(status)
        raise folders.UnsafePathError(path, f"{path.name} is {kind}, not a file")
    folders.check_owner(path, status, owners)


def check_event_folders(folder: Path) -> None:
    """Check right before TensorFlow writes events, since it follows links.

    Args:
        folder: The run folder.

    Raises:
        UnsafePathError: Its train/ or validation/ is a link, or no folder.
    """
    for part in ("train", "validation"):
        with contextlib.suppress(FileNotFoundError):
            folders.check_real_folder(folder / part)


def _is_own_file(name: str) -> bool:
    return name.endswith((".keras", ".json", ".csv", ".npz", ".html", ".pbtxt", ".lock")) or (
        "tfevents" in name
    )


def unsafe_error(folder: Path, error: folders.UnsafePathError) -> RunError:
    """Return the error for a run folder that holds something else than its own plain files."""
    return RunError(
        f"cannot write to {folder}: {error.strerror}. Copy its plain files into a new folder, and"
        " use that."
    )
