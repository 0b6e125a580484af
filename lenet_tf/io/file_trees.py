"""The files of a folder or of an archive (.zip, .tar, .tar.gz), by name. Nothing is unpacked."""

from __future__ import annotations

import contextlib
import functools
import gzip
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from lenet_tf.io.bounded import ForwardReader, LimitedReader, open_regular_file, read_bounded

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
MAX_FILES, MAX_DEPTH = 1_000_000, 6
# Bytes of all files of an archive, of a zip file's directory, and of one tar member that are read.
MAX_UNPACKED_BYTES, _MAX_DIRECTORY_BYTES, _MAX_MEMBER_BYTES = 64 << 30, 32 << 20, 40 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_NAME = 4_096
# What systems put beside a person's own files; names with a dot are hidden anyway.
_SYSTEM_NAMES = frozenset(("__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir"))
# What damaged archives raise, beside OSError and ValueError.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
)


class TreeFile(NamedTuple):
    """A file of a folder or archive.

    Attributes:
        name: Its name.
        read: Reads a file of at most so many bytes; raises `OSError` or `ValueError`. It may be
            called in a thread.
        held_bytes: How much of it is in memory already.
    """

    name: str
    read: Callable[[int], bytes]
    held_bytes: int = 0


class FileTree(Protocol):
    """Files by their names: parts with slashes between them, without hidden and system files."""

    def names(self) -> Iterator[str]:
        """Iterate over the names of all files."""

    def files(self, names: Collection[str], max_bytes: int) -> Iterator[TreeFile]:
        """Iterate over the files of these names, in any order.

        Args:
            names: The names.
            max_bytes: Bytes of a file that are kept at most, where it is read at once.
        """


def is_archive(path: Path) -> bool:
    """Return whether a path has the ending of an archive that `open_tree` reads."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


@contextlib.contextmanager
def open_tree(path: Path) -> Iterator[FileTree]:
    """Open a folder or an archive.

    Args:
        path: The folder, or a file whose name ends as an archive's.

    Yields:
        Its files.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, too large or no such file; also while the block uses it.
    """
    try:
        if os.path.isdir(path):
            yield _Folder(path)
        elif path.name.lower().endswith(".zip"):
            with open_regular_file(path) as file:
                limited = LimitedReader(file.raw, _MAX_DIRECTORY_BYTES)
                with zipfile.ZipFile(limited) as archive:
                    yield _ZipFile(archive, os.fstat(file.fileno()).st_size)
        else:
            yield _TarFile(path)
    except _DAMAGE as error:
        raise ValueError(f"it is damaged ({str(error) or type(error).__name__})") from error


def _split_name(name: str) -> str | None:
    """Return a member's name without leading dots and slashes, or None for what is skipped."""
    # Attack: names that lead elsewhere (`..`) or take memory. Nothing is written under them.
    parts = [part for part in name.split("/") if part not in ("", ".")]
    is_hidden = any(part[0] == "." or part.lower() in _SYSTEM_NAMES for part in parts)
    return None if is_hidden or not parts or len(name) > _MAX_NAME else "/".join(parts)


def _count(names: Iterator[str]) -> Iterator[str]:
    for number, name in enumerate(names, 1):
        # Attack: millions of names.
        if number > MAX_FILES:
            raise ValueError(f"it holds more than {MAX_FILES:,} files")
        yield name


class _Folder:
    """A folder, whose links are followed: they are the user's own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        return _count(self._list("", 1))

    def _list(self, prefix: str, depth: int) -> Iterator[str]:
        folders = []
        with os.scandir(self._path / prefix) as entries:
            for entry in entries:
                if _split_name(entry.name) is None:
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                else:
                    yield f"{prefix}{entry.name}"
        # Attack: a link to a folder above it. Such a tree has no end.
        for name in sorted(folders) if depth < MAX_DEPTH else ():
            yield from self._list(f"{prefix}{name}/", depth + 1)

    def files(self, names: Collection[str], max_bytes: int) -> Iterator[TreeFile]:
        for name in names:
            yield TreeFile(name, functools.partial(read_bounded, self._path / name))


class _ZipFile:
    """A zip file, whose members are read where they lie."""

    def __init__(self, archive: zipfile.ZipFile, length: int) -> None:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        # Attack: members that share their compressed bytes.
        if sum(info.compress_size for info in infos) > length:
            raise ValueError("its members overlap")
        # Attack: a small archive that unpacks for hours.
        if sum(info.file_size for info in infos) > MAX_UNPACKED_BYTES:
            raise ValueError(f"its files take more than {MAX_UNPACKED_BYTES >> 30} GiB")
        self._archive = archive
        # Some programs for Windows write its separator.
        names = ((_split_name(info.filename.replace("\\", "/")), info) for info in infos)
        self._members = {name: info for name, info in names if name is not None}

    def names(self) -> Iterator[str]:
        return _count(iter(self._members))

    def files(self, names: Collection[str], max_bytes: int) -> Iterator[TreeFile]:
        for name in names:
            yield TreeFile(name, functools.partial(self._read, self._members[name]))

    def _read(self, info: zipfile.ZipInfo, max_bytes: int) -> bytes:
        if info.flag_bits & 1:
            raise ValueError("it is encrypted")
        # Attack: bzip2 or LZMA, whose compression ratio has no useful bound.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is neither stored nor deflated")
        try:
            with self._archive.open(info) as file:
                return _check_length(file.read(max_bytes + 1), max_bytes)
        except _DAMAGE as error:
            raise ValueError(f"it is damaged ({error})") from error


class _TarFile:
    """A tar file, which is read from its start each time: gzip can't skip."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        return _count(name for name, _ in self._members())

    def files(self, names: Collection[str], max_bytes: int) -> Iterator[TreeFile]:
        wanted = set(names)
        for name, read in self._members():
            if name in wanted:
                content = read(max_bytes + 1)
                yield TreeFile(name, functools.partial(_check_length, content), len(content))

    def _members(self) -> Iterator[tuple[str, Callable[[int], bytes]]]:
        """Iterate over the regular files. Links and devices are skipped."""
        with contextlib.ExitStack() as stack:
            file: Any = stack.enter_context(open_regular_file(self._path))
            is_gzipped = file.peek(2)[:2] == _GZIP_MAGIC
            file = stack.enter_context(gzip.GzipFile(fileobj=file)) if is_gzipped else file
            forward: Any = ForwardReader(file, MAX_UNPACKED_BYTES, _MAX_MEMBER_BYTES)
            archive: Any = stack.enter_context(tarfile.open(fileobj=forward, mode="r:"))
            while (member := archive.next()) is not None:
                name = _split_name(member.name)
                if name is not None and member.isreg() and not member.issparse():
                    yield name, functools.partial(_read_member, forward, member)
                # tarfile would keep every member.
                archive.members = []
                forward.start_member()


def _read_member(file: ForwardReader, member: tarfile.TarInfo, max_bytes: int) -> bytes:
    file.seek(member.offset_data)
    return file.read(min(member.size, max_bytes))


def _check_length(content: bytes, max_bytes: int) -> bytes:
    if len(content) > max_bytes:
        raise ValueError(f"it is larger than {max_bytes:,} bytes")
    return content
