"""What TensorBoard shows after a chosen epoch: filters, feature maps, answers to the validation images, precision against recall."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tensorboard.plugins.pr_curve import summary as pr_curve

from lenet_tf.data.dataset import Split
from lenet_tf.evaluation import figures
from lenet_tf.evaluation.evaluate import predict, to_probabilities
from lenet_tf.evaluation.inspection import feature_maps, filters
from lenet_tf.evaluation.scores import Scores
from lenet_tf.models.lenet import LeNet
from lenet_tf.specs import Preparation
from lenet_tf.training.tensorboard.mosaics import filters_mosaic, maps_mosaic

# Validation images that are looked at: of a streamed data set there may be a million.
_MAX = 10_000


def validation_images(divided: Split, most: int = _MAX) -> tuple[np.ndarray, np.ndarray]:
    """(Raw images, labels) of up to so many of a run's validation images, evenly among them: data may be sorted by class."""
    images, labels, held = divided.validation
    places = evenly_spaced(len(images) if held is None else len(held), most)
    chosen = places if held is None else held[places]
    return images[chosen], labels[chosen]


def evenly_spaced(count: int, most: int) -> np.ndarray:
    """Numbers of up to `most` of `count` things, evenly among them."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def preparation_of(network: LeNet, divided: Split) -> Preparation:
    """How validation images are prepared: test images that serve as such as test images are."""
    preparation = network.spec.preparation
    return preparation.of_test if divided.held is None else preparation


def images_of_each_class(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(The first image of each class that occurs, those classes)."""
    classes, first = np.unique(labels, return_index=True)
    return images[first], classes


def write_filters(network: LeNet, epoch: int) -> None:
    """Of each convolution, into the writer that is in use."""
    for name, kernels in filters(network).items():
        told = f"Kernels of {name}: a column for each feature map, a line for each of its input maps. Blue is negative, orange positive."
        tf.summary.image(
            f"filters/{name}", filters_mosaic(kernels)[None], step=epoch, description=told
        )


def write_predictions(network: LeNet, divided: Split, epoch: int) -> None:
    """Feature maps, confusion matrix, worst mistakes and PR curves of the validation images, into the writer that is in use."""
    images, labels = validation_images(divided)
    preparation, whose = (
        preparation_of(network, divided),
        "test" if divided.held is None else "validation",
    )
    shown, classes = images_of_each_class(images, labels)
    lines = ", ".join(str(label) for label in classes)
    before = None
    for name, values in feature_maps(network, shown, preparation).items():
        # Flattened maps are those above them once more.
        if (
            before is None
            or values.ndim == before.ndim
            or not np.array_equal(values.ravel(), before.ravel())
        ):
            told = f"What {name} makes of one {whose} image of each class ({lines}), a line for each; dark is high."
            tf.summary.image(
                f"maps/{name}", maps_mosaic(values)[None], step=epoch, description=told
            )
        before = values
    chances = to_probabilities(network, predict(network, images, preparation))
    scores = Scores.from_predictions(labels, chances.argmax(axis=1), divided.raw.num_classes)
    told = f"{len(labels):,} {whose} images: how many of each class, a line, were answered by each, a column."
    tf.summary.image(
        "answers/confusion_matrix",
        _drawn(figures.plot_confusion_matrix(scores)),
        step=epoch,
        description=told,
    )
    told = "The wrong answers given with the greatest probability: class, answer, probability."
    tf.summary.image(
        "answers/worst_mistakes",
        _drawn(figures.plot_mistakes(images, labels, chances, columns=4)),
        step=epoch,
        description=told,
    )
    for label in range(divided.raw.num_classes):
        told = f"Precision and recall of class {label} on {len(labels):,} {whose} images, over thresholds of its probability."
        curve = pr_curve.pb(f"class_{label}", labels == label, chances[:, label], description=told)
        tf.summary.experimental.write_raw_pb(curve.SerializeToString(), step=epoch)


def _drawn(figure: Any) -> np.ndarray:
    """uint8 (1, height, width, 3)."""
    figure.set_dpi(90)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[None, ..., :3]
