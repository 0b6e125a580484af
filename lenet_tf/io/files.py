"""Files: written whole or not at all, read up to a bound, and held by one process at a time."""

from __future__ import annotations

import contextlib
import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

# Bounds of what is read whole: a text such as a network's table or a run's config.json, and arrays, which memory must hold.
MAX_TEXT_BYTES = 1 << 20
MAX_ARRAY_BYTES = 4 << 30
# Lists in lists and tables in tables: what nests deeper cannot be told in an error's text.
_MAX_NESTING = 32


class NotWritten(OSError):
    """A file of a run could not be written."""


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Gives a name beside `path` to write to; when the block ends, the file is flushed to the disk and renamed to `path`.

    A reader sees the old file or the new one, never half of one, whenever this process or the machine stops. A block that raises leaves
    `path` as it was, and nothing else.
    """
    partial = path.with_name(f".{path.stem}-{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
        # Some shared folders cannot; the file is in its place all the same.
        with contextlib.suppress(OSError):
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
def file_lock(path: Path, seconds: float = 0) -> Iterator[None]:
    """Holds `path`, made for it, as a lock among processes; raises `filelock.Timeout` when another still holds it after so many seconds,
    and waits without end for −1."""
    # Kept by the tox project; the system lets go of its locks when a process ends, however it ends.
    from filelock import FileLock

    with FileLock(path, timeout=seconds):
        try:
            yield
        finally:
            # While it is still held, so that nobody else's is removed. A folder that was deleted has no lock to remove.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def open_regular_file(path: Path) -> BinaryIO:
    """The file, open for reading. Raises `OSError` where that cannot be, and `ValueError` where it is no file: a pipe or a device could
    go on for ever."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a regular file")
    return path.open("rb")


def read_bounded(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises `OSError` where it cannot be read, and `ValueError` with the reason where it is larger, or no file.
    """
    with open_regular_file(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit:,} bytes")
    return content


def read_json(path: Path) -> Any:
    """What a JSON file of at most `MOST_TEXT` bytes holds, see `parse_json`; raises `OSError` where it cannot be read."""
    return parse_json(read_bounded(path, MAX_TEXT_BYTES))


def parse_json(content: bytes) -> Any:
    """JSON of one meaning only: neither NaN, Infinity, numbers beyond float64 nor a name twice in one object, and only text that can be
    printed. Raises `ValueError` with the reason for anything else."""
    try:
        values = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_finite,
            parse_float=_finite,
        )
        check_nesting(values)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    # Half of a surrogate pair is a text to Python, but not to any file or screen.
    json.dumps(values, ensure_ascii=False).encode("utf-8")
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in values if names.count(name) > 1)
        raise ValueError(f"the name {twice[:100]!r} stands twice in one object")
    return values


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a number that JSON has and float64 holds")
    return number


def check_nesting(values: Any) -> None:
    """Raises `ValueError` for lists and tables that are nested deeper than any of ours."""
    level = [values]
    for _ in range(_MAX_NESTING):
        inner = [
            value.values() if isinstance(value, dict) else value
            for value in level
            if isinstance(value, dict | list)
        ]
        level = [value for part in inner for value in part]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {_MAX_NESTING} levels")
