"""Predictions of a row's networks for all test images: a text file, one line for the labels and one for each seed, one digit an image.

Image numbers count from 0: `cut -d' ' -f2 lenet5.predictions | cut -c248` shows what every network says of test image 247.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lenet_tf.errors import RunError
from lenet_tf.io import bounded

# A class is one character.
_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LABELS = "labels"


def encode_classes(classes: np.ndarray) -> str:
    """Classes, whole numbers (N,) in 0…35, as a text of N characters."""
    return "".join(_CHARACTERS[number] for number in classes)


def digest(text: str) -> str:
    """Names a text of predictions in its record."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Predictions:
    """Labels and, by seed, predictions of a row, each a text of one character an image; no labels where nothing was recorded."""

    labels: str = ""
    by_seed: Mapping[int, str] = field(default_factory=dict)

    def with_seed(self, seed: int, labels: str, text: str) -> Predictions:
        """These and another seed's; raises `RunError` for those of other test images."""
        if self.labels not in ("", labels):
            raise RunError(f"seed {seed} has other test images than the recorded seeds")
        return Predictions(labels, dict(sorted({**self.by_seed, seed: text}.items())))

    def correct(self, seed: int) -> np.ndarray:
        """Whether the seed's network classifies each image correctly: bool (N,)."""
        return decode_classes(self.by_seed[seed]) == decode_classes(self.labels)

    def to_text(self) -> str:
        return "".join(
            f"{name} {text}\n" for name, text in {_LABELS: self.labels, **self.by_seed}.items()
        )


def decode_classes(text: str) -> np.ndarray:
    """The text that `as_text` made → int (N,)."""
    return np.searchsorted(
        np.frombuffer(_CHARACTERS.encode(), np.uint8), np.frombuffer(text.encode(), np.uint8)
    )


def read(path: Path) -> Predictions:
    """What the file holds, nothing where there is none; raises `RunError` for one that is damaged."""
    try:
        lines = [
            line.split(" ")
            for line in bounded.read_bounded(path, bounded.MAX_TEXT_BYTES * 16)
            .decode("ascii")
            .splitlines()
        ]
    except FileNotFoundError:
        return Predictions()
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        name, text = line if len(line) == 2 else ("", "")
        named = name == _LABELS if number == 1 else name.isdigit()
        if not named or not text or set(text) - set(_CHARACTERS) or len(text) != len(lines[0][1]):
            raise RunError(
                f"{path}, line {number}: not 'labels' or a seed and one character for each test image"
            )
    if not lines:
        raise RunError(f"{path} is empty")
    return Predictions(lines[0][1], {int(name): text for name, text in lines[1:]})
