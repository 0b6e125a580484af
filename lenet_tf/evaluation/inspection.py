"""What happens inside a network: its filters, its layers' outputs, and saliency maps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.models.layers import TableConvolution
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import Preparation

__all__ = ["feature_maps", "filters", "saliency"]


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
        if getattr(model.layers[-1], "activation", None) is keras.activations.softmax:
            outputs = tf.math.log(outputs)
        largest = tf.reduce_max(outputs, axis=-1)
    return np.asarray(tape.gradient(largest, inputs))


def __dir__() -> list[str]:
    return sorted(__all__)
