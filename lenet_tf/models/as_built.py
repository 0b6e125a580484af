"""Compare a model with what its table built: its file holds the table, not what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any

import keras

from lenet_tf.models.training_terms import find_unusable_term, is_term
from lenet_tf.specs import Spec

# What a layer has besides its settings. Initializers are used once.
_NO_SETTINGS = ("build", "built", "quantize", "call_signature_parameters", "seed_generator")
# Methods that neither compute nor train, and attributes that `compile` sets.
_NO_METHODS = ("__init__", "get_config", "from_config", "loss", "optimizer")

LayerState = Mapping[str, Any]


@dataclass(frozen=True)
class AsBuilt:
    """A model's layers when its table had just built them.

    Args:
        spec: The table.
        precision: The precision.
        layers: `describe_layer` of each layer.
    """

    spec: Spec
    precision: str
    layers: tuple[LayerState, ...]


def describe_layer(layer: keras.layers.Layer) -> LayerState:
    """Return what decides a layer's outputs, apart from the values of its weights.

    Args:
        layer: A built layer.

    Returns:
        Name of a setting → a value to compare. Functions are compared by identity.
    """
    settings = {
        name: _to_comparable(value)
        for name, value in vars(layer).items()
        if _is_setting(name, value) and not is_term(name)
    }
    return {
        "name": layer.name,
        "class": type(layer),
        "dtype": layer.dtype_policy.name,
        **settings,
        "weights": [(weight.name, tuple(weight.shape), weight.dtype) for weight in layer.weights],
        "trained": [weight.name for weight in layer.trainable_weights],
    }


def find_difference(model: Any) -> str:
    """Find what a model has that its file would not say.

    Args:
        model: A `LeNet`.

    Returns:
        The first difference between the model and its table, such as `OUTPUT has the activation
        sigmoid, not softmax`, or an empty string.
    """
    built: AsBuilt = model.as_built
    if model.spec is not built.spec or model.precision != built.precision:
        return "its spec or precision was replaced after its layers were built"
    names = [layer.name for layer in model.layers]
    expected = [state["name"] for state in built.layers]
    if names != expected:
        return f"its layers are {', '.join(names) or 'none'}, not {', '.join(expected)}"
    for layer, state in zip(model.layers, built.layers, strict=True):
        difference = _compare_layer(layer, state) or find_unusable_term(layer)
        if difference:
            return f"{layer.name} {difference}"
    own = {id(weight) for layer in model.layers for weight in layer.weights}
    others = [weight.path for weight in model.weights if id(weight) not in own]
    return f"the weight {others[0]} is outside its layers" if others else ""


def list_methods(model_class: type) -> dict[str, Any]:
    """Return what decides how a class of models computes and trains, by name."""
    return {
        name: getattr_static(model_class, name)
        for name in dir(model_class)
        if (not name.startswith("__") or name == "__call__") and name not in _NO_METHODS
    }


def find_replaced_methods(model: Any, built_class: type, methods: Mapping[str, Any]) -> list[str]:
    """List the methods that a subclass or the object itself replaces, sorted.

    Args:
        model: A model.
        built_class: The class whose methods count as the usual ones.
        methods: `list_methods(built_class)`.
    """
    replaced = {
        name for name in vars(model) if name not in _NO_SETTINGS and callable(methods.get(name))
    }
    if type(model) is not built_class:
        replaced |= {
            name
            for name, method in methods.items()
            if getattr_static(type(model), name, None) is not method
        }
    return sorted(replaced)


def _compare_layer(layer: keras.layers.Layer, built: LayerState) -> str:
    """Return how a layer differs from its state when it was built, or an empty string."""
    state = describe_layer(layer)
    for name, expected in built.items():
        value = state.get(name)
        if name == "trained":
            # `layer.trainable` is saved, a single frozen weight is not.
            if layer.trainable and value != expected:
                return "has weights that are frozen one by one: set trainable of the layer"
        elif value != expected:
            if name == "weights":
                return "has weights of other shapes or dtypes"
            shown = [_show(value), _show(expected)]
            # An own function may be named like the table's.
            own = "its own" if shown[0] == shown[1] else "the"
            return f"has {own} {name} {shown[0]}, not {shown[1]}"
    shadowed = [
        name
        for name in vars(layer)
        if name not in _NO_SETTINGS and callable(getattr_static(type(layer), name, None))
    ]
    return f"has its own {shadowed[0]}" if shadowed else ""


def _is_setting(name: str, value: Any) -> bool:
    is_plain = not name.startswith("_") and name not in _NO_SETTINGS
    return is_plain and not name.endswith("_initializer") and not isinstance(value, keras.Variable)


def _to_comparable(value: Any) -> Any:
    """Return a value that equals another one if both mean the same to a layer."""
    if isinstance(value, list | tuple):
        return tuple(_to_comparable(part) for part in value)
    if not isinstance(value, type) and hasattr(value, "get_config"):
        return type(value), json.dumps(value.get_config(), sort_keys=True, default=str)
    return value


def _show(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], type):
        value = value[0]
    return str(getattr(value, "__name__", value))[:60]
