"""Cuts digits that touch, where the pieces look most like digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from lenet_tf.inference.digit_preprocessing import to_digit_image
from lenet_tf.inference.ink_parts import Part, crop_part

# A part that is wider than so many times its height may hold several digits.
_MIN_ASPECT = 0.9
# Least and largest width of a piece in shares of the height.
_MIN_WIDTH, _MAX_WIDTH = 0.12, 1.4
# Slants of the cuts: columns per row.
_SLANTS = (0.0, 0.2, 0.4)
# Cuts are tried where the ink is thinnest nearby, in shares of the height; at most so many.
_DISTANCE, _MAX_CUTS = 0.1, 16
# Logarithms of probabilities: what each cut costs, and what a piece costs that is wider than usual.
_CUT_COST, _USUAL_WIDTH, _WIDTH_SCALE = 0.7, 1.1, 0.2
# Weight of the network's probabilities, which are too high for pieces of digits.
_TRUST = 3.0
# Least height of a piece, in shares of the part's.
_MIN_PIECE_HEIGHT = 0.55

# Images, uint8 (N, 28, 28), to probabilities, float (N, classes).
Classify = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class _Path:
    score: float
    pieces: tuple[Part, ...]


def cut_digits(part: Part, height: float, classify: Classify) -> Sequence[Part]:
    """Cut a part that is wider than a digit into digits, if they are more probable than one.

    Args:
        part: A part of the ink.
        height: Typical height of a digit beside it.
        classify: Computes the probabilities of digit images.

    Returns:
        The pieces from left to right, or the part itself.
    """
    # A flat 2 is as wide as others.
    height = max(height, part.height)
    if part.width <= _MIN_ASPECT * height:
        return [part]
    paths = [_find_best_path(part, height, slant, classify) for slant in _SLANTS]
    return max(paths, key=lambda path: path.score).pieces


def _find_best_path(part: Part, height: float, slant: float, classify: Classify) -> _Path:
    """Find the most probable pieces between slanted cuts."""
    rows, columns = np.indices(part.ink.shape)
    # Columns along the slant, from 0.
    along = np.round(columns + slant * rows).astype(int)
    along -= along[part.ink > 0].min()
    cuts = _propose_cuts(part, along)
    spans = [
        (start, stop)
        for start in range(len(cuts))
        for stop in range(start + 1, len(cuts))
        if _MIN_WIDTH * height <= cuts[stop] - cuts[start] <= _MAX_WIDTH * height
        or (start, stop) == (0, len(cuts) - 1)
    ]
    inked = {
        (start, stop): np.where((along >= cuts[start]) & (along < cuts[stop]), part.ink, 0)
        for start, stop in spans
    }
    # Parts of a digit may have a gap between them.
    pieces = {span: crop_part(part, ink) for span, ink in inked.items() if ink.any()}
    images = np.stack([to_digit_image(piece.ink) for piece in pieces.values()])
    scores = np.log(np.maximum(classify(images).max(axis=1), 1e-6))
    best = {0: _Path(_CUT_COST, ())}
    for (start, stop), score in sorted(
        zip(pieces, scores, strict=True), key=lambda each: each[0][::-1]
    ):
        if start not in best:
            continue
        piece = pieces[start, stop]
        if piece.height < _MIN_PIECE_HEIGHT * part.height:
            continue
        width = (cuts[stop] - cuts[start]) / height
        wide = max(0.0, width - _USUAL_WIDTH) / _WIDTH_SCALE
        total = best[start].score + _TRUST * float(score) - _CUT_COST - wide**2
        if stop not in best or total > best[stop].score:
            best[stop] = _Path(total, (*best[start].pieces, piece))
    return best.get(len(cuts) - 1, _Path(-np.inf, (part,)))


def _propose_cuts(part: Part, along: np.ndarray) -> list[int]:
    """Propose the columns with the least ink nearby, and both ends."""
    profile = np.bincount(along[part.ink > 0]).astype(float)
    profile = ndimage.uniform_filter1d(profile, 3)
    distance = max(2, round(_DISTANCE * part.height))
    lowest = ndimage.minimum_filter1d(profile, 2 * distance + 1)
    minima = np.flatnonzero((profile == lowest) & (profile < 0.6 * part.height))
    minima = minima[(minima > distance) & (minima < len(profile) - distance)]
    chosen: list[int] = []
    for column in sorted(minima, key=lambda each: profile[each]):
        if all(abs(column - other) >= distance for other in chosen):
            chosen.append(int(column))
    return [0, *sorted(chosen[:_MAX_CUTS]), len(profile)]
