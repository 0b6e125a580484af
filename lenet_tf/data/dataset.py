"""A data set in memory, and its split into training, validation and test images."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.conversions import convert_arrays
from lenet_tf.data.digests import compute_digest
from lenet_tf.data.label_files import LabelFile
from lenet_tf.data.labels import (
    check_class_count,
    check_labels,
    count_classes,
)
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.selections import Indices, Selection
from lenet_tf.data.stratification import stratified_split
from lenet_tf.data.validation import check_brightness, check_images, to_array
from lenet_tf.errors import DataError, DataWarning
from lenet_tf.specs import Preparation
from lenet_tf.specs.rows import format_shape
from lenet_tf.specs.validators import MAX_NAME, are_class_names

# For a name, version or source, which a path may be.
_MAX_TEXT = 4_096


@dataclass(frozen=True)
class RawData:
    """A data set of raw images and labels, checked.

    Lists, tensors and pandas' Series become NumPy arrays by position, without their index. Arrays
    of another clear form are converted with a warning: floats of 0…1, channels first, one-hot
    labels, texts, labels from 1. Where a form is ambiguous, an error names the option to pass.

    Args:
        x_train: Images of uint8 in 0…255, shape (N, height, width) or (N, height, width, channels).
            A `lenet_tf.data.streaming.ImageFile` keeps them on disk.
        y_train: Whole numbers of shape (N,) in 0…num_classes − 1. A
            `lenet_tf.data.label_files.LabelFile` keeps them on disk.
        x_test: As `x_train`, with the same image shape.
        y_test: As `y_train`.
        name: Name of the data set in messages, reports and run folders.
        version: The data set's own version.
        source: Where the arrays came from: originals, cache, download, sample, file, pictures or
            arrays.
        num_classes: Number of classes. 0 takes the largest training label + 1, if every class
            below it occurs.
        class_names: Names of the classes, all different, for predictions and reports. None are
            numbers.
        options: The options of `load_data` with which the files were read, for a run's record.
        layout: As in `load_data`.
        values: As in `load_data`.
        labels: As in `load_data`.

    Raises:
        DataError: An array has the wrong rank, dtype, range or length, or an ambiguous form.

    Warns:
        DataWarning: Arrays were converted.

    Example:
        >>> import lenet_tf
        >>> import numpy as np
        >>> images, labels = np.full((20, 28, 28), 255, np.uint8), np.arange(20) % 10
        >>> data = lenet_tf.RawData(images, labels, images, labels)
        >>> data.num_classes
        10
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    name: str = "arrays"
    version: str = ""
    source: str = "arrays"
    num_classes: int = 0
    class_names: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    # Not fields: `replace` would apply them to arrays that are converted already.
    layout: InitVar[str | None] = None
    values: InitVar[Any] = None
    labels: InitVar[Any] = None

    def __post_init__(self, layout: str | None, values: Any, labels: Any) -> None:
        _check_texts(self)
        self._convert(ReadOptions(layout=layout, values=values, labels=labels))
        for part in ("train", "test"):
            images, labels = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            check_images(images, f"{self.name}: x_{part}")
            if self.num_classes == 0:
                count = count_classes(labels, f"{self.name}: y_{part}")
                object.__setattr__(self, "num_classes", count)
            check_class_count(self.num_classes, self.name)
            check_labels(labels, self.num_classes, len(images), f"{self.name}: y_{part}")
            check_brightness(images, f"{self.name}: x_{part}")
        object.__setattr__(self, "num_classes", int(self.num_classes))
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            train, test = (format_shape(x.shape[1:]) for x in (self.x_train, self.x_test))
            raise DataError(f"{self.name}: x_train has images of {train}, x_test of {test}")
        names = self.class_names
        names = names.tolist() if hasattr(names, "tolist") else names
        if names != () and not are_class_names(names, self.num_classes):
            raise DataError(
                f"{self.name}: class_names must be {self.num_classes} different texts that can be"
                f" printed, each of at most {MAX_NAME} characters"
            )
        object.__setattr__(self, "class_names", tuple(names))

    def _convert(self, options: ReadOptions) -> None:
        """Convert arrays of another form, and warn of what was guessed."""
        names = ("x_train", "y_train", "x_test", "y_test")
        arrays = {name: to_array(getattr(self, name), f"{self.name}: {name}") for name in names}
        converted = convert_arrays(arrays, options, self.name, self.num_classes, self.class_names)
        changes = {"num_classes": converted.num_classes, "class_names": converted.class_names}
        for name, value in (converted.arrays | changes).items():
            object.__setattr__(self, name, value)
        if converted.notes:
            message = f"{self.name}: {'; '.join(converted.notes)}"
            # The caller of the constructor that dataclasses wrote.
            warnings.warn(message, DataWarning, stacklevel=5)

    @property
    def has_photographs(self) -> bool:
        """Whether gray images are shown as they are; others are ink, whose high values are dark."""
        return self.source == "pictures"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one raw image: (height, width) or (height, width, channels)."""
        return tuple(self.x_train.shape[1:])

    @cached_property
    def _digest(self) -> tuple[str, Path | None]:
        return compute_digest((self.x_train, self.y_train, self.x_test, self.y_test))

    @property
    def sha256(self) -> str:
        """SHA-256 of shapes, images and labels. It does not depend on their source."""
        return self._digest[0]

    @property
    def digest_file(self) -> Path | None:
        """The file that keeps the SHA-256 of large files, or None."""
        return self._digest[1]

    def identity(self) -> dict[str, Any]:
        """Return what a run folder records of its data, ready for JSON."""
        counts = {"train": len(self.x_train), "test": len(self.x_test)}
        return {
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "sha256": self.sha256,
            "images": counts,
            "image_shape": list(self.image_shape),
            "num_classes": self.num_classes,
            **({"class_names": list(self.class_names)} if self.class_names else {}),
            **({"options": dict(self.options)} if self.options else {}),
        }


def _check_texts(data: RawData) -> None:
    """Check what run folders and pages show of a data set's origin."""
    for part in ("name", "version", "source"):
        value = getattr(data, part)
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            shown = type(value).__name__ if not isinstance(value, str) else f"{len(value):,}"
            raise DataError(
                f"{part} of a data set must be text of at most {_MAX_TEXT} characters, not {shown}"
            )


@dataclass(frozen=True)
class Split:
    """A data set split for one run, with the preparation of its images.

    Args:
        data: The raw data set.
        train_indices: Indices of the training images to train on, int (N,). They are `Selection`s
            if the labels are in a file.
        validation_indices: Indices of the training images that are held out for validation.
            None validates on the test images.
        preparation: The network's preparation of training images.
    """

    data: RawData
    train_indices: Indices
    validation_indices: Indices | None
    preparation: Preparation

    @property
    def is_validated_on_test(self) -> bool:
        """Whether the test images serve as validation images."""
        return self.validation_indices is None

    @property
    def validation(self) -> tuple[Any, Any, Indices | None]:
        """Raw images, their labels, and the indices of those that validate. None means all."""
        if self.validation_indices is None:
            return self.data.x_test, self.data.y_test, None
        return self.data.x_train, self.data.y_train, self.validation_indices

    @property
    def validation_preparation(self) -> Preparation:
        """The preparation of validation images: that of test images if they are test images."""
        return self.preparation.for_test_images if self.is_validated_on_test else self.preparation


def check_raw_data(data: Any) -> None:
    """Raise `DataError` unless `data` is a `RawData`."""
    if not isinstance(data, RawData):
        raise DataError(
            f"data must be a lenet_tf.RawData, not {type(data).__name__}: use load_data(name), or"
            " RawData(x_train, y_train, x_test, y_test) for arrays"
        )


def split_data(
    data: RawData, validation: float | str, seed: int, preparation: Preparation | None = None
) -> Split:
    """Split the training images into those that train and those that validate.

    Args:
        data: The raw data set.
        validation: Fraction of the training images to hold out, above 0 and below 1, or `"test"`
            to validate on the test images.
        seed: Chooses the held-out images, stratified by class.
        preparation: The network's preparation. None takes the default.

    Returns:
        The split. Its indices are sorted.

    Raises:
        DataError: `data` is no `RawData`, or a class has too few images for the fraction.
    """
    check_raw_data(data)
    preparation = preparation or Preparation()
    if validation == "test":
        count, is_file = len(data.x_train), isinstance(data.y_train, LabelFile)
        return Split(data, Selection(count) if is_file else np.arange(count), None, preparation)
    return Split(data, *stratified_split(data.y_train, float(validation), seed), preparation)
