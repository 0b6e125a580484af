"""Readers for untrusted files that limit size, nesting and numbers.

The attacker is someone who sends a data set, picture, model, run folder or TOML file. The
comment beside each check names the attack that it stops.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections import Counter
from io import BufferedReader
from pathlib import Path
from typing import Any

MAX_TEXT_BYTES = 1 << 20
MAX_ARRAY_BYTES = 4 << 30
_MAX_NESTING = 32
_NOT_REGULAR = "it is not a regular file"
# Windows has no pipes and links among files, and none of these flags but the first.
_O_BINARY, _O_NONBLOCK, _O_NOFOLLOW, _O_CLOEXEC = (
    getattr(os, name, 0) for name in ("O_BINARY", "O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC")
)


class LimitedReader(BufferedReader):
    """A reader that refuses to read more than a number of bytes at a time.

    Args:
        raw: The unbuffered file.
        max_bytes: The number.
    """

    def __init__(self, raw: Any, max_bytes: int) -> None:
        super().__init__(raw)
        self._max_bytes = max_bytes

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes; raise `ValueError` if more than the limit are there."""
        limit = self._max_bytes + 1
        content = super().read(limit if size is None or size < 0 else min(size, limit))
        # Attack: a sparse file with a directory of gigabytes, which zipfile reads at once.
        if len(content) > self._max_bytes:
            raise ValueError("its directory is too long")
        return content


class ForwardReader:
    """What tarfile reads from: never backward, and with bounds.

    Args:
        file: The open file, whose bytes may be compressed.
        max_bytes: The last position.
        max_step_bytes: Bytes that may be read between two calls of `start_member`.
    """

    def __init__(self, file: Any, max_bytes: int, max_step_bytes: int) -> None:
        self._file, self._max_bytes, self._max_step_bytes = file, max_bytes, max_step_bytes
        self._position, self._step_bytes = 0, 0

    def start_member(self) -> None:
        """Note that what is read from now on belongs to the next member."""
        self._step_bytes = 0

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, position: int) -> None:
        """Skip what lies before a position."""
        # Attack: a member of negative length, which is found again and again.
        if position < self._position:
            raise ValueError("its members overlap")
        # Attack: a small archive that unpacks for hours.
        if position > self._max_bytes:
            raise ValueError(f"its files take more than {self._max_bytes >> 30} GiB")
        self._position = self._file.seek(position)

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes."""
        # Attack: a header or a list of holes of gigabytes, which tarfile keeps in memory.
        self._step_bytes += size
        if self._step_bytes > self._max_step_bytes:
            raise ValueError("the header of a member is too long")
        content = self._file.read(size)
        self._position += len(content)
        return content


def open_regular_file(path: Path, follow_links: bool = True) -> BufferedReader:
    """Open a regular file for reading.

    Args:
        path: File to open.
        follow_links: Whether `path` itself may be a link, as a file that the user names may.

    Returns:
        The open binary file.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it is not a regular file, or a link that is not followed.
    """
    # Attack: a link in a stranger's folder to another file of the user's.
    kind = path.stat().st_mode if follow_links else path.lstat().st_mode
    if stat.S_ISLNK(kind):
        raise ValueError("it is a link to another file")
    # Attack: a named pipe, or a link to a device, whose opening or reading never ends.
    if not stat.S_ISREG(kind):
        raise ValueError(_NOT_REGULAR)
    flags = os.O_RDONLY | _O_BINARY | _O_NONBLOCK | _O_CLOEXEC
    descriptor = os.open(path, flags | (0 if follow_links else _O_NOFOLLOW))
    try:
        # Attack: a pipe that takes the file's place after the first look.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(_NOT_REGULAR)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bounded(path: Path, max_bytes: int, follow_links: bool = True) -> bytes:
    """Read a regular file of limited size.

    Args:
        path: File to read.
        max_bytes: Largest accepted size in bytes.
        follow_links: Whether `path` itself may be a link.

    Returns:
        The content of the file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is larger than `max_bytes`, or not a regular file.
    """
    with open_regular_file(path, follow_links) as file:
        content = file.read(max_bytes + 1)
    # Attack: a file that fills memory.
    if len(content) > max_bytes:
        raise ValueError(f"it is larger than {max_bytes:,} bytes")
    return content


def read_json(path: Path, follow_links: bool = True) -> Any:
    """Read a JSON file of at most `MAX_TEXT_BYTES` bytes.

    Args:
        path: File to read.
        follow_links: Whether `path` itself may be a link.

    Returns:
        The decoded value.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is too large or `parse_json` refuses it.
    """
    return parse_json(read_bounded(path, MAX_TEXT_BYTES, follow_links))


def parse_json(content: bytes) -> Any:
    """Parse JSON strictly: finite numbers, valid text, no name twice, limited nesting.

    Args:
        content: JSON text, encoded as UTF-8.

    Returns:
        The decoded value.

    Raises:
        ValueError: If the content is not such JSON; the message gives the reason.
    """
    try:
        values = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_build_object,
            parse_constant=_parse_finite,
            parse_float=_parse_finite,
        )
        check_nesting(values)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    # Attack: half a surrogate pair, which crashes whatever prints or writes the text.
    json.dumps(values, ensure_ascii=False).encode("utf-8")
    return values


def check_count(content: bytes, separators: bytes, limit: int) -> None:
    """Check how many values a text can hold, before it is parsed.

    Args:
        content: JSON, CSV or the like.
        separators: Bytes of which each value has one before it, apart from the first.
        limit: Number of values.

    Raises:
        ValueError: If there may be more.
    """
    if sum(content.count(separator) for separator in separators) >= limit:
        raise ValueError(f"it holds more than {limit:,} values")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    # Attack: one name with two values, of which another tool sees the other one.
    if len(values) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise ValueError(f"it gives {counts.most_common(1)[0][0][:60]!r} twice")
    return values


def _parse_finite(text: str) -> float:
    number = float(text)
    # Attack: NaN, which passes every check of the form `value > limit`.
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    return number


def check_nesting(values: Any) -> None:
    """Check that lists and dictionaries are nested at most 32 levels deep.

    Args:
        values: Decoded JSON or TOML.

    Raises:
        ValueError: If the nesting is deeper.
    """
    # Attack: nesting that exhausts the stack of recursive code, such as `repr`.
    level = [values]
    for _ in range(_MAX_NESTING):
        containers = [
            value.values() if isinstance(value, dict) else value
            for value in level
            if isinstance(value, dict | list)
        ]
        level = [value for container in containers for value in container]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {_MAX_NESTING} levels")
