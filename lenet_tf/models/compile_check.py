"""Checks what a saved model is compiled with against `compile_schema`, before Keras sees it."""

from __future__ import annotations

import inspect
import re
from functools import cache
from typing import Any

import keras

from lenet_tf.models import compile_schema
from lenet_tf.models.compile_schema import FIELDS, MAX_THRESHOLD_VALUES, OPTIONS, Kind
from lenet_tf.models.optimizers import SDLM, OneCycle
from lenet_tf.models.rbf import lecun1998_map, lecun1998_mle
from lenet_tf.specs import validators

# Attack: fill the memory with thousands of metrics.
MAX_METRICS = 32

# Attack: `build_config` makes Keras allocate arrays of any shape, and `shared_object_id` makes it
# take one object for another.
_OBJECT_KEYS = {"module", "class_name", "config", "registered_name"}
_COMPILE_KEYS = {"optimizer", "loss", "metrics", "weighted_metrics", *OPTIONS}
_OWN_OPTIMIZERS: dict[str, type] = {"SDLM": SDLM}
_OWN_SCHEDULES: dict[str, type] = {"OneCycle": OneCycle}
_OWN_FUNCTIONS = {f"lenet_tf>{part.__name__}" for part in (lecun1998_mle, lecun1998_map)}
# Where a file may say that a function of Keras lies.
_FUNCTION_MODULES = ("builtins", "keras.losses", "keras.metrics")


def check_compile_config(config: Any, num_classes: int) -> None:
    """Check what a model is compiled with against the schema of `compile_schema`.

    Args:
        config: The result of `LeNet.get_compile_config`.
        num_classes: Number of the model's classes.

    Raises:
        ValueError: The first part that no LeNet is compiled with, by name.
    """
    if not isinstance(config, dict):
        raise ValueError("compile_config is not an object")
    check_keys("compile_config", config, _COMPILE_KEYS)
    for option, kind in OPTIONS.items():
        if option in config:
            _check_value("compile_config", option, config[option], kind, num_classes)
    _check_optimizer(config.get("optimizer"), num_classes)
    _check_loss(config.get("loss"), num_classes)
    metrics: list[Any] = []
    for key in ("metrics", "weighted_metrics"):
        values = config.get(key)
        if not isinstance(values, list | None):
            shown = validators.show_value(values)
            raise ValueError(f"compile_config: {key} must be a list or null, not {shown}")
        metrics += values or []
    if len(metrics) > MAX_METRICS:
        raise ValueError(f"compile_config has {len(metrics):,} metrics, more than {MAX_METRICS}")
    thresholds = sum(_check_metric(metric, num_classes) for metric in metrics)
    # Attack: each threshold is compared with each output of a batch at once.
    if thresholds * num_classes > MAX_THRESHOLD_VALUES:
        raise ValueError(
            f"its metrics have {thresholds:,} thresholds for {num_classes:,} classes, together more"
            f" than {MAX_THRESHOLD_VALUES:,}"
        )


def _check_optimizer(value: Any, num_classes: int) -> None:
    name, config = _read_object(
        value, "keras.optimizers", compile_schema.OPTIMIZERS, _OWN_OPTIMIZERS
    )
    if name == "LossScaleOptimizer":
        inner = config.pop("inner_optimizer", None)
        # Attack: optimizers nested a hundred deep.
        if isinstance(inner, dict) and inner.get("class_name") == name:
            raise ValueError(f"compile_config nests {name} in {name}")
        _check_optimizer(inner, num_classes)
    elif isinstance(config.get("learning_rate"), dict):
        schedule, fields = _read_object(
            config.pop("learning_rate"),
            "keras.optimizers.schedules",
            compile_schema.SCHEDULES,
            _OWN_SCHEDULES,
        )
        _check_fields(schedule, fields, num_classes)
    _check_fields(name, config, num_classes)


def _check_loss(value: Any, num_classes: int) -> None:
    if isinstance(value, dict) and value.get("class_name") != "function":
        name, config = _read_object(value, "keras.losses", compile_schema.LOSSES)
        _check_fields(name, config, num_classes)
    else:
        _check_function(value, compile_schema.LOSS_NAMES | _OWN_FUNCTIONS)


def _check_metric(value: Any, num_classes: int) -> int:
    """Check a metric and return the number of thresholds that it compares each output with."""
    if not isinstance(value, dict) or value.get("class_name") == "function":
        _check_function(value, compile_schema.METRIC_NAMES | _OWN_FUNCTIONS)
        return 0
    name, config = _read_object(
        value, "keras.metrics", (*compile_schema.METRICS, "MeanMetricWrapper")
    )
    if name == "MeanMetricWrapper":
        _check_function(config.pop("fn", None), compile_schema.METRIC_FUNCTIONS | _OWN_FUNCTIONS)
    _check_fields(name, config, num_classes)
    thresholds = config.get("thresholds")
    return len(thresholds) if isinstance(thresholds, list) else 0


def _check_function(value: Any, names: frozenset[str]) -> None:
    """Check a function or a class, given by its name or by a description."""
    name = value
    if isinstance(value, dict):
        name, module, registered = (value.get(k) for k in ("config", "module", "registered_name"))
        if (
            not value.keys() <= _OBJECT_KEYS
            or module not in _FUNCTION_MODULES
            or registered not in (None, "function", name)
        ):
            raise _unknown_error(describe_object(value))
    # Attack: a bare string calls any object that the process has registered with Keras.
    if not isinstance(name, str) or name not in names:
        shown = describe_object(value) if isinstance(value, dict) else validators.show_value(value)
        raise _unknown_error(shown)


def _read_object(
    value: Any, module: str, names: tuple[str, ...], own: dict[str, type] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the class and the fields of an object's description.

    Args:
        value: The description.
        module: The module of Keras that has the class.
        names: The classes of Keras that are allowed.
        own: The classes of lenet_tf that are allowed.

    Raises:
        ValueError: The description names anything else.
    """
    if not isinstance(value, dict):
        raise _unknown_error(validators.show_value(value))
    name, config, registered = (value.get(k) for k in ("class_name", "config", "registered_name"))
    is_known = isinstance(name, str) and isinstance(config, dict) and value.keys() <= _OBJECT_KEYS
    if is_known and name in (own or {}):
        # Keras finds a registered object by this name alone, wherever its module is today.
        is_known = registered == f"lenet_tf>{name}" and str(value.get("module")).startswith(
            "lenet_tf."
        )
    elif is_known:
        is_wrapper = module == "keras.optimizers" and name == "LossScaleOptimizer"
        # Attack: Keras prefers a registered name to the module and the class.
        is_known = (
            (name in names or is_wrapper)
            and value.get("module") == module
            and registered in (None, name)
        )
    if not is_known:
        raise _unknown_error(describe_object(value))
    return str(name), dict(config or {})


def _check_fields(name: str, config: dict[str, Any], num_classes: int) -> None:
    """Raise `ValueError` for the first field of a class that it does not have, or its value."""
    known = _list_fields(name)
    for field, value in config.items():
        if field not in known:
            raise ValueError(f"compile_config: {name} has an unknown field {field[:60]!r}")
        _check_value(f"compile_config: {name}", field, value, FIELDS[field], num_classes)


@cache
def _list_fields(name: str) -> frozenset[str]:
    """Return the arguments of a class that have a schema."""
    modules = (keras.optimizers, keras.optimizers.schedules, keras.losses, keras.metrics)
    own = _OWN_OPTIMIZERS | _OWN_SCHEDULES
    classes = [getattr(module, name) for module in modules if hasattr(module, name)]
    fields = {"name", "dtype"}
    for each in [*classes, *([own[name]] if name in own else [])]:
        fields |= inspect.signature(each).parameters.keys()
        if issubclass(each, keras.optimizers.Optimizer):
            fields |= set(compile_schema.OPTIMIZER_FIELDS)
    return frozenset(fields & FIELDS.keys())


def _check_value(where: str, field: str, value: Any, kind: Kind, num_classes: int) -> None:
    if not kind.accepts(value, num_classes):
        shown = validators.show_value(value)
        raise ValueError(f"{where}: {field} must be {kind.expected}, not {shown}")


def check_keys(where: str, values: dict[str, Any], known: set[str]) -> None:
    """Raise `ValueError` if an object has a field that is not `known`."""
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"{where} has an unknown field {unknown[0][:60]!r}")


def _unknown_error(text: str) -> ValueError:
    return ValueError(f"compile_config names {text}, which no LeNet is compiled with")


def describe_object(description: dict[str, Any]) -> str:
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
