"""What happens inside a network: its filters, and what every layer makes of given images."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenet_tf.data import prepare_images
from lenet_tf.layers import TableConvolution
from lenet_tf.model import LeNet


def feature_maps(model: LeNet, images: np.ndarray) -> dict[str, np.ndarray]:
    """Layer → its output for raw images (N, height, width[, channels]) of 0…255: (N, height, width, maps), or (N, units) behind the maps.

    `INPUT` comes first: the images as the network is given them.
    """
    outputs: Any = prepare_images(images, model.spec.preparation)
    found = {model.spec.rows[0].name: np.asarray(outputs)}
    for layer in model.layers:
        outputs = layer(outputs, training=False)
        found[layer.name] = np.asarray(outputs)
    return found


def filters(model: LeNet) -> dict[str, np.ndarray]:
    """Convolution → its kernels (kernel height, kernel width, input maps, feature maps); a connection that does not exist is NaN."""
    found = {}
    for layer in model.layers:
        if isinstance(layer, TableConvolution):
            kernels = np.array(layer.full(layer.kernel.value))
            for feature, maps in enumerate(layer.table):
                absent = [number for number in range(kernels.shape[2]) if number not in maps]
                kernels[:, :, absent, feature] = np.nan
            found[layer.name] = kernels
        elif len(getattr(layer, "kernel_size", ())) == 2:
            found[layer.name] = np.asarray(layer.kernel)
    return found
