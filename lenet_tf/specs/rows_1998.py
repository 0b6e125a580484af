"""The rows of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998, that Keras has no layer
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.initializers import Initializer
from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows import ACTIVATIONS, Convolution, IntPair, Row, Shape, as_pair, slide_window


@dataclass(frozen=True)
class Subsampling(Row):
    """Trainable subsampling, S2 and S4 of section II.B: per map, the sum of each window times one coefficient, plus one bias, squashed.

    Windows do not overlap. `coefficient` is the initial value; the biases begin at 0. `multiplier` subsampling maps take each input map,
    each with a coefficient and a bias of its own (LeNet-4 has pairs). The multiply-adds are one product per output unit.
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
            raise SpecError(
                f"coefficient must be a number, not {validators.show_value(self.coefficient)}"
            )

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.size), as_pair(self.size)

    def output_shape(self, shape: Shape) -> Shape:
        return (*slide_window("window", shape, *self.window(), "valid"), shape[2] * self.multiplier)

    def parameters(self, shape: Shape) -> int:
        return 2 * shape[2] * self.multiplier

    def connections(self, shape: Shape) -> int:
        return prod(self.output_shape(shape)) * (prod(as_pair(self.size)) + 1)

    def multiply_adds(self, shape: Shape) -> int:
        return prod(self.output_shape(shape))


@dataclass(frozen=True)
class TableConvolution(Row):
    """A convolution whose feature maps each take only some of the input's, layer C3 of section II.B and table I.

    `table` has one tuple per feature map: the numbers, from 0, of the input maps that it takes. Each pair has a kernel of its own, each
    feature map one bias.
    """

    kind: ClassVar[str] = "table_convolution"
    table: tuple[tuple[int, ...], ...]
    kernel: int | IntPair
    stride: int | IntPair = 1
    padding: str = "valid"
    activation: str = "linear"
    initializer: str | Initializer = "glorot_uniform"

    def __post_init__(self) -> None:
        # JSON and TOML have lists.
        if isinstance(self.table, list | tuple):
            object.__setattr__(
                self,
                "table",
                tuple(tuple(maps) if isinstance(maps, list) else maps for maps in self.table),
            )

    def check(self) -> None:
        if not isinstance(self.table, tuple) or not self.table:
            raise SpecError(
                f"table must have one list of input maps per feature map, not {validators.show_value(self.table)}"
            )
        for number, maps in enumerate(self.table):
            whole = isinstance(maps, tuple) and all(
                validators.is_integer(part) and part >= 0 for part in maps
            )
            if not whole or not maps or len(set(maps)) != len(maps):
                raise SpecError(
                    f"table: feature map {number} must take one or more different input maps, not {validators.show_value(maps)}"
                )
        # Everything but the table is a convolution's.
        Convolution(
            self.name,
            len(self.table),
            self.kernel,
            self.stride,
            self.padding,
            self.activation,
            self.initializer,
        ).check()

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.kernel), as_pair(self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        size = slide_window("kernel", shape, *self.window(), self.padding)
        most = max(part for maps in self.table for part in maps)
        if most >= shape[2]:
            raise SpecError(
                f"table takes input map {validators.show_value(most)}, but the input's {shape[2]} maps are numbered 0 to {shape[2] - 1}"
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


@dataclass(frozen=True)
class EuclideanRBF(Row):
    """Euclidean radial basis functions with fixed codes, the OUTPUT layer of section II.B: y_i = Σ_j (x_j − w_ij)², eq. 7.

    The codes are the ten digits of `lenet_tf.specs.rbf_codes`, so the input has 84 units and there are at most 10 classes. Nothing is trained:
    0 parameters, while each of its inputs counts as a connection.
    """

    kind: ClassVar[str] = "rbf"
    sees_all: ClassVar[bool] = True
    units: int = 10

    def check(self) -> None:
        validators.check_positive("units", self.units)
        if self.units > len(DIGIT_CODES):
            raise SpecError(f"there are codes for {len(DIGIT_CODES)} classes, not for {self.units}")

    def output_shape(self, shape: Shape) -> Shape:
        length = len(DIGIT_CODES[0])
        if shape != (length,):
            raise SpecError(
                f"needs a flat vector of {length} units, one per pixel of a code, but its input is {'×'.join(map(str, shape))}"
            )
        return (self.units,)

    def connections(self, shape: Shape) -> int:
        return shape[0] * self.units

    def multiply_adds(self, shape: Shape) -> int:
        return shape[0] * self.units
