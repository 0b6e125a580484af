"""The diagonal second derivatives by which the 1998 paper gives each weight its own learning rate: section III.A and appendix C.

They go backwards through the network like gradients do, with squared inputs and squared weights, and without the terms that can be
negative (Gauss-Newton). For a connection from x_j to a_i = Σ_j u_ij·x_j, appendix C has

    ∂²E/∂u_ij² = ∂²E/∂a_i² · x_j²,    ∂²E/∂x_j² = Σ_i u_ij² · ∂²E/∂a_i²,    ∂²E/∂a_i² = f'(a_i)² · ∂²E/∂f(a_i)²,

and the second derivative of a shared weight is the sum over all its connections.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from lenet_tf.models import layers as own
from lenet_tf.models import pooling
from lenet_tf.models.lenet import LeNet

Tensors = list[Any]
# The paper's number (appendix C).
CURVATURE_IMAGES = 500


def curvature(model: LeNet, images: Any) -> Tensors:
    """The diagonal of the loss' second derivatives, one tensor of values ≥ 0 for each of the model's trainable weights, in their order.

    Averaged over prepared images (N, height, width, channels). Gauss-Newton's second derivatives depend on the labels for none of the
    losses. A `Spec` whose recipe names sdlm has only layers and losses that are covered here.
    """
    inputs: Tensors = []
    outputs = tf.convert_to_tensor(images)
    for layer in model.layers:
        inputs.append(outputs)
        outputs = layer(outputs, training=False)
    count = tf.cast(tf.shape(outputs)[0], outputs.dtype)
    *body, last = model.layers
    second, found = _at_output(last, inputs.pop(), outputs, model.spec.recipe.loss)
    weights = [found]
    for layer, taken in zip(reversed(body), reversed(inputs), strict=True):
        second, found = _through(layer, taken, second)
        weights.append(found)
    return [tensor / count for found in reversed(weights) for tensor in found]


class Curvature(keras.callbacks.Callback):
    """Gives `SDLM` new second derivatives before each epoch, estimated on `count` training images that `seed` and the epoch choose.

    `images` gives the prepared images of the numbers it is called with, which go from 0 up to `available` − 1.
    """

    def __init__(
        self, images: Callable[[np.ndarray], np.ndarray], available: int, count: int, seed: int
    ) -> None:
        super().__init__()
        self._images, self._available, self._count, self._seed = (
            images,
            available,
            min(count, available),
            seed,
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        chosen = np.random.default_rng([self._seed, epoch]).choice(
            self._available, self._count, replace=False
        )
        self.model.optimizer.set_curvature(curvature(self.model, self._images(chosen)))


def _squared(
    linear: Callable[[Any, Any], Any], x: Any, kernel: Any, second: Any
) -> tuple[Any, Any]:
    """(∂²E/∂x², ∂²E/∂kernel²) of a = `linear`(x, kernel), which is linear in either, from ∂²E/∂a²."""
    kernel = tf.convert_to_tensor(kernel)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch((x, kernel))
        by_weights, by_inputs = (
            linear(x, tf.stop_gradient(kernel) ** 2),
            linear(tf.stop_gradient(x) ** 2, kernel),
        )
    return tape.gradient(by_weights, x, second), tape.gradient(by_inputs, kernel, second)


def _before(activation: Callable[[Any], Any], sums: Any, second: Any) -> Any:
    """∂²E/∂a² from ∂²E/∂f(a)², for an activation f that works unit by unit."""
    with tf.GradientTape() as tape:
        tape.watch(sums)
        squashed = activation(sums)
    slope = tape.gradient(squashed, sums)
    return second if slope is None else slope**2 * second


def _over_units(second: Any) -> Any:
    """A bias' second derivative: the sum over all units that share it and over the images."""
    return tf.reduce_sum(second, axis=list(range(second.shape.rank - 1)))


@singledispatch
def _through(layer: layers.Layer, x: Any, second: Any) -> tuple[Any, Tensors]:
    """(∂²E/∂x², the sums over the images of ∂²E/∂w² for each trainable weight w) from ∂²E/∂(the layer's output)²."""
    raise TypeError(
        f"no second derivatives for a {type(layer).__name__} ({layer.name}): Spec should have refused it"
    )


@_through.register
def _(layer: layers.Flatten, x: Any, second: Any) -> tuple[Any, Tensors]:
    return tf.reshape(second, tf.shape(x)), []


@_through.register(layers.Conv2D)
@_through.register(layers.Dense)
@_through.register(own.TableConvolution)
def _(layer: layers.Layer, x: Any, second: Any) -> tuple[Any, Tensors]:
    linear = _linear(layer)
    second = _before(layer.activation, linear(x, layer.kernel.value) + layer.bias.value, second)
    inputs, kernel = _squared(linear, x, layer.kernel.value, second)
    return inputs, [kernel, _over_units(second)]


def _linear(layer: layers.Layer) -> Callable[[Any, Any], Any]:
    if isinstance(layer, own.TableConvolution):
        return layer.convolve
    if isinstance(layer, layers.Dense):
        return keras.ops.matmul
    return lambda x, kernel: keras.ops.conv(x, kernel, layer.strides, layer.padding)


@_through.register
def _(layer: own.Subsampling, x: Any, second: Any) -> tuple[Any, Tensors]:
    with tf.GradientTape() as tape:
        tape.watch(x)
        sums = layer.sum_windows(x)
    coefficient = layer.coefficient.value
    second = _before(layer.activation, sums * coefficient + layer.bias.value, second)
    # Here the coefficient's one input is the window's sum.
    return tape.gradient(sums, x, coefficient**2 * second), [
        _over_units(second * sums**2),
        _over_units(second),
    ]


@_through.register(layers.MaxPooling2D)
@_through.register(layers.AveragePooling2D)
@_through.register(layers.GlobalAveragePooling2D)
@_through.register(pooling.MinPooling2D)
@_through.register(pooling.SumPooling2D)
def _(layer: layers.Layer, x: Any, second: Any) -> tuple[Any, Tensors]:
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled = layer(x)
    # The gradient has a mean's 1/n once, and it is wanted squared; the largest, the smallest and the sum have 1.
    averaged = {
        layers.AveragePooling2D: getattr(layer, "pool_size", ()),
        layers.GlobalAveragePooling2D: x.shape[1:3],
    }
    return tape.gradient(pooled, x, second / float(math.prod(averaged.get(type(layer), ())))), []


def _at_output(layer: layers.Layer, x: Any, outputs: Any, loss: str) -> tuple[Any, Tensors]:
    """What `_through` gives, for the last layer and the loss together."""
    if isinstance(layer, own.EuclideanRBF):
        # y_D = Σ(x_j − w_Dj)². Of eq. 9 only this term counts: with its second one, images that are well fitted have next to no second
        # derivative, and the next image that is not throws the weights far off (a measured jump to 47% error in the second pass).
        return tf.fill(tf.shape(x), tf.cast(2, x.dtype)), []
    if loss == "categorical_crossentropy" and layer.activation is keras.activations.softmax:
        second = outputs * (1 - outputs)
        inputs, kernel = _squared(keras.ops.matmul, x, layer.kernel.value, second)
        return inputs, [kernel, _over_units(second)]
    if loss == "mean_squared_error" and layer.activation is not keras.activations.softmax:
        return _through(layer, x, tf.fill(tf.shape(outputs), 2 / outputs.shape[-1]))
    raise TypeError(
        f"no second derivatives for {loss} after {layer.name}: Spec should have refused it"
    )
