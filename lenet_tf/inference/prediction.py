"""What a network says about one picture."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

# The side of the image in a notebook, in pixels of the screen.
_SHOWN_SIDE = 84


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The class of one picture, or the reason why there is none.

    Attributes:
        label: Most probable class; None if there is an error, or if there are several digits.
        probability: Probability of that class; the least one of several digits.
        runner_up: Second most probable class.
        runner_up_probability: Probability of the second class.
        probabilities: Probability of each class, float32 (classes,).
        name: Name of the most probable class; None if the classes are only numbered.
        runner_up_name: Name of the second most probable class, likewise.
        image: What the network saw, before its own preparation: uint8 (height, width), or
            (height, width, 3) in color.
        error: Why there is no prediction; then the other fields are None.
        is_digit: Whether the picture shows a digit, or only digits. None if the network wasn't
            trained on MNIST's digits, or every answer is accepted.
        digits: The predictions of several digits in one picture, row by row, each from left to
            right; none for a single digit. Then `text` has the answer.
        size: Height and width in pixels of a picture of several digits.
        box: Where the digit is in a picture of several: top, left, height and width in pixels.
        file: Path of the picture; None if it came from memory.
        picture: What the file holds, scaled down, for a figure. Mostly None.
    """

    label: int | None = None
    probability: float | None = None
    runner_up: int | None = None
    runner_up_probability: float | None = None
    probabilities: np.ndarray | None = None
    name: str | None = None
    runner_up_name: str | None = None
    image: np.ndarray | None = None
    error: str | None = None
    is_digit: bool | None = None
    digits: tuple[Prediction, ...] = ()
    size: tuple[int, int] | None = None
    box: tuple[int, int, int, int] | None = None
    file: Path | None = None
    picture: np.ndarray | None = None

    @property
    def answer(self) -> str:
        """The most probable class by its name, or its number."""
        return self.text if self.digits else self.name or str(self.label)

    @property
    def text(self) -> str:
        """The answers of all digits, such as `98107`, with a space between rows."""
        if not self.digits:
            return self.answer
        text, left = "", -1
        for digit in self.digits:
            assert digit.box is not None
            text += " " * (digit.box[1] < left) + digit.answer
            left = digit.box[1]
        return text

    @property
    def second_answer(self) -> str:
        """The second most probable class by its name, or its number."""
        return self.runner_up_name or str(self.runner_up)

    def to_dict(self) -> dict[str, Any]:
        """Convert to values that JSON can hold, without the images."""
        file: dict[str, Any] = {} if self.file is None else {"file": str(self.file)}
        if self.digits and self.probability is not None:
            file |= {"text": self.text, "probability": round(self.probability, 6)}
            file |= {} if self.is_digit is None else {"is_digit": self.is_digit}
            return file | {"digits": [digit.to_dict() for digit in self.digits]}
        if self.box is not None:
            file["box"] = dict(zip(("top", "left", "height", "width"), self.box, strict=True))
        if self.probability is None or self.runner_up_probability is None:
            return {**file, "error": self.error}
        names = {"class_name": self.name, "runner_up_name": self.runner_up_name}
        return {
            **file,
            "class": self.label,
            "probability": round(self.probability, 6),
            "runner_up": self.runner_up,
            "runner_up_probability": round(self.runner_up_probability, 6),
            **({} if self.is_digit is None else {"is_digit": self.is_digit}),
        } | ({} if self.name is None else names)

    def __str__(self) -> str:
        if self.digits and self.probability is not None:
            count = len(self.digits)
            if self.is_digit is False:
                return (
                    f"not only digits (they look most like {self.text}, each at least"
                    f" {self.probability:.1%})"
                )
            return f"{self.text} ({count} digits, each at least {self.probability:.1%})"
        if self.probability is None or self.runner_up_probability is None:
            return f"no prediction: {self.error}"
        if self.is_digit is False:
            return f"not a digit (it looks most like {self.answer}, {self.probability:.1%})"
        return (
            f"{self.answer} ({self.probability:.1%}),"
            f" otherwise {self.second_answer} ({self.runner_up_probability:.1%})"
        )

    def __repr__(self) -> str:
        if self.digits and self.probability is not None:
            return f"Prediction(text={self.text!r}, probability={round(self.probability, 4)})"
        if self.probability is None or self.runner_up_probability is None:
            return f"Prediction(error={self.error!r})"
        names = {
            "name": self.name,
            "runner_up_name": self.runner_up_name,
            "is_digit": self.is_digit,
        }
        fields = {
            "label": self.label,
            "probability": round(self.probability, 4),
            "runner_up": self.runner_up,
            "runner_up_probability": round(self.runner_up_probability, 4),
        } | {name: value for name, value in names.items() if value is not None}
        return f"Prediction({', '.join(f'{name}={value!r}' for name, value in fields.items())})"

    def _repr_html_(self) -> str:
        """Show the image and the answer in a notebook."""
        text = html.escape(str(self))
        if self.digits:
            return "".join(digit._repr_html_() for digit in self.digits) + f" {text}"
        if self.image is None:
            return text
        from lenet_tf.evaluation.page_images import to_data_uri

        return (
            f'<img src="{to_data_uri(self.image)}" alt="{html.escape(self.answer)}"'
            f' style="height:{_SHOWN_SIDE}px;image-rendering:pixelated"> {text}'
        )


def add_probabilities(
    pictures: Sequence[Prediction],
    probabilities: np.ndarray,
    class_names: Sequence[str] = (),
    are_digits: Sequence[bool | None] = (),
) -> list[Prediction]:
    """Complete predictions whose images a network has classified.

    Args:
        pictures: Predictions that still lack a class.
        probabilities: The probabilities of each, float (N, classes).
        class_names: Names of the classes; none are numbers.
        are_digits: Whether each shows a digit; none if nobody knows.

    Returns:
        The complete predictions, in the same order.
    """
    ranks = np.argsort(-probabilities, axis=1, kind="stable")[:, :2].tolist()
    names = list(class_names)
    completed = []
    known = are_digits or [None] * len(pictures)
    rows = zip(pictures, probabilities, ranks, known, strict=True)
    for picture, row, (first, second), is_digit in rows:
        prediction = replace(
            picture,
            label=first,
            probability=float(row[first]),
            runner_up=second,
            runner_up_probability=float(row[second]),
            probabilities=row,
            name=names[first] if names else None,
            runner_up_name=names[second] if names else None,
            is_digit=is_digit,
        )
        completed.append(prediction)
    return completed


def add_digits(picture: Prediction, digits: Sequence[Prediction]) -> Prediction:
    """Complete the prediction of a picture of several digits.

    Args:
        picture: The prediction that still lacks its digits' classes.
        digits: The complete predictions of its digits.
    """
    least = min(digit.probability or 0.0 for digit in digits)
    checks = [digit.is_digit for digit in digits]
    are_digits = None if None in checks else all(checks)
    return replace(picture, digits=tuple(digits), probability=least, is_digit=are_digits)
