"""Selects a digit's strokes among all the ink of a picture: frames, dirt and other digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from lenet_tf.errors import DataError
from lenet_tf.inference.mark_removal import remove_marks

Box = tuple[slice, ...]


class SeveralDigitsError(DataError):
    """Several digits are drawn where one is wanted."""


_EIGHT_NEIGHBORS = np.ones((3, 3), bool)
# Parts with less than this share of the largest stroke's area are dirt.
_MIN_AREA = 0.03
# A part at the picture's rim is no digit if another has at least this share of its area.
_MIN_AREA_INSIDE = 0.25
# Parts that are closer than this share of the picture's longer side belong together.
_MAX_BREAK = 0.02
# Several digits: least height and least gap, in shares of the tallest. A digit may be half as tall
# as another, and the dots and bars beside a digit's main stroke are lower.
_MIN_DIGIT_HEIGHT, _MIN_DIGIT_GAP = 0.4, 0.08
# A digit's least share of the height of all ink, which keeps specks out, and the height of two
# digits, one above the other, in shares of their width.
_MIN_SHARE, _MIN_STACK, _MAX_STACK = 0.2, 1.3, 4.0
# Thickness of a blob in shares of its longer side; digits in MNIST stay below 0.7.
_MIN_BLOB = 0.8
# Least side of a frame in pixels, to hold a digit.
_MIN_FRAME_PIXELS = 16
# Least side of a frame in shares of the picture's, and least share of its box that it fills.
_MIN_FRAME_SIDE, _MIN_FRAME_AREA = 0.3, 0.97
# Shares of that area: of the hole in an empty frame, and of the ink around spared strokes.
_MIN_HOLE, _MIN_PANEL = 0.6, 0.75


def find_frame(ink: np.ndarray) -> Box | None:
    """Find the inside of a rectangular frame, or of a rectangle with strokes of another brightness.

    Plots have frames, and a sheet of paper on a table is such a rectangle.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink.

    Returns:
        Rows and columns of the inside, or None if there is no such rectangle.
    """
    labels, _ = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        sides = [each.stop - each.start for each in box]
        shares = [side / size for side, size in zip(sides, ink.shape, strict=True)]
        if min(sides) < _MIN_FRAME_PIXELS or min(shares) < _MIN_FRAME_SIDE:
            continue
        if inside := _find_inside(labels[box] == label):
            return tuple(
                slice(outer.start + inner.start + 1, outer.start + inner.stop - 1)
                for outer, inner in zip(box, inside, strict=True)
            )
    return None


def _find_inside(part: np.ndarray) -> Box | None:
    filled = ndimage.binary_fill_holes(part)
    # Ticks stick out of a plot's frame.
    core = tuple(_span(filled.mean(axis=axis) > 0.5) for axis in (1, 0))
    area = filled[core].size
    # Bold digits and round ones nearly fill their box.
    if area < 0.8 * filled.size or filled[core].mean() < _MIN_FRAME_AREA:
        return None
    holes, _ = ndimage.label(filled[core] & ~part[core])
    for hole in ndimage.find_objects(holes):
        if filled[core][hole].size >= _MIN_HOLE * area:
            return tuple(
                slice(outer.start + inner.start, outer.start + inner.stop)
                for outer, inner in zip(core, hole, strict=True)
            )
    return core if part[core].mean() >= _MIN_PANEL else None


def _span(mask: np.ndarray) -> slice:
    indices = np.flatnonzero(mask)
    return slice(int(indices[0]), int(indices[-1]) + 1) if len(indices) else slice(0, 0)


def select_strokes(ink: np.ndarray) -> np.ndarray:
    """Keep the strokes of the one digit, without dirt, marks and what touches the rim.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink, with some ink.

    Returns:
        The same picture with only the strokes.
    """
    labels, count = _label_parts(ink)
    areas = ndimage.sum_labels(ink, labels, np.arange(count + 1))
    at_rim = np.zeros(count + 1, bool)
    at_rim[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    inside = areas[~at_rim].max(initial=0)
    if inside > 0 and inside >= _MIN_AREA_INSIDE * areas[at_rim].max(initial=0):
        areas[at_rim] = 0
    strokes = np.flatnonzero(areas >= _MIN_AREA * areas.max())
    return remove_marks(np.where(np.isin(labels, strokes), ink, 0))


def find_box(ink: np.ndarray) -> Box:
    """Return the rows and columns that hold all of the ink.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink.
    """
    return _span(np.any(ink > 0, axis=1)), _span(np.any(ink > 0, axis=0))


def check_single_digit(ink: np.ndarray) -> None:
    """Check that ink can be one digit.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink, cropped to the ink.

    Raises:
        SeveralDigitsError: If there are several digits beside or below each other.
        DataError: If there is no more than a dot.
    """
    count = _count_digits(ink)
    if count > 1:
        raise SeveralDigitsError(f"{count} separate digits are drawn in it; crop it to one")
    distances = ndimage.distance_transform_edt(np.pad(ink > 0.3, 1))
    if 2 * float(distances.max()) >= _MIN_BLOB * max(ink.shape):
        raise DataError("what is drawn in it is not a digit: it is a dot or a filled area")


def _label_parts(ink: np.ndarray) -> tuple[np.ndarray, int]:
    """Label connected parts, where a small gap connects too: pens skip."""
    mask = ink > 0
    radius = round(_MAX_BREAK * max(ink.shape) / 2)
    near = ndimage.grey_dilation(mask.view(np.uint8), 2 * radius + 1) > 0
    labels, count = ndimage.label(near, _EIGHT_NEIGHBORS)
    return np.where(mask, labels, 0), count


def _count_digits(ink: np.ndarray) -> int:
    """Count the digits that lie beside or below each other, with an empty band between them."""
    labels, _ = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    boxes = ndimage.find_objects(labels)
    height, width = ink.shape
    tallest = max(box[0].stop - box[0].start for box in boxes)
    least, gap = max(_MIN_DIGIT_HEIGHT * tallest, _MIN_SHARE * height), _MIN_DIGIT_GAP * tallest
    beside = _count_groups(boxes, 1, least, gap)
    # A single digit in two pieces is wider, such as a 5, or narrower, such as a 1.
    is_stack = _MIN_STACK * width <= height <= _MAX_STACK * width
    return max(1, beside, _count_groups(boxes, 0, least, gap) if is_stack else 0)


def _count_groups(boxes: Sequence[Box], axis: int, least: float, gap: float) -> int:
    """Count the groups of boxes, with a gap between them along an axis, that have a tall one."""
    count, end, tall = 0, -np.inf, False
    for box in sorted(boxes, key=lambda each: each[axis].start):
        tall = tall and box[axis].start - end < gap
        is_tall = box[0].stop - box[0].start >= least
        count += is_tall and not tall
        tall, end = tall or is_tall, max(end, box[axis].stop)
    return count
