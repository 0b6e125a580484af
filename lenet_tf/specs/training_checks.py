"""Checks that a recipe's loss and optimizer can train a row."""

from __future__ import annotations

from lenet_tf.errors import SpecError
from lenet_tf.specs.recipes import Recipe
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_1998 import EuclideanRBF
from lenet_tf.specs.rows_pooling import Pooling
from lenet_tf.specs.rows_standard import BatchNormalization, Dropout

_REQUIRED_OUTPUT = {
    "categorical_crossentropy": "activation softmax",
    "lecun1998_mle": "an rbf row",
    "lecun1998_map": "an rbf row",
}


def check_trainable(row: Row, is_last: bool, recipe: Recipe) -> None:
    """Check that a recipe can train a row.

    Args:
        row: The row.
        is_last: Whether it is the output of the network.
        recipe: The recipe of the network.

    Raises:
        SpecError: If the loss does not fit the output, or the optimizer does not support the row.
    """
    required, output = _REQUIRED_OUTPUT.get(recipe.loss), _describe_output(row)
    if is_last and required not in (None, output):
        raise SpecError(f"the loss {recipe.loss} needs {required} here, not {output}")
    if recipe.optimizer.name == "sdlm":
        _check_second_derivatives(row, is_last, recipe.loss)


def _describe_output(row: Row) -> str:
    if isinstance(row, EuclideanRBF):
        return "an rbf row"
    return f"activation {getattr(row, 'activation', 'linear')}"


def _check_second_derivatives(row: Row, is_last: bool, loss: str) -> None:
    pool = getattr(row, "pool", "")
    if isinstance(row, Dropout | BatchNormalization) or pool == "stochastic":
        raise SpecError(f"the optimizer sdlm has no second derivatives for {pool or row.kind}")
    if isinstance(row, Pooling) and row.pool == "average" and row.padding == "same":
        raise SpecError(
            "the optimizer sdlm has no second derivatives for average pooling with padding same"
        )
    is_softmax = getattr(row, "activation", "linear") == "softmax"
    if is_softmax and (not is_last or loss != "categorical_crossentropy"):
        raise SpecError(
            "the optimizer sdlm supports softmax only in the last row, "
            "with the loss categorical_crossentropy"
        )
    is_rbf_with_keras_loss = isinstance(row, EuclideanRBF) and not loss.startswith("lecun1998")
    if is_last and (loss == "mean_absolute_error" or is_rbf_with_keras_loss):
        raise SpecError(f"the optimizer sdlm has no second derivatives for the loss {loss} here")
