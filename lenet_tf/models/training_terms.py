"""Regularizers and constraints of layers, which no table has: found, saved and loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras

_SUFFIXES = {"_regularizer": keras.regularizers, "_constraint": keras.constraints}
# Kind of a term → its classes by name. Own classes are code, which no file holds.
_CLASSES = {
    suffix: {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and name not in ("Regularizer", "Constraint")
    }
    for suffix, module in _SUFFIXES.items()
}
_MAX_AXES = 8

Terms = dict[str, dict[str, Any]]


def is_term(name: str) -> bool:
    """Return whether an attribute of a layer holds a regularizer or a constraint."""
    return name.endswith(tuple(_SUFFIXES))


def list_terms(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return the regularizers and constraints that Keras applies to a layer.

    Args:
        layer: A built layer.

    Returns:
        Name → object, for example `kernel_regularizer`.
    """
    terms = {"activity_regularizer": layer.activity_regularizer}
    for weight in layer.weights:
        terms |= {
            f"{weight.name}_regularizer": weight.regularizer,
            f"{weight.name}_constraint": weight.constraint,
        }
    return {name: term for name, term in terms.items() if term is not None}


def find_unusable_term(layer: keras.layers.Layer) -> str:
    """Return what is wrong with a term of a layer, or an empty string."""
    terms = list_terms(layer)
    for name, term in terms.items():
        if type(term) not in _CLASSES[_find_suffix(name)].values():
            return f"has the {name} {type(term).__name__}, which is not Keras' own"
    for name, value in vars(layer).items():
        if is_term(name) and value is not None and name not in terms:
            weight = name.removesuffix(_find_suffix(name))
            return (
                f"got its {name} after its weights were built, so Keras ignores it: set"
                f" layer.{weight}.{_find_suffix(name)[1:]}"
            )
    return ""


def terms_to_config(layers: Sequence[keras.layers.Layer]) -> Terms:
    """Return the terms of all layers, ready for JSON: layer → name → class and arguments."""
    terms = {
        layer.name: {
            name: {"class_name": type(term).__name__, "config": term.get_config()}
            for name, term in list_terms(layer).items()
        }
        for layer in layers
    }
    return {name: of_layer for name, of_layer in terms.items() if of_layer}


def set_terms(layers: Sequence[keras.layers.Layer], config: Mapping[str, Any]) -> None:
    """Give layers the terms that `terms_to_config` returned.

    Args:
        layers: Built layers.
        config: The terms.

    Raises:
        ValueError: If the config names an unknown layer, weight, class or argument.
    """
    by_name = {layer.name: layer for layer in layers}
    for layer_name, name, suffix, term in _read_terms(config):
        layer = by_name.get(layer_name)
        weights = {weight.name: weight for weight in layer.weights} if layer is not None else {}
        if layer is not None and name == "activity_regularizer":
            layer.activity_regularizer = term
        elif name.removesuffix(suffix) in weights:
            setattr(weights[name.removesuffix(suffix)], suffix[1:], term)
        else:
            raise ValueError(f"there is no {name[:60]!r} in a layer {layer_name[:60]!r}")


def check_terms(config: Any) -> None:
    """Raise `ValueError` unless a saved model's terms are Keras' own, with plain arguments."""
    for _ in _read_terms(config):
        pass


def _read_terms(config: Any) -> Iterator[tuple[str, str, str, Any]]:
    """Yield (layer, name, suffix, term). Attack: name any class, or nest objects in arguments."""
    if not isinstance(config, Mapping) or not all(isinstance(c, Mapping) for c in config.values()):
        raise ValueError("its regularizers are not a table")
    for layer, of_layer in config.items():
        for name, entry in of_layer.items():
            suffix = _find_suffix(name)
            entry = entry if isinstance(entry, Mapping) else {}
            known = _CLASSES.get(suffix, {}).get(str(entry.get("class_name")))
            arguments = entry.get("config")
            if not isinstance(arguments, Mapping) or not all(map(_is_plain, arguments.values())):
                known = None
            if known is None:
                raise ValueError(f"{layer[:60]!r} has an unknown {name[:60]!r}")
            try:
                term = known(**dict(arguments or {}))
            except TypeError as error:
                raise ValueError(f"{layer[:60]!r} has an invalid {name[:60]!r}") from error
            yield layer, name, suffix, term


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _MAX_AXES and all(isinstance(axis, int) for axis in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int | str) and len(str(value)[:100]) < 100)


def _find_suffix(name: str) -> str:
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
