"""The row types of LeCun et al. 1998 that Keras has no layer for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows import (
    ACTIVATIONS,
    LEFT_OUT,
    IntPair,
    Row,
    Shape,
    as_pair,
    compute_output_size,
    format_shape,
)
from lenet_tf.specs.rows_standard import Convolution


@dataclass(frozen=True)
class Subsampling(Row):
    """Trainable subsampling, S2 and S4 of section II.B.

    Each output is the sum of a window times a coefficient plus a bias, followed by the
    activation. Windows do not overlap. Each output unit counts one multiply-add.

    Attributes:
        size: Height and width of the window, or one number for both.
        activation: One of `lenet_tf.specs.rows.ACTIVATIONS`.
        coefficient: Initial coefficient; biases start at 0.
        multiplier: Number of subsampling maps per input map, each with its own coefficient and
            bias; LeNet-4 has 2.

    Example:
        >>> from lenet_tf.specs import Subsampling
        >>> row = Subsampling("S2")
        >>> row.output_shape((28, 28, 6)), row.parameters((28, 28, 6))
        ((14, 14, 6), 12)
    """

    kind: ClassVar[str] = "subsampling"
    size: int | IntPair = 2
    activation: str = "scaled_tanh"
    coefficient: float = 0.25
    multiplier: int = 1

    def check(self) -> None:
        validators.check_positive_pair("size", self.size)
        validators.check_positive("multiplier", self.multiplier)
        validators.check_one_of("activation", self.activation, ACTIVATIONS)
        if not validators.is_number(self.coefficient):
            value = validators.show_value(self.coefficient)
            raise SpecError(f"coefficient must be a number, not {value}")

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.size), as_pair(self.size)

    def output_shape(self, shape: Shape) -> Shape:
        size = compute_output_size("window", shape, *self.window(), "valid")
        return (*size, shape[2] * self.multiplier)

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[2] * self.multiplier

    def connections(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * (prod(as_pair(self.size)) + 1)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape))


@dataclass(frozen=True)
class TableConvolution(Row):
    """A convolution with a connection table, layer C3 of section II.B and table I.

    Attributes:
        table: One tuple per feature map with the numbers, from 0, of its input maps. Each
            connection has its own kernel, each feature map one bias.
        kernel: Height and width of the kernels, or one number for both.
        stride: Vertical and horizontal stride, or one number for both.
        padding: `valid` or `same`.
        activation: One of `lenet_tf.specs.rows.ACTIVATIONS`.
        initializer: Initial kernels; biases start at 0.

    Example:
        >>> from lenet_tf.specs import TableConvolution
        >>> row = TableConvolution("C3", table=((0, 1), (1, 2), (0, 2)), kernel=5)
        >>> row.output_shape((14, 14, 3)), row.parameters((14, 14, 3))
        ((10, 10, 3), 153)
    """

    kind: ClassVar[str] = "table_convolution"
    table: tuple[tuple[int, ...], ...] = LEFT_OUT
    kernel: int | IntPair = LEFT_OUT
    stride: int | IntPair = 1
    padding: str = "valid"
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def __post_init__(self) -> None:
        # JSON and TOML have lists instead of tuples.
        if isinstance(self.table, list | tuple):
            table = tuple(tuple(maps) if isinstance(maps, list) else maps for maps in self.table)
            object.__setattr__(self, "table", table)

    def check(self) -> None:
        validators.check_given("table", self.table)
        if not isinstance(self.table, tuple) or not self.table:
            raise SpecError(
                "table must have one list of input maps per feature map, "
                f"not {validators.show_value(self.table)}"
            )
        for number, maps in enumerate(self.table):
            if not _is_map_list(maps):
                raise SpecError(
                    f"table: feature map {number} must take one or more different input maps, "
                    f"not {validators.show_value(maps)}"
                )
        self._to_convolution().check()

    def _to_convolution(self) -> Convolution:
        """Return a convolution with the fields that both row types share."""
        return Convolution(
            self.name,
            len(self.table),
            self.kernel,
            self.stride,
            self.padding,
            self.activation,
            self.initializer,
        )

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.kernel), as_pair(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        size = compute_output_size("kernel", shape, *self.window(), self.padding)
        largest = max(number for maps in self.table for number in maps)
        if largest >= shape[2]:
            raise SpecError(
                f"table takes input map {validators.show_value(largest)}, "
                f"but the input's {shape[2]} maps are numbered 0 to {shape[2] - 1}"
            )
        return (*size, len(self.table))

    def _kernels(self) -> int:
        return sum(len(maps) for maps in self.table)

    def parameters(self, shape: Shape) -> int:
        return self._kernels() * prod(as_pair(self.kernel)) + len(self.table)

    def connections(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)[:2]) * self.parameters(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)[:2]) * self._kernels() * prod(as_pair(self.kernel))


def _is_map_list(maps: object) -> bool:
    """Return whether `maps` is a tuple of one or more different numbers of maps."""
    if not isinstance(maps, tuple) or not maps:
        return False
    are_numbers = all(validators.is_integer(number) and number >= 0 for number in maps)
    return are_numbers and len(set(maps)) == len(maps)


@dataclass(frozen=True)
class EuclideanRBF(Row):
    """Euclidean radial basis functions, the OUTPUT layer of section II.B, eq. 7.

    Unit i computes y_i = Σ_j (x_j − w_ij)² with the fixed codes of `lenet_tf.specs.rbf_codes`.
    It has no parameters, but each input counts as a connection. The input must have 84 units.

    Attributes:
        units: Number of classes, at most 10. Left out: one per class of the data.

    Example:
        >>> from lenet_tf.specs import EuclideanRBF
        >>> row = EuclideanRBF("OUTPUT", units=10)
        >>> row.parameters((84,)), row.connections((84,))
        (0, 840)
    """

    kind: ClassVar[str] = "rbf"
    is_fully_connected: ClassVar[bool] = True
    units: int = LEFT_OUT

    def check(self) -> None:
        validators.check_given("units", self.units)
        validators.check_positive("units", self.units)
        if self.units > len(DIGIT_CODES):
            raise SpecError(f"there are codes for {len(DIGIT_CODES)} classes, not for {self.units}")

    def output_shape(self, shape: Shape) -> Shape:
        length = len(DIGIT_CODES[0])
        if shape != (length,):
            raise SpecError(
                f"needs a flat vector of {length} units, one per pixel of a code, "
                f"but its input is {format_shape(shape)}"
            )
        return (self.units,)

    def connections(self, shape: Shape) -> int:
        return shape[0] * self.units

    def multiply_adds(self, shape: Shape) -> int:
        return shape[0] * self.units
