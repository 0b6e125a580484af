"""Rows in, compiled Keras model out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import keras
import numpy as np
from keras import layers

from lenet_tf import __version__, specs
from lenet_tf.errors import SpecError
from lenet_tf.models import layers as own
from lenet_tf.models import pooling
from lenet_tf.models.optimizers import SDLM, OneCycle
from lenet_tf.specs.recipes import PRECISIONS
from lenet_tf.specs.rows import Shape


@singledispatch
def keras_layer(row: specs.Row, seed: int | None, **options: Any) -> layers.Layer:
    """The Keras layer of one row. `seed` fixes its random numbers, `options` (name, dtype) go to the layer as they are."""
    raise SpecError(f"there is no Keras layer for a row of type {type(row).__name__}")


@keras_layer.register
def _(row: specs.Input, seed: int | None, **options: Any) -> layers.Layer:
    return layers.InputLayer(shape=row.shape, name=row.name)


@keras_layer.register
def _(row: specs.Convolution, seed: int | None, **options: Any) -> layers.Layer:
    kernel, strides = row.window()
    return layers.Conv2D(
        row.filters,
        kernel,
        strides,
        row.padding,
        activation=_activation(row.activation),
        kernel_initializer=_initializer(row.initializer, seed),
        **options,
    )


@keras_layer.register
def _(row: specs.Pooling, seed: int | None, **options: Any) -> layers.Layer:
    kinds = {
        "max": layers.MaxPooling2D,
        "average": layers.AveragePooling2D,
        "min": pooling.MinPooling2D,
        "sum": pooling.SumPooling2D,
    }
    if row.pool == "stochastic":
        return pooling.StochasticPooling2D(*row.window(), row.padding, seed=seed, **options)
    return kinds[row.pool](*row.window(), row.padding, **options)


@keras_layer.register
def _(row: specs.GlobalAveragePooling, seed: int | None, **options: Any) -> layers.Layer:
    return layers.GlobalAveragePooling2D(**options)


@keras_layer.register
def _(row: specs.Flatten, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Flatten(**options)


@keras_layer.register
def _(row: specs.Dense, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Dense(
        row.units,
        activation=_activation(row.activation),
        kernel_initializer=_initializer(row.initializer, seed),
        **options,
    )


@keras_layer.register
def _(row: specs.TableConvolution, seed: int | None, **options: Any) -> layers.Layer:
    initializer = _initializer(row.initializer, seed)
    kernel, strides = row.window()
    return own.TableConvolution(
        row.table, kernel, strides, row.padding, _activation(row.activation), initializer, **options
    )


@keras_layer.register
def _(row: specs.Subsampling, seed: int | None, **options: Any) -> layers.Layer:
    return own.Subsampling(
        row.window()[0], _activation(row.activation), row.coefficient, row.multiplier, **options
    )


@keras_layer.register
def _(row: specs.EuclideanRBF, seed: int | None, **options: Any) -> layers.Layer:
    return own.EuclideanRBF(row.units, **options)


@keras_layer.register
def _(row: specs.Dropout, seed: int | None, **options: Any) -> layers.Layer:
    return layers.Dropout(row.rate, seed=seed, **options)


@keras_layer.register
def _(row: specs.BatchNormalization, seed: int | None, **options: Any) -> layers.Layer:
    return layers.BatchNormalization(momentum=row.momentum, **options)


def _activation(name: str) -> Any:
    return own.scaled_tanh if name == "scaled_tanh" else name


def _initializer(
    wanted: str | specs.Initializer, seed: int | None
) -> keras.initializers.Initializer:
    name, options = (wanted, {}) if isinstance(wanted, str) else (wanted.name, wanted.options())
    return (
        own.lecun1998_uniform(seed)
        if name == "lecun1998_uniform"
        else type(keras.initializers.get(name))(**options, seed=seed)
    )


def _loss(recipe: specs.Recipe) -> Any:
    if recipe.label_smoothing:
        return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    return {"lecun1998_mle": own.lecun1998_mle, "lecun1998_map": own.lecun1998_map}.get(
        recipe.loss, recipe.loss
    )


_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "sdlm": SDLM,
}


def _optimizer(row: specs.Optimizer, precision: str) -> keras.optimizers.Optimizer:
    rate = (
        row.rate(0)
        if row.schedule is None
        else OneCycle(row.rate(0), 0.25 if row.warm_up is None else float(row.warm_up))
    )
    config = {"learning_rate": rate} | row.options()
    optimizer = _OPTIMIZERS[row.name](**config)
    # Gradients of float16 activations underflow without a scaled loss.
    return (
        keras.optimizers.LossScaleOptimizer(optimizer)
        if precision == "mixed_float16"
        else optimizer
    )


@keras.saving.register_keras_serializable("lenet_tf")
class LeNet(keras.Sequential):
    """A network built from its table and compiled by its recipe.

    `LeNet()` is the tutorial's LeNet-5: images (batch, 28, 28, 1) of float32 in 0…1 in, (batch, 10) class probabilities out, 61,706
    parameters.

    Args:
        spec: a variant's name (`lenet-tf variants` lists them) or a `lenet_tf.Spec`.
        input_shape: (height, width, channels) of one prepared image; None keeps the table's own.
        num_classes: units of the last row; None keeps the table's own.
        seed: fixes the initial weights and dropout; None draws them from Keras' global generator.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`; the last layer always answers in float32.
        name: the model's name; None takes the spec's.

    Raises:
        SpecError: unknown variant or precision, or a row that cannot take this input.
    """

    def __init__(
        self,
        spec: str | specs.Spec = "lenet5",
        input_shape: Shape | None = None,
        num_classes: int | None = None,
        *,
        seed: int | None = None,
        precision: str = "float32",
        name: str | None = None,
    ) -> None:
        if precision not in PRECISIONS:
            raise SpecError(f"unknown precision {precision!r}: known are {', '.join(PRECISIONS)}")
        spec = (specs.get_spec(spec) if isinstance(spec, str) else spec).adapted(
            input_shape, num_classes
        )
        if spec.recipe.optimizer.name == "sdlm" and precision != "float32":
            raise SpecError(
                f"{spec.name}: the optimizer sdlm works in float32 only, not in {precision}"
            )
        super().__init__(name=name or spec.name)
        self.spec, self.seed, self.precision = spec, seed, precision
        # Another way to take a step of training or testing, see `lenet_tf.engine.graph_loop`; None is Keras' own.
        self.engine: Any = None
        # The graph of `lenet_tf.predict`.
        self.answers: Any = None
        for facts in spec.layers:
            last = facts.number == len(spec.rows)
            row_seed = (
                None
                if seed is None
                else int(np.random.SeedSequence([seed, facts.number]).generate_state(1)[0])
            )
            self.add(
                keras_layer(
                    facts.row, row_seed, name=facts.row.name, dtype="float32" if last else precision
                )
            )
        recipe = spec.recipe
        self.compile(
            optimizer=_optimizer(recipe.optimizer, precision),
            loss=_loss(recipe),
            metrics=list(recipe.metrics),
        )

    def train_step(self, *arguments: Any) -> Any:
        return (
            super().train_step(*arguments)
            if self.engine is None
            else self.engine.train_step(self, *arguments)
        )

    def test_step(self, *arguments: Any) -> Any:
        return (
            super().test_step(*arguments)
            if self.engine is None
            else self.engine.test_step(self, *arguments)
        )

    def get_config(self) -> dict[str, Any]:
        # The table, not the layers: the constructor adds them again.
        table = {
            "spec": self.spec.to_dict(),
            "seed": self.seed,
            "precision": self.precision,
            "name": self.name,
        }
        frozen = [layer.name for layer in self.layers if not layer.trainable]
        return table | {"version": __version__} | ({"frozen": frozen} if frozen else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> LeNet:
        options = {
            name: value for name, value in config.items() if name not in ("version", "frozen")
        }
        model = cls(**options | {"spec": spec_of(config)})
        for layer in model.layers:
            layer.trainable = layer.name not in config.get("frozen", ())
        return model


def spec_of(config: Mapping[str, Any]) -> specs.Spec:
    """The network of what `LeNet.get_config` gave; raises `SpecError`, which names both versions where it was another that gave it."""
    try:
        return specs.Spec.from_dict(config["spec"])
    except SpecError as error:
        then = config.get("version") or "before 0.2.0"
        if then == __version__:
            raise
        raise SpecError(
            f"{error}. It was saved by lenet_tf {str(then)[:30]}; here is lenet_tf {__version__}"
        ) from error
