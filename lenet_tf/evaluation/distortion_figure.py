"""A figure of training images and their distortions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.data.augmentation import distort
from lenet_tf.data.dataset import RawData
from lenet_tf.data.label_files import find_first_images
from lenet_tf.data.preprocessing import NORMALIZED_RANGES, prepare_images
from lenet_tf.evaluation.image_figures import plot_image_rows
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.specs import AUGMENTATIONS, Spec

_MAX_CLASSES = 10


@default_style()
def plot_distortions(data: RawData, spec: Spec, seed: int, repeats: int = 3) -> Figure:
    """Show training images and what every kind of augmentation turns them into.

    Args:
        data: The data set. The first training image of each of up to ten classes is shown.
        spec: The network for which the images are prepared.
        seed: The seed of the distortions.
        repeats: Rows for each kind of augmentation.

    Returns:
        The figure.
    """
    first = find_first_images(data.y_train, min(data.num_classes, _MAX_CLASSES))
    images = prepare_images(data.x_train[first], spec.preparation)
    background = NORMALIZED_RANGES[spec.preparation.normalization][0]
    rows = [("original", images)]
    for name, augmentation in AUGMENTATIONS.items():
        for number in range(repeats):
            distorted = distort(images, (seed, number), augmentation, background)
            rows.append((name, np.asarray(distorted)))
    return plot_image_rows(rows, f"{data.name}: training images under each --augment")
