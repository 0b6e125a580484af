"""Predictions for picture files: the class, its probability and the runner-up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.inference.picture_inputs import PictureInput, ReadPicture
from lenet_tf.io.pictures import hide_decoder_warnings
from lenet_tf.text import escape_controls

# A figure of more pictures would take minutes and gigabytes.
MAX_PICTURES = 120
# Images that are classified together, their bytes, and threads that read pictures.
_CHUNK, _CHUNK_BYTES, _MAX_READERS = 500, 64 << 20, 4


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
        image: What the network saw, before its own preparation: uint8 (height, width), or
            (height, width, 3) in color.
        picture: What the file holds, scaled down, likewise. None unless `predict_pictures` keeps
            it.
    """

    file: Path
    label: int | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_probability: float | None = None
    name: str | None = None
    runner_up_name: str | None = None
    error: str | None = None
    image: np.ndarray | None = None
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


def predict_pictures(
    model: Any,
    files: Sequence[Path],
    class_names: Sequence[str] = (),
    keep_pictures: int = 0,
    picture_input: PictureInput | None = None,
) -> list[PicturePrediction]:
    """Predict the class of each picture.

    Args:
        model: A `LeNet`.
        files: Picture files.
        class_names: Names of the model's classes; none are numbers.
        keep_pictures: How many predictions keep their picture, for a figure: the first ones.
        picture_input: What each picture becomes. None: a digit image like those of MNIST.

    Returns:
        A prediction or an error for each file, in the same order.

    Raises:
        DataError: If the network does not accept such images.
        RunError: If its outputs are NaN or infinite.
    """
    wanted = picture_input or PictureInput()
    chunk = max(1, min(_CHUNK, _CHUNK_BYTES // wanted.image_bytes))
    predictions: list[PicturePrediction] = []
    pool = ThreadPoolExecutor(min(_MAX_READERS, os.cpu_count() or 1))
    with pool, hide_decoder_warnings():
        for start in range(0, len(files), chunk):
            read = []
            for result in wanted.read(pool, files[start : start + chunk], keep_pictures):
                # Attack: thousands of small files that unpack to large pictures.
                keeps_picture = result.picture is not None and keep_pictures > 0
                keep_pictures -= keeps_picture
                read.append(_to_prediction(result, keeps_picture))
            predictions += _predict_images(model, read)
    if len(class_names) != model.output_shape[-1]:
        return predictions
    return [_add_names(prediction, class_names) for prediction in predictions]


def _to_prediction(read: ReadPicture, keeps_picture: bool) -> PicturePrediction:
    """Return what was read; the prediction itself is still missing."""
    if read.error is not None:
        name = escape_controls(read.file)
        error = read.error if name in read.error else f"{name}: {read.error}"
        return PicturePrediction(read.file, error=error)
    picture = read.picture if keeps_picture else None
    return PicturePrediction(read.file, image=read.image, picture=picture)


def _predict_images(model: Any, pictures: Sequence[PicturePrediction]) -> list[PicturePrediction]:
    from lenet_tf.evaluation.evaluate import check_finite, predict_outputs, to_probabilities

    images = [picture.image for picture in pictures if picture.image is not None]
    if not images:
        return list(pictures)
    outputs = predict_outputs(model, np.stack(images))
    check_finite(model, outputs)
    rows = iter(to_probabilities(model, outputs))
    return [
        picture if picture.image is None else _add_prediction(picture, next(rows))
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
