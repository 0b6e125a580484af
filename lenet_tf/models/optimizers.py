"""The 1998 paper's optimizer and a learning-rate schedule, which Keras lacks, on `keras.ops`: they save and reload like Keras' own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("lenet_tf")
class SDLM(keras.optimizers.Optimizer):
    """Stochastic diagonal Levenberg-Marquardt, section III.A and appendix C: each weight has a rate of its own, η/(μ + h).

    η is `learning_rate`, μ is `damping`, h ≥ 0 a running weight's second derivative of the loss, estimated before each pass by
    `lenet_tf.models.curvature` and handed to `set_curvature`; until then h is 0. In between it is plain gradient descent.
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
        if self.built:
            return
        super().build(variables)
        # 1/(μ + h) rather than h: one division a pass instead of one a step.
        self.gains = [
            self.add_variable_from_reference(
                variable, name="gain", initializer=keras.initializers.Constant(1 / self.damping)
            )
            for variable in variables
        ]

    def set_curvature(self, curvature: Sequence[Any]) -> None:
        """Takes h, one tensor of values ≥ 0 for each trainable variable, in the order of `build`."""
        for gain, second in zip(self.gains, curvature, strict=True):
            gain.assign(1 / (self.damping + ops.cast(second, gain.dtype)))

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        gain = self.gains[self._get_variable_index(variable)]
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * gain * gradient)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"damping": self.damping}


@keras.saving.register_keras_serializable("lenet_tf")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """The rate of a step: in a line up to `peak` over the share `warm_up` of `steps`, then in a line down to 0 (Smith and Topin 2018).

    `steps`, how many a run takes, and `first`, the number of its first, are known only when it begins: `steps` is None until
    `lenet_tf.fit` sets it. Behind the last step the rate is 0.
    """

    def __init__(
        self, peak: float, warm_up: float = 0.25, steps: int | None = None, first: int = 0
    ) -> None:
        self.peak, self.warm_up, self.steps, self.first = peak, warm_up, steps, first

    def __call__(self, step: Any) -> Any:
        if self.steps is None:
            raise ValueError(
                "the one-cycle schedule does not know how many steps a run takes: set its `steps`, or train with lenet_tf.fit"
            )
        # The first step has a rate above 0, and so has the last.
        done = ops.cast(step - self.first, "float32") + 1
        top = max(1.0, self.warm_up * self.steps)
        return self.peak * ops.maximum(
            ops.minimum(done / top, (self.steps + 1 - done) / (self.steps + 1 - top)), 0.0
        )

    def get_config(self) -> dict[str, Any]:
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
