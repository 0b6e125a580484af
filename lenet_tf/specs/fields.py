"""Single fields of a network's table by their path, such as `recipe.optimizer.momentum`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.augmentation import get_augmentation
from lenet_tf.specs.synonyms import HOMES, find_synonyms
from lenet_tf.specs.validators import show_value, suggest

# Parts of a network's table that are tables themselves, and fields of its own.
_TABLES = ("recipe", "preparation", "rows")
_TEXTS = ("name", "data", "source", "notes")


def set_field(table: dict[str, Any], path: str, value: Any) -> None:
    """Set a field of a network's table.

    Args:
        table: The result of `Spec.to_dict`, changed in place. `Spec.from_dict` checks the value.
        path: `recipe.…`, `preparation.…`, or `rows.` with a row's name or number and its field.
        value: The new value. None leaves an option out.

    Raises:
        SpecError: The path names nothing; the message suggests one that does.

    Example:
        >>> from lenet_tf.specs import Spec, get_spec
        >>> from lenet_tf.specs.fields import set_field
        >>> table = get_spec("lenet5").to_dict()
        >>> set_field(table, "rows.C1.filters", 8)
        >>> Spec.from_dict(table).rows[1].filters
        8
    """
    first, *rest = path.split(".") if isinstance(path, str) else ("",)
    if path in _TEXTS:
        table[path] = value
        return
    if first not in _TABLES or not rest:
        raise SpecError(f"no field {show_value(path)}: {_suggest_path(table, path)}")
    if first == "rows":
        row, rest = _find_row(table["rows"], path.removeprefix("rows."))
        if not rest:
            raise SpecError(f"{path} is a row: name a field of it, such as {path}.activation")
        _set_inner(row, rest, value, path)
        return
    if path == "recipe.augmentation" and isinstance(value, str):
        augmentation = get_augmentation(value)
        value = augmentation if augmentation is None else asdict(augmentation)
    _set_inner(table[first], rest, value, path)


def _set_inner(table: dict[str, Any], names: Sequence[str], value: Any, path: str) -> None:
    *parents, last = names
    for parent in parents:
        inner = table.get(parent)
        if inner is None:
            inner = {}
        if parent == "initializer" and isinstance(inner, str):
            inner = {"name": inner}
        if not isinstance(inner, dict):
            raise SpecError(f"no field {show_value(path)}: {parent} has no fields")
        table[parent] = inner
        table = inner
    table[last] = value


def _find_row(rows: list[dict[str, Any]], path: str) -> tuple[dict[str, Any], list[str]]:
    """Return the row that a path starts with, by its name or its number, and the rest."""
    for row in rows:
        # A name may contain dots.
        if path == row["name"] or path.startswith(f"{row['name']}."):
            rest = path.removeprefix(row["name"]).removeprefix(".")
            return row, rest.split(".") if rest else []
    first, *others = path.split(".")
    if first.isdecimal() and len(first) < 5 and 1 <= int(first) <= len(rows):
        return rows[int(first) - 1], others
    names = [row["name"] for row in rows]
    hint = suggest(first, names, f"the rows are {', '.join(names)}, or 1 to {len(rows)}")
    raise SpecError(f"no row {show_value(first)}: {hint}")


def _suggest_path(table: Mapping[str, Any], path: Any) -> str:
    first, *rest = str(path)[:100].split(".")
    ends = "".join(f".{part}" for part in rest)
    homes = {
        **{row["name"]: "rows" for row in table["rows"] if rest},
        **({} if rest and first not in ("optimizer", "augmentation") else HOMES),
    }
    for name in find_synonyms(first, homes):
        return f"did you mean {homes[name]}.{name}{ends}?"
    return "a field starts with recipe., preparation. or rows. and the row's name or number"
