"""What happens inside a network: filters, layers' outputs, saliency maps and Grad-CAM."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import LenetError
from lenet_tf.models.layers import TableConvolution
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import Preparation

__all__ = ["feature_maps", "filters", "find_grad_cam_layer", "grad_cam", "saliency"]


def feature_maps(
    model: LeNet, images: np.ndarray, preparation: Preparation | None = None
) -> dict[str, np.ndarray]:
    """Compute the output of every layer.

    Args:
        model: The network.
        images: Raw images of values 0 to 255, (N, height, width) or (N, height, width, channels).
        preparation: How to prepare the images; by default as the network's spec says.

    Returns:
        Layer → its output, float32 (N, height, width, maps), or (N, units) for dense layers. The
        first is `INPUT`, the prepared images.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> model = lenet_tf.LeNet("lenet5", seed=0)
        >>> outputs = lenet_tf.inspection.feature_maps(model, data.x_test[:2])
        >>> outputs["C1"].shape, outputs["OUTPUT"].shape
        ((2, 28, 28, 6), (2, 10))
    """
    outputs: Any = prepare_images(images, preparation or model.spec.preparation)
    maps = {model.spec.rows[0].name: np.asarray(outputs)}
    for layer in model.layers:
        outputs = layer(outputs, training=False)
        # NumPy and matplotlib have no bfloat16, which a mixed-precision layer may return.
        maps[layer.name] = np.asarray(outputs).astype(np.float32)
    return maps


def filters(model: LeNet) -> dict[str, np.ndarray]:
    """Return the kernels of every convolution.

    Args:
        model: The network.

    Returns:
        Layer → its kernels, float32 (height, width, input maps, feature maps). A connection that
        a connection table leaves out is NaN.

    Example:
        >>> import lenet_tf
        >>> kernels = lenet_tf.inspection.filters(lenet_tf.LeNet("lenet5", seed=0))
        >>> {name: kernel.shape for name, kernel in kernels.items()}
        {'C1': (5, 5, 1, 6), 'C3': (5, 5, 6, 16)}
    """
    kernels = {}
    for layer in model.layers:
        if isinstance(layer, TableConvolution):
            kernel = np.array(layer.expand_kernel(layer.kernel.value))
            for feature, inputs in enumerate(layer.table):
                absent = [number for number in range(kernel.shape[2]) if number not in inputs]
                kernel[:, :, absent, feature] = np.nan
            kernels[layer.name] = kernel
        elif len(getattr(layer, "kernel_size", ())) == 2:
            kernels[layer.name] = np.asarray(layer.kernel)
    return kernels


def saliency(model: LeNet, images: np.ndarray) -> np.ndarray:
    """Compute how much each pixel changes the network's prediction.

    This is the gradient of the largest output with respect to the prepared pixels (Simonyan,
    Vedaldi and Zisserman 2013). Of a softmax it is the gradient of the logarithm, since the
    probability of a confident prediction hardly changes.

    Args:
        model: The network.
        images: Raw images of values 0 to 255, (N, height, width) or (N, height, width, channels).

    Returns:
        Gradients, float32 (N, height, width, channels). Where one is positive, a brighter pixel
        supports the prediction.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> lenet_tf.inspection.saliency(lenet_tf.LeNet("lenet5", seed=0), data.x_test[:2]).shape
        (2, 28, 28, 1)
    """
    inputs = tf.convert_to_tensor(prepare_images(images, model.spec.preparation))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=False)
        if _is_softmax(model.layers[-1]):
            outputs = tf.math.log(outputs)
        largest = tf.reduce_max(outputs, axis=-1)
    return np.asarray(tape.gradient(largest, inputs))


def find_grad_cam_layer(model: LeNet) -> str | None:
    """Find the layer that `grad_cam` explains.

    Args:
        model: The network.

    Returns:
        The name of the last convolution whose maps have more than one pixel, or None if there is
        none.

    Example:
        >>> import lenet_tf
        >>> lenet_tf.inspection.find_grad_cam_layer(lenet_tf.LeNet("lenet5"))
        'C3'
        >>> lenet_tf.inspection.find_grad_cam_layer(lenet_tf.LeNet("mlp-300-100")) is None
        True
    """
    for layer in reversed(model.layers):
        is_convolution = len(getattr(layer, "kernel_size", ())) == 2
        if is_convolution and max(layer.output.shape[1:3]) > 1:
            return layer.name
    return None


def grad_cam(model: LeNet, images: np.ndarray, classes: np.ndarray | None = None) -> np.ndarray:
    """Compute where the last convolution finds a class: Grad-CAM (Selvaraju et al. 2017).

    Each feature map is weighted by the mean gradient of the class's score with respect to it. The
    map is the positive part of their sum. The score is the output before a softmax.

    Args:
        model: The network, with a convolution whose maps have more than one pixel.
        images: Raw images of values 0 to 255, (N, height, width) or (N, height, width, channels).
        classes: The class to explain for each image, int (N,); by default the predicted one.

    Returns:
        Maps of 0 and more, float32 (N, height, width): enlarged to the size of the prepared images
        by linear interpolation. An image without support for its class has a map of zeros.

    Raises:
        LenetError: If the network has no such convolution.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> lenet_tf.inspection.grad_cam(lenet_tf.LeNet("lenet5", seed=0), data.x_test[:2]).shape
        (2, 28, 28)
    """
    name = find_grad_cam_layer(model)
    if name is None:
        raise LenetError(
            f"{model.name} has no convolution whose maps have more than one pixel, which Grad-CAM"
            f"{model.name} has no convolution whose maps have more than one pixel, which Grad-CAM"
            " needs: use inspection.saliency"
        )
    inputs = tf.convert_to_tensor(prepare_images(images, model.spec.preparation))
    position = [layer.name for layer in model.layers].index(name) + 1
    maps = inputs
    for layer in model.layers[:position]:
        maps = layer(maps, training=False)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        scores = _compute_scores(model.layers[position:], maps)
        chosen = tf.argmax(scores, axis=-1) if classes is None else np.asarray(classes, np.int64)
        score = tf.gather(scores, chosen, axis=-1, batch_dims=1)
    gradients = tf.cast(tape.gradient(score, maps), "float32")
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * tf.cast(maps, "float32"), axis=-1, keepdims=True))
    return np.asarray(tf.image.resize(heat, inputs.shape[1:3]))[..., 0]


def _compute_scores(layers: list[Any], outputs: Any) -> Any:
    """Compute the scores of the classes: the last outputs, before a softmax."""
    for layer in layers[:-1]:
        outputs = layer(outputs, training=False)
    last = layers[-1]
    if not (_is_softmax(last) and isinstance(last, keras.layers.Dense)):
        return last(outputs, training=False)
    kernel = tf.cast(last.kernel, outputs.dtype)
    scores = tf.linalg.matmul(outputs, kernel)
    return scores + tf.cast(last.bias, outputs.dtype) if last.use_bias else scores


def _is_softmax(layer: Any) -> bool:
    return getattr(layer, "activation", None) is keras.activations.softmax


def __dir__() -> list[str]:
    return sorted(__all__)
