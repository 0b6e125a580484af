"""Turns a picture of one digit into a digit image like those of MNIST.

MNIST's digits are light ink on black, scaled to a box of 20×20 pixels, with the center of mass in
the middle of 28×28 (LeCun et al. 1998, section III.A).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from lenet_tf.errors import DataError
from lenet_tf.inference.ink_extraction import (
    estimate_paper,
    refine_paper,
    subtract_paper,
    to_ink,
)
from lenet_tf.inference.line_removal import remove_lines
from lenet_tf.inference.prepared_digit import BOX, CENTER, SIZE, is_prepared
from lenet_tf.inference.stroke_selection import (
    check_single_digit,
    find_box,
    find_frame,
    select_strokes,
)

# Thin strokes are widened to this width in the box of 20 pixels. Images then have as much ink
# as those of MNIST.
_STROKE_WIDTH = 2.8
# Strokes count as thin below this width, which those of enlarged digits of MNIST exceed.
_THIN_WIDTH = 1.5
# Strokes are widened in a box of at most this side.
_MAX_BOX = 120
# Larger pictures are scaled down to this side first, which is enough for a box of 20 pixels.
_MAX_SIDE = 400
# A smaller digit in a picture that was scaled down is looked at more closely, …
_MIN_SIDE = 60
# … as is what is in a frame, up to so many times.
_MAX_DEPTH = 3


def as_digit(picture: np.ndarray) -> np.ndarray:
    """Turn a picture of one digit into a digit image like those of MNIST.

    A picture that is one already, as all 70,000 of MNIST are, is returned unchanged.

    Args:
        picture: Gray uint8 (height, width) of any size, dark on light or light on dark.

    Returns:
        uint8 (28, 28), 0 background … 255 ink.

    Raises:
        DataError: If the array is not gray uint8, or if nothing, several digits or no more than a
            dot is drawn in it.

    Example:
        >>> import lenet_tf
        >>> import numpy as np
        >>> picture = np.full((90, 70), 255, np.uint8)
        >>> picture[20:70, 30:38] = 0
        >>> digit = lenet_tf.as_digit(picture)
        >>> digit.shape, digit.dtype
        ((28, 28), dtype('uint8'))
        >>> int(digit[14, 14]), int(digit[0, 0])
        (255, 0)
    """
    check_gray(picture)
    if is_prepared(picture):
        return picture
    ink = _extract_strokes(picture)
    check_single_digit(ink)
    return to_digit_image(ink)


def check_gray(picture: np.ndarray) -> None:
    """Check that an array is a gray picture.

    Raises:
        DataError: If it is not gray uint8.
    """
    if not isinstance(picture, np.ndarray):
        raise DataError(f"a picture must be a NumPy array, not {type(picture).__name__}")
    if picture.ndim != 2 or picture.dtype != np.uint8 or not picture.size:
        raise DataError(
            "a picture must be gray uint8 (height, width), "
            f"not {picture.dtype} of shape {picture.shape}"
        )


def to_digit_image(ink: np.ndarray) -> np.ndarray:
    """Turn the ink of one digit into a digit image like those of MNIST.

    Args:
        ink: float32 (height, width), 0 paper … 1 ink, cropped to the digit.

    Returns:
        uint8 (28, 28), 0 background … 255 ink.
    """
    return _center(_scale_to_box(_thicken(_shrink(ink))))


@dataclass(frozen=True)
class PictureInk:
    """The ink of a picture, which was scaled down.

    Attributes:
        ink: float32 (height, width), 0 paper … 1 ink, without lines.
        top: Row of the picture where the ink begins.
        left: Column of the picture, likewise.
        scale: Pixels of the picture along a pixel of ink.
    """

    ink: np.ndarray
    top: int
    left: int
    scale: float


def extract_ink(
    picture: np.ndarray, max_side: int = _MAX_SIDE, depth: int = _MAX_DEPTH
) -> PictureInk:
    """Separate the ink of a picture from its paper and lines.

    Args:
        picture: Gray uint8 (height, width).
        max_side: A longer side is scaled down to it.
        depth: How many frames around the ink are removed.

    Raises:
        DataError: If nothing is drawn.
    """
    scaled = _scale_down(picture, max_side)
    scale = max(picture.shape) / max(scaled.shape)
    paper, dark = estimate_paper(scaled)
    frame = find_frame(to_ink(subtract_paper(scaled, paper, dark))) if depth else None
    if frame is not None:
        box = _scale_box(frame, scale)
        # Nothing inside: the frame itself is what is drawn.
        with contextlib.suppress(DataError):
            found = extract_ink(picture[box], max_side, depth - 1)
            top, left = box[0].start + found.top, box[1].start + found.left
            return PictureInk(found.ink, top, left, found.scale)
    paper = refine_paper(scaled, paper, dark)
    ink = to_ink(remove_lines(subtract_paper(scaled, paper, dark)))
    return PictureInk(ink, 0, 0, scale)


def _scale_down(picture: np.ndarray, max_side: int) -> np.ndarray:
    longest = max(picture.shape)
    if longest <= max_side:
        return picture.astype(np.float32)
    height, width = (max(1, round(size * max_side / longest)) for size in picture.shape)
    return np.asarray(
        Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), np.float32
    )


def _extract_strokes(picture: np.ndarray, depth: int = _MAX_DEPTH) -> np.ndarray:
    """Return the digit's ink, 0 paper … 1 ink, cropped to it."""
    found = extract_ink(picture, depth=depth)
    ink = select_strokes(found.ink)
    box = find_box(ink)
    side = max(each.stop - each.start for each in box)
    if depth and side < _MIN_SIDE and found.scale > 1:
        around = _scale_box(
            tuple(slice(max(0, each.start - side), each.stop + side) for each in box), found.scale
        )
        rows, columns = (
            slice(each.start + offset, each.stop + offset)
            for each, offset in zip(around, (found.top, found.left), strict=True)
        )
        return _extract_strokes(picture[rows, columns], depth - 1)
    return ink[box]


def _scale_box(box: tuple[slice, ...], scale: float) -> tuple[slice, ...]:
    return tuple(slice(round(each.start * scale), round(each.stop * scale)) for each in box)


def _shrink(ink: np.ndarray) -> np.ndarray:
    if max(ink.shape) <= _MAX_BOX:
        return ink
    height, width = (max(1, round(size * _MAX_BOX / max(ink.shape))) for size in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BOX), np.float32)


def _thicken(ink: np.ndarray) -> np.ndarray:
    """Widen the strokes of a thin pen, which would vanish when they are scaled to the box."""
    scale = BOX / max(ink.shape)
    distances = ndimage.distance_transform_edt(np.pad(ink > 0.3, 1))
    # A stroke is twice as wide as its middle line is far from the edge.
    ridges = distances[(distances == ndimage.maximum_filter(distances, 3)) & (distances > 0)]
    width = 2 * float(np.median(ridges)) - 1 if len(ridges) else 1.0
    missing = _STROKE_WIDTH / scale - width
    if missing < 1 or width * scale >= _THIN_WIDTH:
        return ink
    radius = max(1, round(missing / 2))
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disk = x * x + y * y <= radius * radius + 0.5
    return ndimage.grey_dilation(np.pad(ink, radius), footprint=disk)


def _scale_to_box(ink: np.ndarray) -> np.ndarray:
    """Scale the longer side to 20 pixels, and full strokes back to 1."""
    height, width = (max(1, round(size * BOX / max(ink.shape))) for size in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    scaled = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return np.clip(scaled / max(float(np.percentile(scaled, 97)), 1e-6), 0, 1)


def _center(box: np.ndarray) -> np.ndarray:
    height, width = box.shape
    row, column = ndimage.center_of_mass(box)
    top, left = round(CENTER - row), round(CENTER - column)
    top, left = min(max(top, 0), SIZE - height), min(max(left, 0), SIZE - width)
    digit = np.zeros((SIZE, SIZE), np.uint8)
    digit[top : top + height, left : left + width] = np.round(255 * box)
    return digit
