"""What a run was made with, name by name, so that runs can be told apart."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from lenet_tf.specs import Spec

NONE = "–"


def flatten_settings(
    spec: Spec, config: Mapping[str, Any], rows_by_name: bool = False
) -> dict[str, str]:
    """Name → value of the recipe, of what is done to images, of the layers, of the run's settings and of versions, from its config.json.

    `rows_by_name`: each field of each layer (`C1 kernel`), to be compared with networks whose layers have the same names; otherwise their
    names alone.
    """
    table = spec.to_dict()
    rows = {row["name"]: row for row in table["rows"]}
    layers = dict(
        _flat({name: {key: row[key] for key in row if key != "name"} for name, row in rows.items()})
    )
    others = {
        name: config.get(name)
        for name in ("settings", "versions")
        if isinstance(config.get(name), Mapping)
    }
    return (
        dict(_flat({name: value for name, value in table["recipe"].items() if name != "epochs"}))
        | dict(_flat(table["preparation"]))
        | (layers if rows_by_name else {"layers": " ".join(rows)})
        | dict(_flat(others.get("settings", {})))
        | {"initial weights": str(config.get("initial_weights", NONE))}
        | {f"version of {name}": _told(value) for name, value in others.get("versions", {}).items()}
        | {"commit": str(config.get("commit") or NONE)}
    )


def differing_settings(
    found: Sequence[Mapping[str, str]],
) -> tuple[list[list[str]], dict[str, str]]:
    """([name, the value of each run] where the values are not all alike, name → value where they are), without what no run has."""
    names = dict.fromkeys(name for each in found for name in each)
    table = [[name, *(each.get(name, NONE) for each in found)] for name in names]
    unlike = [row for row in table if len(set(row[1:])) > 1]
    return unlike, {
        name: value for name, value, *rest in table if value != NONE and {value} == {value, *rest}
    }


def _flat(values: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Tables in tables as one, their names behind each other."""
    found = []
    for name, value in values.items():
        # optimizer: adam, learning_rate: 0.001; a layer's fields keep its name.
        whole = f"{above} {name}".strip().removesuffix(" name").removeprefix("optimizer ")
        found += (
            _flat(value, whole)
            if isinstance(value, Mapping)
            else [(whole.replace("_", " "), _told(value))]
        )
    return found


def _told(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        parts = [(_told(each), len(list(same))) for each, same in itertools.groupby(value)]
        return ", ".join(each if count == 1 else f"{each} ×{count}" for each, count in parts)
    return str(value)
