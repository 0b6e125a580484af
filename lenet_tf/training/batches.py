"""The batches of a run, as arguments of Keras' `fit`."""

from __future__ import annotations

import math
from typing import Any

from lenet_tf.data.dataset import Split
from lenet_tf.data.pipeline import evaluation_batches, training_batches
from lenet_tf.engine.graph_loop import GraphLoop
from lenet_tf.engine.mirrored_loop import MirroredLoop
from lenet_tf.training.config import TrainConfig


def build_batches(
    config: TrainConfig, split: Split, loop: GraphLoop | MirroredLoop | None, first_epoch: int
) -> dict[str, Any]:
    """Build the training and validation batches of a run.

    Args:
        config: The settings of the run.
        split: The data set, split.
        loop: The training loop, which takes the images of many steps at once; None for Keras' own.
        first_epoch: Number of the epoch to start from, counted from 0.

    Returns:
        Keras' arguments for them.
    """
    data, spec = split.data, config.spec
    batch_size = spec.recipe.batch_size
    images_per_execution = batch_size * (1 if loop is None else loop.steps_per_execution)
    training = training_batches(
        data.x_train,
        data.y_train,
        data.num_classes,
        split.preparation,
        batch_size=images_per_execution,
        seed=config.seed,
        augmentation=spec.recipe.augmentation,
        indices=split.train_indices,
        first_epoch=first_epoch,
        prepare=loop is None or loop.prepare is None,
    )
    images, labels, indices = split.validation
    validation = evaluation_batches(
        images, labels, data.num_classes, split.validation_preparation, indices, spec
    )
    arguments = {
        "x": training,
        "steps_per_epoch": math.ceil(len(split.train_indices) / images_per_execution),
        "validation_data": validation,
    }
    if isinstance(loop, MirroredLoop):
        arguments["x"] = loop.distribute(training, batch_size)
        arguments["validation_data"] = loop.distribute(validation)
        arguments["validation_steps"] = int(validation.cardinality())
    return arguments
