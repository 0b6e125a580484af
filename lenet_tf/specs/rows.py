"""The rows a network's table is made of, with each row's arithmetic in plain Python.

A row is a frozen dataclass. Given the shape of its input, without the batch axis, it checks itself and answers for its output shape,
parameters, connections and multiply-adds. Nothing here knows Keras.

Conventions of the counts:

- *connections* follow LeCun et al. 1998, section II.B: every output unit counts its inputs, one for its bias included. Zero padding around
  a convolution counts as input, as the paper's 32×32 frame does. A pooling window counts the inputs that it really covers.
- *multiply-adds* are products of a weight and an input. Pooling has no weights and so has none; batch normalization, which can be folded
  into the weights before it once training is over, counts none either.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import prod
from typing import Any, ClassVar

from lenet_tf.errors import SpecError
from lenet_tf.specs import conv_arithmetic, validators
from lenet_tf.specs.initializers import Initializer, check_initializer

Shape = tuple[int, ...]
IntPair = tuple[int, int]

ACTIVATIONS = (
    "linear",
    "tanh",
    "scaled_tanh",
    "sigmoid",
    "softmax",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
)


def as_pair(value: int | IntPair) -> IntPair:
    """One number for both axes, or (height, width)."""
    return (value, value) if isinstance(value, int) else tuple(value)


def format_shape(pair: IntPair) -> str:
    """`5×5` for (5, 5)."""
    return "×".join(map(str, pair))


def require_image(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise SpecError(
            f"needs height × width × channels, but its input is a flat vector of {shape[0]:,}"
        )
    return shape


def slide_window(
    what: str, shape: Shape, window: IntPair, stride: IntPair, padding: str
) -> IntPair:
    height, width, _ = require_image(shape)
    if padding == "valid" and (window[0] > height or window[1] > width):
        raise SpecError(f"{what} {format_shape(window)} is larger than its input {height}×{width}")
    return tuple(
        conv_arithmetic.output_length(*axis, padding)
        for axis in zip((height, width), window, stride, strict=True)
    )


@dataclass(frozen=True)
class Row:
    """One line of a network's table; the layer it becomes carries its name."""

    kind: ClassVar[str] = ""
    # Whether each unit is connected to the whole of a flat input.
    sees_all: ClassVar[bool] = False
    # Whether it makes a flat vector of feature maps.
    flattens: ClassVar[bool] = False
    name: str

    def check(self) -> None:
        """Raises `SpecError` for a field whose value cannot be."""

    def output_shape(self, shape: Shape) -> Shape:
        """The output's shape for an input of `shape`; raises `SpecError` where the row cannot take it."""
        return shape

    def parameters(self, shape: Shape) -> int:
        """All weights, also those that are not trained."""
        return 0

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0

    def window(self) -> tuple[IntPair, IntPair]:
        """(size, stride) of what one output unit sees of this row's input."""
        return (1, 1), (1, 1)

    def padding_before(self, shape: Shape) -> IntPair:
        """Rows above and columns left of the input that the first window takes from the padding."""
        axes = zip(shape[:2], *self.window(), strict=False)
        return tuple(
            conv_arithmetic.padding_before(*axis, getattr(self, "padding", "valid"))
            for axis in axes
        )

    def to_dict(self) -> dict[str, Any]:
        """The row as plain values, `kind` first; defaults too, so that a stored row means the same in a later version."""
        return {"kind": self.kind} | asdict(self)


@dataclass(frozen=True)
class Input(Row):
    """The images as the network takes them: (height, width, channels)."""

    kind: ClassVar[str] = "input"
    name: str = "INPUT"
    shape: Shape = (28, 28, 1)

    def check(self) -> None:
        if not isinstance(self.shape, tuple) or len(self.shape) != 3:
            raise SpecError(
                f"shape must be (height, width, channels), not {validators.show_value(self.shape)}"
            )
        for size in self.shape:
            validators.check_positive("shape", size)


@dataclass(frozen=True)
class Convolution(Row):
    """A convolution with one bias per feature map, then the activation."""

    kind: ClassVar[str] = "convolution"
    filters: int
    kernel: int | IntPair
    stride: int | IntPair = 1
    padding: str = "valid"
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def check(self) -> None:
        validators.check_positive("filters", self.filters)
        validators.check_positive_pair("kernel", self.kernel)
        validators.check_positive_pair("stride", self.stride)
        validators.check_one_of("padding", self.padding, conv_arithmetic.PADDINGS)
        validators.check_one_of("activation", self.activation, ACTIVATIONS)
        check_initializer(self.initializer)

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.kernel), as_pair(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        return (*slide_window("kernel", shape, *self.window(), self.padding), self.filters)

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
    """Feature maps in one vector, the order height, width, channels."""

    kind: ClassVar[str] = "flatten"
    flattens: ClassVar[bool] = True
    name: str = "FLATTEN"

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(require_image(shape)),)


@dataclass(frozen=True)
class Dense(Row):
    """Every unit connected to every input, one bias per unit, then the activation."""

    kind: ClassVar[str] = "dense"
    sees_all: ClassVar[bool] = True
    units: int
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def check(self) -> None:
        validators.check_positive("units", self.units)
        validators.check_one_of("activation", self.activation, ACTIVATIONS)
        check_initializer(self.initializer)

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise SpecError(
                f"a dense row needs a flat vector, but its input is {format_shape(shape)}: put a flatten row before it"
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
    """Sets the share `rate` of its inputs to zero while training."""

    kind: ClassVar[str] = "dropout"
    rate: float

    def check(self) -> None:
        validators.check_fraction("rate", self.rate)


@dataclass(frozen=True)
class BatchNormalization(Row):
    """Per channel: scale, shift and two running statistics, hence four weights, two of them trained."""

    kind: ClassVar[str] = "batch_normalization"
    momentum: float = 0.99

    def check(self) -> None:
        validators.check_fraction("momentum", self.momentum)

    def parameters(self, shape: Shape) -> int:
        return 4 * shape[-1]
