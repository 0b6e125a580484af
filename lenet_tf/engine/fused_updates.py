"""How a step's gradients change the weights, in the graph engine's loop: an optimizer's own way, or its numbers in fewer operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from lenet_tf.models.optimizers import SDLM


class FusedUpdate:
    """The optimizer's own update; it keeps its state itself."""

    @staticmethod
    def of(model: keras.Model, compiled: bool = False) -> FusedUpdate:
        """`compiled`: for a program of XLA's, in which the order of products is not Keras' own anyway."""
        kinds = (_FlatAdam, _Rates, FusedUpdate) if compiled else (_FlatAdam, FusedUpdate)
        return next(kind for kind in kinds if kind.fits(model.optimizer))(model)

    def __init__(self, model: keras.Model) -> None:
        self.optimizer, self.weights = model.optimizer, model.trainable_variables

    @classmethod
    def fits(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        return True

    def begin(self) -> tuple[Any, ...]:
        return ()

    def update(self, state: tuple[Any, ...], gradients: Sequence[Any]) -> tuple[Any, ...]:
        self.optimizer.apply(gradients, self.weights)
        return state

    def end(self, state: tuple[Any, ...]) -> None:
        pass


def _is_plain(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether it does to the gradients what its kind always does, and no more."""
    extras = (
        "amsgrad",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "gradient_accumulation_steps",
        "loss_scale_factor",
    )
    return not any(getattr(optimizer, name, None) for name in extras)


class _Rates(FusedUpdate):
    """SDLM, whose weights' own rates hold for a whole call."""

    @classmethod
    def fits(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        decays = optimizer.weight_decay is not None
        return type(optimizer) is SDLM and _is_plain(optimizer) and not decays

    def begin(self) -> tuple[Any, ...]:
        gains = [
            self.optimizer.gains[self.optimizer._get_variable_index(weight)]
            for weight in self.weights
        ]
        return tuple(
            tf.convert_to_tensor(self.optimizer.learning_rate) * gain.value for gain in gains
        )

    def update(self, state: tuple[Any, ...], gradients: Sequence[Any]) -> tuple[Any, ...]:
        for weight, rate, gradient in zip(self.weights, state, gradients, strict=True):
            weight.value.assign_sub(rate * gradient)
        self.optimizer.iterations.assign_add(1)
        return state


class _FlatAdam(FusedUpdate):
    """Keras' Adam or AdamW, operation by operation, on all weights at once as one vector: the same numbers, in a tenth of the operations.

    Its moments are one vector each for as long as a call of the graph takes, and Keras' own variables between the calls.
    """

    @classmethod
    def fits(cls, optimizer: keras.optimizers.Optimizer) -> bool:
        return type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW) and _is_plain(
            optimizer
        )

    def _moments(self) -> tuple[list[Any], list[Any]]:
        kept = [self.optimizer._get_variable_index(weight) for weight in self.weights]
        return tuple(
            [own[index] for index in kept]
            for own in (self.optimizer._momentums, self.optimizer._velocities)
        )

    def begin(self) -> tuple[Any, ...]:
        return tuple(_flat(each) for each in self._moments())

    def update(self, state: tuple[Any, ...], gradients: Sequence[Any]) -> tuple[Any, ...]:
        optimizer, (first, second), gradient = self.optimizer, state, _flat(gradients)
        step = tf.cast(optimizer.iterations + 1, tf.float32)
        powers = (
            tf.pow(tf.constant(beta, tf.float32), step)
            for beta in (optimizer.beta_1, optimizer.beta_2)
        )
        power_1, power_2 = powers
        learning_rate = tf.convert_to_tensor(optimizer.learning_rate)
        rate = learning_rate * tf.sqrt(1 - power_2) / (1 - power_1)
        first += (gradient - first) * (1 - optimizer.beta_1)
        second += (gradient**2 - second) * (1 - optimizer.beta_2)
        for weight, change in zip(
            self.weights,
            self._split(first * rate / (tf.sqrt(second) + optimizer.epsilon)),
            strict=True,
        ):
            if optimizer.weight_decay is not None and optimizer._use_weight_decay(weight):
                change += weight.value * optimizer.weight_decay * learning_rate
            weight.value.assign_sub(change)
        optimizer.iterations.assign_add(1)
        return first, second

    def end(self, state: tuple[Any, ...]) -> None:
        for variables, flat in zip(self._moments(), state, strict=True):
            for variable, part in zip(variables, self._split(flat), strict=True):
                variable.assign(part)

    def _split(self, flat: Any) -> list[Any]:
        parts = tf.split(flat, [math.prod(weight.shape) for weight in self.weights])
        return [
            tf.reshape(part, weight.shape) for part, weight in zip(parts, self.weights, strict=True)
        ]


def _flat(tensors: Sequence[Any]) -> Any:
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
