"""How a changed network differs from the one that it was made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lenet_tf.specs.spec import Spec
from lenet_tf.specs.validators import MAX_NAME

# Fields whose value alone says what it is, and short names of others, in names of runs.
_SELF_EXPLAINING = ("optimizer", "loss", "activation", "pool", "initializer", "schedule")
_SHORT = {"learning_rate": "lr", "weight_decay": "wd", "label_smoothing": "smoothing"}
_MAX_LABEL, _MAX_ITEMS = 40, 4


@dataclass(frozen=True)
class Change:
    """A field of a recipe, a preparation or of one or more rows with another value.

    Attributes:
        field: Name of the field.
        old: Its value before. None: it had none.
        new: Its value.
        rows: Names of the rows whose field it is; none for a recipe or a preparation.
    """

    field: str
    old: Any
    new: Any
    rows: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The change in words, such as `activation relu (tanh) in C1, C3`."""
        values = f"{_format_value(self.new)} ({_format_value(self.old)})"
        if self._is_of_one_row:
            return f"{self.rows[0]} {self.field} {values}"
        return f"{self.field} {values}{' in ' if self.rows else ''}{', '.join(self.rows)}"

    @property
    def tag(self) -> str:
        """The change in the name of a network or a run, such as `relu` or `lr0.01`."""
        row = f"{self.rows[0]}." if self._is_of_one_row else ""
        if isinstance(self.new, Mapping) and "name" not in self.new:
            return self.field
        field = "" if self.field in _SELF_EXPLAINING else _SHORT.get(self.field, self.field)
        value = re.sub(r"[^A-Za-z0-9.-]+", "_", _format_value(self.new)).strip("_")
        return f"{row}{field}{value}"

    @property
    def _is_of_one_row(self) -> bool:
        return len(self.rows) == 1 and self.field != "dropout"


def list_recipe_changes(old: Spec, new: Spec) -> list[Change]:
    """List the fields of the recipe that differ."""
    return list(_compare(old.to_dict()["recipe"], new.to_dict()["recipe"]))


def list_network_changes(old: Spec, new: Spec) -> list[Change]:
    """List what differs in the rows and in the preparation; equal changes of rows are one."""
    tables = [spec.to_dict()["rows"] for spec in (old, new)]
    if old.default_shape == old.input_shape and new.default_shape == new.input_shape:
        # The data or the preparation decide it.
        tables = [[table[0] | {"shape": None}, *table[1:]] for table in tables]
    rows = [{row["name"]: row for row in table} for table in tables]
    found: dict[str, Change] = {}
    for name, row in rows[1].items():
        before = rows[0].get(name)
        changes = [_describe_new_row(row)] if before is None else list(_compare(before, row))
        if row["kind"] == "dropout":
            changes = [replace(change, field="dropout") for change in changes]
        for change in changes:
            key = repr((change.field, change.old, change.new))
            same = found.get(key)
            found[key] = replace(change, rows=(*(same.rows if same else ()), name))
    prepared = _compare(old.to_dict()["preparation"], new.to_dict()["preparation"])
    return [*found.values(), *prepared]


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the changes in one line."""
    return ", ".join(change.text for change in changes)


def label_changes(changes: Sequence[Change]) -> str:
    """Return the changes as a part of a name, such as `-relu-lr0.01`, or `-changed` for many."""
    return shorten_label("".join(f"-{each.tag}" for each in changes if each.new is not None))


def shorten_label(label: str) -> str:
    """Return a part of a name, or `-changed` if it is too long for a name."""
    return label if len(label) <= _MAX_LABEL else "-changed"


def label_network(name: str, changes: Sequence[Change]) -> str:
    """Return the name of a network with changed rows."""
    label = label_changes(changes)
    return name if len(name) + len(label) > MAX_NAME else f"{name}{label}"


def _describe_new_row(row: Mapping[str, Any]) -> Change:
    return Change(row["kind"], None, row.get("rate", "added"))


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], name: str = "") -> Iterator[Change]:
    """Yield the fields of two tables that differ; those of tables inside one by one."""
    for field in {**old, **new}:
        before, after = old.get(field), new.get(field)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _compare(before, after, field)
        else:
            # The field `name` of an optimizer or an initializer is what it is called.
            yield Change(name if field == "name" and name else field, before, after)


def _format_value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        is_named = "name" in value
        parts = [(name, _format_value(part)) for name, part in value.items() if part]
        return " ".join(part if is_named else f"{name} {part}" for name, part in parts)
    if isinstance(value, list | tuple):
        shown = [_format_value(part) for part in value]
        if len(shown) > _MAX_ITEMS:
            shown = [*shown[:2], "…", shown[-1]]
        return f"[{', '.join(shown)}]"
    return str(value)
