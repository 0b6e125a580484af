"""What a model is compiled with where its recipe names another optimizer or loss."""

from __future__ import annotations

import re
from typing import Any

import keras
import numpy as np

from lenet_tf.models.compilation import build_loss, build_optimizer
from lenet_tf.models.optimizers import find_one_cycle
from lenet_tf.specs import Recipe

_MAX_TEXT = 200


def describe_own_compilation(model: Any, recipe: Recipe) -> dict[str, Any]:
    """Describe the optimizer and the loss of a model that differ from its recipe's.

    Args:
        model: A compiled model, trained before or not.
        recipe: The recipe.

    Returns:
        `optimizer` (a name, a learning rate and options) and `loss` with `label_smoothing`, in the
        form of a recipe's table and ready for JSON. What the recipe has too is left out.
    """
    described: dict[str, Any] = {}
    if not _has_optimizer_of(model, recipe):
        described["optimizer"] = _describe_optimizer(model.optimizer)
    name, options = _read_loss(model.loss)
    if (name, options) != _read_loss(build_loss(recipe)):
        described["label_smoothing"] = float(options.pop("label_smoothing", 0.0))
        described["loss"] = name + (f" ({_join(options)})" if options else "")
    return described


def _has_optimizer_of(model: Any, recipe: Recipe) -> bool:
    expected, actual = build_optimizer(recipe.optimizer), _unwrap(model.optimizer)
    if type(actual) is not type(expected) or _list_options(actual) != _list_options(expected):
        return False
    ours, theirs = find_one_cycle(expected), find_one_cycle(actual)
    if ours is not None or theirs is not None:
        return (
            ours is not None
            and theirs is not None
            and (ours.peak, ours.warm_up) == (theirs.peak, theirs.warm_up)
        )
    if _has_schedule(actual):
        return False
    rates = recipe.optimizer.learning_rate
    rates = rates if isinstance(rates, tuple) else (rates,)
    # Training leaves the rate of its last epoch.
    possible = rates if int(actual.iterations) else rates[:1]
    return np.float32(actual.learning_rate) in np.array(possible, np.float32)


def _describe_optimizer(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    optimizer = _unwrap(optimizer)
    described: dict[str, Any] = {"name": type(optimizer).__name__.lower()}
    one_cycle = find_one_cycle(optimizer)
    if one_cycle is not None:
        described |= {"learning_rate": float(one_cycle.peak), "schedule": "one_cycle"}
        described["warm_up"] = float(one_cycle.warm_up)
    else:
        # The shortest number that float32 rounds to the same rate.
        described["learning_rate"] = float(str(np.float32(optimizer.learning_rate)))
        if _has_schedule(optimizer):
            schedule = optimizer._learning_rate
            text = f"{type(schedule).__name__} ({_join(schedule.get_config())})"
            described["schedule"] = text[:_MAX_TEXT]
    default = _list_options(type(optimizer)())
    return described | {
        name: value for name, value in _list_options(optimizer).items() if value != default[name]
    }


def _unwrap(optimizer: keras.optimizers.Optimizer) -> Any:
    return getattr(optimizer, "inner_optimizer", optimizer)


def _has_schedule(optimizer: Any) -> bool:
    # Keras' public `learning_rate` is the current value, not the schedule.
    return isinstance(optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule)


def _list_options(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    config = optimizer.get_config()
    return {name: config[name] for name in config if name not in ("name", "learning_rate")}


def _read_loss(loss: Any) -> tuple[str, dict[str, Any]]:
    """Return a loss' name, as Keras spells its function, and its options that aren't defaults."""
    loss = keras.losses.get(loss)
    if not isinstance(loss, keras.losses.Loss):
        return str(getattr(loss, "__name__", loss))[:_MAX_TEXT], {}
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(loss).__name__).lower()
    config = loss.get_config()
    try:
        default = type(loss)().get_config()
    except TypeError:
        default = {}
    return name, {key: config[key] for key in config if config[key] != default.get(key, "")}


def _join(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items() if name != "name")
