"""The layers that a trained network is folded to: those that every runtime knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lenet_tf.specs.rows import IntPair


@dataclass(frozen=True)
class PlainLayer:
    """A layer without anything to train.

    Attributes:
        name: Name of its row.
    """

    kind: ClassVar[str]
    name: str


@dataclass(frozen=True)
class PlainConvolution(PlainLayer):
    """A convolution, its bias and its activation.

    Attributes:
        kernel: float32 (height, width, input maps, feature maps).
        bias: float32 (feature maps,).
        strides: Vertical and horizontal.
        padding: `valid` or `same`.
        activation: One of `lenet_tf.specs.rows.ACTIVATIONS`.
    """

    kind: ClassVar[str] = "convolution"
    kernel: np.ndarray
    bias: np.ndarray
    strides: IntPair
    padding: str
    activation: str


@dataclass(frozen=True)
class PlainDepthwise(PlainLayer):
    """A convolution of each map by itself, its bias and its activation, without padding.

    Output map i · multiplier + j is input map i under kernel j.

    Attributes:
        kernel: float32 (height, width, input maps, multiplier).
        bias: float32 (input maps · multiplier,).
        strides: Vertical and horizontal.
        activation: One of `lenet_tf.specs.rows.ACTIVATIONS`.
    """

    kind: ClassVar[str] = "depthwise"
    kernel: np.ndarray
    bias: np.ndarray
    strides: IntPair
    activation: str


@dataclass(frozen=True)
class PlainPooling(PlainLayer):
    """One value for each window; padding never counts as an input.

    Attributes:
        pool: One of `lenet_tf.specs.rows_pooling.POOLINGS`; `stochastic` is Σx²/Σx of the values
            above 0.
        size: Height and width of a window.
        strides: Vertical and horizontal.
        padding: `valid` or `same`.
    """

    kind: ClassVar[str] = "pooling"
    pool: str
    size: IntPair
    strides: IntPair
    padding: str


@dataclass(frozen=True)
class PlainGlobalAverage(PlainLayer):
    """The mean of each map."""

    kind: ClassVar[str] = "global_average"


@dataclass(frozen=True)
class PlainFlatten(PlainLayer):
    """Maps as one vector, in the order height, width, channels."""

    kind: ClassVar[str] = "flatten"


@dataclass(frozen=True)
class PlainScale(PlainLayer):
    """Each channel times a factor plus an offset: a batch normalization after training.

    Attributes:
        factor: float32 (channels,).
        offset: float32 (channels,).
    """

    kind: ClassVar[str] = "scale"
    factor: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True)
class PlainDense(PlainLayer):
    """A matrix product, its bias and its activation.

    Attributes:
        kernel: float32 (inputs, units).
        bias: float32 (units,).
        activation: One of `lenet_tf.specs.rows.ACTIVATIONS`.
    """

    kind: ClassVar[str] = "dense"
    kernel: np.ndarray
    bias: np.ndarray
    activation: str


@dataclass(frozen=True)
class PlainRBF(PlainLayer):
    """The negated squared distances from codes, −Σ_j (x_j − w_ij)².

    Attributes:
        codes: float32 (units, inputs).
    """

    kind: ClassVar[str] = "rbf"
    codes: np.ndarray

    def to_dense(self) -> PlainDense:
        """Return the layer whose softmax equals this one's: without −Σ x_j², which all units share.

        Returns:
            A dense layer with the outputs 2 Σ_j w_ij x_j − Σ_j w_ij².
        """
        bias = -np.square(self.codes).sum(axis=1)
        return PlainDense(self.name, np.ascontiguousarray(2 * self.codes.T), bias, "linear")
