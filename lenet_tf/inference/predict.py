"""Predictions for picture files: the class, its probability and the runner-up."""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lenet_tf.errors import DataError, RunError
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.image_files import read_gray, read_small_gray
from lenet_tf.io.picture_formats import ALL_SUFFIXES, SUFFIXES
from lenet_tf.io.pictures import hide_decoder_warnings
from lenet_tf.text import escape_controls

# A figure of more pictures would take minutes and gigabytes.
MAX_PICTURES = 120
# Digit images that are classified together, threads that read pictures, and the longest side of
# a picture that is kept for a figure.
_CHUNK, _MAX_READERS, _MAX_KEPT_SIDE = 500, 4, 240


@dataclass(frozen=True)
class PicturePrediction:
    """A prediction for one picture file, or the reason why there is none.

    Attributes:
        file: Path of the file.
        label: Most probable class.
        probability: Probability of that class.
        runner_up: Second most probable class.
        runner_up_probability: Probability of the second class.
        name: Name of the most probable class; None if the classes are only numbered.
        runner_up_name: Name of the second most probable class, likewise.
        error: Why the file has no prediction; then the other fields are None.
        digit: What the network saw, before its own preparation: uint8 (28, 28).
        picture: What the file holds, scaled down: gray uint8 (height, width). None unless
            `predict_pictures` keeps it.
    """

    file: Path
    label: int | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_probability: float | None = None
    name: str | None = None
    runner_up_name: str | None = None
    error: str | None = None
    digit: np.ndarray | None = None
    picture: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """Convert to values that JSON can hold, without the images."""
        if self.probability is None or self.runner_up_probability is None:
            return {"file": str(self.file), "error": self.error}
        names = {"class_name": self.name, "runner_up_name": self.runner_up_name}
        return {
            "file": str(self.file),
            "class": self.label,
            "probability": round(self.probability, 6),
            "runner_up": self.runner_up,
            "runner_up_probability": round(self.runner_up_probability, 6),
        } | ({} if self.name is None else names)

    @property
    def answer(self) -> str:
        """The most probable class by its name, or its number."""
        return self.name or str(self.label)

    @property
    def second_answer(self) -> str:
        """The second most probable class by its name, or its number."""
        return self.runner_up_name or str(self.runner_up)


def find_pictures(
    paths: Sequence[Path], notify: Callable[[str], None] = warnings.warn
) -> list[Path]:
    """List picture files, and replace each folder by the pictures in it, sorted by name.

    Pictures of formats that can't be read, such as HEIC, are listed too, so that each gets an error
    rather than being skipped in silence.

    Args:
        paths: Files, whatever their names, and folders.
        notify: Function that is called with a message for a folder whose subfolders are left out.

    Raises:
        DataError: If a path does not exist, or a folder holds no picture.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            pictures = sorted(
                file
                for file in path.iterdir()
                # Systems add files with a dot, such as ._7.png beside 7.png.
                if file.name[0] != "." and file.suffix.lower() in ALL_SUFFIXES and file.is_file()
            )
            count = sum(each.is_dir() and each.name[0] != "." for each in path.iterdir())
            folders = f"folders in it that are not searched: {count:,}" if count else ""
            if not pictures:
                reason = f"holds no picture ({', '.join(SUFFIXES)})"
                raise DataError(f"the folder {path} {reason}{folders and '; ' + folders}")
            if folders:
                notify(f"{path}: {folders}")
            files += pictures
        elif path.exists():
            files.append(path)
        else:
            raise DataError(f"there is no picture or folder {path}")
    return files


def find_newest_run(logs: Path) -> Path:
    """Find the run that finished last.

    Args:
        logs: Folder of run folders.

    Raises:
        RunError: If no run has finished.
    """
    times = {}
    for path in logs.glob("**/fit/*/metrics.json"):
        # A run may be removed in the meantime.
        with contextlib.suppress(OSError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                times[path] = status.st_mtime
    if not times:
        raise RunError(
            f"there is no finished run in {logs}. "
            "Train one with `lenet-tf train`, or choose a .keras file with --model."
        )
    return max(times, key=lambda path: (times[path], path)).parent


def predict_pictures(
    model: Any, files: Sequence[Path], class_names: Sequence[str] = (), keep_pictures: int = 0
) -> list[PicturePrediction]:
    """Predict the class of each picture.

    Each picture becomes a digit image like those of MNIST, then the input that the network expects.

    Args:
        model: A `LeNet`.
        files: Picture files.
        class_names: Names of the model's classes; none are numbers.
        keep_pictures: How many predictions keep their picture, for a figure: the first ones.

    Returns:
        A prediction or an error for each file, in the same order.

    Raises:
        DataError: If the network does not accept digit images.
        RunError: If its outputs are NaN or infinite.
    """
    predictions: list[PicturePrediction] = []
    pool = ThreadPoolExecutor(min(_MAX_READERS, os.cpu_count() or 1))
    with pool, hide_decoder_warnings():
        for start in range(0, len(files), _CHUNK):
            digits = []
            for digit in _read_digits(pool, files[start : start + _CHUNK]):
                keeps_picture = digit.picture is not None and keep_pictures > 0
                keep_pictures -= keeps_picture
                digits.append(digit if keeps_picture else replace(digit, picture=None))
            predictions += _predict_digits(model, digits)
    if len(class_names) != model.output_shape[-1]:
        return predictions
    return [_add_names(prediction, class_names) for prediction in predictions]


def _read_digits(pool: ThreadPoolExecutor, files: Sequence[Path]) -> Iterator[PicturePrediction]:
    """Read pictures and their digit images; the predictions themselves are still missing."""
    small = pool.map(functools.partial(_read_digit, read=read_small_gray), files)
    for file, digit in zip(files, small, strict=True):
        # One thread reads the large ones: each further thread would keep memory for one.
        is_large = digit.digit is None and digit.error is None
        yield _read_digit(file, read_gray) if is_large else digit


def _read_digit(file: Path, read: Callable[[Path], np.ndarray | None]) -> PicturePrediction:
    try:
        picture = read(file)
        if picture is None:
            return PicturePrediction(file)
        # Attack: thousands of small files that unpack to large pictures.
        return PicturePrediction(file, digit=as_digit(picture), picture=_scale_down(picture))
    except DataError as error:
        text = str(error)
        name = escape_controls(file)
        return PicturePrediction(file, error=text if name in text else f"{name}: {text}")


def _scale_down(picture: np.ndarray) -> np.ndarray:
    scale = min(1, _MAX_KEPT_SIDE / max(picture.shape))
    height, width = (max(1, round(side * scale)) for side in picture.shape)
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def _predict_digits(model: Any, pictures: Sequence[PicturePrediction]) -> list[PicturePrediction]:
    from lenet_tf.evaluation.evaluate import check_finite, predict, to_probabilities

    digits = [picture.digit for picture in pictures if picture.digit is not None]
    if not digits:
        return list(pictures)
    outputs = predict(model, np.stack(digits))
    check_finite(model, outputs)
    rows = iter(to_probabilities(model, outputs))
    return [
        picture if picture.digit is None else _add_prediction(picture, next(rows))
        for picture in pictures
    ]


def _add_prediction(picture: PicturePrediction, probabilities: np.ndarray) -> PicturePrediction:
    first, second = (int(label) for label in np.argsort(-probabilities, kind="stable")[:2])
    return replace(
        picture,
        label=first,
        probability=float(probabilities[first]),
        runner_up=second,
        runner_up_probability=float(probabilities[second]),
    )


def _add_names(picture: PicturePrediction, class_names: Sequence[str]) -> PicturePrediction:
    if picture.label is None or picture.runner_up is None:
        return picture
    first, second = class_names[picture.label], class_names[picture.runner_up]
    return replace(picture, name=first, runner_up_name=second)
