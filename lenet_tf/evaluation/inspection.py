"""What happens inside a network: its filters, what every layer makes of given images, and which pixels an answer hangs on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.models.layers import TableConvolution
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import Preparation


def feature_maps(
    model: LeNet, images: np.ndarray, preparation: Preparation | None = None
) -> dict[str, np.ndarray]:
    """Layer → its output for raw images (N, height, width[, channels]) of 0…255: float32 (N, height, width, maps), or (N, units) behind
    the maps.

    `INPUT` comes first: the images as the network is given them. `preparation`: another than the network's own, such as its `for_test_images`.
    """
    outputs: Any = prepare_images(images, preparation or model.spec.preparation)
    found = {model.spec.rows[0].name: np.asarray(outputs)}
    for layer in model.layers:
        outputs = layer(outputs, training=False)
        # Half precision is for the arithmetic; matplotlib knows no bfloat16.
        found[layer.name] = np.asarray(outputs).astype(np.float32)
    return found


def filters(model: LeNet) -> dict[str, np.ndarray]:
    """Convolution → its kernels (kernel height, kernel width, input maps, feature maps); a connection that does not exist is NaN."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, TableConvolution):
            kernels = np.array(layer.expand_kernel(layer.kernel.value))
            for feature, maps in enumerate(layer.table):
                absent = [number for number in range(kernels.shape[2]) if number not in maps]
                kernels[:, :, absent, feature] = np.nan
            found[layer.name] = kernels
        elif len(getattr(layer, "kernel_size", ())) == 2:
            found[layer.name] = np.asarray(layer.kernel)
    return found


def saliency(model: LeNet, images: np.ndarray) -> np.ndarray:
    """How much each pixel moves the network's answer: float32 (N, height, width, channels) for raw images (N, height, width[, channels]).

    The gradient of the greatest output with respect to the prepared pixels, of its logarithm behind a softmax, where the probability of
    a sure answer hardly moves any more (Simonyan, Vedaldi and Zisserman 2013). Positive: a brighter pixel speaks for the answer.
    """
    inputs = tf.convert_to_tensor(prepare_images(images, model.spec.preparation))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = model(inputs, training=False)
        if getattr(model.layers[-1], "activation", None) is keras.activations.softmax:
            outputs = tf.math.log(outputs)
        best = tf.reduce_max(outputs, axis=-1)
    return np.asarray(tape.gradient(best, inputs))
