"""Hostile TOML and JSON files: a network's or a run's settings with values that lie."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from mutations import SIZES, mutate_bytes

from lenet_tf.runs import run_record
from lenet_tf.specs import get_spec

VALUES: tuple[Any, ...] = (
    *SIZES,
    *(-1, 10**30, 10**4000, True, False, None, 0.5, -0.5, 1e300, float("inf"), float("nan")),
    *("", "a", "tanh", "same", "a" * 20_000, "\n", "\x1b[2J", "../x"),
    *([], [1], [[0]], [3, 3], [0.1] * 500, {}, {"name": "adam"}, {"a": {"b": [1]}}),
)
# Documents and values that are hard to parse.
TOML_ATTACKS = (
    "a." * 300 + "a = 1",
    "a = " + "[" * 3_000,
    "a = 0x" + "f" * 9_000,
    "a = " + "9" * 5_000,
    "[[rows]]\n" * 1_200,
    "[a]\n[a]",
    "a = 1979-05-27",
)
JSON_ATTACKS = (
    "NaN",
    "Infinity",
    "1e999",
    "[" * 3_000,
    '"\\ud800"',
    "9" * 5_000,
    '{"a": 1, "a": 2}',
    "\ufeff",
    "-0",
    "1E400",
    "[[]" * 40,
)
# Mostly the small network, which is read ten times as fast.
_SPECS = [get_spec(name).to_dict() for name in ("tiny",) * 18 + ("lenet5-1998", "lenet5-modern")]


def mutate_values(values: Any, random: Random) -> Any:
    """Returns a copy with some values, at any depth, replaced, deleted or repeated."""
    values = copy.deepcopy(values)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        parent = values
        while True:
            key = random.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
            child = parent[key]
            if not isinstance(child, dict | list) or not child or random.random() < 0.15:
                break
            parent = child
        if random.random() < 0.15:
            del parent[key]
        elif isinstance(parent, list) and random.random() < 0.2:
            parent.extend([parent[key]] * random.choice((1, 3, 1_100)))
        else:
            parent[key] = copy.deepcopy(random.choice(VALUES))
        if not values:
            break
    return values


def _to_toml(value: Any) -> str:
    if isinstance(value, dict):
        items = (f"{json.dumps(key)} = {_to_toml(v)}" for key, v in value.items() if v is not None)
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_to_toml(item) for item in value if item is not None) + "]"
    if isinstance(value, float):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to write longer numbers in decimal.
        return str(value) if abs(value) < 10**4000 else hex(value)
    return json.dumps(value)


def make_toml(random: Random) -> bytes:
    content = "\n".join(
        f"{key} = {_to_toml(value)}"
        for key, value in mutate_values(random.choice(_SPECS), random).items()
        if value is not None
    )
    if random.random() < 0.1:
        content = random.choice(TOML_ATTACKS) + "\n" + content
    return content.encode() if random.random() < 0.7 else mutate_bytes(content.encode(), random)


def make_config(random: Random) -> bytes:
    """Returns a hostile config.json of a run folder."""
    spec = copy.deepcopy(random.choice(_SPECS))
    config = {
        "format": run_record.FORMAT,
        "initial_weights": "seed",
        "recipe": spec.pop("recipe"),
        "spec": spec,
        "seed": 0,
        "data": {"name": "mnist", "sha256": "0"},
        "device": {"name": "/CPU:0", "label": "CPU"},
        "settings": {
            "precision": "float32",
            "deterministic": False,
            "engine": "graph",
            "early_stopping": None,
        },
        "versions": {"keras": "3"},
    }
    content = json.dumps(mutate_values(config, random))
    for _ in range(random.choice((0, 0, 0, 1))):
        gaps = [0, *[index for index, letter in enumerate(content) if letter in ":,"]]
        start = random.choice(gaps) + 1
        inserted = random.choice(JSON_ATTACKS) + random.choice(("", ",", ', "x":'))
        content = content[:start] + inserted + content[start:]
    return content.encode() if random.random() < 0.8 else mutate_bytes(content.encode(), random)
