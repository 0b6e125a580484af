"""A model in memory as a trained network, which needs no Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.models.as_built import find_difference
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.pretrained.network import TrainedNetwork, get_weight_shapes


def to_trained_network(model: Any) -> TrainedNetwork:
    """Return the network of a model in memory.

    Args:
        model: A `LeNet`.

    Returns:
        The network, with copies of the weights in float32.

    Raises:
        RunError: If the model is no `LeNet`, or was changed in a way that its table doesn't say.
    """
    if not isinstance(model, LeNet):
        raise RunError(
            f"the model must be a LeNet, a run, a preset's name or a path, not"
            f" {type(model).__name__}: use its own export method"
        )
    own_methods = find_own_methods(model)
    difference = find_difference(model)
    if own_methods:
        difference = f"{type(model).__name__} has a {own_methods[0]} of its own"
    if difference:
        raise RunError(
            f"{model.name} cannot become a network of plain layers: {difference}. Use Keras'"
            " model.export"
        )
    weights = {
        facts.row.name: tuple(
            np.array(array, np.float32) for array in model.get_layer(facts.row.name).get_weights()
        )
        for facts in model.spec.layers
        if get_weight_shapes(facts)
    }
    return TrainedNetwork(model.spec, weights, model.precision)
