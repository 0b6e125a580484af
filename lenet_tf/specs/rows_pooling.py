"""The row types that reduce feature maps without weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lenet_tf.specs import conv_arithmetic, validators
from lenet_tf.specs.rows import IntPair, Row, Shape, as_pair, compute_output_size, require_image

POOLINGS = ("max", "average", "min", "sum", "stochastic")


@dataclass(frozen=True)
class Pooling(Row):
    """Reduces each window to one value; padding never counts as an input.

    Stochastic pooling (Zeiler and Fergus 2013) picks one input of the window during training,
    with a probability proportional to its value. Otherwise it returns the mean weighted by these
    probabilities. Negative inputs count as 0.

    Attributes:
        pool: One of `POOLINGS`.
        size: Height and width of the window, or one number for both.
        stride: Vertical and horizontal stride, or one number for both; None means `size`.
        padding: `valid` or `same`.

    Example:
        >>> from lenet_tf.specs import Pooling
        >>> Pooling("S2", pool="max").output_shape((28, 28, 6))
        (14, 14, 6)
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
        return (*compute_output_size("window", shape, *self.window(), self.padding), shape[2])

    def connections(self, shape: Shape) -> int:
        axes = zip(shape[:2], *self.window(), strict=True)
        inputs = (conv_arithmetic.count_covered_inputs(*axis, self.padding) for axis in axes)
        return prod(inputs) * shape[2]


@dataclass(frozen=True)
class GlobalAveragePooling(Row):
    """The mean of each feature map, in place of a flatten row (Lin, Chen and Yan 2013).

    Example:
        >>> from lenet_tf.specs import GlobalAveragePooling
        >>> GlobalAveragePooling().output_shape((5, 5, 16))
        (16,)
    """

    kind: ClassVar[str] = "global_average_pooling"
    is_flattening: ClassVar[bool] = True
    name: str = "GLOBAL"

    def output_shape(self, shape: Shape) -> Shape:
        return require_image(shape)[2:]

    def connections(self, shape: Shape) -> int:
        return prod(shape)
