"""Recorded predictions of a row for all test images, in a text file.

The first line has the labels, then one line per seed has its predictions, one character per image.
Image numbers count from 0: `cut -d' ' -f2 lenet5.predictions | cut -c248` prints what every network
predicts for test image 247.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.io import bounded

# One for each class.
_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LABELS = "labels"
_MAX_BYTES = bounded.MAX_TEXT_BYTES * 16


@dataclass(frozen=True)
class Predictions:
    """The labels of the test images and the predictions of each recorded seed.

    Attributes:
        labels: One character per image. Empty if nothing is recorded.
        by_seed: For each seed, one character per image.
    """

    labels: str = ""
    by_seed: Mapping[int, str] = field(default_factory=dict)

    def with_seed(self, seed: int, labels: str, text: str) -> Predictions:
        """Return these predictions and those of one more seed.

        Args:
            seed: The seed.
            labels: The labels of its test images.
            text: Its predictions.

        Returns:
            New predictions, ordered by seed.

        Raises:
            RunError: If the labels differ from the recorded ones.
        """
        if self.labels not in ("", labels):
            raise RunError(f"seed {seed} has other test images than the recorded seeds")
        return Predictions(labels, dict(sorted({**self.by_seed, seed: text}.items())))

    def correct(self, seed: int) -> np.ndarray:
        """Return which images the network of a seed classifies correctly, bool (N,)."""
        return decode_classes(self.by_seed[seed]) == decode_classes(self.labels)

    def to_text(self) -> str:
        """Return the content of the predictions file."""
        lines = [(_LABELS, self.labels), *self.by_seed.items()]
        return "".join(f"{name} {text}\n" for name, text in lines)


def encode_classes(classes: np.ndarray) -> str:
    """Encode classes as text.

    Args:
        classes: Integers from 0 to 35, (N,).

    Returns:
        One character per class.
    """
    return "".join(_CHARACTERS[number] for number in classes)


def decode_classes(text: str) -> np.ndarray:
    """Decode the text of `encode_classes` to classes, int (N,)."""
    known, encoded = (np.frombuffer(each.encode(), np.uint8) for each in (_CHARACTERS, text))
    return np.searchsorted(known, encoded)


def compute_digest(text: str) -> str:
    """Compute the digest that identifies encoded predictions in a record."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_predictions(path: Path) -> Predictions:
    """Read a predictions file.

    Args:
        path: The file.

    Returns:
        The predictions, none if the file doesn't exist.

    Raises:
        RunError: If the file is damaged or can't be read.
    """
    try:
        content = bounded.read_bounded(path, _MAX_BYTES).decode("ascii")
    except FileNotFoundError:
        return Predictions()
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read {path}: {error}") from error
    lines = [line.split(" ") for line in content.splitlines()]
    if not lines:
        raise RunError(f"{path} is empty")
    for number, line in enumerate(lines, 1):
        if not _is_valid_line(line, number == 1, len(lines[0][-1])):
            raise RunError(
                f"{path}, line {number}: expected 'labels' or a seed, then one character for each"
                " test image"
            )
    return Predictions(lines[0][1], {int(name): text for name, text in lines[1:]})


def _is_valid_line(line: list[str], is_first: bool, num_images: int) -> bool:
    if len(line) != 2:
        return False
    name, text = line
    has_valid_name = name == _LABELS if is_first else name.isdigit()
    return has_valid_name and 0 < len(text) == num_images and set(text) <= set(_CHARACTERS)
