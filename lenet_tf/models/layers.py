"""Layers, activation and losses of LeCun et al. 1998 that Keras lacks, on `keras.ops`, so that they run on every Keras backend.

Importing this module registers them with Keras under `lenet_tf`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows import IntPair, Shape

# The constant j of eq. 9; the paper names no value.
MAP_J = 10.0

_register = keras.saving.register_keras_serializable("lenet_tf")


@_register
def scaled_tanh(x: Any) -> Any:
    """A·tanh(S·x) with A = 1.7159 and S = 2/3, the squashing function of section II.B, eq. 6: ±1 goes to ±1."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


def lecun1998_uniform(seed: int | None = None) -> keras.initializers.Initializer:
    """Uniform in ±2.4/√fan-in. The paper has ±2.4/fan-in, with which the signals of this network vanish: a declared departure."""
    return keras.initializers.VarianceScaling(
        scale=2.4**2 / 3, mode="fan_in", distribution="uniform", seed=seed
    )


@_register
class Subsampling(keras.layers.Layer):
    """Trainable subsampling, section II.B (S2, S4): f(coefficient · Σ window + bias), one coefficient and one bias per map.

    Takes (batch, height, width, maps) and gives (batch, ⌊height/size⌋, ⌊width/size⌋, maps × multiplier), the copies of a map side by side;
    a ragged edge is dropped.
    """

    def __init__(
        self,
        size: IntPair = (2, 2),
        activation: Any = scaled_tanh,
        coefficient: float = 0.25,
        multiplier: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.size, self.coefficient_start, self.multiplier = tuple(size), coefficient, multiplier
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Shape) -> None:
        maps, start = (
            (input_shape[-1] * self.multiplier,),
            keras.initializers.Constant(self.coefficient_start),
        )
        self.coefficient = self.add_weight(name="coefficient", shape=maps, initializer=start)
        self.bias = self.add_weight(name="bias", shape=maps, initializer="zeros")

    def call(self, inputs: Any) -> Any:
        return self.activation(self.sum_windows(inputs) * self.coefficient + self.bias)

    def sum_windows(self, inputs: Any) -> Any:
        """The sum of each window, once for each of a map's copies."""
        sums = ops.average_pool(inputs, self.size, self.size, "valid") * float(np.prod(self.size))
        return ops.repeat(sums, self.multiplier, axis=-1) if self.multiplier > 1 else sums

    def get_config(self) -> dict[str, Any]:
        activation = keras.activations.serialize(self.activation)
        own = {
            "size": self.size,
            "activation": activation,
            "coefficient": self.coefficient_start,
            "multiplier": self.multiplier,
        }
        return super().get_config() | own


@_register
class TableConvolution(keras.layers.Layer):
    """A convolution by connection table, section II.B (C3) and table I: feature map i takes the input maps `table[i]` alone.

    Takes (batch, height, width, maps) and gives (batch, height', width', len(table)). Exactly the kernels that the table names exist as
    weights: `kernel` is (pairs, kernel height, kernel width), pairs in the table's order, and begins with each feature map's own fan-in.
    """

    def __init__(
        self,
        table: tuple[tuple[int, ...], ...],
        kernel_size: IntPair,
        strides: IntPair = (1, 1),
        padding: str = "valid",
        activation: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.table = tuple(tuple(maps) for maps in table)
        self.kernel_size, self.strides, self.padding = tuple(kernel_size), tuple(strides), padding
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        self._maps = input_shape[-1]
        pairs = [(source, target) for target, maps in enumerate(self.table) for source in maps]
        # Where each pair's kernel stands in the full (source, target) grid, of which the rest is zero.
        self._places = np.array(
            [[source * len(self.table) + target] for source, target in pairs], "int32"
        )
        self.kernel = self.add_weight(
            name="kernel", shape=(len(pairs), *self.kernel_size), initializer=self._start
        )
        self.bias = self.add_weight(name="bias", shape=(len(self.table),), initializer="zeros")

    def _start(self, shape: Shape, dtype: Any = None) -> Any:
        """Each feature map drawn as an ordinary convolution of its input maps would be, from one stream of numbers."""
        config = keras.initializers.serialize(self.kernel_initializer)
        seed = config["config"].get("seed")
        parts = []
        for number, maps in enumerate(self.table):
            own = (
                {}
                if seed is None
                else {"seed": int(np.random.SeedSequence([seed, number]).generate_state(1)[0])}
            )
            draw = type(self.kernel_initializer).from_config(config["config"] | own)
            parts.append(
                ops.transpose(
                    ops.squeeze(draw((*self.kernel_size, len(maps), 1), dtype=dtype), -1), (2, 0, 1)
                )
            )
        return ops.concatenate(parts, axis=0)

    def call(self, inputs: Any) -> Any:
        return self.activation(
            self.convolve(inputs, ops.cast(self.kernel, self.compute_dtype)) + self.bias
        )

    def convolve(self, inputs: Any, kernel: Any) -> Any:
        """The weighted sums by the kernels of the table's pairs, (pairs, kernel height, kernel width), without bias and activation."""
        return ops.conv(inputs, self.expand_kernel(kernel), self.strides, self.padding)

    def expand_kernel(self, kernel: Any) -> Any:
        """(kernel height, kernel width, input maps, feature maps): the pairs' kernels, and zeros where there is no pair."""
        # Scattered rather than multiplied by a matrix of zeros and ones: a fraction of the time for one image at a time.
        size, grid = int(np.prod(self.kernel_size)), self._maps * len(self.table)
        full = ops.transpose(
            ops.scatter(self._places, ops.reshape(kernel, (-1, size)), (grid, size))
        )
        return ops.reshape(full, (*self.kernel_size, self._maps, len(self.table)))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "table": self.table,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def digit_codes(units: int, dtype: str = "float32") -> Any:
    """The codes of the first `units` digits, (units, 84) of ±1."""
    return ops.convert_to_tensor(np.array(DIGIT_CODES[:units], "float32"), dtype=dtype)


@_register
class EuclideanRBF(keras.layers.Layer):
    """Euclidean RBF output with the fixed digit codes, section II.B, eq. 7, turned round: gives −y_i = −Σ_j (x_j − w_ij)².

    The paper's answer is the class of the least y; with the sign turned it is the largest output, as everywhere in Keras, and the softmax
    of the outputs is the posterior that the paper reads into them. Takes (batch, 84), gives (batch, units) of values ≤ 0. Has no weights.
    """

    def __init__(self, units: int = 10, **options: Any) -> None:
        super().__init__(**options)
        self.units = units

    def call(self, inputs: Any) -> Any:
        return -ops.sum(
            ops.square(ops.expand_dims(inputs, 1) - digit_codes(self.units, self.compute_dtype)),
            axis=-1,
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units}


@_register
def lecun1998_mle(y_true: Any, y_pred: Any) -> Any:
    """Section II.C, eq. 8: the RBF of the right class, y_D, averaged over the batch by Keras. Takes one-hot labels and −y."""
    return -ops.sum(y_true * y_pred, axis=-1)


@_register
def lecun1998_map(y_true: Any, y_pred: Any, j: float = MAP_J) -> Any:
    """Section II.C, eq. 9: y_D + log(e^−j + Σ_i e^−y_i). The constant j > 0 keeps what is already wrong by far from being pushed on."""
    rest = ops.logsumexp(y_pred, axis=-1)
    return -ops.sum(y_true * y_pred, axis=-1) + ops.logaddexp(ops.full_like(rest, -j), rest)
