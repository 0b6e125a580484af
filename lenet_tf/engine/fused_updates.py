"""Weight updates of the graph loop: the optimizer's own, or the same in fewer operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from lenet_tf.models.optimizers import SDLM

# Settings that change the gradients or the weights around the optimizer's own formula.
_EXTRAS = (
    "amsgrad",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
    "use_ema",
    "gradient_accumulation_steps",
    "loss_scale_factor",
)

# Joining larger weights to one vector costs more than operations of their own.
_MAX_SMALL_WEIGHT = 16_384

State = tuple[Any, ...]


class WeightUpdate:
    """Apply gradients by the optimizer itself, which keeps its state in its own variables.

    Subclasses carry the state as tensors through the loop: `load_state` before the first step,
    `apply` once per step, `store_state` after the last.
    """

    def __init__(self, model: keras.Model) -> None:
        self.optimizer, self.weights = model.optimizer, model.trainable_variables

    @classmethod
    def supports(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        """Return whether this class computes what the optimizer computes."""
        return True

    def load_state(self) -> State:
        """Return the state that `apply` takes."""
        return ()

    def apply(self, state: State, gradients: Sequence[Any]) -> State:
        """Update the weights and return the next state."""
        self.optimizer.apply(gradients, self.weights)
        return state

    def store_state(self, state: State) -> None:
        """Write the state to the optimizer's variables."""


def create_weight_update(model: keras.Model, jit_compile: bool = False) -> WeightUpdate:
    """Choose the fastest update for a model's optimizer.

    Args:
        model: The compiled model.
        jit_compile: Whether XLA compiles the loop; its products are rounded differently anyway.
    """
    classes = [_FusedAdamUpdate, *([_FusedSDLMUpdate] if jit_compile else []), WeightUpdate]
    return next(cls for cls in classes if cls.supports(model.optimizer))(model)


def _has_extras(optimizer: keras.optimizers.Optimizer) -> bool:
    return any(getattr(optimizer, name, None) for name in _EXTRAS)


class _FusedSDLMUpdate(WeightUpdate):
    """SDLM with the weights' learning rates computed once per execution; they are the state."""

    @classmethod
    def supports(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        has_decay = optimizer.weight_decay is not None
        return type(optimizer) is SDLM and not _has_extras(optimizer) and not has_decay

    def load_state(self) -> State:
        gains = [
            self.optimizer.gains[self.optimizer._get_variable_index(weight)]
            for weight in self.weights
        ]
        return tuple(
            tf.convert_to_tensor(self.optimizer.learning_rate) * gain.value for gain in gains
        )

    def apply(self, state: State, gradients: Sequence[Any]) -> State:
        # The gradient of the first weight is the last to be known. XLA would copy all weights in
        # every step unless it sees that none changes before.
        zero = 0 * tf.reshape(gradients[0], [-1])[0]
        for weight, rate, gradient in zip(self.weights, state, gradients, strict=True):
            weight.value.assign_sub(rate * (gradient + zero))
        self.optimizer.iterations.assign_add(1)
        return state


class _FusedAdamUpdate(WeightUpdate):
    """Keras' Adam and AdamW on all small weights as one vector, and on each large one in place.

    It computes the same numbers with fewer operations. The state is the two moments of the small
    weights, one vector each.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        sizes = [math.prod(weight.shape) for weight in self.weights]
        self._is_large = [size > _MAX_SMALL_WEIGHT for size in sizes]
        self._sizes = self._list_small(sizes)

    @classmethod
    def supports(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        is_adam = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW)
        return is_adam and not _has_extras(optimizer)

    def load_state(self) -> State:
        return tuple(_flatten(self._list_small(moments)) for moments in self._list_moments())

    def apply(self, state: State, gradients: Sequence[Any]) -> State:
        optimizer = self.optimizer
        step = tf.cast(optimizer.iterations + 1, tf.float32)
        power_1, power_2 = (
            tf.pow(tf.constant(beta, tf.float32), step)
            for beta in (optimizer.beta_1, optimizer.beta_2)
        )
        learning_rate = tf.convert_to_tensor(optimizer.learning_rate)
        rate = learning_rate * tf.sqrt(1 - power_2) / (1 - power_1)

        for weight, is_large, gradient, first, second in zip(
            self.weights, self._is_large, gradients, *self._list_moments(), strict=True
        ):
            if is_large:
                first.assign_sub((first - gradient) * (1 - optimizer.beta_1))
                second.assign_sub((second - gradient**2) * (1 - optimizer.beta_2))
                self._change(weight, self._compute_change(first, second, rate), learning_rate)
        if not self._sizes:
            optimizer.iterations.assign_add(1)
            return state
        gradient = _flatten(self._list_small(gradients))
        first, second = state
        first += (gradient - first) * (1 - optimizer.beta_1)
        second += (gradient**2 - second) * (1 - optimizer.beta_2)
        changes = self._split(self._compute_change(first, second, rate))
        for weight, change in zip(self._list_small(self.weights), changes, strict=True):
            self._change(weight, change, learning_rate)
        optimizer.iterations.assign_add(1)
        return first, second

    def _compute_change(self, first: Any, second: Any, rate: Any) -> Any:
        return first * rate / (tf.sqrt(second) + self.optimizer.epsilon)

    def _change(self, weight: Any, change: Any, learning_rate: Any) -> None:
        decay = self.optimizer.weight_decay
        if decay is not None and self.optimizer._use_weight_decay(weight):
            change += weight.value * decay * learning_rate
        weight.value.assign_sub(change)

    def store_state(self, state: State) -> None:
        for moments, flat in zip(self._list_moments(), state, strict=True):
            for variable, part in zip(self._list_small(moments), self._split(flat), strict=True):
                variable.assign(part)

    def _list_moments(self) -> tuple[list[Any], list[Any]]:
        """Return the optimizer's first and second moments, in the order of the weights."""
        indices = [self.optimizer._get_variable_index(weight) for weight in self.weights]
        first, second = self.optimizer._momentums, self.optimizer._velocities
        return (
            [first[index].value for index in indices],
            [second[index].value for index in indices],
        )

    def _list_small(self, values: Sequence[Any]) -> list[Any]:
        return [
            value for value, is_large in zip(values, self._is_large, strict=True) if not is_large
        ]

    def _split(self, flat: Any) -> list[Any]:
        """Split a vector into tensors of the small weights' shapes."""
        weights = self._list_small(self.weights)
        parts = tf.split(flat, self._sizes)
        return [tf.reshape(part, weight.shape) for part, weight in zip(parts, weights, strict=True)]


def _flatten(tensors: Sequence[Any]) -> Any:
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
