"""Lets go of the graphs of training steps, which TensorFlow would keep until the process ends."""

from __future__ import annotations

import inspect
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops

# What Keras calls the functions that it traces for training and evaluation.
_STEP_NAMES = ("one_step_on_data", "one_step_on_iterator", "multi_step_on_iterator")


def release_step_graphs() -> None:
    """Forget how gradients are replaced in the graphs of Keras' steps.

    Keras' optimizers call `tf.custom_gradient`, which enters its function into a registry of the
    process, and with it the graph. A step computes its gradients itself while it is traced, so
    that nothing looks for them later.
    """
    registry = getattr(ops.gradient_registry, "_registry", {})
    for name, entry in list(registry.items()):
        if name.startswith("CustomGradient-") and _is_of_step(entry["type"]):
            registry.pop(name, None)


def _is_of_step(gradient: Any) -> bool:
    """Return whether a gradient function belongs to the graph of a step."""
    wrapped = inspect.getclosurevars(gradient).nonlocals.get("tape_grad_fn", gradient)
    results = tf.nest.flatten(inspect.getclosurevars(wrapped).nonlocals.get("result"))
    graph = getattr(results[0], "graph", None) if results else None
    while graph is not None:
        if getattr(graph, "name", "") in _STEP_NAMES:
            return True
        graph = getattr(graph, "outer_graph", None)
    return False
