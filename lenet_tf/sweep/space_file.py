"""Read a space from a TOML file, with errors that name the line and the key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.io import bounded
from lenet_tf.io.paths import to_path
from lenet_tf.specs.changes import Changes
from lenet_tf.specs.toml import read_toml
from lenet_tf.specs.validators import is_integer, show_value, suggest
from lenet_tf.sweep import space_check
from lenet_tf.sweep.field import KEYS, SweptField, parse_field
from lenet_tf.sweep.space import OBJECTIVES, PRUNERS, SAMPLERS, Space

_CHANGES = tuple(each.name for each in fields(Changes) if each.name not in ("lr", "changes"))
# Arguments of `lenet_tf.fit` that trials may share, and of these the ones that may differ.
_SWEEPABLE = ("recipe", "augmentation", "epochs", "batch_size", "early_stopping", *_CHANGES)
_SETTINGS = (*_SWEEPABLE, "validation", "precision", "engine", "deterministic")
_CHOSEN = {"objective": tuple(OBJECTIVES), "sampler": SAMPLERS, "pruner": PRUNERS}
_COUNTS = {"trials": 1, "best": 1, "seeds": 0, "seed": 0}
OPTIONS = (*_CHOSEN, *_COUNTS)
_TOP = ("network", "data", *_SETTINGS, *OPTIONS, "changes", "space")
# Two names of one field.
_SAME = {"lr": "learning_rate"} | {
    f"recipe.{table}{name}": name
    for table, names in (
        ("optimizer.", ("learning_rate", "momentum", "weight_decay")),
        ("", ("loss", "label_smoothing", "epochs", "batch_size", "augmentation")),
    )
    for name in names
}
_REFUSED = {
    "validation": "the held-back images must be the same in all trials: set it above [space]",
    "recipe.validation": "the held-back images must be the same in all trials",
    "seed": "the seed is no setting to choose; seeds = 5 repeats the best settings",
    "seeds": "the seed is no setting to choose; set seeds above [space]",
    "data": "trials on other data can't be compared",
}
_MAX_SEED = 2**31


class _KeyError(SpecError):
    """An error at a key, whose line is looked up.

    Args:
        key: The key.
        text: What is wrong.
    """

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def load_space(path: str | Path, **options: Any) -> Space:
    """Read a space from a TOML file such as `examples/sweep.toml`, and check all of it.

    Args:
        path: The file.
        **options: `OPTIONS` and `data` in place of the file's. None keeps the file's.

    Returns:
        The space.

    Raises:
        SpecError: The file is unreadable, a key is unknown, or a value fits no network of the
            space. The message names the file, the line and the key.
    """
    path = to_path(path, SpecError, "a space's file")
    values = read_toml(path, "a space")
    try:
        return _build_space(path, values, options)
    except _KeyError as error:
        line = _find_line(path, error.key)
        raise SpecError(f"{path}{line}: {error}") from error
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def _build_space(path: Path, values: dict[str, Any], options: Mapping[str, Any]) -> Space:
    values = {_SAME.get(name, name): value for name, value in values.items()}
    for name in values:
        if name not in _TOP:
            raise _KeyError(name, f"unknown key {show_value(name)}: {_suggest_key(name)}")
    for name in ("network", "data"):
        if name in values and not isinstance(values[name], str):
            raise _KeyError(name, f"{name} must be a text, not {show_value(values[name])}")
    given = {name: value for name, value in options.items() if value is not None}
    chosen = _check_options({name: values[name] for name in OPTIONS if name in values} | given)
    settings = {name: values[name] for name in _SETTINGS if name in values}
    if settings.get("validation") == "test":
        raise _KeyError(
            "validation",
            "a sweep never reads the test images: hold back a fraction of the training images,"
            " such as validation = 0.1",
        )
    changes = dict(_flatten(_get_table(values, "changes")))
    space = Space(
        path,
        values.get("network", "lenet5"),
        chosen.pop("data", values.get("data")),
        settings,
        changes,
        tuple(_parse_fields(_get_table(values, "space"))),
        **chosen,
    )
    _check_fields(space)
    try:
        return space_check.check_space(space)
    except space_check.FieldError as error:
        raise _KeyError(error.name, str(error)) from error


def _suggest_key(name: str) -> str:
    if isinstance(name, str) and name.split(".")[0] in ("rows", "recipe", "preparation"):
        return f'put it into [changes], as "{name}", or into [space]'
    return suggest(name, _TOP, f"known are {', '.join(_TOP)}")


def _check_options(options: dict[str, Any]) -> dict[str, Any]:
    for name, known in _CHOSEN.items():
        if name in options and options[name] not in known:
            hint = suggest(options[name], known, f"known are {', '.join(known)}")
            raise _KeyError(name, f"unknown {name} {show_value(options[name])}: {hint}")
    for name, least in _COUNTS.items():
        value = options.get(name, least)
        if not is_integer(value) or not least <= value < _MAX_SEED:
            text = f"{name} must be a whole number from {least}, not {show_value(value)}"
            raise _KeyError(name, text)
    return options


def _get_table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, Mapping):
        raise _KeyError(name, f"[{name}] must be a table, not {show_value(table)}")
    return table


def _flatten(table: Mapping[str, Any], parents: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the fields of a table whose paths may be written with or without quotes."""
    for name, value in table.items():
        path = f"{parents}{name}"
        is_field = not isinstance(value, Mapping) or any(key in value for key in KEYS)
        # rows = {C1 = {filters = …}}, but not learning_rate = {lowest = …}
        has_inner = path.split(".")[0] in ("rows", "recipe", "preparation")
        if is_field or not has_inner or not value:
            yield path, value
        else:
            yield from _flatten(value, f"{path}.")


def _parse_fields(table: Mapping[str, Any]) -> Iterator[SweptField]:
    names = []
    for written, value in _flatten(table):
        name = _SAME.get(written, written)
        if name in _REFUSED:
            raise _KeyError(written, f"{written} can't be swept: {_REFUSED[name]}")
        if "." not in name and name not in (*_SWEEPABLE, "network"):
            hint = suggest(name, (*_SWEEPABLE, "network"), "")
            if not hint:
                hint = "a path such as recipe.optimizer.beta_2 or rows.C1.filters names any field"
            raise _KeyError(written, f"unknown field {show_value(written)}: {hint}")
        if name in names:
            raise _KeyError(written, f"{written} and {name} are two names of one field")
        names.append(name)
        try:
            yield parse_field(name, value)
        except SpecError as error:
            raise _KeyError(written, str(error)) from error


def _check_fields(space: Space) -> None:
    """Check what the fields say of each other and of what stays the same."""
    if not space.fields:
        raise _KeyError(
            "space",
            "[space] has no field: add one such as learning_rate = {low = 1e-4, high = 0.1}",
        )
    earlier: dict[str, SweptField] = {}
    for each in space.fields:
        if each.name in space.settings or each.name in space.changes:
            raise _KeyError(each.name, f"{each.name} is given both above and in [space]")
        for other, label in each.when:
            known = earlier.get(_SAME.get(other, other))
            if known is None or label not in known.labels:
                names = ", ".join(name for name, field in earlier.items() if field.choices)
                hint = (
                    f"the choices of {other} are {', '.join(known.labels)}"
                    if known
                    else (
                        f"fields with choices above it are {names}"
                        if names
                        else "no field above it has choices"
                    )
                )
                raise _KeyError(each.name, f"{each.name}: when {other} = {label!r}: {hint}")
        earlier[each.name] = each


def _find_line(path: Path, key: str) -> str:
    """Return the line of a key for a message, or nothing where it can't be told."""
    lines = bounded.read_bounded(path, bounded.MAX_TEXT_BYTES).decode("utf-8-sig").splitlines()
    *_, last = key.split(".")
    spellings = {key} | {old for old, new in _SAME.items() if new == key}
    patterns = [rf'^\s*["\']?{re.escape(name)}["\']?\s*=' for name in sorted(spellings)]
    patterns += [rf"^\s*\[\s*{re.escape(key)}\s*\]", rf'^[^#]*\b{re.escape(last)}["\']?\s*=']
    for pattern in patterns:
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line):
                return f", line {number}"
    return ""
