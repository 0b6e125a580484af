"""Groups the connected parts of ink to digits, in rows from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_EIGHT_NEIGHBORS = np.ones((3, 3), bool)
# Shares of the typical height of a digit: the least and the largest height, …
_MIN_HEIGHT, _MAX_HEIGHT = 0.5, 2.0
# … the gap up to which a smaller part belongs to a digit beside it, and its least size.
_MAX_BREAK, _MIN_PIECE = 0.08, 0.06
# Least largest ink of a part, in shares of the typical one, and how many parts are looked at.
_MIN_STRENGTH, _MAX_PARTS = 0.5, 400
# Least sides of a part that is lower than the other digits, such as a flat 2.
_MIN_LONG, _MIN_SHORT = 0.5, 0.25
# Share of the narrower part that lies above or below the other, if both are of one digit.
_MIN_OVERLAP = 0.5
# Two parts of one digit are together at most so many times as high as one digit.
_MAX_JOINED_HEIGHT = 1.25
# A slash is straight, leans at least so far to the right, and is higher than the digits.
_MIN_SLANT, _MAX_SLASH_WIDTH, _MIN_SLASH_HEIGHT = 0.25, 0.12, 1.3


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the ink, cropped to it.

    Attributes:
        top: First row in the whole ink.
        left: First column, likewise.
        ink: float32 (height, width), 0 paper … 1 ink.
    """

    top: int
    left: int
    ink: np.ndarray

    @property
    def height(self) -> int:
        """Rows."""
        return self.ink.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.ink.shape[1]

    @property
    def bottom(self) -> int:
        """Row below the last one."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """Column after the last one."""
        return self.left + self.width


def crop_part(part: Part, ink: np.ndarray) -> Part:
    """Crop some of the ink of a part.

    Args:
        part: The part.
        ink: float32, of the shape of the part's ink, with some ink.
    """
    rows, columns = (np.flatnonzero((ink > 0).any(axis=axis)) for axis in (1, 0))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Part(part.top + int(rows[0]), part.left + int(columns[0]), cropped)


def find_parts(ink: np.ndarray) -> list[Part]:
    """Find the connected parts, without faint ones and what comes in from the rim.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink.
    """
    labels, count = ndimage.label(ink > 0, _EIGHT_NEIGHBORS)
    if not count:
        return []
    strengths = ndimage.maximum(ink, labels, np.arange(1, count + 1))
    areas = ndimage.sum_labels(ink > 0, labels, np.arange(1, count + 1))
    order = np.argsort(strengths)
    middle = order[np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)]
    parts = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        # Attack: a picture of noise has thousands of parts.
        if strengths[label - 1] >= _MIN_STRENGTH * strengths[middle] and areas[label - 1] >= 4:
            mask = labels[rows, columns] == label
            parts.append(Part(rows.start, columns.start, np.where(mask, ink[rows, columns], 0)))
    parts = sorted(parts, key=lambda each: -each.ink.size)[:_MAX_PARTS]
    inside = [part for part in parts if not _is_at_rim(part, ink.shape)]
    height = estimate_height(inside or parts)
    return [
        part
        for part in parts
        if part in inside or _MIN_HEIGHT * height <= max(part.ink.shape) <= 1.5 * height
    ]


def _is_at_rim(part: Part, shape: tuple[int, ...]) -> bool:
    return not (part.top and part.left and part.bottom < shape[0] and part.right < shape[1])


def group_parts(parts: Sequence[Part]) -> list[list[Part]]:
    """Group parts to digits, without dirt and what separates digits.

    Args:
        parts: Parts of the ink.

    Returns:
        Rows from the top, each with its digits from left to right.
    """
    if not parts:
        return []
    height = estimate_height(parts)
    parts = [
        part
        for part in parts
        if part.height <= _MAX_HEIGHT * height and max(part.ink.shape) >= _MIN_PIECE * height
    ]
    tall = [part for part in parts if part.height >= _MIN_HEIGHT * height]
    small = [part for part in parts if part.height < _MIN_HEIGHT * height]
    joined = _add_pieces(_join_tall(tall, height), small, height)
    return _to_rows([part for part in joined if not _is_slash(part, height)])


def estimate_height(parts: Sequence[Part]) -> float:
    """Estimate the typical height of a digit: the median height, weighted by it.

    Args:
        parts: Parts of the ink.
    """
    heights = np.sort([part.height for part in parts])
    weights = np.cumsum(heights.astype(float) ** 2)
    return float(heights[np.searchsorted(weights, weights[-1] / 2)])


def _join_tall(parts: Sequence[Part], height: float) -> list[Part]:
    """Join parts that lie above each other in one digit."""
    joined: list[Part] = []
    for part in sorted(parts, key=lambda each: each.left):
        for number, other in enumerate(joined):
            if _belong(part, other, height):
                joined[number] = _merge([other, part])
                break
        else:
            joined.append(part)
    return joined


def _add_pieces(digits: Sequence[Part], pieces: Sequence[Part], height: float) -> list[Part]:
    """Add small pieces, such as the flag of a 5, to the digits that they belong to."""
    groups = [[digit] for digit in digits]
    for piece in pieces:
        distances = [_measure_distance(piece, digit) for digit in digits]
        if not distances:
            break
        nearest = int(np.argmin(distances))
        digit = digits[nearest]
        is_close = distances[nearest] <= _MAX_BREAK * height and not _is_dot(piece, digit, height)
        if is_close or _belong(piece, digit, height):
            groups[nearest].append(piece)
        elif _is_low_digit(piece, height):
            groups.append([piece])
    return [_merge(group) for group in groups]


def _is_low_digit(piece: Part, height: float) -> bool:
    longer, shorter = max(piece.ink.shape), min(piece.ink.shape)
    return longer >= _MIN_LONG * height and shorter >= _MIN_SHORT * height


def _is_dot(piece: Part, digit: Part, height: float) -> bool:
    """Return whether a piece is a dot or comma beside the foot of a digit."""
    is_beside = piece.left >= digit.right or piece.right <= digit.left
    is_low = piece.top >= digit.bottom - 0.35 * height
    return is_beside and is_low and piece.width < 0.35 * height


def _belong(first: Part, second: Part, height: float) -> bool:
    """Return whether two parts lie above each other in one digit."""
    overlap = min(first.right, second.right) - max(first.left, second.left)
    together = max(first.bottom, second.bottom) - min(first.top, second.top)
    return (
        overlap >= _MIN_OVERLAP * min(first.width, second.width)
        and together <= _MAX_JOINED_HEIGHT * height
    )


def _measure_distance(first: Part, second: Part) -> float:
    across = max(first.left, second.left) - min(first.right, second.right)
    down = max(first.top, second.top) - min(first.bottom, second.bottom)
    return float(np.hypot(max(across, 0), max(down, 0)))


def _merge(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    shape = max(part.bottom for part in parts) - top, max(part.right for part in parts) - left
    ink = np.zeros(shape, np.float32)
    for part in parts:
        view = ink[part.top - top :, part.left - left :][: part.height, : part.width]
        np.maximum(view, part.ink, out=view)
    return Part(top, left, ink)


def _is_slash(part: Part, height: float) -> bool:
    """Return whether a part is the slash of a date."""
    if part.height < _MIN_SLASH_HEIGHT * height:
        return False
    rows, columns = np.nonzero(part.ink > 0)
    slope, offset = np.polyfit(rows, columns, 1)
    spread = float(np.abs(columns - slope * rows - offset).max())
    return slope < -_MIN_SLANT and spread <= _MAX_SLASH_WIDTH * height


def _to_rows(parts: Sequence[Part]) -> list[list[Part]]:
    rows: list[list[Part]] = []
    for part in sorted(parts, key=lambda each: each.top + each.height / 2):
        middle = part.top + part.height / 2
        for row in rows:
            # A row may rise or fall: its nearest digit counts.
            near = min(row, key=lambda each: abs(each.left - part.left))
            if near.top <= middle <= near.bottom:
                row.append(part)
                break
        else:
            rows.append([part])
    return [sorted(row, key=lambda each: each.left) for row in rows]
