"""Checks a run folder's files against `schema`, with one line for a field that differs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from lenet_tf.errors import RunError, TrainingError
from lenet_tf.io.bounded import MAX_TEXT_BYTES, parse_json
from lenet_tf.runs.schema import MAX_INTEGER, MAX_TEXT, Config
from lenet_tf.text import format_json

_T = TypeVar("_T")


def parse_time(text: Any) -> datetime:
    """Return the time of `started` in config.json.

    Raises:
        ValueError: It is no time since 1970.
    """
    try:
        time = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        time = None
    if time is None or not 1970 <= time.year < 9999:
        raise ValueError(f"started must be {_TIME}")
    return time


def check_values(values: Any, schema: type[_T]) -> _T:
    """Check decoded JSON against a schema, and the bounds of everything in it.

    Args:
        values: What `bounded.parse_json` returned.
        schema: A class of `schema`.

    Returns:
        The values as an instance of the class.

    Raises:
        ValueError: A field differs; the message names it and what it must be.
    """
    _check_bounds(values)
    try:
        converted = msgspec.convert(values, schema)
        if isinstance(converted, Config) and converted.started is not UNSET:
            parse_time(converted.started)
        return converted
    except msgspec.ValidationError as error:
        raise ValueError(_describe(str(error))) from error


def decode_values(content: bytes, schema: type[_T]) -> _T:
    """Decode JSON into a schema. What differs from it is refused before it takes memory.

    Args:
        content: JSON of few values, see `bounded.check_count`.
        schema: A class of `schema` that bounds all its fields.

    Returns:
        An instance of the class.

    Raises:
        ValueError: It is no JSON, or a field differs; the message says which.
        RecursionError: It is nested too deeply.
    """
    try:
        return msgspec.json.decode(content, type=schema)
    except msgspec.ValidationError as error:
        raise ValueError(_describe(str(error))) from error


def check_file(path: Path, values: Any, schema: type[_T]) -> _T:
    """Check a file's values as `check_values` does.

    Raises:
        RunError: A field differs; the message names the file too.
    """
    try:
        return check_values(values, schema)
    except ValueError as error:
        raise RunError(f"{path} is not usable: {error}") from error


def check_recordable(config: Mapping[str, Any]) -> None:
    """Check that the config.json of a run that starts now can be read again.

    Args:
        config: Its content.

    Raises:
        TrainingError: It is too large, or a field is beyond what a reader accepts.
    """
    content = format_json(config, indent=2).encode()
    try:
        if len(content) > MAX_TEXT_BYTES:
            raise ValueError(
                f"config.json would take {len(content):,} bytes, and the limit is"
                f" {MAX_TEXT_BYTES:,}: the network, its recipe or the names of the classes are too"
                " long"
            )
        check_values(parse_json(content), Config)
    except ValueError as error:
        raise TrainingError(f"this run could not be read again: {error}") from error


def _check_bounds(values: Any) -> None:
    """Raise `ValueError` for a number or text in any field, also unknown ones, that is too large.

    `values` is nested at most 32 levels deep.
    """
    if isinstance(values, dict):
        for name, value in values.items():
            if len(name) > MAX_TEXT:
                raise ValueError(f"a field's name must be of at most {MAX_TEXT:,} characters")
            try:
                _check_bounds(value)
            except ValueError as error:
                raise ValueError(_join(name, str(error))) from error
    elif isinstance(values, list):
        for value in values:
            _check_bounds(value)
    elif isinstance(values, str) and len(values) > MAX_TEXT:
        raise ValueError(f"must be a text of at most {MAX_TEXT:,} characters")
    # Attack: whole numbers beyond what a float can hold.
    elif isinstance(values, int) and abs(values) > MAX_INTEGER:
        raise ValueError(f"must be a number from -{MAX_INTEGER} to {MAX_INTEGER}")


def _join(name: str, problem: str) -> str:
    """Put the name of a field, which can be any text, before a problem in it."""
    shown = name if re.fullmatch(r"[\w -]{1,60}", name) else repr(name[:60])
    return f"{shown} {problem}" if problem.startswith("must") else f"{shown}.{problem}"


_TIME = "a time since 1970, such as 2026-01-31T12:00:00+00:00"
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "a table of names and values",
    "array": "a list",
    "null": "null",
}
# What msgspec says without the values that it accepts.
_CHOICES = {
    "device.name": "a device's name, such as /CPU:0",
    "initial_weights": "seed or given",
    "tensorboard.histograms[0]": "weights, activations or gradients",
    "settings.precision": "float32, mixed_float16 or mixed_bfloat16",
    "settings.engine": "auto, graph or keras",
}


def _describe(message: str) -> str:
    """Rewrite msgspec's message as the field and what it must be."""
    problem, _, place = message.partition(" - at `")
    in_key, _, path = place.rpartition("` in `")
    field = re.sub(r"^\$\.?", "", path.rstrip("`")) or "it"
    field = f"a name in {field}" if in_key else field
    missing = re.fullmatch(r"Object missing required field `(\w+)`", problem)
    if missing:
        return f"{field} has no {missing[1]!r}"
    if problem.startswith("Invalid enum value") or "matching regex" in problem:
        known = _CHOICES.get(re.sub(r"\[\d+\]$", "[0]", field))
        return f"{field} must be {known or 'a number, or nan, inf or -inf as text'}"
    if not problem.startswith("Expected "):
        return f"{field}: {problem.lower()}"
    expected, _, found = problem.removeprefix("Expected ").partition(", got ")

    def translate(match: re.Match[str]) -> str:
        names = [_WORDS.get(name.strip(), name.strip()) for name in match[1].split("|")]
        return " or ".join(names)

    must = re.sub(r"`([^`]*)`", translate, expected)
    got = re.sub(r"`([^`]*)`", translate, found)
    return f"{field} must be {must}" + (f", not {got}" if got else "")
