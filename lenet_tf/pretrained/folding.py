"""Folds a trained network into plain layers that every runtime knows.

A connection table becomes zeros in a convolution's kernel, subsampling a depthwise convolution,
dropout nothing.
"""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.plain_layers import (
    PlainConvolution,
    PlainDense,
    PlainDepthwise,
    PlainFlatten,
    PlainGlobalAverage,
    PlainLayer,
    PlainPooling,
    PlainRBF,
    PlainScale,
)
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows import Row
from lenet_tf.specs.rows_1998 import EuclideanRBF, Subsampling, TableConvolution
from lenet_tf.specs.rows_pooling import GlobalAveragePooling, Pooling
from lenet_tf.specs.rows_standard import (
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Input,
)

Weights = tuple[np.ndarray, ...]
# Keras' default, which no row changes.
_EPSILON = 1e-3


def fold(network: TrainedNetwork) -> tuple[PlainLayer, ...]:
    """Fold a trained network into plain layers with the same outputs, to rounding errors.

    Args:
        network: The network, with float32 weights.

    Returns:
        The layers, from the prepared image to the outputs.

    Raises:
        RunError: If a weight is NaN or infinite.
    """
    layers = []
    for facts in network.spec.layers:
        weights = network.weights.get(facts.row.name, ())
        if not all(np.isfinite(array).all() for array in weights):
            raise RunError(
                f"the weights of {network.spec.name} are NaN or infinite, as after a training that"
                " diverged: choose another model, or train it again with a lower learning rate"
            )
        layer = _fold_row(facts.row, facts, weights)
        if layer is not None:
            layers.append(layer)
    return tuple(layers)


@singledispatch
def _fold_row(row: Row, facts: LayerFacts, weights: Weights) -> PlainLayer | None:
    raise TypeError(f"no plain layer for a row of type {type(row).__name__}")


@_fold_row.register(Input)
@_fold_row.register(Dropout)
def _(row: Row, facts: LayerFacts, weights: Weights) -> None:
    return None


@_fold_row.register
def _(row: Convolution, facts: LayerFacts, weights: Weights) -> PlainLayer:
    _, strides = row.window()
    kernel, bias = weights
    return PlainConvolution(row.name, kernel, bias, strides, row.padding, row.activation)


@_fold_row.register
def _(row: TableConvolution, facts: LayerFacts, weights: Weights) -> PlainLayer:
    size, strides = row.window()
    kernel = np.zeros((*size, facts.input_shape[-1], len(row.table)), np.float32)
    pairs = ((source, target) for target, maps in enumerate(row.table) for source in maps)
    for values, (source, target) in zip(weights[0], pairs, strict=True):
        kernel[:, :, source, target] = values
    return PlainConvolution(row.name, kernel, weights[1], strides, row.padding, row.activation)


@_fold_row.register
def _(row: Subsampling, facts: LayerFacts, weights: Weights) -> PlainLayer:
    size, strides = row.window()
    coefficients = weights[0].reshape(1, 1, facts.input_shape[-1], row.multiplier)
    kernel = np.broadcast_to(coefficients, (*size, *coefficients.shape[2:]))
    return PlainDepthwise(
        row.name, np.ascontiguousarray(kernel), weights[1], strides, row.activation
    )


@_fold_row.register
def _(row: Pooling, facts: LayerFacts, weights: Weights) -> PlainLayer:
    return PlainPooling(row.name, row.pool, *row.window(), row.padding)


@_fold_row.register
def _(row: GlobalAveragePooling, facts: LayerFacts, weights: Weights) -> PlainLayer:
    return PlainGlobalAverage(row.name)


@_fold_row.register
def _(row: Flatten, facts: LayerFacts, weights: Weights) -> PlainLayer:
    return PlainFlatten(row.name)


@_fold_row.register
def _(row: Dense, facts: LayerFacts, weights: Weights) -> PlainLayer:
    kernel, bias = weights
    return PlainDense(row.name, kernel, bias, row.activation)


@_fold_row.register
def _(row: EuclideanRBF, facts: LayerFacts, weights: Weights) -> PlainLayer:
    return PlainRBF(row.name, np.array(DIGIT_CODES[: row.units], np.float32))


@_fold_row.register
def _(row: BatchNormalization, facts: LayerFacts, weights: Weights) -> PlainLayer:
    gamma, beta, mean, variance = weights
    factor = gamma / np.sqrt(variance + np.float32(_EPSILON))
    return PlainScale(row.name, factor, beta - mean * factor)
