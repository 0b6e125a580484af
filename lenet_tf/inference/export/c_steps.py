"""The steps that a quantized network takes in C, in integers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from lenet_tf.specs.rows import IntPair

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class CStep:
    """One pass over a network's values.

    Attributes:
        kernel: Name of its file in `c_kernels/`.
        input_shape: Height, width and channels; a vector is 1 × 1 × units.
        output_shape: Likewise.
    """

    kernel: ClassVar[str]
    input_shape: Shape
    output_shape: Shape

    def count_bytes(self) -> int:
        """Count the bytes of its arrays."""
        values = [getattr(self, each.name) for each in fields(self)]
        if isinstance(rescaling := getattr(self, "rescaling", None), Rescaling):
            values += [rescaling.multipliers, rescaling.shifts]
        return sum(each.nbytes for each in values if isinstance(each, np.ndarray))


@dataclass(frozen=True)
class Rescaling:
    """How sums of products become int8: times multiplier · 2^(shift − 31), plus the zero point.

    Attributes:
        multipliers: int32, one for each output channel.
        shifts: int8, likewise.
        zero_point: Of the output.
        bounds: Smallest and largest output, which cut as an activation does.
    """

    multipliers: np.ndarray
    shifts: np.ndarray
    zero_point: int
    bounds: IntPair


@dataclass(frozen=True)
class WindowStep(CStep):
    """A step whose outputs depend on windows of the inputs.

    Attributes:
        size: Height and width of a window.
        strides: Vertical and horizontal.
        padding: Rows above and columns to the left of the image.
    """

    size: IntPair
    strides: IntPair
    padding: IntPair


@dataclass(frozen=True)
class ConvolutionStep(WindowStep):
    """A convolution.

    Attributes:
        weights: int8 (feature maps, height, width, input maps).
        biases: int32 (feature maps,).
        input_zero: Zero point of the inputs.
        rescaling: Of the sums.
    """

    kernel: ClassVar[str] = "convolution"
    weights: np.ndarray
    biases: np.ndarray
    input_zero: int
    rescaling: Rescaling


@dataclass(frozen=True)
class DepthwiseStep(ConvolutionStep):
    """A convolution of each map by itself; `weights` is int8 (height, width, feature maps)."""

    kernel: ClassVar[str] = "depthwise"


@dataclass(frozen=True)
class DenseStep(CStep):
    """A matrix product.

    Attributes:
        weights: int8 (units, inputs).
        biases: int32 (units,).
        input_zero: Zero point of the inputs.
        rescaling: Of the sums.
    """

    kernel: ClassVar[str] = "dense"
    weights: np.ndarray
    biases: np.ndarray
    input_zero: int
    rescaling: Rescaling


@dataclass(frozen=True)
class AveragePoolingStep(WindowStep):
    """The mean of each window."""

    kernel: ClassVar[str] = "average_pooling"


@dataclass(frozen=True)
class MaxPoolingStep(WindowStep):
    """The maximum of each window."""

    kernel: ClassVar[str] = "max_pooling"


@dataclass(frozen=True)
class TableStep(CStep):
    """A function of each value by itself, in place.

    Attributes:
        values: int8 (256,), the results for −128 … 127.
    """

    kernel: ClassVar[str] = "table"
    values: np.ndarray


@dataclass(frozen=True)
class SoftmaxStep(CStep):
    """Probabilities in 256ths.

    Attributes:
        powers: int32, see `c_softmax.compute_powers`.
    """

    kernel: ClassVar[str] = "softmax"
    powers: np.ndarray
