"""Diagonal second derivatives of the loss (LeCun et al. 1998, section III.A and appendix C).

They propagate backward like gradients, with squared inputs and squared weights, and without the
terms that can be negative (Gauss-Newton). For a sum a_i = Σ_j u_ij·x_j, appendix C gives

    ∂²E/∂u_ij² = ∂²E/∂a_i² · x_j²
    ∂²E/∂x_j² = Σ_i u_ij² · ∂²E/∂a_i²
    ∂²E/∂a_i² = f'(a_i)² · ∂²E/∂f(a_i)²

and the second derivative of a shared weight is the sum over its connections. Below, `curvature`
without a qualifier is ∂²E/∂(output)² of the layer at hand.
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

from lenet_tf.models import layers as lenet_layers
from lenet_tf.models import pooling
from lenet_tf.models.lenet import LeNet

__all__ = ["CURVATURE_IMAGES", "Curvature", "curvature"]

Tensors = list[Any]
# The paper's number of images per estimate (appendix C).
CURVATURE_IMAGES = 500


def curvature(model: LeNet, images: Any) -> Tensors:
    """Estimate the diagonal second derivatives of the loss with respect to the weights.

    The Gauss-Newton estimate doesn't depend on the labels.

    Args:
        model: A network of layers and a loss that a spec with the `sdlm` optimizer accepts.
        images: Prepared images (N, height, width, channels), float32.

    Returns:
        One tensor of values ≥ 0 per trainable weight, in their order: the mean over the images.

    Raises:
        TypeError: If a layer or the loss isn't supported.

    Example:
        >>> import lenet_tf
        >>> model = lenet_tf.LeNet("lenet1", seed=0)
        >>> images = lenet_tf.load_data("sample").x_test[:20]
        >>> images = lenet_tf.prepare_images(images, model.spec.preparation)
        >>> estimates = lenet_tf.curvature.curvature(model, images)
        >>> [tuple(estimate.shape) for estimate in estimates[:2]]
        [(5, 5, 1, 4), (4,)]
    """
    inputs: Tensors = []
    outputs = tf.convert_to_tensor(images)
    for layer in model.layers:
        inputs.append(outputs)
        outputs = layer(outputs, training=False)
    count = tf.cast(tf.shape(outputs)[0], outputs.dtype)
    *hidden_layers, last = model.layers
    backward, weight_curvatures = _backpropagate_loss(
        last, inputs.pop(), outputs, model.spec.recipe.loss
    )
    per_layer = [weight_curvatures]
    for layer, layer_inputs in zip(reversed(hidden_layers), reversed(inputs), strict=True):
        backward, weight_curvatures = _backpropagate(layer, layer_inputs, backward)
        per_layer.append(weight_curvatures)
    return [total / count for totals in reversed(per_layer) for total in totals]


class Curvature(keras.callbacks.Callback):
    """Update the second derivatives of an `SDLM` optimizer before each epoch.

    Args:
        images: Function that returns the prepared training images of an array of indices.
        available: Number of training images; indices are below it.
        count: Number of images per estimate.
        seed: Chooses the images, together with the epoch.

    Example:
        >>> import lenet_tf
        >>> model = lenet_tf.LeNet("lenet1", seed=0)
        >>> raw = lenet_tf.load_data("sample").x_train
        >>> images = lenet_tf.prepare_images(raw[:50], model.spec.preparation)
        >>> update = lenet_tf.curvature.Curvature(images.__getitem__, 50, count=20, seed=0)
        >>> update.set_model(model)
        >>> model.optimizer.build(model.trainable_variables)
        >>> update.on_epoch_begin(0)
        >>> bool((model.optimizer.gains[0].numpy() < 1 / model.optimizer.damping).all())
        True
    """

    def __init__(
        self, images: Callable[[np.ndarray], np.ndarray], available: int, count: int, seed: int
    ) -> None:
        super().__init__()
        self._images, self._available = images, available
        self._count, self._seed = min(count, available), seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Estimate the second derivatives on other images than in the last epoch."""
        random = np.random.default_rng([self._seed, epoch])
        indices = random.choice(self._available, self._count, replace=False)
        self.model.optimizer.set_curvature(curvature(self.model, self._images(indices)))


@singledispatch
def _backpropagate(layer: layers.Layer, x: Any, curvature: Any) -> tuple[Any, Tensors]:
    """Return ∂²E/∂x² and, summed over the images, ∂²E/∂w² of each trainable weight w."""
    raise TypeError(
        f"no second derivatives for a {type(layer).__name__} ({layer.name}):"
        " Spec should have refused it"
    )


@_backpropagate.register
def _(layer: layers.Flatten, x: Any, curvature: Any) -> tuple[Any, Tensors]:
    return tf.reshape(curvature, tf.shape(x)), []


@_backpropagate.register(layers.Conv2D)
@_backpropagate.register(layers.Dense)
@_backpropagate.register(lenet_layers.TableConvolution)
def _(layer: layers.Layer, x: Any, curvature: Any) -> tuple[Any, Tensors]:
    linear = _get_linear_map(layer)
    sums = linear(x, layer.kernel.value) + layer.bias.value
    curvature = _backpropagate_activation(layer.activation, sums, curvature)
    inputs, kernel = _backpropagate_linear(linear, x, layer.kernel.value, curvature)
    return inputs, [kernel, _sum_over_units(curvature)]


@_backpropagate.register
def _(layer: lenet_layers.Subsampling, x: Any, curvature: Any) -> tuple[Any, Tensors]:
    with tf.GradientTape() as tape:
        tape.watch(x)
        sums = layer.sum_windows(x)
    coefficient = layer.coefficient.value
    curvature = _backpropagate_activation(
        layer.activation, sums * coefficient + layer.bias.value, curvature
    )
    # The coefficient's only input is the window's sum.
    weights = [_sum_over_units(curvature * sums**2), _sum_over_units(curvature)]
    return tape.gradient(sums, x, coefficient**2 * curvature), weights


@_backpropagate.register(layers.MaxPooling2D)
@_backpropagate.register(layers.AveragePooling2D)
@_backpropagate.register(layers.GlobalAveragePooling2D)
@_backpropagate.register(pooling.MinPooling2D)
@_backpropagate.register(pooling.SumPooling2D)
def _(layer: layers.Layer, x: Any, curvature: Any) -> tuple[Any, Tensors]:
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled = layer(x)
    # A mean over n values needs 1/n²; the gradient has 1/n. Other poolings need 1.
    averaged_over = {
        layers.AveragePooling2D: getattr(layer, "pool_size", ()),
        layers.GlobalAveragePooling2D: x.shape[1:3],
    }
    n = float(math.prod(averaged_over.get(type(layer), ())))
    return tape.gradient(pooled, x, curvature / n), []


def _backpropagate_loss(
    layer: layers.Layer, x: Any, outputs: Any, loss: str
) -> tuple[Any, Tensors]:
    """Return what `_backpropagate` does, for the last layer together with the loss."""
    if isinstance(layer, lenet_layers.EuclideanRBF):
        # Only y_D = Σ(x_j − w_Dj)² of eq. 9 counts. With its second term, well-fitted images have
        # almost no curvature and the next badly fitted one takes a huge step (measured: 47% error).
        return tf.fill(tf.shape(x), tf.cast(2, x.dtype)), []
    is_softmax = layer.activation is keras.activations.softmax
    if loss == "categorical_crossentropy" and is_softmax:
        curvature = outputs * (1 - outputs)
        inputs, kernel = _backpropagate_linear(keras.ops.matmul, x, layer.kernel.value, curvature)
        return inputs, [kernel, _sum_over_units(curvature)]
    if loss == "mean_squared_error" and not is_softmax:
        return _backpropagate(layer, x, tf.fill(tf.shape(outputs), 2 / outputs.shape[-1]))
    raise TypeError(
        f"no second derivatives for {loss} after {layer.name}: Spec should have refused it"
    )


def _get_linear_map(layer: layers.Layer) -> Callable[[Any, Any], Any]:
    """Return the layer's function of (inputs, kernel), without bias and activation."""
    if isinstance(layer, lenet_layers.TableConvolution):
        return layer.convolve
    if isinstance(layer, layers.Dense):
        return keras.ops.matmul
    return lambda x, kernel: keras.ops.conv(x, kernel, layer.strides, layer.padding)


def _backpropagate_linear(
    linear: Callable[[Any, Any], Any], x: Any, kernel: Any, curvature: Any
) -> tuple[Any, Any]:
    """Return ∂²E/∂x² and ∂²E/∂kernel² of a = `linear`(x, kernel), which is linear in both."""
    kernel = tf.convert_to_tensor(kernel)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch((x, kernel))
        squared_kernel = linear(x, tf.stop_gradient(kernel) ** 2)
        squared_inputs = linear(tf.stop_gradient(x) ** 2, kernel)
    return (
        tape.gradient(squared_kernel, x, curvature),
        tape.gradient(squared_inputs, kernel, curvature),
    )


def _backpropagate_activation(activation: Callable[[Any], Any], sums: Any, curvature: Any) -> Any:
    """Return ∂²E/∂a² from ∂²E/∂f(a)², for an elementwise activation f."""
    with tf.GradientTape() as tape:
        tape.watch(sums)
        outputs = activation(sums)
    slope = tape.gradient(outputs, sums)
    return curvature if slope is None else slope**2 * curvature


def _sum_over_units(curvature: Any) -> Any:
    """Return a bias' second derivative: the sum over the units that share it and the images."""
    return tf.reduce_sum(curvature, axis=list(range(curvature.shape.rank - 1)))


def __dir__() -> list[str]:
    return sorted(__all__)
