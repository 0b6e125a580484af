"""Folders that are opened once, so that a link put in their place is never followed.

The attacker is someone who sends a run folder with links in it, or who shares the machine and can
write to a folder such as /tmp. Where the system cannot open folders (Windows), files are reached
by path instead; a link that replaces a folder between two calls is followed there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
OPEN_FOLDER = getattr(os, "O_DIRECTORY", 0)
# Windows' own link to a folder, which it calls a folder too.
_JUNCTION = getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", 0xA0000003)
# Seconds between attempts to replace a file that another program has open on Windows.
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.3)
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
USES_DESCRIPTORS = {os.open, os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnsafePathError(OSError):
    """A path leads to what this package does not replace or write into.

    Args:
        path: The path.
        reason: What it is, and what to do.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(errno.EINVAL, reason, str(path))


class Folder:
    """An open folder. Its methods take the names of its entries.

    Args:
        path: The folder.
        descriptor: The open folder, or None where the system cannot open folders.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path, self._descriptor = path, descriptor

    def names(self) -> list[str]:
        """Return the names of all entries."""
        return os.listdir(self.path if self._descriptor is None else self._descriptor)

    def status(self, name: str) -> os.stat_result | None:
        """Return what an entry itself is, be it a link, or None if there is none."""
        try:
            return os.stat(self._locate(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def check_replaceable(self, name: str) -> os.stat_result | None:
        """Return the status of a plain file, or None if there is none.

        Raises:
            UnsafePathError: If the entry is something else.
        """
        status = self.status(name or ".")
        # Attack: a link, or a device or pipe of the user's, in the place of a file.
        if status is not None and not stat.S_ISREG(status.st_mode):
            raise UnsafePathError(
                self.path / name,
                f"it is {describe_kind(status)}, which is never replaced: name a plain file",
            )
        return status

    def create(self, name: str, like: os.stat_result | None = None) -> BinaryIO:
        """Create a file that does not exist yet, and open it for writing and reading.

        Args:
            name: The file.
            like: The status of a file whose permissions it gets. None gives those of a new file.
        """
        # Attack: someone opens the file before a private file's permissions are set.
        mode = 0o666 if like is None else 0o600
        descriptor = os.open(self._locate(name), _CREATE, mode, dir_fd=self._descriptor)
        # Some file systems have no permissions.
        if like is not None and hasattr(os, "fchmod"):
            with contextlib.suppress(OSError):
                os.fchmod(descriptor, like.st_mode & 0o777)
        return os.fdopen(descriptor, "w+b")

    def append(self, name: str) -> BinaryIO:
        """Open a file for writing at its end, or create it."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_FOLLOW
        return os.fdopen(os.open(self._locate(name), flags, 0o666, dir_fd=self._descriptor), "ab")

    def make_folder(self, name: str) -> None:
        """Make a folder unless there is an entry of this name."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._locate(name), dir_fd=self._descriptor)

    def replace(self, old: str, new: str) -> None:
        """Rename an entry, in place of another."""
        folders = {"src_dir_fd": self._descriptor, "dst_dir_fd": self._descriptor}
        # Windows refuses while another program, such as a virus scanner, has one of them open.
        for pause in _PAUSES if self._descriptor is None else ():
            try:
                return os.replace(self._locate(old), self._locate(new), **folders)
            except PermissionError:
                time.sleep(pause)
        os.replace(self._locate(old), self._locate(new), **folders)

    def unlink(self, name: str) -> None:
        """Remove an entry that is no folder."""
        os.unlink(self._locate(name), dir_fd=self._descriptor)

    def flush(self) -> None:
        """Flush the list of entries to disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _locate(self, name: str) -> str | Path:
        return self.path / name if self._descriptor is None else name


@contextlib.contextmanager
def open_folder(path: Path, inside: Path | None = None) -> Iterator[Folder]:
    """Open a folder.

    Args:
        path: The folder.
        inside: The folder itself or one above it, such as a run folder. The folders below it must
            be real folders of its owner, of this user or of root. None follows links, as they
            are the user's own.

    Yields:
        The folder, open within the block.

    Raises:
        UnsafePathError: If a folder below `inside` is a link or of another user.
        OSError: If the folder cannot be opened.
    """
    root = path if inside is None else inside
    parts = path.relative_to(root).parts
    if not USES_DESCRIPTORS:
        for depth in range(len(parts)):
            check_real_folder(root.joinpath(*parts[: depth + 1]))
        yield Folder(path, None)
        return
    with contextlib.ExitStack() as stack:
        descriptor = os.open(root, os.O_RDONLY | OPEN_FOLDER)
        stack.callback(os.close, descriptor)
        owners = find_trusted_owners(os.fstat(descriptor))
        for depth, part in enumerate(parts, 1):
            place = root.joinpath(*parts[:depth])
            descriptor = _open_part(place, part, descriptor)
            stack.callback(os.close, descriptor)
            check_owner(place, os.fstat(descriptor), owners)
        yield Folder(path, descriptor)


def _open_part(path: Path, name: str, parent: int) -> int:
    try:
        return os.open(name, os.O_RDONLY | OPEN_FOLDER | _NO_FOLLOW, dir_fd=parent)
    except OSError as error:
        check_real_folder(path)
        error.filename = str(path)
        raise


def check_real_folder(path: Path) -> None:
    """Raise `UnsafePathError` for a link, or whatever else is not a folder."""
    status = path.lstat()
    # Attack: `report/` as a link to a folder of the user's, whose files are replaced.
    if describe_kind(status) != "a folder":
        raise UnsafePathError(path, f"{path.name} is {describe_kind(status)}, not a folder")


def is_root() -> bool:
    """Return whether this process may read and write the folders of all users."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def find_trusted_owners(status: os.stat_result | None = None) -> set[int]:
    """Return the numbers of this user, of root, and of the owner of a trusted folder."""
    if not hasattr(os, "geteuid"):
        return set()
    return {os.geteuid(), 0} | (set() if status is None else {status.st_uid})


def check_owner(path: Path, status: os.stat_result, owners: set[int]) -> None:
    """Raise `UnsafePathError` if a file or folder is another user's, where there are users."""
    # Attack: a folder whose owner swaps its parts for links while a command writes to it.
    if owners and status.st_uid not in owners:
        raise UnsafePathError(path, f"{path.name} belongs to another user ({status.st_uid})")


def describe_kind(status: os.stat_result) -> str:
    """Return what an entry is, such as `a link`."""
    if getattr(status, "st_reparse_tag", 0) == _JUNCTION:
        return "a link"
    return _KINDS.get(stat.S_IFMT(status.st_mode), "a plain file")
