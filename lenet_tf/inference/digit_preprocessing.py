"""Turns a picture of one digit into a digit image like those of MNIST.

MNIST's digits are light ink on black, scaled to a box of 20×20 pixels, with the center of mass in
the middle of 28×28 (LeCun et al. 1998, section III.A).
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from lenet_tf.errors import DataError

SIZE, BOX = 28, 20
# Row and column, from 0, of MNIST's centers of mass: half a pixel below and right of the middle.
CENTER = 14
# Parts with less than this share of the largest stroke's area are dirt.
_MIN_AREA = 0.03
# Width of MNIST's strokes in the box of 20 pixels; thinner strokes are widened to it.
_STROKE_WIDTH = 2.2
# Gray levels between ink and paper; a picture with less contrast is empty.
_MIN_CONTRAST = 12
# Estimated standard deviation of the rim, up to which paper counts as clean.
_CLEAN_DEVIATION = 2.0
# Larger pictures are scaled down to this side first, which is enough for a box of 20 pixels.
_MAX_SIDE = 400


def as_digit(picture: np.ndarray) -> np.ndarray:
    """Turn a picture of one digit into a digit image like those of MNIST.

    A picture that is one already, as all 70,000 of MNIST are, is returned unchanged.

    Args:
        picture: Gray uint8 (height, width) of any size, dark on light or light on dark.

    Returns:
        uint8 (28, 28), 0 background … 255 ink.

    Raises:
        DataError: If the array is not gray uint8, or nothing is drawn in it.

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
    if picture.ndim != 2 or picture.dtype != np.uint8 or not picture.size:
        raise DataError(
            "a picture must be gray uint8 (height, width), "
            f"not {picture.dtype} of shape {picture.shape}"
        )
    if is_prepared(picture):
        return picture
    ink = _remove_dirt(_extract_ink(_scale_down(picture)))
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _center(_scale_to_box(_thicken(ink)))


def is_prepared(picture: np.ndarray) -> bool:
    """Return whether a picture is already like those of MNIST.

    It must be 28×28 with black corners, a box whose longer side is 20, and a center of mass within
    half a pixel of `CENTER`. The box of 16 images of MNIST is 19, and two centers are slightly
    further away.

    Args:
        picture: Gray uint8 (height, width).
    """
    if (
        picture.shape != (SIZE, SIZE)
        or picture[[0, 0, -1, -1], [0, -1, 0, -1]].any()
        or not picture.any()
    ):
        return False
    sides = [np.ptp(np.flatnonzero(picture.any(axis=axis))) + 1 for axis in (1, 0)]
    offsets = np.abs(np.array(ndimage.center_of_mass(picture)) - CENTER)
    return max(sides) in (BOX - 1, BOX) and bool((offsets <= 0.53).all())


def _scale_down(picture: np.ndarray) -> np.ndarray:
    longest = max(picture.shape)
    if longest <= _MAX_SIDE:
        return picture.astype(np.float32)
    height, width = (max(1, round(size * _MAX_SIDE / longest)) for size in picture.shape)
    return np.asarray(
        Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), np.float32
    )


def _extract_ink(picture: np.ndarray) -> np.ndarray:
    """Return 0 paper … 1 ink; the picture's rim, which is mostly paper, tells them apart."""
    rim = max(1, min(picture.shape) // 20)
    frame = np.ones(picture.shape, bool)
    frame[rim:-rim, rim:-rim] = False
    paper = float(np.median(picture[frame]))
    # Smooth noise away, but not on clean paper, where smoothing would break a thin line.
    noise = 1.48 * float(np.median(np.abs(picture[frame] - paper)))
    smooth = (
        ndimage.gaussian_filter(picture, 1, mode="nearest") if noise > _CLEAN_DEVIATION else picture
    )
    darker, lighter = np.clip(paper - smooth, 0, None), np.clip(smooth - paper, 0, None)
    ink = darker if (darker**2).sum() >= (lighter**2).sum() else lighter
    top = float(ink.max(initial=0))
    if top < _MIN_CONTRAST:
        raise DataError("nothing is drawn in it: all of it has the same brightness")
    ink /= top
    return np.where(ink >= _compute_threshold(ink), ink, 0)


def _compute_threshold(ink: np.ndarray) -> float:
    """Return half of Otsu's threshold, so that soft edges remain."""
    counts, edges = np.histogram(ink, 64, (0, 1))
    levels = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_difference = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
        variance = below * above * mean_difference**2
    return 0.5 * float(edges[1:-1][np.nanargmax(variance)])


def _remove_dirt(ink: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ink > 0, np.ones((3, 3)))
    areas = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    strokes = np.flatnonzero(areas >= _MIN_AREA * areas.max()) + 1
    return np.where(np.isin(labels, strokes), ink, 0)


def _thicken(ink: np.ndarray) -> np.ndarray:
    """Widen the strokes of a thin pen, which would vanish when they are scaled to the box."""
    scale = BOX / max(ink.shape)
    distances = ndimage.distance_transform_edt(np.pad(ink > 0.3, 1))
    # A stroke is twice as wide as its middle line is far from the edge.
    ridges = distances[(distances == ndimage.maximum_filter(distances, 3)) & (distances > 0)]
    width = 2 * float(np.median(ridges)) - 1 if len(ridges) else 1.0
    missing = _STROKE_WIDTH / scale - width
    if missing < 1:
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
