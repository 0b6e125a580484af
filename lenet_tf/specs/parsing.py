"""Dataclasses from what JSON and TOML give, with every mistake told by its place and field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.validators import show_value, suggest

# Fields of files written by lenet_tf 0.3 and earlier.
_FORMER_NAMES = {
    "normalisation": "normalization",
    "test_normalisation": "test_normalization",
}


def require_mapping(where: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise SpecError(f"{where} must be a table of names and values, not {show_value(values)}")
    return values


def build(cls: type, where: str, values: Any, name_itself: bool = False) -> Any:
    """`cls(**values)`, with lists turned to tuples and unknown or missing fields told by name.

    `where` stands before every message, save one of the class itself where that names the place (`name_itself`).
    """
    given = require_mapping(where, values)
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in given.items()
    }
    for old, new in _FORMER_NAMES.items():
        if old in values and new not in values:
            values[new] = values.pop(old)
    known = [f.name for f in fields(cls)]
    for field in values:
        if field not in known:
            raise SpecError(
                f"{where}: unknown field {show_value(field)}; {suggest(field, known, 'known are ' + ', '.join(known))}"
            )
    missing = [f.name for f in fields(cls) if f.name not in values and f.default is MISSING]
    if missing:
        raise SpecError(f"{where}: {', '.join(missing)} must be given")
    try:
        return cls(**values)
    except SpecError as error:
        raise SpecError(str(error) if name_itself else f"{where}: {error}") from error
