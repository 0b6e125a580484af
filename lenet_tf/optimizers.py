"""The 1998 paper's optimiser, which Keras lacks, on `keras.ops`: it saves and reloads like Keras' own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("lenet_tf")
class SDLM(keras.optimizers.Optimizer):
    """Stochastic diagonal Levenberg-Marquardt, section III.A and appendix C: each weight has a rate of its own, η/(μ + h).

    η is `learning_rate`, μ is `damping`, h ≥ 0 a running weight's second derivative of the loss, estimated before each pass by
    `lenet_tf.second_order` and handed to `set_curvature`; until then h is 0. In between it is plain gradient descent.
    """

    def __init__(self, learning_rate: float = 0.0005, damping: float = 0.02, name: str = "sdlm", **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.damping = damping

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        # 1/(μ + h) rather than h: one division a pass instead of one a step.
        self.gains = [
            self.add_variable_from_reference(variable, name="gain", initializer=keras.initializers.Constant(1 / self.damping))
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
