"""What takes long to compute of huge files, such as their SHA-256, computed once and kept.

It is kept beside the files, or in the user's cache folder where theirs is read-only.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lenet_tf.data.streaming import ArrayFile
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.bounded import MAX_TEXT_BYTES, read_json
from lenet_tf.io.user_cache import make_user_cache_folder, user_cache_folder

KEPT_FILE = ".lenet_tf-facts.json"
_FORMAT, _MAX_FACTS = 1, 8
# Bytes of files that are read again each time, within a tenth of a second.
MIN_BYTES = 32 << 20


def keep_fact(
    files: Sequence[ArrayFile],
    name: str,
    details: Any,
    compute: Callable[[], Any],
    is_valid: Callable[[Any], bool],
) -> tuple[Any, Path | None]:
    """Return what is kept of files, or compute it and keep it.

    A kept value is trusted only if path, size, times and inode of every file are as they were.

    Args:
        files: The files, at least one. The value is kept beside the first one.
        name: What the value is.
        details: What else it depends on, as JSON holds it.
        compute: Function that returns the value, which JSON can hold.
        is_valid: Function that tells whether a value can be one of these.

    Returns:
        The value, and the file that keeps it, or None.
    """
    if sum(file.stamp[0] for file in files) < MIN_BYTES:
        return compute(), None
    states = [[str(file.path), *file.stamp] for file in files]
    key = {"fact": name, "files": states, "details": details}
    places = _list_places(files[0].path.parent)
    for place in places:
        for fact in _read_facts(place):
            if fact.items() >= key.items() and is_valid(fact.get("value")):
                return fact["value"], place
    value = compute()
    # A file that was written just now may be written again without a change of its times.
    if all(file.is_settled for file in files):
        for place in places:
            if _write_fact(place, key | {"value": value}):
                return value, place
    return value, None


def _list_places(folder: Path) -> list[Path]:
    """Return the files that may keep facts of a folder."""
    places, cache = [folder / KEPT_FILE], user_cache_folder()
    if cache is not None:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        places.append(cache / f"facts-{name}.json")
    return places


def _read_facts(path: Path) -> list[dict[str, Any]]:
    """Return the facts in a file; none if it is missing, damaged or of another version."""
    try:
        # Attack: a link in a stranger's folder.
        content = read_json(path, follow_links=False)
    except (OSError, ValueError):
        return []
    is_known = isinstance(content, dict) and content.get("format") == _FORMAT
    facts = content.get("facts") if is_known else None
    return [each for each in facts if isinstance(each, dict)] if isinstance(facts, list) else []


def _write_fact(path: Path, fact: dict[str, Any]) -> bool:
    """Add a fact to a file, and return whether it could be written."""
    facts = [*_read_facts(path), fact][-_MAX_FACTS:]
    while len(text := json.dumps({"format": _FORMAT, "facts": facts})) > MAX_TEXT_BYTES:
        facts = facts[1:]
    if not facts:
        return False
    try:
        if path.name != KEPT_FILE:
            make_user_cache_folder()
        with atomic_write(path) as file:
            file.write(text.encode())
    except OSError:
        return False
    return True
