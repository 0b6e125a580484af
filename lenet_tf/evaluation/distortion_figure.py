"""A figure of training images and their distortions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.data.dataset import RawData
from lenet_tf.data.preprocessing import NORMALIZED_RANGES, prepare_images
from lenet_tf.evaluation.image_figures import plot_image_rows
from lenet_tf.specs import AUGMENTATIONS, Spec


def plot_distortions(raw: RawData, spec: Spec, seed: int, draws: int = 3) -> Figure:
    """A training image of each class above what each kind of augmentation makes of it, `draws` times, as the network is given it."""
    from lenet_tf.data.augmentation import distort

    first = [np.flatnonzero(raw.y_train == label)[:1] for label in range(raw.num_classes)][:10]
    images = prepare_images(raw.x_train[np.concatenate(first)], spec.preparation)
    background = NORMALIZED_RANGES[spec.preparation.normalization][0]
    rows = [("original", images)]
    for name, how in AUGMENTATIONS.items():
        rows += [
            (name, np.asarray(distort(images, (seed, draw), how, background)))
            for draw in range(draws)
        ]
    return plot_image_rows(rows, f"{raw.name}: training images and what --augment makes of them")
