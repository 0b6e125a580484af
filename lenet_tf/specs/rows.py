"""The base class of all row types, whose arithmetic is plain Python.

Given the shape of its input without the batch axis, a row computes its output shape and counts:

- *connections* follow LeCun et al. 1998, section II.B: each output unit counts its inputs and its
  bias. Zero padding around a convolution counts as input, like the paper's 32×32 frame; a
  pooling window counts only real inputs.
- *multiply-adds* are products of a weight and an input. Pooling has none, and neither has batch
  normalization, which can be folded into other weights after training.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from lenet_tf.errors import SpecError
from lenet_tf.specs import conv_arithmetic
from lenet_tf.specs.parsing import SuggestsFields

Shape = tuple[int, ...]
IntPair = tuple[int, int]
# A field that was left out. `Spec` names rows, and the data decide the input's shape and the
# number of classes; any other field must be given.
LEFT_OUT: Any = None

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
class Row(SuggestsFields):
    """One row of a network, which becomes one layer.

    Attributes:
        kind: Name of the row type in TOML and JSON.
        is_fully_connected: Whether each unit is connected to every input.
        is_flattening: Whether the row turns feature maps into a flat vector.
        name: Name of the layer. Left out: C1, S2, C3, …, OUTPUT, as in the 1998 paper.

    Example:
        >>> from lenet_tf.specs import Flatten
        >>> Flatten("FLATTEN").output_shape((5, 5, 16))
        (400,)
    """

    kind: ClassVar[str] = ""
    is_fully_connected: ClassVar[bool] = False
    is_flattening: ClassVar[bool] = False
    name: str = ""

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
