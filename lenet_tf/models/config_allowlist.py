"""What the `config.json` of a saved model may ask Keras to build: a LeNet, compiled with Keras' or this package's own parts."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import keras

from lenet_tf.errors import SpecError
from lenet_tf.models.layers import lecun1998_map, lecun1998_mle
from lenet_tf.models.lenet import spec_from_config
from lenet_tf.models.optimizers import SDLM, OneCycle
from lenet_tf.specs import Spec

LENET = "lenet_tf>LeNet"
# Keras saves the module of each class. Files of lenet_tf 0.3 and earlier name its former place.
LENET_MODULES = ("lenet_tf.models.lenet", "lenet_tf.model")
_OWN_CLASS_MODULES = ("lenet_tf.models.optimizers", "lenet_tf.optimizers")
_OWN_FUNCTION_MODULES = ("lenet_tf.models.layers", "lenet_tf.layers")
# Metrics make tables of this many values, or its square, when they are built.
MAX_COUNTED, MAX_PARTS = 500, 32

_MODEL_KEYS = {
    "module",
    "class_name",
    "config",
    "registered_name",
    "build_config",
    "compile_config",
    "shared_object_id",
}
_OBJECT_KEYS = {"module", "class_name", "config", "registered_name", "shared_object_id"}
_COMPILE_KEYS = {
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
    "auto_scale_loss",
}
_OWN_CLASSES = {f"lenet_tf>{part.__name__}" for part in (SDLM, OneCycle)}
_OWN_FUNCTIONS = {f"lenet_tf>{part.__name__}" for part in (lecun1998_mle, lecun1998_map)}


class NotALeNet(ValueError):
    """The file holds a model of another class."""


@cache
def _keras_parts() -> tuple[set[tuple[str, str]], set[str]]:
    """Keras' public optimizers, schedules, losses and metrics, as (module, name), and its loss and metric functions by name."""
    bases = {
        "keras.optimizers": keras.optimizers.Optimizer,
        "keras.optimizers.schedules": keras.optimizers.schedules.LearningRateSchedule,
        "keras.losses": keras.losses.Loss,
        "keras.metrics": keras.metrics.Metric,
    }
    classes, functions = {("keras", "DTypePolicy")}, set()
    homes = (keras.optimizers, keras.optimizers.schedules, keras.losses, keras.metrics)
    for (module, base), home in zip(bases.items(), homes, strict=True):
        classes |= {
            (module, name)
            for name, part in vars(home).items()
            if inspect.isclass(part) and issubclass(part, base)
        }
        if home in (keras.losses, keras.metrics):
            functions |= {name for name, part in vars(home).items() if inspect.isfunction(part)}
    # It finds its optimizers by patterns from the file, which can be made to match for ever.
    classes.discard(("keras.optimizers", "MultiOptimizer"))
    return classes, functions - {"get", "serialize", "deserialize"}


def check_config(config: Any) -> tuple[dict[str, Any], Spec]:
    """The part of `config` that a LeNet needs, for Keras to load, and the network's table; nothing is built.

    Raises `ValueError` with the reason where it is no LeNet, or names anything but what a LeNet may be compiled with, and `SpecError`
    where its table cannot work.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError("config.json describes no model")
    name = (config.get("module"), config.get("class_name"), config.get("registered_name"))
    if name[0] not in LENET_MODULES or name[1:] != ("LeNet", LENET):
        what = _say(config if name[1] == "LeNet" else {"class_name": name[1]})
        raise NotALeNet(
            f"holds a {what}, not a LeNet made by lenet_tf: its preparation of images is unknown"
        )
    _known_keys("a model", config, _MODEL_KEYS)
    inner = config["config"]
    _known_keys("LeNet", inner, {"spec", "seed", "precision", "name", "version", "frozen"})
    try:
        spec = spec_from_config(inner)
    except (SpecError, MemoryError):
        raise
    except Exception as error:  # whatever arithmetic makes of values that no table has
        raise SpecError(f"{type(error).__name__}: {error}") from error
    compiled = config.get("compile_config")
    if compiled:
        if not isinstance(compiled, dict):
            raise ValueError("compile_config is not a table of names and values")
        _known_keys("compile_config", compiled, _COMPILE_KEYS)
        _check_parts(compiled)
    wanted = {
        "module": name[0],
        "class_name": name[1],
        "config": inner,
        "registered_name": LENET,
        "compile_config": compiled or None,
    }
    return wanted, spec


def _known_keys(where: str, values: dict[str, Any], known: set[str]) -> None:
    strange = sorted(set(values) - known)
    if strange:
        raise ValueError(f"{where} has a field {strange[0][:60]!r} that is not known here")


def _check_parts(value: Any) -> None:
    """Raises `ValueError` for the first class, function or number in it that a LeNet is not compiled with."""
    waiting, parts = [value], 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            # Keras takes either for the description of an object in one place or another.
            if item.keys() & {"class_name", "module", "registered_name", "spec_name"}:
                _check_part(item)
                parts += 1
                if parts > MAX_PARTS:
                    raise ValueError(f"compile_config names more than {MAX_PARTS} parts")
            for key, number in item.items():
                if (
                    key.startswith("num_")
                    and isinstance(number, int | float)
                    and number > MAX_COUNTED
                ):
                    raise ValueError(
                        f"compile_config: {key[:60]} is {number}, more than {MAX_COUNTED:,}"
                    )
                if key == "exclude_layers" and not re.fullmatch(
                    r"[\w/ -]*", "".join(map(str, number or []))
                ):
                    raise ValueError(
                        "compile_config: exclude_layers may hold names only, not patterns"
                    )
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and ">" in item and item not in _OWN_CLASSES | _OWN_FUNCTIONS:
            raise ValueError(f"compile_config names {item[:80]!r}, with which no LeNet is compiled")


def _check_part(part: dict[str, Any]) -> None:
    classes, functions = _keras_parts()
    module, name, registered, inner = (
        part.get(key) for key in ("module", "class_name", "registered_name", "config")
    )
    hashable = all(value is None or isinstance(value, str) for value in (module, name, registered))
    if hashable and name == "function":
        known = (
            isinstance(inner, str)
            and inner in functions | _OWN_FUNCTIONS
            and registered in (None, "function", inner)
        )
        known = known and module in (
            "builtins",
            "keras.losses",
            "keras.metrics",
            *_OWN_FUNCTION_MODULES,
        )
    elif hashable and registered in _OWN_CLASSES:
        known = registered == f"lenet_tf>{name}" and module in _OWN_CLASS_MODULES
    else:
        # A registered name comes before module and class in Keras' eyes.
        known = hashable and (module, name) in classes and registered in (None, name)
    if (
        not known
        or not part.keys() <= _OBJECT_KEYS
        or not isinstance(inner, dict if name != "function" else str)
    ):
        raise ValueError(f"compile_config names {_say(part)}, with which no LeNet is compiled")


def _say(part: dict[str, Any]) -> str:
    """What an object's description names, in a few words."""
    module, name, registered = (
        part.get(key) for key in ("module", "class_name", "registered_name")
    )
    text = (
        f"{module}.{part.get('config') if name == 'function' else name}"
        if module is not None
        else str(name)
    )
    if registered not in (None, name):
        text += f" ({registered})"
    return re.sub(r"[^\x21-\x7e ]", "?", text)[:120]
