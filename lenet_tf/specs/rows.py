"""The row types of a network, with the arithmetic of each in plain Python.

Given the shape of its input without the batch axis, a row computes its output shape and counts:

- *connections* follow LeCun et al. 1998, section II.B: each output unit counts its inputs and its
  bias. Zero padding around a convolution counts as input, like the paper's 32×32 frame; a
  pooling window counts only real inputs.
- *multiply-adds* are products of a weight and an input. Pooling has none, and neither has batch
  normalization, which can be folded into other weights after training.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
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
    """Return (height, width) for one number or for a pair."""
    return (value, value) if isinstance(value, int) else value


def format_shape(shape: Shape) -> str:
    """Format a shape such as `5×5`."""
    return "×".join(map(str, shape))


def require_image(shape: Shape) -> Shape:
    """Return `shape` if it is (height, width, channels), or raise `SpecError`."""
    if len(shape) != 3:
        raise SpecError(
            f"needs height × width × channels, but its input is a flat vector of {shape[0]:,}"
        )
    return shape


def compute_output_size(
    noun: str, shape: Shape, window: IntPair, stride: IntPair, padding: str
) -> IntPair:
    """Compute the height and width of the output of a sliding window.

    Args:
        noun: What the window is called in an error message.
        shape: Shape (height, width, channels) of the input.
        window: Height and width of the window.
        stride: Vertical and horizontal distance between two windows.
        padding: `valid` or `same`.

    Returns:
        Height and width of the output.

    Raises:
        SpecError: If the window does not fit or the input is a flat vector.
    """
    height, width, _ = require_image(shape)
    if padding == "valid" and (window[0] > height or window[1] > width):
        raise SpecError(f"{noun} {format_shape(window)} is larger than its input {height}×{width}")
    return (
        conv_arithmetic.compute_output_length(height, window[0], stride[0], padding),
        conv_arithmetic.compute_output_length(width, window[1], stride[1], padding),
    )


@dataclass(frozen=True)
class Row:
    """One row of a network, which becomes one layer.

    Attributes:
        kind: Name of the row type in TOML and JSON.
        is_fully_connected: Whether each unit is connected to every input.
        is_flattening: Whether the row turns feature maps into a flat vector.
        name: Name of the layer.

    Example:
        >>> from lenet_tf.specs import Flatten
        >>> Flatten("FLATTEN").output_shape((5, 5, 16))
        (400,)
    """

    kind: ClassVar[str] = ""
    is_fully_connected: ClassVar[bool] = False
    is_flattening: ClassVar[bool] = False
    name: str

    def check(self) -> None:
        """Raise `SpecError` if a field is invalid."""

    def output_shape(self, shape: Shape) -> Shape:
        """Compute the output's shape, or raise `SpecError` if the row does not accept `shape`."""
        return shape

    def parameters(self, shape: Shape) -> int:
        """Count the weights, whether or not they are trained, for an input of `shape`."""
        return 0

    def connections(self, shape: Shape) -> int:
        """Count the connections for an input of `shape`."""
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        """Count the multiply-adds for an input of `shape`."""
        return 0

    def window(self) -> tuple[IntPair, IntPair]:
        """Return size and stride of the window that one output unit sees."""
        return (1, 1), (1, 1)

    def compute_padding_before(self, shape: Shape) -> IntPair:
        """Compute the padding above and to the left of an input of `shape`."""
        size, stride = self.window()
        padding = getattr(self, "padding", "valid")
        height, width, _ = require_image(shape)
        return (
            conv_arithmetic.compute_padding_before(height, size[0], stride[0], padding),
            conv_arithmetic.compute_padding_before(width, size[1], stride[1], padding),
        )

    def replace(self, **changes: Any) -> Row:
        """Return a copy of the row with the given fields changed."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Convert the row to plain values with `kind` first, including all defaults."""
        return {"kind": self.kind} | asdict(self)


@dataclass(frozen=True)
class Input(Row):
    """The prepared images.

    Attributes:
        shape: Shape (height, width, channels) of an image.

    Example:
        >>> from lenet_tf.specs import Input
        >>> Input(shape=(32, 32, 1)).name
        'INPUT'
    """

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
        units: Number of units.
        activation: One of `ACTIVATIONS`.
        initializer: Initial weights; biases start at 0.

    Example:
        >>> from lenet_tf.specs import Dense
        >>> Dense("F6", units=84).parameters((120,))
        10164
    """

    kind: ClassVar[str] = "dense"
    is_fully_connected: ClassVar[bool] = True
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
    rate: float

    def check(self) -> None:
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
