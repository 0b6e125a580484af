"""The test images of a page: some of each class, and among them some that a network misreads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import DataError, RunError
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.inference.page.page_networks import PageNetwork, hide_folder
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.specs.rows import format_shape

# How many images a page has, how many of them are misread, and among how many they are looked for.
NUM_IMAGES, NUM_MISREAD, _NUM_SEARCHED = 100, 10, 10_000
# Images that are computed together.
_STEP = 1_000


@dataclass(frozen=True)
class ExampleImages:
    """The test images of a page.

    Attributes:
        data_name: The data set; empty if there are no images.
        images: uint8 (N, height, width, channels), by class and number.
        labels: The class of each, int (N,).
        numbers: The number of each in the data set's test images, int (N,).
        misread_by: The positions of the page's networks that misread it.
    """

    data_name: str
    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray
    misread_by: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what `scripts/main.js` reads."""
        return {
            "data": hide_folder(self.data_name),
            "images": pack_arrays([self.images]),
            "labels": self.labels.tolist(),
            "numbers": self.numbers.tolist(),
            "misreadBy": [list(each) for each in self.misread_by],
        }


def make_no_examples(shape: tuple[int, int, int]) -> ExampleImages:
    """Return no images of a shape."""
    nothing = np.zeros(0, np.int64)
    return ExampleImages("", np.zeros((0, *shape), np.uint8), nothing, nothing, ())


def choose_examples(
    data: RawData,
    networks: Sequence[PageNetwork],
    predictions: Sequence[np.ndarray] | None = None,
) -> ExampleImages:
    """Choose the test images of a page, always the same ones.

    Args:
        data: The data set.
        networks: The page's networks.
        predictions: What each network predicts for all test images, if that is known.

    Returns:
        Up to `NUM_IMAGES` images, as many of each class. Up to `NUM_MISREAD` of them, spread over
        classes and networks, are misread by a network.

    Raises:
        DataError: If the networks take other images or have other classes.
        RunError: If a network's outputs are NaN or infinite.
    """
    check_data(data, networks[0])
    labels = np.asarray(data.y_test)
    candidates = _list_candidates(labels, data.num_classes)
    if predictions is None:
        found = np.stack([_predict(each, data, candidates) for each in networks])
    else:
        found = np.stack([each[candidates] for each in predictions])
    misread: np.ndarray = np.not_equal(found, labels[candidates])
    chosen = _choose(labels[candidates], misread)
    numbers = candidates[chosen]
    return ExampleImages(
        data.name,
        _take_images(data, numbers, networks[0].image_shape),
        labels[numbers].astype(np.int64),
        numbers,
        tuple(tuple(map(int, np.flatnonzero(misread[:, index]))) for index in chosen),
    )


def check_data(data: RawData, network: PageNetwork) -> None:
    """Raise `DataError` unless a data set has images and classes like those of a network."""
    shape = (*data.image_shape, 1)[:3]
    if shape != network.image_shape or data.num_classes != len(network.class_names):
        raise DataError(
            f"{network.name} takes images of {format_shape(network.image_shape)} and knows"
            f" {len(network.class_names)} classes, but {data.name} has images of"
            f" {format_shape(shape)} and {data.num_classes} classes"
        )


def _list_candidates(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return the first images of each class, by number."""
    each_class = max(1, _NUM_SEARCHED // num_classes)
    first = [np.flatnonzero(labels == label)[:each_class] for label in range(num_classes)]
    return np.sort(np.concatenate(first))


def _choose(labels: np.ndarray, misread: np.ndarray) -> np.ndarray:
    """Choose among candidates.

    Args:
        labels: Their classes, int (N,).
        misread: Whether each network misreads each, bool (networks, N).

    Returns:
        Positions, by class and then by position.
    """
    classes = np.unique(labels)[:NUM_IMAGES]
    each_class = max(1, NUM_IMAGES // len(classes))
    each_misread = min(each_class, max(1, NUM_MISREAD // len(classes)))
    is_read = misread.sum(axis=0) == 0
    chosen: list[int] = []
    turn, left = 0, NUM_MISREAD
    for label in classes:
        members = np.flatnonzero(labels == label)
        wrong: list[int] = []
        while len(wrong) < min(each_misread, left):
            # The networks take turns, so that each has some of its own mistakes on the page.
            order = np.roll(np.arange(len(misread)), -turn)
            options = [members[misread[network, members]] for network in order]
            fresh = [index for each in options for index in each if index not in wrong]
            if not fresh:
                break
            wrong.append(int(fresh[0]))
            turn += 1
        left -= len(wrong)
        right = members[is_read[members]]
        others = [index for index in (*right, *members) if index not in wrong]
        rest = list(dict.fromkeys(map(int, others)))[: each_class - len(wrong)]
        chosen += sorted(wrong + rest)
    return np.array(chosen, np.int64)


def _predict(network: PageNetwork, data: RawData, numbers: np.ndarray) -> np.ndarray:
    spec, layers = network.trained.spec, fold(network.trained)
    predictions = []
    for start in range(0, len(numbers), _STEP):
        images = _take_images(data, numbers[start : start + _STEP], network.image_shape)
        with np.errstate(all="ignore"):  # checked below
            outputs = compute_outputs(
                layers, prepare_images(images, spec.preparation.for_test_images)
            )
        if not np.isfinite(outputs).all():
            raise RunError(
                f"the outputs of {network.name} are NaN or infinite, as after a training that"
                " diverged: choose another model, or train it again with a lower learning rate"
            )
        predictions.append(outputs.argmax(axis=1))
    return np.concatenate(predictions)


def _take_images(data: RawData, numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return test images by number, which may be on the disk."""
    images = np.asarray(data.x_test[numbers])
    return images.astype(np.uint8).reshape(-1, *shape)
