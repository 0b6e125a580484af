"""Images of a chosen epoch: filters, feature maps, confusion matrix, worst mistakes, PR curves.

`lenet_tf.evaluation` draws the figures, which `_write_figure` writes; `mosaics` tiles the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tensorboard.plugins.pr_curve import summary as pr_curve

from lenet_tf.data.dataset import Split
from lenet_tf.evaluation import figures
from lenet_tf.evaluation.evaluate import predict_outputs, to_probabilities
from lenet_tf.evaluation.inspection import feature_maps, filters
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.evaluation.scores import Scores, name_class
from lenet_tf.models.lenet import LeNet
from lenet_tf.training.tensorboard.mosaics import filters_mosaic, maps_mosaic
from lenet_tf.training.tensorboard.sampling import images_of_each_class, validation_images

# Classes with a PR curve, and with a row of feature maps.
_MAX_CLASSES = 100


def write_filters(model: LeNet, epoch: int) -> None:
    """Write the kernels of each convolution to the current writer.

    Args:
        model: The network.
        epoch: The epoch, counted from 0.
    """
    for name, kernels in filters(model).items():
        description = (
            f"Kernels of {name}: one column per feature map, one row per input map."
            " Violet is negative, orange positive."
        )
        tf.summary.image(
            f"filters/{name}", filters_mosaic(kernels)[None], step=epoch, description=description
        )


def write_predictions(model: LeNet, split: Split, epoch: int) -> None:
    """Write what the network does with validation images to the current writer.

    Args:
        model: The network.
        split: The run's data.
        epoch: The epoch, counted from 0.
    """
    images, labels = validation_images(split)
    kind = "test" if split.is_validated_on_test else "validation"
    predicted = to_probabilities(
        model, predict_outputs(model, images, split.validation_preparation)
    )
    _write_maps(model, split, images, labels, epoch)
    data = split.data
    scores = Scores.from_predictions(
        labels, predicted.argmax(axis=1), data.num_classes, data.class_names
    )
    _write_figure(
        "predictions/confusion_matrix",
        figures.plot_confusion_matrix(scores),
        epoch,
        f"{len(labels):,} {kind} images: one row per class, one column per predicted class.",
    )
    _write_figure(
        "predictions/worst_mistakes",
        figures.plot_mistakes(images, labels, predicted, data.class_names, 4, data.has_photographs),
        epoch,
        "The wrong predictions with the highest confidence: class, prediction, probability.",
    )
    for label in range(min(data.num_classes, _MAX_CLASSES)):
        name = scores.name_class(label)
        description = (
            f"Precision and recall of class {name} on {len(labels):,} {kind} images, over"
            " thresholds of its probability."
        )
        curve = pr_curve.pb(
            f"class_{label}", labels == label, predicted[:, label], description=description
        )
        tf.summary.experimental.write_raw_pb(curve.SerializeToString(), step=epoch)


def _write_maps(
    model: LeNet, split: Split, images: np.ndarray, labels: np.ndarray, epoch: int
) -> None:
    examples, classes = images_of_each_class(images, labels, _MAX_CLASSES)
    kind = "test" if split.is_validated_on_test else "validation"
    rows = ", ".join(name_class(label, split.data.class_names) for label in classes)
    previous = None
    for name, values in feature_maps(model, examples, split.validation_preparation).items():
        # Flattened maps repeat the maps before them.
        if (
            previous is None
            or values.ndim == previous.ndim
            or not np.array_equal(values.ravel(), previous.ravel())
        ):
            description = (
                f"Outputs of {name} for one {kind} image of each class ({rows}), one row each."
                " Dark is high."
            )
            tf.summary.image(
                f"maps/{name}", maps_mosaic(values)[None], step=epoch, description=description
            )
        previous = values


@default_style()
def _write_figure(tag: str, figure: Any, epoch: int, description: str) -> None:
    figure.set_dpi(90)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[None, ..., :3]
    tf.summary.image(tag, pixels, step=epoch, description=description)
