"""A person's picture of one digit → a digit image prepared as MNIST's were: light ink on black, its box scaled to 20×20 with the aspect
kept, its center of mass in the middle of 28×28 (LeCun et al. 1998, section III.A).

SciPy finds connected strokes and the center of mass, Pillow scales: the standard libraries for either.
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from lenet_tf.errors import DataError

SIZE, BOX = 28, 20
# Row and column, from 0, next to which MNIST's centers of mass lie: half a pixel below and right of the image's own middle.
MIDDLE = 14
# Of the largest stroke's area: what is smaller than that is dirt.
_DIRT = 0.03
# MNIST's strokes are about so many pixels wide in the box of 20; a thinner pen's become so.
_STROKE = 2.2
# Levels between ink and paper below which a picture is taken for empty.
_CONTRAST = 12
# The rim's standard deviation, estimated from its median deviation, up to which paper counts as clean.
_CLEAN = 2.0
# Larger pictures are made smaller first: a digit's box of 20 pixels needs no more.
_WORKING = 400


def as_digit(picture: np.ndarray) -> np.ndarray:
    """uint8 (28, 28), 0 background … 255 ink, of a gray picture uint8 (height, width) of any size, dark on light or light on dark.

    A picture that is prepared already, as all 70,000 of MNIST are, stays as it is. Raises `DataError` for one in which nothing is drawn.
    """
    if picture.ndim != 2 or picture.dtype != np.uint8 or not picture.size:
        raise DataError(
            f"a picture must be gray uint8 (height, width), not {picture.dtype} of shape {picture.shape}"
        )
    if is_prepared(picture):
        return picture
    ink = _without_dirt(_ink(_smaller(picture)))
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centered(_boxed(_thick_enough(ink)))


def is_prepared(picture: np.ndarray) -> bool:
    """Whether a picture is as MNIST's are: 28×28, black corners, a box whose longer side is 20, or 19 as that of 16 of MNIST's 70,000, and
    its center of mass half a pixel from `MIDDLE` at most, or in two of them a little more.
    """
    if (
        picture.shape != (SIZE, SIZE)
        or picture[[0, 0, -1, -1], [0, -1, 0, -1]].any()
        or not picture.any()
    ):
        return False
    sides = [np.ptp(np.flatnonzero(picture.any(axis=axis))) + 1 for axis in (1, 0)]
    apart = np.abs(np.array(ndimage.center_of_mass(picture)) - MIDDLE)
    return max(sides) in (BOX - 1, BOX) and bool((apart <= 0.53).all())


def _smaller(picture: np.ndarray) -> np.ndarray:
    longest = max(picture.shape)
    if longest <= _WORKING:
        return picture.astype(np.float32)
    height, width = (max(1, round(size * _WORKING / longest)) for size in picture.shape)
    return np.asarray(
        Image.fromarray(picture).resize((width, height), Image.Resampling.BOX), np.float32
    )


def _ink(picture: np.ndarray) -> np.ndarray:
    """0 paper … 1 ink; which of light and dark is ink, the picture's rim says, which is mostly paper."""
    rim = max(1, min(picture.shape) // 20)
    frame = np.ones(picture.shape, bool)
    frame[rim:-rim, rim:-rim] = False
    paper = float(np.median(picture[frame]))
    # Grains of noise are no ink; a thin line on clean paper, which smoothing would break, stays as it is.
    noise = 1.48 * float(np.median(np.abs(picture[frame] - paper)))
    smooth = ndimage.gaussian_filter(picture, 1, mode="nearest") if noise > _CLEAN else picture
    darker, lighter = np.clip(paper - smooth, 0, None), np.clip(smooth - paper, 0, None)
    ink = darker if (darker**2).sum() >= (lighter**2).sum() else lighter
    top = float(ink.max(initial=0))
    if top < _CONTRAST:
        raise DataError("nothing is drawn in it: all of it has the same brightness")
    ink /= top
    return np.where(ink >= _threshold(ink), ink, 0)


def _threshold(ink: np.ndarray) -> float:
    """Otsu's: the level that divides into two groups with the least spread within each; soft edges below half of it are kept."""
    counts, edges = np.histogram(ink, 64, (0, 1))
    levels = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], counts.sum() - np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return 0.5 * float(edges[1:-1][np.nanargmax(apart)])


def _without_dirt(ink: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(ink > 0, np.ones((3, 3)))
    areas = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    kept = np.flatnonzero(areas >= _DIRT * areas.max()) + 1
    return np.where(np.isin(labels, kept), ink, 0)


def _thick_enough(ink: np.ndarray) -> np.ndarray:
    """Strokes of a thin pen made wider, since scaling to the box would leave next to nothing of them."""
    scale = BOX / max(ink.shape)
    inside = ndimage.distance_transform_edt(np.pad(ink > 0.3, 1))
    # Twice the distance of the middle line from the edge.
    ridges = inside[(inside == ndimage.maximum_filter(inside, 3)) & (inside > 0)]
    width = 2 * float(np.median(ridges)) - 1 if len(ridges) else 1.0
    wider = _STROKE / scale - width
    if wider < 1:
        return ink
    radius = max(1, round(wider / 2))
    grown = np.pad(ink, radius)
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return ndimage.gray_dilation(grown, footprint=x * x + y * y <= radius * radius + 0.5)


def _boxed(ink: np.ndarray) -> np.ndarray:
    """Scaled so that the longer side is 20 pixels, with the darkest ink at 255."""
    height, width = (max(1, round(size * BOX / max(ink.shape))) for size in ink.shape)
    picture = Image.fromarray(ink.astype(np.float32))
    scaled = np.asarray(
        picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=None), np.float32
    )
    # What a pen left full is full again.
    return np.clip(scaled / max(float(np.percentile(scaled, 97)), 1e-6), 0, 1)


def _centered(box: np.ndarray) -> np.ndarray:
    height, width = box.shape
    row, column = ndimage.center_of_mass(box)
    top, left = (round(MIDDLE - middle) for middle in (row, column))
    top, left = min(max(top, 0), SIZE - height), min(max(left, 0), SIZE - width)
    digit = np.zeros((SIZE, SIZE), np.uint8)
    digit[top : top + height, left : left + width] = np.round(255 * box)
    return digit
