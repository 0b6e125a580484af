"""Raw images 0…255 → channel axis, reduced digits, zero padding, normalisation, one-hot labels, train/validation/test split.

Each step is a function that leaves its input alone and refuses a wrong rank, dtype or range. The steps take NumPy arrays or backend
tensors, so that they run eagerly and inside a `tf.data` pipeline alike; the values of a symbolic tensor cannot be checked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

from lenet_tf.checks import check_images, check_labels, dtype_of, operations
from lenet_tf.errors import DataError
from lenet_tf.specs.recipes import MNIST_DIGIT, Preparation
from lenet_tf.specs.rows import Shape, times

# What a raw 0 (background) and a raw 255 (ink) become.
RANGES = {"unit": (0.0, 1.0), "lecun1998": (-0.1, 1.175), "unit_twice": (0.0, 1 / 255)}
# More classes than this in labels without a stated count are a mistake, such as labels that are pixels.
_MOST_CLASSES = 10_000


def add_channel_axis(images: Any) -> Any:
    """(N, height, width) → (N, height, width, 1); images that have channels stay as they are."""
    check_images(images)
    return images[..., None] if len(images.shape) == 3 else images


def pad_to(images: Any, size: int) -> Any:
    """Zero padding of (N, height, width, channels) to `size` × `size`, centred; an odd row or column goes below and right."""
    check_images(images)
    height, width = images.shape[1:3]
    if height > size or width > size:
        raise DataError(f"images of {height}×{width} do not fit into the {size}×{size} that the network pads to")
    rows, columns = size - height, size - width
    frame = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return operations(images).pad(images, frame) if rows or columns else images


def reduce_digits(images: Any, size: int) -> Any:
    """Raw (N, height, width, channels) → the same, reduced as 20×20 is to `size` × `size`, centred in a frame as large as before.

    A pixel is the mean of the area that it now covers, rounded to a whole number, ties up; around the images there is background 0.
    """
    check_images(images)
    # In units of a `size`-th of a pixel all is whole: a pixel there was is `size` wide, one that will be 20.
    down, across = (_shared_lengths(side, size) for side in images.shape[1:3])
    ops = operations(images)
    sums = ops.einsum("ih,nhwc->niwc", down, ops.array(images, dtype="float32"))
    sums = ops.einsum("jw,niwc->nijc", across, sums)
    return ops.array(ops.floor(sums / np.float32(MNIST_DIGIT**2) + np.float32(0.5)), dtype=dtype_of(images))


@cache
def _shared_lengths(side: int, size: int) -> np.ndarray:
    """(side, side), whole numbers: how much of a pixel after reduction lies on each pixel before, both rows of pixels centred alike."""
    middle = np.arange(side) - (side - 1) / 2
    after, before = middle[:, None] * MNIST_DIGIT, middle[None, :] * size
    right = np.minimum(after + MNIST_DIGIT / 2, before + size / 2)
    left = np.maximum(after - MNIST_DIGIT / 2, before - size / 2)
    return np.maximum(right - left, 0).astype(np.float32)


def repeat_channels(images: Any, channels: int) -> Any:
    """(N, height, width, 1) → (N, height, width, `channels`), all channels equal; images with that many stay as they are."""
    check_images(images)
    if images.shape[-1] not in (1, channels):
        raise DataError(f"images of {images.shape[-1]} channels cannot become images of {channels}: only grey ones can")
    return images if images.shape[-1] == channels else operations(images).repeat(images, channels, axis=-1)


def normalise(images: Any, normalisation: str = "unit") -> Any:
    """Whole numbers 0…255 → float32: `unit` 0…1, `lecun1998` −0.1 (background) … 1.175 (ink) (LeCun et al. 1998, section II.B), or
    `unit_twice` 0…1/255, divided by 255 twice as the tutorial does to its test images by mistake."""
    check_images(images)
    if normalisation not in RANGES:
        raise DataError(f"unknown normalisation {normalisation!r}: known are {', '.join(RANGES)}")
    low, high = (np.float32(bound) for bound in RANGES[normalisation])
    scaled = operations(images).array(images, dtype="float32") / np.float32(255)
    if normalisation == "unit_twice":
        return scaled / np.float32(255)
    return scaled if normalisation == "unit" else scaled * (high - low) + low


def one_hot(labels: Any, num_classes: int) -> Any:
    """Whole numbers (N,) in 0…`num_classes` − 1 → float32 (N, num_classes), 1 at the label and 0 elsewhere."""
    check_labels(labels, num_classes)
    classes = np.arange(num_classes)
    return operations(labels).array(labels[:, None] == classes, dtype="float32")


def prepare_images(images: Any, preparation: Preparation) -> Any:
    """Raw (N, height, width[, channels]) 0…255 → float32 (N, height, width, channels) as the network takes it."""
    images = add_channel_axis(images)
    if preparation.digit_size is not None:
        images = reduce_digits(images, preparation.digit_size)
    if preparation.pad_to is not None:
        images = pad_to(images, preparation.pad_to)
    if preparation.channels is not None:
        images = repeat_channels(images, preparation.channels)
    return normalise(images, preparation.normalisation)


def stratified_split(labels: np.ndarray, held_back: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint, sorted indices (kept, held back); each class gives its share, `seed` chooses which images."""
    # scikit-learn: the reference implementation of a stratified split.
    from sklearn.model_selection import train_test_split

    try:
        kept, held = train_test_split(np.arange(len(labels)), test_size=held_back, random_state=seed, stratify=labels)
    except ValueError as error:
        raise DataError(f"cannot hold back {held_back:g} of {len(labels):,} images for validation: {error}") from error
    return np.sort(kept), np.sort(held)


def _count_classes(labels: Any, what: str) -> int:
    """The class count that training labels speak for; raises `DataError` where they leave it open."""
    check_labels(labels, _MOST_CLASSES, what=what)
    missing = np.setdiff1d(np.arange(labels.max(initial=0) + 1), labels)
    if len(missing) and missing[0] == 0:
        raise DataError(f"{what} begins at {labels.min()}: classes are counted from 0, so subtract that")
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
    `lenet_tf.streaming.ImageFile`, which leaves them on the disk. Raises `DataError` when an array's rank, dtype, range or length is wrong.
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
                object.__setattr__(self, "num_classes", _count_classes(labels, f"{self.name}: y_{part}"))
            check_labels(labels, self.num_classes, len(images), f"{self.name}: y_{part}")
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise DataError(f"{self.name}: x_train has images of {times(self.x_train.shape[1:])}, x_test of {times(self.x_test.shape[1:])}")

    @cached_property
    def sha256(self) -> str:
        """Hash of shapes, images and labels, whatever source they came from."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(repr(tuple(array.shape)).encode())
            for part in array.parts() if hasattr(array, "parts") else (array,):
                digest.update(np.ascontiguousarray(part, dtype=np.uint8 if len(part.shape) > 1 else np.int64).data)
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
        return (self.raw.x_test, self.raw.y_test, None) if self.held is None else (self.raw.x_train, self.raw.y_train, self.held)


def check_raw(data: Any) -> None:
    """Raises `DataError` unless `data` is a `RawData`."""
    if not isinstance(data, RawData):
        made = "load_data makes one of a name, RawData(x_train, y_train, x_test, y_test) of arrays"
        raise DataError(f"data must be a lenet_tf.RawData, not {type(data).__name__}: {made}")


def split(raw: RawData, validation: float | str, seed: int) -> Split:
    """Holds back `validation` of the training images (`"test"`: none, the test images serve twice)."""
    check_raw(raw)
    if validation == "test":
        return Split(raw, np.arange(len(raw.x_train)), None)
    return Split(raw, *stratified_split(raw.y_train, float(validation), seed))


def prepared_shape(raw: RawData, preparation: Preparation) -> Shape:
    """(height, width, channels) of the images as the network takes them; raises `DataError` where they cannot be prepared so."""
    return prepare_images(raw.x_test[:1], preparation).shape[1:]
