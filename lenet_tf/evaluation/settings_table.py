"""The settings of runs, name by name, and how those of several runs differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lenet_tf.specs import Spec

MISSING = "–"


def flatten_mapping(
    values: Mapping[str, Any], parents: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the values of nested mappings, each with the path of its names."""
    for name, value in values.items():
        path = (*parents, name)
        if isinstance(value, Mapping):
            yield from flatten_mapping(value, path)
        else:
            yield path, value


def flatten_settings(
    spec: Spec, config: Mapping[str, Any], layer_fields: bool = False
) -> dict[str, str]:
    """List everything that a run was made with.

    Args:
        spec: The run's network and recipe.
        config: The contents of the run's config.json.
        layer_fields: Whether to list each field of each layer (`C1 kernel`), which is for
            comparing networks whose layers have the same names, or only the layers' names.

    Returns:
        Setting → value, both as a person reads them.
    """
    table = spec.to_dict()
    rows = {row["name"]: row for row in table["rows"]}
    layers = {
        name: {field: value for field, value in row.items() if field != "name"}
        for name, row in rows.items()
    }
    recipe = table["recipe"] | _get_mapping(config, "compiled")
    recipe = {name: value for name, value in recipe.items() if name != "epochs"}
    versions = _get_mapping(config, "versions")
    return (
        _format_settings(recipe)
        | _format_settings(table["preparation"])
        | (_format_settings(layers) if layer_fields else {"layers": " ".join(rows)})
        | _format_settings(_get_mapping(config, "settings"))
        | {"initial weights": str(config.get("initial_weights", MISSING))}
        | {f"version of {name}": _format_value(value) for name, value in versions.items()}
        | {"commit": str(config.get("commit") or MISSING)}
    )


def compare_settings(
    settings: Sequence[Mapping[str, str]],
) -> tuple[list[list[str]], dict[str, str]]:
    """Separate the settings that differ between runs from those that are the same.

    Args:
        settings: Each run's settings, from `flatten_settings`.

    Returns:
        A row of name and each run's value for every setting that differs, and name → value of
        those that are the same. Settings that no run has are left out.
    """
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [[name, *(each.get(name, MISSING) for each in settings)] for name in names]
    different = [row for row in rows if len(set(row[1:])) > 1]
    same = {row[0]: row[1] for row in rows if set(row[1:]) == {row[1]} != {MISSING}}
    return different, same


def _get_mapping(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of config.json, which some early runs lack."""
    value = config.get(name)
    return value if isinstance(value, Mapping) else {}


def _format_settings(values: Mapping[str, Any]) -> dict[str, str]:
    formatted = {}
    for path, value in flatten_mapping(values):
        # `optimizer` and `learning rate` say enough without `optimizer name` and a prefix.
        name = " ".join(path).removesuffix(" name").removeprefix("optimizer ")
        formatted[name.replace("_", " ")] = _format_value(value)
    return formatted


def _format_value(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        groups = [(_format_value(each), len(list(same))) for each, same in itertools.groupby(value)]
        return ", ".join(each if count == 1 else f"{each} ×{count}" for each, count in groups)
    return str(value)
