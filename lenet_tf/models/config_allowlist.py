"""Allowlist of what a saved model's `config.json` may make Keras build."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import keras

from lenet_tf.errors import SpecError
from lenet_tf.models.lenet import LeNet, spec_from_config
from lenet_tf.models.optimizers import SDLM, OneCycle
from lenet_tf.models.rbf import lecun1998_map, lecun1998_mle
from lenet_tf.models.training_terms import check_terms
from lenet_tf.specs import Spec

LENET = "lenet_tf>LeNet"
# Limits of compile_config: a metric allocates this many values or their square.
MAX_METRIC_SIZE = 500
MAX_OBJECTS = 32

_LENET_KEYS = {"spec", "seed", "precision", "name", "version", "frozen", "terms"}
_OBJECT_KEYS = {"module", "class_name", "config", "registered_name", "shared_object_id"}
# Each of these keys makes Keras treat a dict as the description of an object.
_OBJECT_MARKERS = {"class_name", "module", "registered_name", "spec_name"}
_FUNCTION_MODULES = ("builtins", "keras.losses", "keras.metrics")
# Keras finds registered objects by these names alone. It ignores the module in the file, so a
# class may move to another module and old files still open.
_OWN_CLASSES = {f"lenet_tf>{part.__name__}" for part in (SDLM, OneCycle)}
_OWN_FUNCTIONS = {f"lenet_tf>{part.__name__}" for part in (lecun1998_mle, lecun1998_map)}


class NotLeNetError(ValueError):
    """The file holds a model of another class."""


def check_config(config: Any) -> tuple[dict[str, Any], Spec]:
    """Validate a model's config without building anything.

    Args:
        config: The parsed `config.json`.

    Returns:
        The part of the config that Keras needs to load the model, and the model's spec.

    Raises:
        NotLeNetError: If the config describes a model of another class.
        SpecError: If the spec isn't valid.
        ValueError: If the config names something that a LeNet isn't compiled with.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError("config.json describes no model")
    class_name = config.get("class_name")
    if (class_name, config.get("registered_name")) != ("LeNet", LENET):
        description = _describe(config if class_name == "LeNet" else {"class_name": class_name})
        raise NotLeNetError(
            f"holds a {description}, not a LeNet saved by lenet_tf, so how to prepare its images is"
            " unknown"
        )
    arguments = config["config"]
    # Attack: `input_shape` or `num_classes` would enlarge the network after its size was checked.
    unknown = sorted(set(arguments) - _LENET_KEYS)
    if unknown:
        raise ValueError(f"LeNet has an unknown field {unknown[0][:60]!r}")
    check_terms(arguments.get("terms", {}))
    try:
        spec = spec_from_config(arguments)
    except (SpecError, MemoryError):
        raise
    except Exception as error:  # Arbitrary JSON values can fail in any arithmetic of a spec.
        raise SpecError(f"{type(error).__name__}: {error}") from error
    compile_config = config.get("compile_config") or None
    if compile_config is not None:
        if not isinstance(compile_config, dict):
            raise ValueError("compile_config is not an object")
        _check_compile_config(compile_config)
    checked = {
        "module": LeNet.__module__,
        "class_name": class_name,
        "config": arguments,
        "registered_name": LENET,
        "compile_config": compile_config,
    }
    return checked, spec


def _check_compile_config(compile_config: dict[str, Any]) -> None:
    """Raise `ValueError` for the first value that a LeNet isn't compiled with."""
    pending: list[Any] = [compile_config]
    objects = 0
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if item.keys() & _OBJECT_MARKERS:
                # Attack: run any function or class that Keras can import.
                if not _is_allowed(item):
                    raise ValueError(
                        f"compile_config names {_describe(item)}, which no LeNet is compiled with"
                    )
                # Attack: fill the memory with thousands of metrics.
                objects += 1
                if objects > MAX_OBJECTS:
                    raise ValueError(f"compile_config names more than {MAX_OBJECTS} objects")
            for key, value in item.items():
                _check_option(key, value)
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        # Attack: a bare string calls any object that the process has registered with Keras.
        elif isinstance(item, str) and ">" in item and item not in _OWN_CLASSES | _OWN_FUNCTIONS:
            raise ValueError(f"compile_config names {item[:80]!r}, which no LeNet is compiled with")


def _check_option(key: str, value: Any) -> None:
    # Attack: fill the memory with one metric (`num_classes`, `num_thresholds`).
    if key.startswith("num_") and isinstance(value, int | float) and value > MAX_METRIC_SIZE:
        raise ValueError(f"compile_config: {key[:60]} is {value}, more than {MAX_METRIC_SIZE:,}")
    # Attack: a regular expression that takes forever to match.
    if key == "exclude_layers":
        names = "".join(map(str, value or []))
        if not re.fullmatch(r"[\w/ -]*", names):
            raise ValueError("compile_config: exclude_layers may hold names only, not patterns")


def _is_allowed(description: dict[str, Any]) -> bool:
    """Return whether an object's description names something that a LeNet is compiled with."""
    classes, functions = _list_keras_objects()
    module, name, registered, config = (
        description.get(key) for key in ("module", "class_name", "registered_name", "config")
    )
    # Attack: `build_config` makes Keras allocate arrays of any shape.
    if not description.keys() <= _OBJECT_KEYS:
        return False
    if not all(value is None or isinstance(value, str) for value in (module, name, registered)):
        return False
    if name == "function":
        return (
            isinstance(config, str)
            and config in functions | _OWN_FUNCTIONS
            and module in _FUNCTION_MODULES
            and registered in (None, "function", config)
        )
    if not isinstance(config, dict):
        return False
    # The name must match too: Keras handles names such as `__lambda__` before registered ones.
    if registered in _OWN_CLASSES:
        return registered == f"lenet_tf>{name}"
    # Keras prefers a registered name to the module and the class.
    return (module, name) in classes and registered in (None, name)


@cache
def _list_keras_objects() -> tuple[set[tuple[str, str]], set[str]]:
    """List what Keras offers for compiling a model.

    Returns:
        The optimizers, schedules, losses and metrics as (module, class name), and the names of
        the loss and metric functions.
    """
    families = [
        ("keras.optimizers", keras.optimizers, keras.optimizers.Optimizer),
        (
            "keras.optimizers.schedules",
            keras.optimizers.schedules,
            keras.optimizers.schedules.LearningRateSchedule,
        ),
        ("keras.losses", keras.losses, keras.losses.Loss),
        ("keras.metrics", keras.metrics, keras.metrics.Metric),
    ]
    classes, functions = {("keras", "DTypePolicy")}, set()
    for module_name, module, base in families:
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, base):
                classes.add((module_name, name))
            elif inspect.isfunction(value) and module_name in _FUNCTION_MODULES:
                functions.add(name)
    # Attack: it selects variables by regular expressions from the file, which can take forever.
    classes.discard(("keras.optimizers", "MultiOptimizer"))
    return classes, functions - {"get", "serialize", "deserialize"}


def _describe(description: dict[str, Any]) -> str:
    """Return what a description names, as short printable ASCII."""
    module, name, registered = (
        description.get(key) for key in ("module", "class_name", "registered_name")
    )
    text = str(name)
    if module is not None:
        text = f"{module}.{description.get('config') if name == 'function' else name}"
    if registered not in (None, name):
        text += f" ({registered})"
    # Attack: escape sequences that reach the terminal.
    return re.sub(r"[^\x21-\x7e ]", "?", text)[:120]
