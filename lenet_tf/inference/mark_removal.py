"""Removes circles, underlines and the boxes of forms, which mark digits and belong to none."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_EIGHT_NEIGHBORS = np.ones((3, 3), bool)
# Less ink is noise, as of JPEG.
_MIN_INK = 0.3
# Least height of what a ring encloses, in shares of the ring's. The dot in a zero is lower.
_MIN_ENCLOSED = 0.3
# Ratio of standard deviations across and along, below which ink is a thin stroke, and the largest
# tangent of its slant if it is a 1 and not the slash through a zero.
_MAX_STROKE_RATIO, _MAX_SLANT = 0.2, 0.35
# An underline: its height in shares of its width, its least width and distance in shares of the
# width and the height of what is above it, and the least height of that in shares of its own.
_MAX_FLATNESS, _MIN_UNDERLINE, _MIN_DISTANCE, _MIN_ABOVE = 0.3, 0.6, 0.03, 2.0
# A box of a form: the least share that its inside has, its least share of straight lines, and their
# length in shares of its height.
_MIN_INSIDE, _MIN_STRAIGHT, _MIN_LINE = 0.4, 0.7, 0.6


def remove_form_boxes(ink: np.ndarray) -> np.ndarray:
    """Remove rectangles, alone or in a row, that hold other ink and don't touch it.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink.
    """
    labels, _ = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    cleaned = ink.copy()
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        part = labels[box] == label
        inside = ndimage.binary_fill_holes(part) & ~part
        if not (inside & (ink[box] > 0)).any() or inside.mean() < _MIN_INSIDE:
            continue
        length = max(3, round(_MIN_LINE * part.shape[0]))
        straight = ndimage.binary_opening(part, np.ones((1, length))) | ndimage.binary_opening(
            part, np.ones((length, 1))
        )
        if straight.sum() >= _MIN_STRAIGHT * part.sum():
            cleaned[box][part] = 0
    return cleaned


def remove_marks(ink: np.ndarray) -> np.ndarray:
    """Remove a circle around the digit, and lines below it, that don't touch it.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink, without dirt.

    Returns:
        The ink of the digit alone.
    """
    return _remove_underlines(_remove_ring(ink))


def _remove_ring(ink: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    if count < 2:
        return ink
    boxes = ndimage.find_objects(labels)
    outer = max(range(count), key=lambda each: _height(boxes[each]) * _width(boxes[each]))
    ring = labels[boxes[outer]] == outer + 1
    inside = ndimage.binary_fill_holes(ring) & ~ring
    parts, _ = ndimage.label(inside & (ink[boxes[outer]] > _MIN_INK), _EIGHT_NEIGHBORS)
    enclosed = ndimage.find_objects(parts)
    tallest = max((_height(box) for box in enclosed), default=0)
    if tallest < _MIN_ENCLOSED * _height(boxes[outer]) or _is_slash(parts > 0):
        return ink
    cleaned = np.zeros_like(ink)
    cleaned[boxes[outer]] = np.where(inside, ink[boxes[outer]], 0)
    return cleaned


def _is_slash(mask: np.ndarray) -> bool:
    """Return whether ink is a thin slanted stroke, as in the zeros of computer terminals."""
    rows, columns = np.nonzero(mask)
    variances, axes = np.linalg.eigh(np.cov(rows, columns))
    is_thin = variances[0] < _MAX_STROKE_RATIO**2 * variances[1]
    down, across = np.abs(axes[:, 1])
    return bool(is_thin and across > _MAX_SLANT * down)


def _remove_underlines(ink: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    if count < 2:
        return ink
    boxes = ndimage.find_objects(labels)
    lowest = max(range(count), key=lambda each: boxes[each][0].start)
    line, others = boxes[lowest], boxes[:lowest] + boxes[lowest + 1 :]
    top, bottom = min(box[0].start for box in others), max(box[0].stop for box in others)
    left, right = min(box[1].start for box in others), max(box[1].stop for box in others)
    is_underline = (
        _height(line) <= _MAX_FLATNESS * _width(line)
        and _width(line) >= _MIN_UNDERLINE * (right - left)
        and line[0].start - bottom >= _MIN_DISTANCE * (bottom - top)
        and bottom - top >= _MIN_ABOVE * _height(line)
        and 2 * ink[labels == lowest + 1].sum() <= ink.sum()
    )
    # There may be a second line above the first.
    return _remove_underlines(np.where(labels == lowest + 1, 0, ink)) if is_underline else ink


def _height(box: tuple[slice, ...]) -> int:
    return box[0].stop - box[0].start


def _width(box: tuple[slice, ...]) -> int:
    return box[1].stop - box[1].start
