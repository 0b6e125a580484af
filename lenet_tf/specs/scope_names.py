"""Names that TensorFlow accepts as scopes, in which the layers of a network compute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SCOPE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def is_scope_name(name: str) -> bool:
    """Return whether a network or a row of this name can compute in TensorFlow."""
    return _SCOPE_NAME.fullmatch(name) is not None


def to_scope_name(name: str) -> str:
    """Replace what TensorFlow refuses in the name of a scope.

    Args:
        name: Any text, such as a network's name in Korean letters.

    Returns:
        The name itself if it is a scope's, otherwise a similar one in ASCII.
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return safe if is_scope_name(safe) else f"x{safe}"


def map_row_names(values: Any) -> dict[str, str]:
    """Find names for the rows of a stored network that are valid today.

    Files of lenet_tf 0.3 and earlier may have names that TensorFlow refuses. They still open.

    Args:
        values: The rows in a JSON file, not yet checked.

    Returns:
        Stored name → valid name, for the rows whose name changes.
    """
    rows = values if isinstance(values, list) else []
    names = [row.get("name") for row in rows if isinstance(row, Mapping)]
    known = [name for name in names if isinstance(name, str)]
    taken, changes = set(known), {}
    numbers: dict[str, int] = {}
    for name in dict.fromkeys(known):
        # What was no name at any time is refused by the row.
        if is_scope_name(name) or not name or "/" in name:
            continue
        stem = safe = to_scope_name(name)
        while safe in taken:
            numbers[stem] = numbers.get(stem, 1) + 1
            safe = f"{stem}-{numbers[stem]}"
        taken.add(safe)
        changes[name] = safe
    return changes


def rename_rows(values: Any) -> Any:
    """Return the values of a stored network with the names of `map_row_names`.

    Args:
        values: A network's table in a JSON file, not yet checked.
    """
    rows = values.get("rows") if isinstance(values, Mapping) else None
    changes = map_row_names(rows)
    if not changes or not isinstance(rows, list):
        return values
    renamed = [
        {**row, "name": changes.get(str(row.get("name")), row.get("name"))}
        if isinstance(row, Mapping)
        else row
        for row in rows
    ]
    return {**values, "rows": renamed}
