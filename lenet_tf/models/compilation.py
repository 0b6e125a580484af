"""Build the loss and the optimizer that a recipe names."""

from __future__ import annotations

from typing import Any

import keras

from lenet_tf import specs
from lenet_tf.models.optimizers import SDLM, OneCycle
from lenet_tf.models.rbf import lecun1998_map, lecun1998_mle

# `Recipe.loss` -> its function, for the losses that Keras doesn't have.
_LOSSES = {"lecun1998_mle": lecun1998_mle, "lecun1998_map": lecun1998_map}

# `Optimizer.name` in a recipe -> its class.
_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "sdlm": SDLM,
}

_DEFAULT_WARM_UP = 0.25


def build_loss(recipe: specs.Recipe) -> Any:
    """Return the loss of a recipe in a form that `keras.Model.compile` accepts."""
    if recipe.label_smoothing:
        return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    return _LOSSES.get(recipe.loss, recipe.loss)


def build_optimizer(
    optimizer: specs.Optimizer, precision: str = "float32"
) -> keras.optimizers.Optimizer:
    """Build the optimizer of a recipe.

    Args:
        optimizer: The recipe's optimizer, its learning rate and its schedule.
        precision: The model's precision; `mixed_float16` adds loss scaling.

    Returns:
        An optimizer with the learning rate of the first epoch.
    """
    learning_rate = optimizer.get_learning_rate(0)
    if optimizer.schedule is not None:
        warm_up = _DEFAULT_WARM_UP if optimizer.warm_up is None else float(optimizer.warm_up)
        learning_rate = OneCycle(learning_rate, warm_up)
    built = _OPTIMIZERS[optimizer.name](
        learning_rate=learning_rate, **optimizer.get_keras_options()
    )
    # Float16 gradients underflow unless the loss is scaled.
    return keras.optimizers.LossScaleOptimizer(built) if precision == "mixed_float16" else built
