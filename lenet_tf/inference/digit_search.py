"""Finds several digits in one picture, such as a ZIP code or a date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lenet_tf.errors import DataError
from lenet_tf.inference.digit_cutting import Classify, cut_digits
from lenet_tf.inference.digit_preprocessing import check_gray, extract_ink, to_digit_image
from lenet_tf.inference.ink_parts import estimate_height, find_parts, group_parts
from lenet_tf.inference.mark_removal import remove_form_boxes

# Attack: cuts are tried in each part of a picture of noise.
_MAX_PARTS = 60
# A longer side keeps the strokes of a row of ten digits.
_MAX_SIDE = 800


@dataclass(frozen=True)
class DigitBox:
    """A digit that was found in a picture.

    Attributes:
        top: First row of its ink in the picture.
        left: First column, likewise.
        height: Rows of its ink.
        width: Columns of its ink.
        image: The digit like those of MNIST: uint8 (28, 28), 0 background … 255 ink.
    """

    top: int
    left: int
    height: int
    width: int
    image: np.ndarray


def find_digits(picture: np.ndarray, classify: Classify | None = None) -> list[DigitBox]:
    """Find the digits of a picture, row by row from the top, each from left to right.

    Dots, dashes, commas and slashes between digits, dirt, lines of ruled paper and the boxes of a
    form are left out.

    Args:
        picture: Gray uint8 (height, width) of any size, dark on light or light on dark.
        classify: Computes the probabilities of digit images. It decides where digits that touch
            are cut; None leaves them together.

    Returns:
        The digits.

    Raises:
        DataError: If the array is not gray uint8, or if nothing is drawn in it.
    """
    check_gray(picture)
    found = extract_ink(picture, _MAX_SIDE)
    parts = find_parts(remove_form_boxes(found.ink))
    classify = classify if len(parts) <= _MAX_PARTS else None
    boxes = []
    for row in group_parts(parts):
        height = estimate_height(row)
        for part in row:
            for piece in [part] if classify is None else cut_digits(part, height, classify):
                top, left = (
                    offset + round(start * found.scale)
                    for offset, start in zip(
                        (found.top, found.left), (piece.top, piece.left), strict=True
                    )
                )
                height, width = (max(1, round(side * found.scale)) for side in piece.ink.shape)
                boxes.append(DigitBox(top, left, height, width, to_digit_image(piece.ink)))
    if not boxes:
        raise DataError("no digit is drawn in it")
    return boxes
