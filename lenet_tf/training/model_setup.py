"""Prepares a compiled model for a run: metrics, optimizer, schedule and recipe callbacks."""

from __future__ import annotations

import math

import keras
import numpy as np

from lenet_tf.data.dataset import Split
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import TrainingError
from lenet_tf.models.curvature import CURVATURE_IMAGES, Curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import SDLM, find_one_cycle
from lenet_tf.runtime.device import Device
from lenet_tf.specs import Recipe
from lenet_tf.training.config import TrainConfig


def build_for_training(model: LeNet, device: Device) -> None:
    """Build the optimizer and metrics before the first step.

    Args:
        model: A compiled model.
        device: The device that trains.

    Raises:
        TrainingError: The model is compiled without the metric `accuracy`.
    """
    if device.name == "/CPU:0":
        # Keras turns XLA on wherever a GPU exists. CPU results must not depend on that.
        model.jit_compile = False
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    # Keras makes its metrics in the first step, which it would then trace twice.
    zeros = keras.ops.zeros((1, model.output_shape[-1]))
    if "accuracy" not in model.compute_metrics(None, zeros, zeros):
        raise TrainingError(
            f"{model.name} is compiled without the metric accuracy, which selects the best epoch:"
            " compile it with metrics=['accuracy']"
        )
    model.reset_metrics()


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
    config: TrainConfig, split: Split, model: LeNet
) -> list[keras.callbacks.Callback]:
    """Return the callbacks that change the optimizer between epochs.

    Args:
        config: The settings of the run.
        split: The data set, split.
        model: A compiled model.
    """
    optimizer = config.spec.recipe.optimizer
    callbacks = []
    if isinstance(optimizer.learning_rate, tuple):
        callbacks.append(keras.callbacks.LearningRateScheduler(optimizer.get_learning_rate))
    if isinstance(model.optimizer, SDLM):
        indices = split.train_indices

        def prepared_images(positions: np.ndarray) -> np.ndarray:
            return prepare_images(split.data.x_train[indices[positions]], split.preparation)

        count = optimizer.curvature_images or CURVATURE_IMAGES
        callbacks.append(Curvature(prepared_images, len(indices), count, config.seed))
    return callbacks
