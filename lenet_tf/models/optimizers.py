"""The optimizer of LeCun et al. 1998 and the one-cycle schedule, which Keras doesn't have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("lenet_tf")
class SDLM(keras.optimizers.Optimizer):
    """Stochastic diagonal Levenberg-Marquardt (section III.A and appendix C).

    Gradient descent with its own learning rate η/(μ + h) for each weight. h ≥ 0 is a running
    estimate of the loss' second derivative: `lenet_tf.curvature` computes it before each epoch.
    Until `set_curvature` is called, h is 0.

    Args:
        learning_rate: η.
        damping: μ > 0, which bounds the rates.
        name: The optimizer's name.
        **options: Arguments of `keras.optimizers.Optimizer`.
    """

    def __init__(
        self,
        learning_rate: float = 0.0005,
        damping: float = 0.02,
        name: str = "sdlm",
        **options: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.damping = damping

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Create the gain 1/(μ + h) of each weight."""
        if self.built:
            return
        super().build(variables)
        # The gain, not h, is stored: one division per epoch instead of one per step.
        self.gains = [
            self.add_variable_from_reference(
                variable, name="gain", initializer=keras.initializers.Constant(1 / self.damping)
            )
            for variable in variables
        ]

    def set_curvature(self, curvature: Sequence[Any]) -> None:
        """Set the second derivatives.

        Args:
            curvature: H, one tensor of values ≥ 0 per trainable variable, in the order of `build`.
        """
        for gain, second_derivative in zip(self.gains, curvature, strict=True):
            gain.assign(1 / (self.damping + ops.cast(second_derivative, gain.dtype)))

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Update one variable."""
        gain = self.gains[self._get_variable_index(variable)]
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * gain * gradient)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {"damping": self.damping}


@keras.saving.register_keras_serializable("lenet_tf")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to a peak, then linear decay to 0 (Smith and Topin 2018).

    Args:
        peak: The largest learning rate.
        warm_up: Fraction of the steps before the peak, in 0…1.
        steps: Steps of the run; `lenet_tf.fit` sets it when a run starts.
        first: Number of the run's first step, for a model that was trained before.
    """

    def __init__(
        self, peak: float, warm_up: float = 0.25, steps: int | None = None, first: int = 0
    ) -> None:
        self.peak, self.warm_up, self.steps, self.first = peak, warm_up, steps, first

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step; 0 after the last one."""
        if self.steps is None:
            raise ValueError(
                "the one-cycle schedule needs the number of steps: set `steps`,"
                " or train with lenet_tf.fit"
            )
        # Counted from 1, so that neither the first nor the last step has a rate of 0.
        position = ops.cast(step - self.first, "float32") + 1
        peak_position = max(1.0, self.warm_up * self.steps)
        rising = position / peak_position
        falling = (self.steps + 1 - position) / (self.steps + 1 - peak_position)
        return self.peak * ops.maximum(ops.minimum(rising, falling), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "peak": self.peak,
            "warm_up": self.warm_up,
            "steps": self.steps,
            "first": self.first,
        }


def find_one_cycle(optimizer: keras.optimizers.Optimizer) -> OneCycle | None:
    """Return the optimizer's one-cycle schedule, or None if it has another learning rate."""
    # Keras' public `learning_rate` is the current value, not the schedule.
    learning_rate = getattr(optimizer, "inner_optimizer", optimizer)._learning_rate
    return learning_rate if isinstance(learning_rate, OneCycle) else None
