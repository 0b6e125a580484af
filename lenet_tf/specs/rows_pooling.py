"""The rows that make feature maps smaller without weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.specs import conv_arithmetic, validators
from lenet_tf.specs.rows import IntPair, Row, Shape, as_pair, require_image, slide_window

POOLINGS = ("max", "average", "min", "sum", "stochastic")


@dataclass(frozen=True)
class Pooling(Row):
    """One value for each window: its largest, smallest, mean, sum, or one drawn at random; `stride` is the window's size unless given.

    `stochastic` (Zeiler and Fergus 2013) draws while training one input of the window with a probability in proportion to its value, and
    otherwise gives the mean weighted by these probabilities; inputs below 0 count as 0. Padding never counts as an input.
    """

    kind: ClassVar[str] = "pooling"
    pool: str = "average"
    size: int | IntPair = 2
    stride: int | IntPair | None = None
    padding: str = "valid"

    def check(self) -> None:
        validators.check_one_of("pool", self.pool, POOLINGS)
        validators.check_positive_pair("size", self.size)
        if self.stride is not None:
            validators.check_positive_pair("stride", self.stride)
        validators.check_one_of("padding", self.padding, conv_arithmetic.PADDINGS)

    def window(self) -> tuple[IntPair, IntPair]:
        return as_pair(self.size), as_pair(self.size if self.stride is None else self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        return (*slide_window("window", shape, *self.window(), self.padding), shape[2])

    def connections(self, shape: Shape) -> int:
        axes = zip(shape[:2], *self.window(), strict=True)
        return prod(conv_arithmetic.count_covered(*axis, self.padding) for axis in axes) * shape[2]


@dataclass(frozen=True)
class GlobalAveragePooling(Row):
    """The mean of each feature map, all of them in one vector: what stands in a flatten row's place (Lin, Chen and Yan 2013)."""

    kind: ClassVar[str] = "global_average_pooling"
    flattens: ClassVar[bool] = True
    name: str = "GLOBAL"

    def output_shape(self, shape: Shape) -> Shape:
        return require_image(shape)[2:]

    def connections(self, shape: Shape) -> int:
        return prod(shape)
