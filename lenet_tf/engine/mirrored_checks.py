"""What several devices can't train together as one device does."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from lenet_tf.engine.graph_loop import get_image_losses
from lenet_tf.errors import TrainingError
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.models.optimizers import SDLM
from lenet_tf.specs import BatchNormalization, Spec

# Images on which a loss is compared with the mean of their losses.
_LOSS_IMAGES = 4
# Keras clips the gradients of each device before it adds them.
_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
# Keras updates weights inside tf.cond, in which TensorFlow can't add up the devices' gradients.
_CONDITIONAL = ("gradient_accumulation_steps", "ema_overwrite_frequency")


def check_several_devices(spec: Spec, model: LeNet, devices: int, images: int) -> None:
    """Check that several devices compute what one computes.

    Args:
        spec: The run's network and recipe.
        model: The model, built for training.
        devices: Number of devices.
        images: Number of training images.

    Raises:
        TrainingError: If they don't.
    """
    problem = _find_problem(spec, model, devices, images)
    if problem:
        raise TrainingError(
            f"{devices} devices can't train {model.name}, since {problem}: choose one device, such"
            " as --device cpu"
        )


def _find_problem(spec: Spec, model: LeNet, devices: int, images: int) -> str:
    batch_size = min(spec.recipe.batch_size, images)
    if isinstance(model.optimizer, SDLM):
        return "the optimizer sdlm takes second derivatives of one image at a time"
    if batch_size < devices:
        return f"a batch of {batch_size} has fewer images than there are devices"
    has_statistics = any(isinstance(row, BatchNormalization) for row in spec.rows)
    if has_statistics and 0 < images % batch_size < devices:
        return (
            f"the last batch of an epoch has {images % batch_size} of {images:,} images, fewer than"
            " there are devices, and the network has batch normalization (another --batch-size"
            " avoids it)"
        )
    own_methods = find_own_methods(model)
    if own_methods:
        return f"{type(model).__name__} has its own {' and '.join(own_methods)}"
    if model.run_eagerly:
        return "it is compiled with run_eagerly"
    # What `compile` was given; Keras replaces "auto".
    if model._compile_config.config.get("jit_compile") is True:
        return "it is compiled with jit_compile, which MirroredStrategy doesn't support"
    return _find_problem_of_compilation(model)


def _find_problem_of_compilation(model: LeNet) -> str:
    optimizer: Any = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    for name in _CLIPPING:
        if getattr(optimizer, name, None):
            return f"its optimizer has {name}, and Keras clips each device's part of a gradient"
    for name in _CONDITIONAL:
        if getattr(optimizer, name, None):
            return f"its optimizer has {name}, which Keras doesn't support under MirroredStrategy"
    return "" if has_plain_loss(model) else "its loss isn't the mean over the images"


def has_plain_loss(model: LeNet) -> bool:
    """Return whether Keras' loss, with weights and reduction, is the mean of the images' losses.

    Args:
        model: A compiled model. What its layers add to the loss doesn't count.
    """
    classes = model.output_shape[-1]
    random = np.random.default_rng(0)
    outputs = random.dirichlet(np.ones(classes), _LOSS_IMAGES).astype("float32")
    labels = np.eye(classes, dtype="float32")[random.integers(0, classes, _LOSS_IMAGES)]
    added = sum(float(loss) for loss in model.losses)
    expected = keras.ops.convert_to_numpy(model.compute_loss(None, labels, outputs)) - added
    losses = keras.ops.convert_to_numpy(get_image_losses(model)(labels, outputs))
    if losses.shape != (_LOSS_IMAGES,) or expected.ndim != 0:
        return False
    return np.allclose(losses.mean(), expected, rtol=1e-4, equal_nan=True)
