"""Which engine takes a run's training steps, by network, recipe and processor."""

from __future__ import annotations

import functools
import math

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.engine import ENGINES
from lenet_tf.engine.graph_loop import GraphLoop, steps_per_execution
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.errors import TrainingError, suggest_name
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import SDLM
from lenet_tf.runtime.device import Device
from lenet_tf.specs import BatchNormalization, Dropout, Spec


def choose_engine(
    wanted: str, spec: Spec, network: LeNet, place: Device
) -> tuple[GraphLoop | None, str]:
    """How steps are taken, None being Keras' own way, and that in words.

    Raises `TrainingError` for an engine that is not one, or that cannot take this run's steps.
    """
    if wanted not in ENGINES:
        raise TrainingError(
            f"unknown engine {wanted!r}: {suggest_name(wanted, ENGINES, 'known are ' + ', '.join(ENGINES))}"
        )
    if isinstance(network.optimizer, SDLM) and not all(layer.trainable for layer in network.layers):
        raise TrainingError(
            f"{network.name}: the optimizer sdlm trains all layers, and one of them is frozen (trainable = False)"
        )
    reasons = {
        "a GPU trains": place.name != "/CPU:0",
        f"the precision is {network.precision}": network.precision != "float32",
    }
    why_not = next((reason for reason, holds in reasons.items() if holds), "")
    if wanted == "graph" and why_not:
        raise TrainingError(
            f"the engine graph works on a CPU in float32, but {why_not}: leave --engine away, or take keras"
        )
    if wanted == "keras" or why_not:
        return None, f"keras{f', since {why_not}' if wanted == 'auto' else ''}"
    size, recipe = spec.recipe.batch_size, spec.recipe
    # Halves draw other random numbers than a whole batch, and have other means; and the smallest batches gain nothing.
    whole = any(
        isinstance(row, Dropout | BatchNormalization) or getattr(row, "pool", "") == "stochastic"
        for row in spec.rows
    )
    parts = 1 if whole or size < 8 or recipe.optimizer.name == "sdlm" else 2
    # What is to be distorted is prepared before that; and on one image at a time, preparation would be half the step.
    in_step = parts == 2 and recipe.augmentation is None
    prepare = functools.partial(prepare_images, preparation=spec.preparation) if in_step else None
    steps = steps_per_execution(size, math.prod(spec.input_shape))
    compiled = (
        size == 1
        and isinstance(network.optimizer, SDLM)
        and XlaIm2colModel.from_model(network) is not None
    )
    how = "".join(
        [", each in two halves" if parts == 2 else "", ", compiled by XLA" if compiled else ""]
    )
    return GraphLoop(size, parts, prepare, steps, compiled), f"graph, {steps} steps a call{how}"
