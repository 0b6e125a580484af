"""What a network says to a person's own pictures: files in, a class with its probability and the runner-up for each."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import DataError, RunError
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.image_files import SUFFIXES, read_picture

# Pictures that are in memory at once.
_AT_ONCE = 2_000


@dataclass(frozen=True)
class PicturePrediction:
    """What was said to one file; `error` says why nothing was, and the other fields are None then. `digit`: uint8 (28, 28), what the
    network was shown; `picture`: uint8 (height, width), what the file holds.
    """

    file: Path
    label: int | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_probability: float | None = None
    error: str | None = None
    digit: np.ndarray | None = None
    picture: np.ndarray | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, without the images."""
        if self.error is not None:
            return {"file": str(self.file), "error": self.error}
        return {
            "file": str(self.file),
            "class": self.label,
            "probability": round(self.probability, 6),
            "runner_up": self.runner_up,
            "runner_up_probability": round(self.runner_up_probability, 6),
        }


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """The files, and of a folder those in it whose names end as pictures' do, in the order of their names.

    Raises `DataError` for a path that does not exist, or a folder without a picture.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise DataError(f"there is no picture or folder {path}")
            found.append(path)
            continue
        inside = sorted(
            each for each in path.iterdir() if each.suffix.lower() in SUFFIXES and each.is_file()
        )
        if not inside:
            raise DataError(
                f"the folder {path} has no picture in it: {', '.join(SUFFIXES)} are read"
            )
        found += inside
    return found


def find_newest_run(logs: Path) -> Path:
    """The run folder in `logs` that was finished last; raises `RunError` where there is none."""
    finished = sorted(logs.glob("**/fit/*/metrics.json"), key=lambda path: path.stat().st_mtime)
    if not finished:
        raise RunError(
            f"there is no finished run in {logs}: train one with `lenet-tf train`, or name a .keras file with --model"
        )
    return finished[-1].parent


def predict_pictures(model: Any, files: Sequence[Path]) -> list[PicturePrediction]:
    """What a `LeNet` answers to each file, in their order. Pictures are prepared as MNIST's digits were, then as the network's spec says.

    Raises `DataError` for a network that does not take such images at all.
    """
    answers: list[PicturePrediction] = []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(files), _AT_ONCE):
            answers += _said(model, list(pool.map(_prepared, files[start : start + _AT_ONCE])))
    return answers


def _prepared(file: Path) -> PicturePrediction:
    try:
        picture = read_picture(file)
        return PicturePrediction(file, digit=as_digit(picture), picture=picture)
    except DataError as error:
        text = str(error)
        return PicturePrediction(file, error=text if str(file) in text else f"{file}: {text}")


def _said(model: Any, prepared: Sequence[PicturePrediction]) -> list[PicturePrediction]:
    from lenet_tf.evaluation.evaluate import predict, to_probabilities

    readable = [each for each in prepared if each.error is None]
    if not readable:
        return list(prepared)
    chances = iter(
        to_probabilities(model, predict(model, np.stack([each.digit for each in readable])))
    )

    def said(each: PicturePrediction) -> PicturePrediction:
        if each.error is not None:
            return each
        chance = next(chances)
        first, second = (int(number) for number in np.argsort(-chance, kind="stable")[:2])
        return replace(
            each,
            label=first,
            probability=float(chance[first]),
            runner_up=second,
            runner_up_probability=float(chance[second]),
        )

    return [said(each) for each in prepared]
