"""Build the Keras layer of each kind of row; a new kind of row or pooling is added here."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import keras
import numpy as np
from keras import layers

from lenet_tf import specs
from lenet_tf.errors import SpecError
from lenet_tf.models import layers as lenet_layers
from lenet_tf.models import pooling
from lenet_tf.specs.validators import is_integer, show_value

# `Pooling.pool` in a spec -> its layer class.
POOLING_LAYERS: dict[str, type[layers.Layer]] = {
    "max": layers.MaxPooling2D,
    "average": layers.AveragePooling2D,
    "min": pooling.MinPooling2D,
    "sum": pooling.SumPooling2D,
    "stochastic": pooling.StochasticPooling2D,
}

# What a `.keras` file may hold.
_MAX_SEED = 2**128


def derive_seed(seed: int | None, row_number: int) -> int | None:
    """Return the seed of one row's layer.

    Args:
        seed: The network's; None for Keras' global generator.
        row_number: The row's number in the table.

    Raises:
        SpecError: `seed` is no whole number, or negative.
    """
    if seed is None:
        return None
    if not is_integer(seed) or not 0 <= seed < _MAX_SEED:
        raise SpecError(f"seed must be a whole number of at least 0, not {show_value(seed)}")
    return int(np.random.SeedSequence([seed, row_number]).generate_state(1)[0])


@singledispatch
def build_layer(row: specs.Row, seed: int | None, **options: Any) -> layers.Layer:
    """Build the Keras layer of one row.

    Args:
        row: A row of a spec.
        seed: Seed of the initial weights and the random draws; None for Keras' global generator.
        **options: `name` and `dtype` of the layer.

    Returns:
        The layer, not built yet.

    Raises:
        SpecError: If no layer is registered for this type of row.
    """
    raise SpecError(f"there is no Keras layer for a row of type {type(row).__name__}")


@build_layer.register
def _(row: specs.Input, seed: int | None, **options: Any) -> layers.Layer:
    return layers.InputLayer(shape=row.shape, name=row.name)


@build_layer.register
def _(row: specs.Convolution, seed: int | None, **options: Any) -> layers.Layer:
    kernel_size, strides = row.window()
    return layers.Conv2D(
        row.filters,
        kernel_size,
        strides,
        row.padding,
        activation=_get_activation(row.activation),
        kernel_initializer=_build_initializer(row.initializer, seed),
        **options,
    )


@build_layer.register
def _(row: specs.Pooling, seed: int | None, **options: Any) -> layers.Layer:
    layer_class = POOLING_LAYERS[row.pool]
    if layer_class is pooling.StochasticPooling2D:
        options["seed"] = seed
    return layer_class(*row.window(), row.padding, **options)


@build_layer.register
def _(row: specs.GlobalAveragePooling, seed: int | None, **options: Any) -> layers.Layer:
    return layers.GlobalAveragePooling2D(**options)


@build_layer.register
def _(row: specs.Flatten, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Flatten(**options)


@build_layer.register
def _(row: specs.Dense, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Dense(
        row.units,
        activation=_get_activation(row.activation),
        kernel_initializer=_build_initializer(row.initializer, seed),
        **options,
    )


@build_layer.register
def _(row: specs.TableConvolution, seed: int | None, **options: Any) -> layers.Layer:
    kernel_size, strides = row.window()
    return lenet_layers.TableConvolution(
        row.table,
        kernel_size,
        strides,
        row.padding,
        activation=_get_activation(row.activation),
        kernel_initializer=_build_initializer(row.initializer, seed),
        **options,
    )


@build_layer.register
def _(row: specs.Subsampling, seed: int | None, **options: Any) -> layers.Layer:
    size, _ = row.window()
    return lenet_layers.Subsampling(
        size, _get_activation(row.activation), row.coefficient, row.multiplier, **options
    )


@build_layer.register
def _(row: specs.EuclideanRBF, seed: int | None, **options: Any) -> layers.Layer:
    return lenet_layers.EuclideanRBF(row.units, **options)


@build_layer.register
def _(row: specs.Dropout, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Dropout(row.rate, seed=seed, **options)


@build_layer.register
def _(row: specs.BatchNormalization, seed: int | None, **options: Any) -> layers.Layer:
    return layers.BatchNormalization(momentum=row.momentum, **options)


def _get_activation(name: str) -> Any:
    return lenet_layers.scaled_tanh if name == "scaled_tanh" else name


def _build_initializer(
    initializer: str | specs.Initializer, seed: int | None
) -> keras.initializers.Initializer:
    if isinstance(initializer, str):
        name, options = initializer, {}
    else:
        name, options = initializer.name, initializer.get_keras_options()
    if name == "lecun1998_uniform":
        return lenet_layers.lecun1998_uniform(seed)
    return type(keras.initializers.get(name))(**options, seed=seed)
