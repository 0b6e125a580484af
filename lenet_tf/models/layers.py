"""Layers and the activation of LeCun et al. 1998 that Keras doesn't have, for every backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from lenet_tf.models.rbf import MAP_J, EuclideanRBF, lecun1998_map, lecun1998_mle
from lenet_tf.specs.rows import IntPair, Shape, as_pair

# fmt: off
__all__ = [
    "MAP_J", "EuclideanRBF", "Subsampling", "TableConvolution",
    "lecun1998_map", "lecun1998_mle", "lecun1998_uniform", "scaled_tanh",
]
# fmt: on


@keras.saving.register_keras_serializable("lenet_tf")
def scaled_tanh(x: Any) -> Any:
    """Compute 1.7159·tanh(2x/3), the squashing function of section II.B, eq. 6.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the same shape with values in ±1.7159; ±1 maps to ±1.

    Example:
        >>> import lenet_tf
        >>> round(float(lenet_tf.layers.scaled_tanh(1.0)), 3)
        1.0
    """
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


def lecun1998_uniform(seed: int | None = None) -> keras.initializers.Initializer:
    """Create an initializer that draws uniformly from ±2.4/√fan-in.

    The paper has ±2.4/fan-in, with which the signals of this network vanish.

    Args:
        seed: Seed of the draws; None for Keras' global generator.

    Returns:
        A Keras initializer.

    Example:
        >>> import lenet_tf
        >>> weights = lenet_tf.layers.lecun1998_uniform(seed=0)((100, 10))
        >>> bool(abs(weights.numpy()).max() <= 0.24)
        True
    """
    return keras.initializers.VarianceScaling(
        scale=2.4**2 / 3, mode="fan_in", distribution="uniform", seed=seed
    )


@keras.saving.register_keras_serializable("lenet_tf")
class Subsampling(keras.layers.Layer):
    """Trainable subsampling (S2 and S4, section II.B): f(coefficient · Σ window + bias).

    Each output map has one coefficient and one bias. Takes (batch, height, width, maps), returns
    (batch, ⌊height/size⌋, ⌊width/size⌋, maps × multiplier). The copies of a map are neighbors.
    Rows and columns that don't fill a window are dropped.

    Args:
        size: (height, width) of a window, or one number for both; also the stride.
        activation: The squashing function f.
        coefficient: Initial value of the coefficients.
        multiplier: Output maps per input map.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> layer = lenet_tf.layers.Subsampling()
        >>> layer(np.ones((1, 28, 28, 6))).shape
        TensorShape([1, 14, 14, 6])
        >>> layer.count_params()
        12
    """

    def __init__(
        self,
        size: int | IntPair = (2, 2),
        activation: Any = scaled_tanh,
        coefficient: float = 0.25,
        multiplier: int = 1,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.size = as_pair(size)
        self.initial_coefficient, self.multiplier = coefficient, multiplier
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Shape) -> None:
        """Create the coefficients and the biases."""
        shape = (input_shape[-1] * self.multiplier,)
        self.coefficient = self.add_weight(
            name="coefficient",
            shape=shape,
            initializer=keras.initializers.Constant(self.initial_coefficient),
        )
        self.bias = self.add_weight(name="bias", shape=shape, initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Subsample feature maps (batch, height, width, maps)."""
        sums = self.sum_windows(inputs) * ops.cast(self.coefficient, self.compute_dtype)
        return self.activation(sums + ops.cast(self.bias, self.compute_dtype))

    def sum_windows(self, inputs: Any) -> Any:
        """Return the sum of each window, `multiplier` times per map."""
        sums = ops.average_pool(inputs, self.size, self.size, "valid") * float(np.prod(self.size))
        return ops.repeat(sums, self.multiplier, axis=-1) if self.multiplier > 1 else sums

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {
            "size": self.size,
            "activation": keras.activations.serialize(self.activation),
            "coefficient": self.initial_coefficient,
            "multiplier": self.multiplier,
        }


@keras.saving.register_keras_serializable("lenet_tf")
class TableConvolution(keras.layers.Layer):
    """A convolution whose feature map i sees only the input maps `table[i]` (C3, table I).

    Takes (batch, height, width, maps), returns (batch, height', width', len(table)). The layer
    stores only the kernels that the table names: `kernel` is (pairs, kernel height, kernel width),
    with the pairs in the table's order. Each feature map is initialized for its own fan-in.

    Args:
        table: The numbers of the input maps, from 0, for each feature map.
        kernel_size: (height, width) of the kernels, or one number for both.
        strides: (vertical, horizontal) step, or one number for both.
        padding: `valid` or `same`.
        activation: A Keras activation or its name.
        kernel_initializer: A Keras initializer or its name.
        **options: Arguments of `keras.layers.Layer`.

    Example:
        >>> import numpy as np
        >>> import lenet_tf
        >>> layer = lenet_tf.layers.TableConvolution(((0, 1), (1, 2), (0, 1, 2)), (5, 5))
        >>> layer(np.ones((1, 14, 14, 3))).shape
        TensorShape([1, 10, 10, 3])
        >>> layer.count_params()
        178
    """

    def __init__(
        self,
        table: tuple[tuple[int, ...], ...],
        kernel_size: int | IntPair,
        strides: int | IntPair = (1, 1),
        padding: str = "valid",
        activation: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.table = tuple(tuple(maps) for maps in table)
        self.kernel_size, self.strides = as_pair(kernel_size), as_pair(strides)
        self.padding = padding
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        """Create one kernel per pair of maps and one bias per feature map."""
        self._input_maps = input_shape[-1]
        pairs = [(source, target) for target, maps in enumerate(self.table) for source in maps]
        # Position of each pair's kernel in the full (source, target) grid.
        self._grid_indices = np.array(
            [[source * len(self.table) + target] for source, target in pairs], "int32"
        )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(len(pairs), *self.kernel_size),
            initializer=self._initialize_kernel,
        )
        self.bias = self.add_weight(name="bias", shape=(len(self.table),), initializer="zeros")

    def _initialize_kernel(self, shape: Shape, dtype: Any = None) -> Any:
        """Initialize each feature map like an ordinary convolution of its own input maps."""
        config = keras.initializers.serialize(self.kernel_initializer)["config"]
        seed = config.get("seed")
        kernels = []
        for number, maps in enumerate(self.table):
            if seed is not None:
                map_seed = np.random.SeedSequence([seed, number]).generate_state(1)[0]
                config = config | {"seed": int(map_seed)}
            initializer = type(self.kernel_initializer).from_config(config)
            kernel = initializer((*self.kernel_size, len(maps), 1), dtype=dtype)
            kernels.append(ops.transpose(ops.squeeze(kernel, -1), (2, 0, 1)))
        return ops.concatenate(kernels, axis=0)

    def call(self, inputs: Any) -> Any:
        """Convolve feature maps (batch, height, width, maps)."""
        sums = self.convolve(inputs, ops.cast(self.kernel, self.compute_dtype))
        return self.activation(sums + ops.cast(self.bias, self.compute_dtype))

    def convolve(self, inputs: Any, kernel: Any) -> Any:
        """Return the weighted sums without bias and activation.

        Args:
            inputs: Feature maps (batch, height, width, maps).
            kernel: (pairs, kernel height, kernel width).

        Returns:
            The sums (batch, height', width', len(table)).
        """
        return ops.conv(inputs, self.expand_kernel(kernel), self.strides, self.padding)

    def expand_kernel(self, kernel: Any) -> Any:
        """Return an ordinary convolution's kernel, with zeros for pairs outside the table.

        Args:
            kernel: (pairs, kernel height, kernel width).

        Returns:
            (kernel height, kernel width, input maps, feature maps).
        """
        # Multiplying by a 0/1 matrix takes several times as long for one image.
        size, grid_size = int(np.prod(self.kernel_size)), self._input_maps * len(self.table)
        grid = ops.scatter(self._grid_indices, ops.reshape(kernel, (-1, size)), (grid_size, size))
        return ops.reshape(
            ops.transpose(grid), (*self.kernel_size, self._input_maps, len(self.table))
        )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return super().get_config() | {
            "table": self.table,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def __dir__() -> list[str]:
    return sorted(__all__)
