"""What a picture becomes for a network: a digit like MNIST's, or an image of a set of pictures."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lenet_tf.data.picture_images import fit_image, to_preview
from lenet_tf.data.read_options import MAX_SIDE
from lenet_tf.errors import DataError
from lenet_tf.inference.image_files import read_gray, read_image, read_small_gray, to_upright_gray
from lenet_tf.inference.prepared_digit import SIZE, is_prepared
from lenet_tf.io.bounded import read_bounded
from lenet_tf.io.pictures import MAX_BYTES, hide_decoder_warnings
from lenet_tf.specs import Spec

if TYPE_CHECKING:
    from lenet_tf.inference.digit_search import DigitBox

# A file of more bytes takes so long to read that a thread is worth it.
_SMALL_BYTES = 2048
# The longest side of a picture that is kept for a figure.
_MAX_KEPT_SIDE = 240
# What `RawData.source` says of folders and archives of pictures.
_PICTURES = "pictures"
# Its images fill their frame, unlike digits.
_GARMENTS = "fashion_mnist"


@dataclass(frozen=True)
class ReadPicture:
    """A picture file that was read, or the reason why it was not.

    Attributes:
        file: Path of the file; None if it came from memory.
        image: uint8 (height, width) or (height, width, 3), for a network's own preparation.
        picture: The picture scaled down, likewise.
        digits: The digits of a picture of several, which then has no image.
        size: Height and width of that picture in pixels.
        error: Why there is neither.
    """

    file: Path | None = None
    image: np.ndarray | None = None
    picture: np.ndarray | None = None
    digits: tuple[DigitBox, ...] = ()
    size: tuple[int, int] | None = None
    error: str | None = None


@dataclass(frozen=True)
class PictureInput:
    """What each picture becomes before a network's own preparation.

    Attributes:
        size: Height and width that it is cropped and resized to, as `lenet_tf.load_data` does with
            folders of pictures. None makes a digit image like those of MNIST.
        color: Whether it has three channels.
        classify: Computes the probabilities of digit images, to find several digits in a picture.
            None refuses such a picture.
    """

    size: tuple[int, int] | None = None
    color: bool = False
    classify: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def image_bytes(self) -> int:
        """Bytes of one image."""
        return math.prod(self.size or (SIZE, SIZE)) * (3 if self.color else 1)

    def read(
        self, pool: Executor, files: Sequence[Path], keep_pictures: int
    ) -> Iterator[ReadPicture]:
        """Read pictures in threads.

        Args:
            pool: Runs the threads.
            files: The files.
            keep_pictures: How many results need their picture.
        """
        if self.size is None:
            yield from self._read_digits(pool, files, keeps_pictures=keep_pictures > 0)
            return
        read = functools.partial(self._read_image, keeps_picture=keep_pictures > 0)
        yield from _read_all(pool, read, files)

    def convert(self, picture: Image.Image) -> ReadPicture:
        """Convert a picture in memory.

        Args:
            picture: The picture, of any mode.
        """
        metadata = {name: picture.info.get(name, b"") for name in ("exif", "xmp")}
        try:
            with hide_decoder_warnings():
                picture.load()
                if self.size is None:
                    return self._find_digits(to_upright_gray(picture, metadata))
                image = fit_image(picture, metadata, self.size, self.color)
            return ReadPicture(image=image)
        except (OSError, ValueError) as error:
            return ReadPicture(error=str(error))

    def _read_image(self, file: Path, keeps_picture: bool) -> ReadPicture:
        try:
            image = read_image(file, self.size, self.color)
            preview = None
            if keeps_picture:
                preview = to_preview(read_bounded(file, MAX_BYTES), _MAX_KEPT_SIDE)
            return ReadPicture(file, image, preview)
        except DataError as error:
            return ReadPicture(file, error=str(error))
        except (OSError, ValueError) as error:  # the file has changed
            return ReadPicture(file, error=f"{file}: not a readable picture ({error})")

    def _read_digits(
        self, pool: Executor, files: Sequence[Path], keeps_pictures: bool
    ) -> Iterator[ReadPicture]:
        """Read pictures and their digit images."""
        read = functools.partial(self._read_digit, keeps_picture=keeps_pictures)
        small = _read_all(pool, functools.partial(read, is_small=True), files)
        for file, digit in zip(files, small, strict=True):
            # One thread reads the large ones: each further thread would keep memory for one.
            is_large = digit.image is None and digit.error is None and not digit.digits
            yield read(file, is_small=False) if is_large else digit

    def _read_digit(self, file: Path, is_small: bool, keeps_picture: bool) -> ReadPicture:
        try:
            picture = read_small_gray(file) if is_small else read_gray(file)
            if picture is None:
                return ReadPicture(file)
            kept = _scale_down(picture) if keeps_picture else None
            return replace(self._find_digits(picture), file=file, picture=kept)
        except DataError as error:
            return ReadPicture(file, error=str(error))

    def _find_digits(self, picture: np.ndarray) -> ReadPicture:
        """Return the image of the only digit, or several digits."""
        if is_prepared(picture):
            return ReadPicture(image=picture)
        # These need SciPy, whose import takes as long as the rest of a prediction.
        from lenet_tf.inference.digit_preprocessing import as_digit
        from lenet_tf.inference.digit_search import find_digits
        from lenet_tf.inference.stroke_selection import SeveralDigitsError

        try:
            return ReadPicture(image=as_digit(picture))
        except SeveralDigitsError:
            if self.classify is None:
                raise
            digits = find_digits(picture, self.classify)
            if len(digits) < 2:
                raise
        return ReadPicture(digits=tuple(digits), size=picture.shape[:2])


def _read_all(
    pool: Executor, read: Callable[[Path], ReadPicture], files: Sequence[Path]
) -> Iterator[ReadPicture]:
    """Read files in order, those of some size in threads.

    Threads that read files of MNIST's size wait for each other most of the time.
    """
    tasks = [pool.submit(read, file) if _is_worth_a_thread(file) else None for file in files]
    for file, task in zip(files, tasks, strict=True):
        yield read(file) if task is None else task.result()


def _is_worth_a_thread(file: Path) -> bool:
    try:
        return file.stat().st_size > _SMALL_BYTES
    except OSError:  # reading it says why
        return False


def choose_picture_input(
    spec: Spec, data: Mapping[str, Any], prepare: str | None = None
) -> PictureInput:
    """Choose what pictures become for a network.

    Args:
        spec: The network.
        data: What its run records of its data set, or nothing.
        prepare: `digit` or `picture`. None: `picture` if it was trained on pictures from files, on
            colors or on Fashion-MNIST.

    Raises:
        DataError: `prepare` is something else.
    """
    if prepare not in (None, "digit", "picture"):
        raise DataError(f"prepare must be digit or picture, not {prepare!r}")
    height, width, channels = find_raw_shape(spec, data)
    is_garment = data.get("name", spec.data) == _GARMENTS
    is_picture = data.get("source") == _PICTURES or channels == 3 or is_garment
    if prepare == "digit" or (prepare is None and not is_picture):
        return PictureInput()
    return PictureInput((height, width), color=channels == 3)


def find_raw_shape(spec: Spec, data: Mapping[str, Any]) -> tuple[int, int, int]:
    """Find the shape of the images that a network was trained on.

    Args:
        spec: The network.
        data: What its run records of its data set, or nothing.

    Returns:
        Height, width and channels.
    """
    shape = data.get("image_shape")
    if isinstance(shape, list) and len(shape) in (2, 3):
        height, width, channels = (*shape, 1)[:3]
        if min(height, width) >= 1 and max(height, width) <= MAX_SIDE:
            return height, width, channels
    height, width, channels = spec.input_shape
    # Without a run, only the network's own data set says whether gray images were repeated.
    if spec.preparation.channels is not None and spec.data == Spec.data:
        channels = 1
    return height, width, channels


def _scale_down(picture: np.ndarray) -> np.ndarray:
    scale = min(1, _MAX_KEPT_SIDE / max(picture.shape))
    height, width = (max(1, round(side * scale)) for side in picture.shape)
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
