"""A data set in memory, and its division into training, validation and test images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.data.validation import check_images, check_labels
from lenet_tf.errors import DataError
from lenet_tf.specs import Preparation
from lenet_tf.specs.rows import Shape, format_shape

# More classes than this in labels without a stated count are a mistake, such as labels that are pixels.
_MAX_CLASSES = 10_000


def stratified_split(
    labels: np.ndarray, held_back: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint, sorted indices (kept, held back); each class gives its share, `seed` chooses which images."""
    # scikit-learn: the reference implementation of a stratified split.
    from sklearn.model_selection import train_test_split

    try:
        kept, held = train_test_split(
            np.arange(len(labels)), test_size=held_back, random_state=seed, stratify=labels
        )
    except ValueError as error:
        raise DataError(
            f"cannot hold back {held_back:g} of {len(labels):,} images for validation: {error}"
        ) from error
    return np.sort(kept), np.sort(held)


def _count_classes(labels: Any, what: str) -> int:
    """The class count that training labels speak for; raises `DataError` where they leave it open."""
    check_labels(labels, _MAX_CLASSES, name=what)
    missing = np.setdiff1d(np.arange(labels.max(initial=0) + 1), labels)
    if len(missing) and missing[0] == 0:
        raise DataError(
            f"{what} begins at {labels.min()}: classes are counted from 0, so subtract that"
        )
    if len(missing):
        raise DataError(
            f"{what} goes up to {labels.max(initial=0)}, but class {missing[0]} never occurs in it: state num_classes if that is meant"
        )
    return int(labels.max()) + 1


@dataclass(frozen=True)
class RawData:
    """A data set as its authors published it: images (N, height, width[, channels]) of 0…255, labels (N,) of 0…classes − 1.

    `source` says where it came from (originals, cache, download, sample, file, arrays), `version` is the data set's own. `num_classes` 0
    stands for the largest training label + 1, provided that every class below it occurs. Images may also be a
    `lenet_tf.data.streaming.ImageFile`, which leaves them on the disk. Raises `DataError` when an array's rank, dtype, range or length is wrong.
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    name: str = "arrays"
    version: str = ""
    source: str = "arrays"
    num_classes: int = 0

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            check_images(images, f"{self.name}: x_{part}")
            if not self.num_classes:
                object.__setattr__(
                    self, "num_classes", _count_classes(labels, f"{self.name}: y_{part}")
                )
            check_labels(labels, self.num_classes, len(images), f"{self.name}: y_{part}")
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise DataError(
                f"{self.name}: x_train has images of {format_shape(self.x_train.shape[1:])}, x_test of {format_shape(self.x_test.shape[1:])}"
            )

    @cached_property
    def sha256(self) -> str:
        """Hash of shapes, images and labels, whatever source they came from."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(repr(tuple(array.shape)).encode())
            for part in array.parts() if hasattr(array, "parts") else (array,):
                digest.update(
                    np.ascontiguousarray(
                        part, dtype=np.uint8 if len(part.shape) > 1 else np.int64
                    ).data
                )
        return digest.hexdigest()

    def identity(self) -> dict[str, Any]:
        """What a run folder says of its data."""
        counts = {"train": len(self.x_train), "test": len(self.x_test)}
        return {
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "sha256": self.sha256,
            "images": counts,
            "image_shape": list(self.x_train.shape[1:]),
            "num_classes": self.num_classes,
        }


@dataclass(frozen=True)
class Split:
    """A data set divided for a run. `kept` and `held` are numbers of training images: those that train, and those held back to validate.

    `held` None: the test images validate.
    """

    raw: RawData
    kept: np.ndarray
    held: np.ndarray | None

    @property
    def validation(self) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Raw images, their labels, and which of them validate; None: all."""
        return (
            (self.raw.x_test, self.raw.y_test, None)
            if self.held is None
            else (self.raw.x_train, self.raw.y_train, self.held)
        )


def check_raw(data: Any) -> None:
    """Raises `DataError` unless `data` is a `RawData`."""
    if not isinstance(data, RawData):
        made = "load_data makes one of a name, RawData(x_train, y_train, x_test, y_test) of arrays"
        raise DataError(f"data must be a lenet_tf.RawData, not {type(data).__name__}: {made}")


def split_data(raw: RawData, validation: float | str, seed: int) -> Split:
    """Holds back `validation` of the training images (`"test"`: none, the test images serve twice)."""
    check_raw(raw)
    if validation == "test":
        return Split(raw, np.arange(len(raw.x_train)), None)
    return Split(raw, *stratified_split(raw.y_train, float(validation), seed))


def prepared_shape(raw: RawData, preparation: Preparation) -> Shape:
    """(height, width, channels) of the images as the network takes them; raises `DataError` where they cannot be prepared so."""
    return prepare_images(raw.x_test[:1], preparation).shape[1:]
