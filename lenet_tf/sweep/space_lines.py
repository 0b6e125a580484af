"""Errors at a key of a space's file, and the line of the key."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from lenet_tf.errors import SpecError
from lenet_tf.io import bounded

# The name of a table at the start of a line.
_HEADER = re.compile(r"^\s*\[+\s*([^\]]*?)\s*\]")


class SpaceKeyError(SpecError):
    """An error at a key of a space's file.

    Attributes:
        key: The key.
        table: The table that has it; "" is the top of the file.

    Args:
        key: The key.
        text: What is wrong.
        table: The table.
    """

    def __init__(self, key: str, text: str, table: str = "") -> None:
        super().__init__(text)
        self.key, self.table = key, table


def describe_line(path: Path, key: str, table: str = "", synonyms: Collection[str] = ()) -> str:
    """Return the line of a key for a message, such as `, line 3`.

    Args:
        path: The file, which is known to be TOML.
        key: The key, which may be a path such as `rows.C1.filters`.
        table: The table that has it; "" is the top of the file.
        synonyms: Other names of the key that the file may use.

    Returns:
        The text; "" where the line can't be told.
    """
    lines = bounded.read_bounded(path, bounded.MAX_TEXT_BYTES).decode("utf-8-sig").splitlines()
    *_, last = key.split(".")
    patterns = [rf'^\s*["\']?{re.escape(name)}["\']?\s*=' for name in (key, *sorted(synonyms))]
    patterns += [rf"^\s*\[\s*{re.escape(key)}\s*\]", rf'^[^#]*\b{re.escape(last)}["\']?\s*=']
    # A table may also be written in one line at the top: then any line with the key will do.
    for numbered in (_select_table(lines, table), list(enumerate(lines, 1))):
        for pattern in patterns:
            for number, line in numbered:
                if re.search(pattern, line):
                    return f", line {number}"
    return ""


def _select_table(lines: list[str], table: str) -> list[tuple[int, str]]:
    """Return the lines of a table and of the tables in it, with their numbers."""
    selected, current = [], ""
    for number, line in enumerate(lines, 1):
        header = _HEADER.search(line)
        current = current if header is None else header[1]
        if current.split(".")[0].strip("\"' ") == table:
            selected.append((number, line))
    return selected
