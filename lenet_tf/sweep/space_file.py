"""Read a space from a TOML file, with errors that name the line and the key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.io.paths import to_path
from lenet_tf.specs.changes import Changes
from lenet_tf.specs.toml import read_toml
from lenet_tf.specs.validators import is_integer, show_value, suggest
from lenet_tf.sweep.field import KEYS, SAME_FIELDS, SweptField, parse_field
from lenet_tf.sweep.space import OBJECTIVES, PRUNERS, SAMPLERS, Space
from lenet_tf.sweep.space_check import check_space
from lenet_tf.sweep.space_lines import SpaceKeyError, describe_line

_CHANGES = tuple(
    each.name for each in dataclasses.fields(Changes) if each.name not in ("lr", "changes")
)
# Arguments of `lenet_tf.fit` that trials may share, and of these the ones that may differ.
_SWEEPABLE = ("recipe", "augmentation", "epochs", "batch_size", "early_stopping", *_CHANGES)
_SETTINGS = (*_SWEEPABLE, "validation", "precision", "engine", "deterministic")
_CHOSEN = {"objective": tuple(OBJECTIVES), "sampler": SAMPLERS, "pruner": PRUNERS}
_COUNTS = {"trials": 1, "best": 1, "seeds": 0, "seed": 0}
OPTIONS = (*_CHOSEN, *_COUNTS)
_TOP = ("network", "data", *_SETTINGS, *OPTIONS, "changes", "space")
_REFUSED = {
    "validation": "the held-back images must be the same in all trials: set it above [space]",
    "recipe.validation": "the held-back images must be the same in all trials",
    "seed": "the seed is no setting to choose; seeds = 5 repeats the best settings",
    "seeds": "the seed is no setting to choose; set seeds above [space]",
    "data": "trials on other data can't be compared",
}
_HOLD_BACK = "hold back a fraction of the training images, such as validation = 0.1"
_MAX_SEED = 2**31


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
    given = {name: value for name, value in options.items() if value is not None}
    try:
        _check_options(given)
    except SpaceKeyError as error:  # Which is no key of the file.
        raise SpecError(str(error)) from error
    values = read_toml(path, "a space")
    try:
        return _build_space(path, values, given)
    except SpaceKeyError as error:
        synonyms = [old for old, new in SAME_FIELDS.items() if new == error.key]
        line = describe_line(path, error.key, error.table, synonyms)
        raise SpecError(f"{path}{line}: {error}") from error
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def _build_space(path: Path, values: dict[str, Any], given: Mapping[str, Any]) -> Space:
    values = {SAME_FIELDS.get(name, name): value for name, value in values.items()}
    unknown = dict(_flatten({name: values[name] for name in values if name not in _TOP}))
    if unknown:
        name = next(iter(unknown))
        raise SpaceKeyError(name, f"unknown key {show_value(name)}: {_suggest_key(name)}")
    deterministic = values.get("deterministic", False)
    if not isinstance(deterministic, bool):
        text = f"deterministic must be true or false, not {show_value(deterministic)}"
        raise SpaceKeyError("deterministic", text)
    for name in ("network", "data"):
        if name in values and not isinstance(values[name], str):
            raise SpaceKeyError(name, f"{name} must be a text, not {show_value(values[name])}")
    chosen = _check_options({name: values[name] for name in OPTIONS if name in values}) | dict(
        given
    )
    settings = {name: values[name] for name in _SETTINGS if name in values}
    if settings.get("validation") == "test":
        raise SpaceKeyError("validation", f"a sweep never reads the test images: {_HOLD_BACK}")
    changes = dict(_flatten(_get_table(values, "changes")))
    if "recipe.validation" in changes:
        text = f"recipe.validation has a key of its own: {_HOLD_BACK} above [space]"
        raise SpaceKeyError("recipe.validation", text, "changes")
    space = Space(
        path,
        values.get("network", "lenet5"),
        chosen.pop("data", values.get("data")),
        settings,
        changes,
        tuple(_parse_fields(_get_table(values, "space"))),
        **chosen,
    )
    return check_space(space)


def _suggest_key(name: str) -> str:
    if isinstance(name, str) and name.split(".")[0] in ("rows", "recipe", "preparation"):
        return f'put it into [changes], as "{name}", or into [space]'
    return suggest(name, _TOP, f"known are {', '.join(_TOP)}")


def _check_options(options: dict[str, Any]) -> dict[str, Any]:
    for name, known in _CHOSEN.items():
        if name in options and options[name] not in known:
            hint = suggest(options[name], known, f"known are {', '.join(known)}")
            raise SpaceKeyError(name, f"unknown {name} {show_value(options[name])}: {hint}")
    for name, least in _COUNTS.items():
        value = options.get(name, least)
        if not is_integer(value) or not least <= value < _MAX_SEED:
            text = f"{name} must be a whole number from {least}, not {show_value(value)}"
            raise SpaceKeyError(name, text)
    return options


def _get_table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, Mapping):
        raise SpaceKeyError(name, f"[{name}] must be a table, not {show_value(table)}")
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
    spellings: dict[str, str] = {}
    for written, value in _flatten(table):
        name = SAME_FIELDS.get(written, written)
        problem = _find_problem(written, name)
        if name in spellings:
            problem = f"{spellings[name]} and {written} are two names of one field"
        if problem:
            raise SpaceKeyError(written, problem, "space")
        spellings[name] = written
        try:
            yield parse_field(name, value)
        except SpecError as error:
            raise SpaceKeyError(written, str(error), "space") from error


def _find_problem(written: str, name: str) -> str:
    """Say why a field can't be swept; "" if it can."""
    if name in _REFUSED:
        return f"{written} can't be swept: {_REFUSED[name]}"
    if "." in name or name in (*_SWEEPABLE, "network"):
        return ""
    hint = suggest(name, (*_SWEEPABLE, "network"), "")
    if not hint:
        hint = "a path such as recipe.optimizer.beta_2 or rows.C1.filters names any field"
    return f"unknown field {show_value(written)}: {hint}"
