"""The rows that make feature maps smaller without weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.specs import checks, sliding
from lenet_tf.specs.rows import Pair, Row, Shape, as_pair, image, slide

POOLINGS = ("max", "average", "min", "sum", "stochastic")


@dataclass(frozen=True)
class Pooling(Row):
    """One value for each window: its largest, smallest, mean, sum, or one drawn at random; `stride` is the window's size unless given.

    `stochastic` (Zeiler and Fergus 2013) draws while training one input of the window with a probability in proportion to its value, and
    otherwise gives the mean weighted by these probabilities; inputs below 0 count as 0. Padding never counts as an input.
    """

    kind: ClassVar[str] = "pooling"
    pool: str = "average"
    size: int | Pair = 2
    stride: int | Pair | None = None
    padding: str = "valid"

    def check(self) -> None:
        checks.one_of("pool", self.pool, POOLINGS)
        checks.positive_pair("size", self.size)
        if self.stride is not None:
            checks.positive_pair("stride", self.stride)
        checks.one_of("padding", self.padding, sliding.PADDINGS)

    def window(self) -> tuple[Pair, Pair]:
        return as_pair(self.size), as_pair(self.size if self.stride is None else self.stride)

    def output_shape(self, shape: Shape) -> Shape:
        return (*slide("window", shape, *self.window(), self.padding), shape[2])

    def connections(self, shape: Shape) -> int:
        axes = zip(shape[:2], *self.window(), strict=True)
        return prod(sliding.covered(*axis, self.padding) for axis in axes) * shape[2]


@dataclass(frozen=True)
class GlobalAveragePooling(Row):
    """The mean of each feature map, all of them in one vector: what stands in a flatten row's place (Lin, Chen and Yan 2013)."""

    kind: ClassVar[str] = "global_average_pooling"
    flattens: ClassVar[bool] = True
    name: str = "GLOBAL"

    def output_shape(self, shape: Shape) -> Shape:
        return image(shape)[2:]

    def connections(self, shape: Shape) -> int:
        return prod(shape)
