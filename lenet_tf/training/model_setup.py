"""Prepares a compiled model for a run: metrics, optimizer, schedule and recipe callbacks."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import keras
import numpy as np
import psutil

from lenet_tf.data.dataset import Split
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import TrainingError
from lenet_tf.models.curvature import CURVATURE_IMAGES, Curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizer_check import has_other_weights
from lenet_tf.models.optimizers import SDLM, find_one_cycle
from lenet_tf.models.own_metrics import build_metrics
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime import tensorflow_start
from lenet_tf.runtime.device import Device
from lenet_tf.runtime.keras_settings import check_keras, check_warnings
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.specs import Recipe, Spec, cost
from lenet_tf.training.config import TrainConfig


def build_for_training(model: LeNet, device: Device) -> None:
    """Build the optimizer and metrics before the first step.

    Args:
        model: A compiled model.
        device: The device that trains.

    Raises:
        TrainingError: The model's loss or metrics don't accept one-hot labels, or there is
            nothing to train.
    """
    if not model.trainable_variables:
        raise TrainingError(
            f"{model.name} has nothing to train: all its layers are frozen (trainable = False) or"
            " have no weights"
        )
    if device.is_cpu:
        # Keras turns XLA on wherever a GPU exists. CPU results must not depend on that.
        model.jit_compile = False
    # Keras would round an epoch up to whole executions.
    model.steps_per_execution = 1
    if isinstance(model.loss, list | tuple | dict):
        raise TrainingError(
            f"{model.name} is compiled with a list or dictionary of losses: compile it with one"
        )
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    check_optimizer_weights(model)
    # Several images: a loss that compares them with each other fails for a batch only.
    labels = keras.ops.one_hot([0, 1, 0], model.output_shape[-1])
    try:
        model.compute_loss(None, labels, labels)
    except Exception as error:  # Keras, TensorFlow and custom losses raise anything.
        raise TrainingError(
            f"{model.name}: the loss {_name_loss(model)} doesn't accept one-hot labels, which fit"
            " gives it: compile the model with categorical_crossentropy"
        ) from error
    build_metrics(model)


def check_optimizer_weights(model: LeNet) -> None:
    """Check that a model's optimizer has the state of all weights that it trains.

    Raises:
        TrainingError: Layers were frozen or unfrozen since it started. Its file would open with a
            new state.
    """
    if has_other_weights(model):
        raise TrainingError(
            f"layers of {model.name} were frozen or unfrozen after its optimizer had started:"
            " compile the model again, as Keras asks after a change of trainable"
        )


def check_memory(spec: Spec, split: Split, device: Device, makes_patches: bool) -> None:
    """Check that this machine has the memory for a training step.

    Args:
        spec: The network and its recipe.
        split: The data set, split.
        device: The device that trains; only a processor's memory is known.
        makes_patches: Whether the engine computes convolutions as products of their patches.

    Raises:
        SpecError: The step needs more.
    """
    images = min(spec.recipe.batch_size, len(split.train_indices))
    memory = psutil.virtual_memory().total if device.is_cpu else None
    cost.check_training_cost(spec, images, memory, makes_patches)


def _name_loss(model: LeNet) -> str:
    loss = model.loss
    return loss if isinstance(loss, str) else getattr(loss, "name", None) or loss.__name__


def set_schedule(model: LeNet, recipe: Recipe, images: int) -> None:
    """Set the length of a one-cycle schedule. A trained model gets a new cycle.

    Args:
        model: A compiled model.
        recipe: Its recipe.
        images: Number of training images.
    """
    schedule = find_one_cycle(model.optimizer)
    if schedule is not None:
        schedule.first = int(model.optimizer.iterations)
        schedule.steps = recipe.epochs * math.ceil(images / recipe.batch_size)


def recipe_callbacks(
    config: TrainConfig, split: Split, model: LeNet, record: RunRecord
) -> list[keras.callbacks.Callback]:
    """Return the callbacks that change the optimizer between epochs.

    Args:
        config: The settings of the run.
        split: The data set, split.
        model: A compiled model.
        record: What the run folder says. An optimizer of the model's own keeps its rate.
    """
    optimizer = config.spec.recipe.optimizer
    callbacks = []
    if isinstance(optimizer.learning_rate, tuple) and "optimizer" not in record.compiled:
        callbacks.append(keras.callbacks.LearningRateScheduler(optimizer.get_learning_rate))
    if isinstance(model.optimizer, SDLM):
        indices = split.train_indices

        def prepared_images(positions: np.ndarray) -> np.ndarray:
            return prepare_images(split.data.x_train[indices[positions]], split.preparation)

        count = optimizer.curvature_images or CURVATURE_IMAGES
        callbacks.append(Curvature(prepared_images, len(indices), count, config.seed))
    return callbacks


@contextlib.contextmanager
def training_context(device: Device, config: TrainConfig) -> Iterator[None]:
    """Place what is built inside on the device, and seed the global random generators."""
    check_keras()
    check_warnings()
    status = STATUS.show(f"building {config.spec.name}", quiet=config.quiet)
    with device.scope(), tensorflow_start.hide_retracing_advice(), status:
        keras.utils.set_random_seed(config.seed)
        if config.deterministic:
            tensorflow_start.enable_determinism()
        yield
