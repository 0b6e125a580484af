"""Choose the training loop of a run from its network, recipe and device."""

from __future__ import annotations

import functools
import math

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, compute_steps_per_execution
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.errors import TrainingError
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import SDLM
from lenet_tf.runtime.device import Device
from lenet_tf.specs import BatchNormalization, Dropout, Pooling, Spec

# Smaller batches gain nothing from running in halves.
_MIN_BATCH_SIZE_FOR_HALVES = 8


def choose_engine(
    engine: str, spec: Spec, model: LeNet, device: Device
) -> tuple[GraphLoop | None, str]:
    """Choose the training loop.

    Args:
        engine: One of `lenet_tf.engine.ENGINES`; `auto` uses the graph loop wherever it can.
        spec: The run's network and recipe.
        model: The compiled model, whose optimizer may differ from the recipe's.
        device: Where the run trains.

    Returns:
        The graph loop, or None for Keras' own steps, and a description of the choice.

    Raises:
        TrainingError: If the engine can't train this model on this device.
    """
    is_sdlm = isinstance(model.optimizer, SDLM)
    if is_sdlm and not all(layer.trainable for layer in model.layers):
        raise TrainingError(
            f"{model.name}: the optimizer sdlm trains all layers, and one of them is frozen"
            " (trainable = False)"
        )
    obstacle = _find_obstacle(model, device)
    if engine == "graph" and obstacle:
        raise TrainingError(
            f"the engine graph works on a CPU in float32, but {obstacle}:"
            " omit --engine, or choose keras"
        )
    if engine == "keras" or obstacle:
        return None, f"keras, since {obstacle}" if engine == "auto" else "keras"
    batch_size = spec.recipe.batch_size
    parts = 2 if _can_halve_batches(spec) else 1
    prepare = None
    # Augmentation needs prepared images. In steps on one image, preparation would take half the
    # time.
    if parts == 2 and spec.recipe.augmentation is None:
        prepare = functools.partial(prepare_images, preparation=spec.preparation)
    steps = compute_steps_per_execution(batch_size, math.prod(spec.input_shape))
    jit_compile = batch_size == 1 and is_sdlm and XlaIm2colModel.from_model(model) is not None
    description = f"graph, {steps} steps per execution"
    if parts == 2:
        description += ", each batch in two halves"
    if jit_compile:
        description += ", compiled by XLA"
    return GraphLoop(batch_size, parts, prepare, steps, jit_compile), description


def _find_obstacle(model: LeNet, device: Device) -> str:
    """Return why the graph loop can't train this model, or an empty string."""
    if device.name != "/CPU:0":
        return "a GPU trains"
    if model.precision != "float32":
        return f"the precision is {model.precision}"
    return ""


def _can_halve_batches(spec: Spec) -> bool:
    """Return whether two halves of a batch give the gradients of the whole batch."""
    recipe = spec.recipe
    if recipe.batch_size < _MIN_BATCH_SIZE_FOR_HALVES or recipe.optimizer.name == "sdlm":
        return False
    # Halves would draw other random numbers and have other means.
    return not any(
        isinstance(row, Dropout | BatchNormalization)
        or (isinstance(row, Pooling) and row.pool == "stochastic")
        for row in spec.rows
    )
