"""`.keras` files whose compile_config follows the grammar of Keras' serialization, with lies."""

from __future__ import annotations

import copy
import inspect
import io
import json
import zipfile
from functools import cache
from random import Random
from typing import Any

import keras
from keras_files import JSON_VALUES, damage_json, replace_config

_NAMES = (
    *("accuracy", "acc", "mse", "mae", "auc", "AUC", "precision", "categorical_crossentropy"),
    *("loss", "val_loss", "model", "val_accuracy", "epoch", "lr", "", " ", "\x1b[2J", "a/b", "$x$"),
    *("=1+1", "한글", "a" * 5_000, "sparse_categorical_crossentropy", "top_k_categorical_accuracy"),
    *("lenet_tf>lecun1998_mle", "lenet_tf>lecun1998_map", "hinge", "cosine_similarity", "kld"),
)
_NUMBERS = (
    *(0, 1, 2, 3, -1, 10, 0.5, -0.5, 1e-12, 1e38, -1e308, 200, 500, 501, 60_000, 2**31, 2**63),
    *(10**30, True, False, None, "nan", "0.5", [], [0.5], [0.0, 1.0], [0.1] * 499, {}),
)
_COUNTS = (0, 1, 1, 1, 2, 3, 31, 33, 1_500)


@cache
def list_objects(kind: str) -> list[dict[str, Any]]:
    """Returns the serialized classes of `keras.optimizers`, `keras.losses` or `keras.metrics`."""
    module = keras.optimizers.schedules if kind == "schedules" else getattr(keras, kind)
    arguments = {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.9}
    arguments |= {"boundaries": [1, 2], "values": [1.0, 0.5, 0.1], "first_decay_steps": 5}
    arguments |= {"num_classes": 10, "recall": 0.5, "precision": 0.5, "specificity": 0.5}
    arguments |= {"sensitivity": 0.5, "target_class_ids": [0], "fn": keras.losses.hinge}
    objects = []
    for name, part in sorted(inspect.getmembers(module, inspect.isclass)):
        try:
            names = inspect.signature(part).parameters
            given = {name: value for name, value in arguments.items() if name in names}
            objects.append(keras.saving.serialize_keras_object(part(**given)))
        except Exception:  # Base classes and wrappers of others can't be made like this.
            objects.append(_describe(f"keras.{kind}", name, {}))
    return objects


def _describe(module: str, name: str, config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _make_object(kind: str, random: Random) -> Any:
    """Returns a name or a description of an object, with fields that may lie."""
    if random.random() < 0.15:
        return random.choice(_NAMES)
    if random.random() < 0.05:
        function = random.choice(_NAMES)
        return _describe("builtins", "function", function) | {"registered_name": function}
    value = copy.deepcopy(random.choice(list_objects(kind)))
    config = value["config"]
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        if not isinstance(config, dict):
            break
        key = random.choice([*config, "name", "dtype", "num_thresholds", "thresholds", "k"])
        config[key] = _make_value(key, random)
    if random.random() < 0.05:
        key = random.choice(list(value))
        value[key] = copy.deepcopy(random.choice(JSON_VALUES))
    return value


def _make_value(key: str, random: Random) -> Any:
    if key == "learning_rate" and random.random() < 0.7:
        return _make_object("schedules", random)
    if key in ("name", "reduction", "loss", "fn", "dtype", "curve") and random.random() < 0.7:
        return random.choice((*_NAMES, "sum", "mean", "float16", "float64", "int8", "PR"))
    return copy.deepcopy(random.choice(_NUMBERS))


def _make_metrics(random: Random) -> Any:
    metrics = [
        _make_object("losses" if random.random() < 0.1 else "metrics", random)
        for _ in range(random.choice(_COUNTS))
    ]
    if random.random() < 0.1:
        # As many as the text limit holds, all cheap to name.
        metrics = [random.choice(_NAMES[:8])] * random.choice((40, 1_500, 30_000))
    if random.random() < 0.5 and "accuracy" not in metrics:
        metrics.insert(0, "accuracy")
    wraps = (lambda: metrics, lambda: [metrics], lambda: {"OUTPUT": metrics}, lambda: None)
    return random.choice((wraps[0],) * 12 + wraps[1:])()


def make_compile_config(random: Random) -> Any:
    config = {
        "optimizer": _make_object("optimizers", random),
        "loss": _make_object("losses", random),
        "loss_weights": random.choice((None,) * 8 + _NUMBERS),
        "metrics": _make_metrics(random),
        "weighted_metrics": random.choice((None, None, None, _make_metrics(random))),
        "run_eagerly": random.choice((False,) * 8 + _NUMBERS),
        "steps_per_execution": random.choice((1,) * 8 + (_NAMES[0], *_NUMBERS)),
        "jit_compile": random.choice((False,) * 8 + ("auto", *_NUMBERS)),
    }
    for _ in range(random.choice((0, 0, 0, 0, 1))):
        config.pop(random.choice(list(config)))
    return config


def make_keras_file(valid: bytes, random: Random) -> bytes:
    """Returns a valid file with another compile_config."""
    with zipfile.ZipFile(io.BytesIO(valid)) as archive:
        config = json.loads(archive.read("config.json"))
    # Most of the files change one part, so that they are built and not refused.
    made = make_compile_config(random)
    if isinstance(config.get("compile_config"), dict) and random.random() < 0.7:
        key = random.choice(list(made))
        made = config["compile_config"] | {key: made[key]}
    config["compile_config"] = made
    content = json.dumps(config).encode()
    return replace_config(valid, damage_json(config, random) if random.random() < 0.1 else content)
