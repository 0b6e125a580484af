"""Choose the training loop of a run from its network, recipe and device."""

from __future__ import annotations

import functools
import math

import keras

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, compute_steps_per_execution
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.engine.mirrored_checks import check_several_devices, has_plain_loss
from lenet_tf.engine.mirrored_loop import MirroredLoop
from lenet_tf.errors import TrainingError
from lenet_tf.models.as_built import find_difference
from lenet_tf.models.compilation import build_loss
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.models.optimizers import SDLM
from lenet_tf.models.training_terms import list_terms
from lenet_tf.runtime.device import Device
from lenet_tf.specs import BatchNormalization, Dropout, Pooling, Spec

# Smaller batches gain nothing from running in halves.
_MIN_BATCH_SIZE_FOR_HALVES = 8


def choose_engine(
    engine: str, spec: Spec, model: LeNet, device: Device, images: int = 0
) -> tuple[GraphLoop | MirroredLoop | None, str]:
    """Choose the training loop.

    Args:
        engine: One of `lenet_tf.engine.ENGINES`; `auto` uses the graph loop wherever it can.
        spec: The run's network and recipe.
        model: The compiled model, whose optimizer may differ from the recipe's.
        device: Where the run trains.
        images: Number of training images, 0 if unknown.

    Returns:
        The graph loop, the loop of several devices or None for Keras' own steps, and a description
        of the choice.

    Raises:
        TrainingError: If the engine can't train this model on this device.
    """
    is_sdlm = isinstance(model.optimizer, SDLM)
    if is_sdlm:
        _check_sdlm(model, spec)
    obstacle = _find_obstacle(model)
    if device.count > 1:
        return _choose_mirrored_loop(engine, spec, model, device, images, obstacle)
    # Nobody has measured which loop is faster on a GPU.
    if engine == "auto" and not device.is_cpu:
        obstacle = "a GPU trains"
    if engine == "graph" and obstacle:
        raise TrainingError(
            f"the engine graph can't train {model.name}, since {obstacle}:"
            " omit --engine, or choose keras"
        )
    if engine == "keras" or obstacle:
        return None, f"keras, since {obstacle}" if engine == "auto" else "keras"
    batch_size = spec.recipe.batch_size
    parts = 2 if device.is_cpu and _can_halve_batches(spec) else 1
    prepare = None
    # Augmentation needs prepared images. In steps on one image, preparation would take half the
    # time.
    if parts == 2 and spec.recipe.augmentation is None:
        prepare = functools.partial(prepare_images, preparation=spec.preparation)
    steps = compute_steps_per_execution(
        batch_size, max(math.prod(spec.input_shape), model.output_shape[-1])
    )
    jit_compile = batch_size == 1 and is_sdlm and XlaIm2colModel.from_model(model) is not None
    description = f"graph, {steps} steps per execution"
    if parts == 2:
        description += ", each batch in two halves"
    if jit_compile:
        description += ", compiled by XLA"
    return GraphLoop(batch_size, parts, prepare, steps, jit_compile, images), description


def _choose_mirrored_loop(
    engine: str, spec: Spec, model: LeNet, device: Device, images: int, obstacle: str
) -> tuple[MirroredLoop, str]:
    """Choose the loop of several devices."""
    if engine != "auto":
        raise TrainingError(
            f"the engine {engine} trains on one device, and several have a training loop of their"
            " own: omit --engine, or choose one device"
        )
    check_several_devices(spec, model, device.count, images)
    size = spec.recipe.batch_size
    steps = compute_steps_per_execution(
        size, max(math.prod(spec.input_shape), model.output_shape[-1])
    )
    loop = MirroredLoop(device.strategy, size, steps, device.is_cpu and not obstacle)
    return loop, f"mirrored, {steps} steps per execution, each batch split over the devices"


def describe_own_methods(model: LeNet) -> str:
    """Return which methods a model has of its own, such as `MyLeNet has its own train_step`."""
    methods = find_own_methods(model)
    return f"{type(model).__name__} has its own {' and '.join(methods)}" if methods else ""


def _check_sdlm(model: LeNet, spec: Spec) -> None:
    if not all(layer.trainable for layer in model.layers):
        raise TrainingError(
            f"{model.name}: the optimizer sdlm trains all layers, and one of them is frozen"
            " (trainable = False)"
        )
    if keras.losses.serialize(keras.losses.get(model.loss)) != keras.losses.serialize(
        keras.losses.get(build_loss(spec.recipe))
    ):
        raise TrainingError(
            f"{model.name}: the optimizer sdlm needs the second derivatives of the recipe's loss"
            f" {spec.recipe.loss}: compile the model with it"
        )


def _find_obstacle(model: LeNet) -> str:
    """Return why the graph loop can't train this model, or an empty string.

    The graph loop takes the steps that Keras takes for a table. Whatever else a model has, Keras'
    own step knows better.
    """
    if model.precision != "float32":
        return f"the precision is {model.precision}"
    own_methods = describe_own_methods(model)
    if own_methods:
        return own_methods
    difference = find_difference(model)
    if difference:
        return difference
    for layer in model.layers:
        for name in list_terms(layer):
            return f"{layer.name} has a {name}"
    if model.losses:
        return "its layers add losses"
    if model.run_eagerly:
        return "it is compiled with run_eagerly"
    return "" if has_plain_loss(model) else "its loss isn't the mean over the images"


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
