"""The row types of convolutional networks in general, without pooling."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.errors import SpecError
from lenet_tf.specs import conv_arithmetic, validators
from lenet_tf.specs.initializers import Initializer, check_initializer
from lenet_tf.specs.rows import (
    ACTIVATIONS,
    LEFT_OUT,
    IntPair,
    Row,
    Shape,
    as_pair,
    compute_output_size,
    format_shape,
    require_image,
)


@dataclass(frozen=True)
class Input(Row):
    """The prepared images.

    Attributes:
        shape: Shape (height, width, channels) of an image. Left out: that of the data.

    Example:
        >>> from lenet_tf.specs import Input
        >>> Input(shape=(32, 32, 1)).name
        'INPUT'
    """

    kind: ClassVar[str] = "input"
    name: str = "INPUT"
    shape: Shape = LEFT_OUT

    def check(self) -> None:
        if not isinstance(self.shape, tuple) or len(self.shape) != 3:
            raise SpecError(
                f"shape must be (height, width, channels), not {validators.show_value(self.shape)}"
            )
        for size in self.shape:
            validators.check_positive("shape", size)


@dataclass(frozen=True)
class Convolution(Row):
    """A convolution with one bias per feature map, followed by the activation.

    Attributes:
        filters: Number of feature maps.
        kernel: Height and width of the kernels, or one number for both.
        stride: Vertical and horizontal stride, or one number for both.
        padding: `valid` or `same`.
        activation: One of `ACTIVATIONS`.
        initializer: Initial kernels; biases start at 0.

    Example:
        >>> from lenet_tf.specs import Convolution
        >>> row = Convolution("C1", filters=6, kernel=5)
        >>> row.output_shape((28, 28, 1)), row.parameters((28, 28, 1))
        ((24, 24, 6), 156)
    """

    kind: ClassVar[str] = "convolution"
    filters: int = LEFT_OUT
    kernel: int | IntPair = LEFT_OUT
    stride: int | IntPair = 1
    padding: str = "valid"
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def check(self) -> None:
        validators.check_given("filters", self.filters)
        validators.check_given("kernel", self.kernel)
        validators.check_positive("filters", self.filters)
        validators.check_positive_pair("kernel", self.kernel)
        validators.check_positive_pair("stride", self.stride)
        validators.check_one_of("padding", self.padding, conv_arithmetic.PADDINGS)
        validators.check_one_of("activation", self.activation, ACTIVATIONS)
        check_initializer(self.initializer)

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.kernel), as_pair(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        return (*compute_output_size("kernel", shape, *self.window(), self.padding), self.filters)

    def _weights(self, shape: Shape) -> int:
        return prod(as_pair(self.kernel)) * shape[2]

    def parameters(self, shape: Shape) -> int:
        return (self._weights(shape) + 1) * self.filters

    def connections(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * (self._weights(shape) + 1)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * self._weights(shape)


@dataclass(frozen=True)
class Flatten(Row):
    """Feature maps as one vector, in the order height, width, channels.

    Example:
        >>> from lenet_tf.specs import Flatten
        >>> Flatten().output_shape((5, 5, 16))
        (400,)
    """

    kind: ClassVar[str] = "flatten"
    is_flattening: ClassVar[bool] = True
    name: str = "FLATTEN"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(require_image(shape)),)


@dataclass(frozen=True)
class Dense(Row):
    """A fully connected layer with one bias per unit, followed by the activation.

    Attributes:
        units: Number of units. The last row may leave it out: one per class of the data.
        activation: One of `ACTIVATIONS`.
        initializer: Initial weights; biases start at 0.

    Example:
        >>> from lenet_tf.specs import Dense
        >>> Dense("F6", units=84).parameters((120,))
        10164
    """

    kind: ClassVar[str] = "dense"
    is_fully_connected: ClassVar[bool] = True
    units: int = LEFT_OUT
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def check(self) -> None:
        validators.check_given("units", self.units)
        validators.check_positive("units", self.units)
        validators.check_one_of("activation", self.activation, ACTIVATIONS)
        check_initializer(self.initializer)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise SpecError(
                f"a dense row needs a flat vector, but its input is {format_shape(shape)}: "
                "put a flatten row before it"
            )
        return (self.units,)

    def parameters(self, shape: Shape) -> int:
        return (shape[0] + 1) * self.units

    def connections(self, shape: Shape) -> int:
        return self.parameters(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return shape[0] * self.units


@dataclass(frozen=True)
class Dropout(Row):
    """Sets a random part of its inputs to zero during training.

    Attributes:
        rate: Fraction in [0, 1) of the inputs.

    Example:
        >>> from lenet_tf.specs import Dropout
        >>> Dropout("D5", rate=0.5).output_shape((120,))
        (120,)
    """

    kind: ClassVar[str] = "dropout"
    rate: float = LEFT_OUT

    def check(self) -> None:
        validators.check_given("rate", self.rate)
        validators.check_fraction("rate", self.rate)


@dataclass(frozen=True)
class BatchNormalization(Row):
    """Normalizes each channel; it has four weights per channel, two of them trained.

    Attributes:
        momentum: Momentum in [0, 1) of the running mean and variance.

    Example:
        >>> from lenet_tf.specs import BatchNormalization
        >>> BatchNormalization("N1").parameters((14, 14, 6))
        24
    """

    kind: ClassVar[str] = "batch_normalization"
    momentum: float = 0.99

    def check(self) -> None:
        validators.check_fraction("momentum", self.momentum)

    def parameters(self, shape: Shape) -> int:
        return 4 * shape[-1]
