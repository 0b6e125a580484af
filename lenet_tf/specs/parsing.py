"""Dataclasses from the values of JSON and TOML tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.synonyms import find_home, find_synonyms
from lenet_tf.specs.validators import show_value, suggest

# Fields in files of lenet_tf 0.3 and earlier.
_FORMER_NAMES = {
    "normalisation": "normalization",
    "test_normalisation": "test_normalization",
}


class SuggestsFields:
    """Base class of dataclasses whose constructor suggests a field for an unknown argument."""

    def __new__(cls, *_: Any, **arguments: Any) -> Any:
        """Create an instance, or raise `TypeError` with a suggestion."""
        for name, hint in _find_unknown(cls, arguments):
            raise TypeError(f"{cls.__name__} has no field {name!r}; {hint}")
        return super().__new__(cls)


def _find_unknown(cls: Any, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is no field of a dataclass, with a hint."""
    known = [field.name for field in fields(cls)]
    for name in names:
        if name not in known:
            otherwise = f"known are {', '.join(known)}"
            home = "" if find_synonyms(name, known) else find_home(name)
            yield name, home or suggest(name, known, otherwise)


def require_mapping(where: str, values: Any) -> Mapping[str, Any]:
    """Return `values` if it is a mapping, or raise `SpecError` that starts with `where`."""
    if not isinstance(values, Mapping):
        raise SpecError(f"{where} must be a table of names and values, not {show_value(values)}")
    return values


def build(cls: type, where: str, values: Any, names_itself: bool = False) -> Any:
    """Create an instance of a dataclass from a mapping.

    Args:
        cls: The dataclass.
        where: Start of every error message.
        values: Mapping of field names to values; lists become tuples.
        names_itself: Whether the errors of `cls` say where they are, so that `where` is left out.

    Returns:
        The instance.

    Raises:
        SpecError: If a field is unknown, missing or invalid.
    """
    arguments = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in require_mapping(where, values).items()
    }
    for old, new in _FORMER_NAMES.items():
        if old in arguments and new not in arguments:
            arguments[new] = arguments.pop(old)
    for name, hint in _find_unknown(cls, arguments):
        raise SpecError(f"{where}: unknown field {show_value(name)}; {hint}")
    required = [field.name for field in fields(cls) if field.default is MISSING]
    missing = [name for name in required if name not in arguments]
    if missing:
        raise SpecError(f"{where}: {', '.join(missing)} must be given")
    try:
        return cls(**arguments)
    except SpecError as error:
        raise SpecError(str(error) if names_itself else f"{where}: {error}") from error
