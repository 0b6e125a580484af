"""The answer "not a digit": a second network tells digits from other things.

A network for ten digits answers with one of them whatever it sees, often with over 99%. The second
network has an eleventh class, which it learned from letters, signs, strokes and turned digits.

It lets pass most letters that people write like a digit, such as O, l, S, Z and q, and one in
eight of the other letters. Of digits that are unlike those of MNIST it refuses more than of MNIST's
own: `benchmarks/rejection.py` measures this, and results/rejection.json has the numbers.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import RunError
from lenet_tf.io.bounded import parse_json, read_bounded
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.pretrained.plain_layers import PlainLayer
from lenet_tf.pretrained.reading import read_stream
from lenet_tf.runs.schema import Count, Text
from lenet_tf.runs.validation import check_values
from lenet_tf.specs.preparation import Preparation

# The class of other things, after those of the ten digits.
NOT_A_DIGIT = 10
FOLDER = Path(__file__).parent / "detector"
NAME = "digit-detector"
_MAX_BYTES = 4 << 20
# Data sets of MNIST's digits, all prepared alike.
_DIGITS = ("mnist", "sample")
_SMALLEST = 1e-12
_Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class DetectorFacts:
    """What is known of the network that tells digits from other things.

    Attributes:
        thresholds: An image with a larger score is no digit: the first of a picture with one
            digit, the next of one with two, and so on. More digits have higher thresholds, so that
            a picture is refused as seldom, however many digits it has.
        held_back: How many digits that it wasn't trained on chose the thresholds.
        refused: How many of them have a larger score than the first.
        seed: The seed of the pictures that it was trained on, and of its training.
        pictures: How many pictures of each kind were made for it.
        epochs: How many epochs it was trained.
        data_sha256: The digest of MNIST's images and labels, `RawData.sha256`.
        versions: The versions of the packages that trained it.
        sha256: The digest of its `.keras` file.
    """

    thresholds: tuple[float, ...]
    held_back: Count
    refused: Count
    seed: Count
    pictures: Mapping[str, Count]
    epochs: Count
    data_sha256: _Sha256
    versions: Mapping[str, Text]
    sha256: _Sha256


@dataclass(frozen=True)
class Rejector:
    """Tells images of digits from images of other things.

    Attributes:
        layers: The network with the class `NOT_A_DIGIT`.
        preparation: How it prepares an image.
        thresholds: Images with a larger score aren't digits, see `DetectorFacts`.
    """

    layers: tuple[PlainLayer, ...]
    preparation: Preparation
    thresholds: tuple[float, ...]

    def score(self, images: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Score how little images look like the digits that another network sees in them.

        Args:
            images: uint8 (N, 28, 28) or (N, 28, 28, 1), prepared like MNIST's.
            labels: The most probable digit of each for the other network, int (N,). None: for
                this one.

        Returns:
            float64 (N,): the negative logarithm of the probability of that digit here.
        """
        prepared = prepare_images(images, self.preparation)
        probabilities = compute_outputs(self.layers, prepared)
        if labels is None:
            labels = probabilities[:, :NOT_A_DIGIT].argmax(axis=1)
        chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
        return -np.log(np.maximum(chosen, _SMALLEST))

    def is_digit(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        counts: np.ndarray | int = 1,
    ) -> np.ndarray:
        """Return whether each image shows a digit.

        Args:
            images: As for `score`.
            labels: As for `score`.
            counts: How many digits the picture has from which each image was taken, int (N,).

        Returns:
            bool (N,).
        """
        last = len(self.thresholds) - 1
        thresholds = np.array(self.thresholds)[np.clip(np.asarray(counts) - 1, 0, last)]
        return self.score(images, labels) <= thresholds


def is_digit_data(data: Mapping[str, Any], num_classes: int) -> bool:
    """Return whether a network was trained on MNIST's digits, so that a `Rejector` knows them.

    Args:
        data: What is known of the data set that it was trained on, see `RawData.identity`.
        num_classes: The number of its classes.
    """
    return data.get("name") in _DIGITS and num_classes == NOT_A_DIGIT


@functools.cache
def load_rejector() -> Rejector:
    """Load the network that tells digits from other things.

    Returns:
        It, with its threshold.

    Raises:
        RunError: If its files are missing or were changed.
    """
    network = read_detector()
    return Rejector(fold(network), network.spec.preparation, read_facts().thresholds)


def read_detector() -> TrainedNetwork:
    """Read the network that tells digits from other things.

    Raises:
        RunError: If its files are missing or were changed.
    """
    path = FOLDER / f"{NAME}.keras"
    try:
        content = read_bounded(path, _MAX_BYTES, follow_links=False)
        if hashlib.sha256(content).hexdigest() != read_facts().sha256:
            raise ValueError("it is not the file that lenet_tf was published with")
        return read_stream(io.BytesIO(content), is_own=True)
    except (OSError, ValueError) as error:
        raise _explain(path, error) from error


def read_facts() -> DetectorFacts:
    """Read what is known of the network that tells digits from other things.

    Raises:
        RunError: If the file is missing or damaged.
    """
    path = FOLDER / f"{NAME}.json"
    try:
        return check_values(
            parse_json(read_bounded(path, _MAX_BYTES, follow_links=False)), DetectorFacts
        )
    except (OSError, ValueError) as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: Exception) -> RunError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return RunError(f"{path} cannot be used: {reason}. Install lenet_tf again")
