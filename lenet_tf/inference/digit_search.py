"""Finds several digits in one picture, such as a ZIP code or a date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lenet_tf.errors import DataError
from lenet_tf.inference.digit_preprocessing import check_gray, extract_ink, to_digit_image
from lenet_tf.inference.ink_parts import Part, find_parts, group_parts, remove_form_boxes

# A longer side keeps the strokes of a row of ten digits.
_MAX_SIDE = 800
# A digit is rarely wider than so many times its height, …
_MAX_ASPECT = 1.1
# … and a piece of touching digits is at least so wide.
_MIN_ASPECT = 0.25
# Touching digits in one part, and columns where each cut is tried.
_MAX_TOUCHING, _MAX_CUTS = 4, 6
# Least gain of the mean probability by a cut.
_MIN_GAIN = 0.1

# Images, uint8 (N, 28, 28), to probabilities, float (N, classes).
Classify = Callable[[np.ndarray], np.ndarray]


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
    boxes = []
    for row in group_parts(parts):
        for part in row:
            for piece in _cut(part, classify):
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


def _cut(part: Part, classify: Classify | None) -> list[Part]:
    """Cut touching digits where the ink is thinnest and the pieces look most like digits."""
    height, width = part.ink.shape
    if classify is None or width <= _MAX_ASPECT * height:
        return [part]
    best = [part]
    best_score = float(classify(to_digit_image(part.ink)[None]).max())
    for count in range(2, _MAX_TOUCHING + 1):
        if width < count * _MIN_ASPECT * height:
            break
        for cuts in _propose_cuts(part.ink, count):
            pieces = _split(part, cuts)
            images = np.stack([to_digit_image(piece.ink) for piece in pieces])
            score = float(classify(images).max(axis=1).mean())
            if score > best_score + (_MIN_GAIN if len(best) == 1 else 0):
                best, best_score = pieces, score
    return best


def _propose_cuts(ink: np.ndarray, count: int) -> list[list[int]]:
    """Propose columns for `count` pieces of similar widths, those with the least ink first."""
    width = ink.shape[1]
    profile = ndimage.uniform_filter1d((ink > 0).sum(axis=0).astype(float), 3)
    proposals = []
    for shift in np.linspace(-0.2, 0.2, _MAX_CUTS):
        cuts = []
        for number in range(1, count):
            middle = width * number / count + shift * width / count
            reach = max(2, round(0.15 * width / count))
            start = max(1, round(middle) - reach)
            near = profile[start : round(middle) + reach + 1]
            if len(near):
                cuts.append(start + int(np.argmin(near)))
        if len(set(cuts)) == count - 1 and cuts not in proposals:
            proposals.append(cuts)
    return proposals


def _split(part: Part, cuts: Sequence[int]) -> list[Part]:
    pieces = []
    for start, stop in zip([0, *cuts], [*cuts, part.ink.shape[1]], strict=True):
        ink = part.ink[:, start:stop]
        rows, columns = (np.flatnonzero((ink > 0).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            continue
        cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        pieces.append(Part(part.top + int(rows[0]), part.left + start + int(columns[0]), cropped))
    return pieces
