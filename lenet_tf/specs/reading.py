"""Dataclasses from what JSON and TOML give, with every mistake told by its place and field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.checks import near, shown


def mapping(where: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise SpecError(f"{where} must be a table of names and values, not {shown(values)}")
    return values


def make(cls: type, where: str, values: Any, name_itself: bool = False) -> Any:
    """`cls(**values)`, with lists turned to tuples and unknown or missing fields told by name.

    `where` stands before every message, save one of the class itself where that names the place (`name_itself`).
    """
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in mapping(where, values).items()}
    known = [f.name for f in fields(cls)]
    for field in values:
        if field not in known:
            raise SpecError(f"{where}: unknown field {shown(field)}; {near(field, known, 'known are ' + ', '.join(known))}")
    missing = [f.name for f in fields(cls) if f.name not in values and f.default is MISSING]
    if missing:
        raise SpecError(f"{where}: {', '.join(missing)} must be given")
    try:
        return cls(**values)
    except SpecError as error:
        raise SpecError(str(error) if name_itself else f"{where}: {error}") from error
