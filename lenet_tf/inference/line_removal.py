"""Removes the lines of ruled and squared paper, and of frames, from the ink."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# In shares of the side along a line: its least straight run, its least visible length, and how
# far from the picture's sides it may end.
_MIN_RUN, _MIN_LENGTH, _MAX_GAP = 0.15, 0.3, 0.035
# Thickness of a line in shares of the picture's longer side, which counts as at most so many times
# the shorter side: a row of digits is wide.
_MAX_THICKNESS, _MAX_ASPECT = 0.012, 2
# Least brightness of a line in shares of what counts as ink.
_MAX_FAINTNESS = 0.8
# Share of the side along a line whose mean is taken, against noise. A longer one would let a small
# digit's strokes reach the picture's sides.
_SMOOTHING = 0.025


def remove_lines(ink: np.ndarray) -> np.ndarray:
    """Remove the lines of ruled and squared paper, and of frames.

    A line is thin and straight, and reaches from one side of the picture to the other. Where it
    crosses a stroke, the stroke is kept.

    Args:
        ink: float32 (height, width), gray levels between paper and ink.

    Returns:
        The ink without lines.
    """
    return _remove_horizontal_lines(_remove_horizontal_lines(ink).T).T


def _remove_horizontal_lines(ink: np.ndarray) -> np.ndarray:
    thickness = max(1, round(_MAX_THICKNESS * _limit_side(max(ink.shape), ink.shape)))
    if min(ink.shape) < 4 * thickness + 4:
        return ink
    # Beyond the picture there is no ink, so that a line at its rim is thin too.
    shift = thickness + 1
    padded = np.pad(ink, ((shift, shift), (0, 0)))
    lines = _find_horizontal_lines(padded, thickness)
    above, below = np.zeros_like(padded), np.zeros_like(padded)
    above[shift:], below[:-shift] = padded[:-shift], padded[shift:]
    return np.where(lines, np.minimum(above, below), padded)[shift:-shift]


def _find_horizontal_lines(ink: np.ndarray, thickness: int) -> np.ndarray:
    width = ink.shape[1]
    length = max(1, round(_SMOOTHING * _limit_side(width, ink.shape)))
    smooth = ndimage.uniform_filter1d(np.clip(ink, 0, None), length, axis=1)
    top = float(smooth.max())
    lines = np.zeros(ink.shape, bool)
    if top <= 0:
        return lines
    threshold = top * compute_threshold(smooth / top)
    mask = smooth >= _MAX_FAINTNESS * threshold
    gap = max(1, int(_MAX_GAP * width) + 1)
    if not (mask[:, :gap].any() and mask[:, -gap:].any()):
        return lines
    thin = mask & ~_open(mask, (thickness + 1, 1))
    # A slightly tilted line is a straight run of a thicker one.
    run = max(3, round(_MIN_RUN * width))
    thick = ndimage.binary_dilation(mask, np.ones((3, 1), bool))
    thick = np.pad(thick, ((0, 0), (run, run)), "edge")
    runs = _open(thick, (1, run))[:, run:-run]
    # The mean has widened the strokes along the lines.
    strokes = _open(ink >= threshold, (thickness + 1, 1))
    labels, _ = ndimage.label(runs, np.ones((3, 3), bool))
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        line = labels[rows, columns] == label
        visible = (line & thin[rows, columns]).any(axis=0).sum()
        reaches = columns.start <= _MAX_GAP * width and columns.stop >= (1 - _MAX_GAP) * width
        if reaches and visible >= _MIN_LENGTH * width:
            lines[rows, columns] |= line & ~strokes[rows, columns]
    return lines


def _limit_side(side: int, shape: tuple[int, ...]) -> int:
    return min(side, _MAX_ASPECT * min(shape))


def _open(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Keep what is at least as large as a box; much faster than SciPy's opening of booleans."""
    return ndimage.grey_opening(mask.view(np.uint8), size).view(bool)


def compute_threshold(ink: np.ndarray) -> float:
    """Return half of Otsu's threshold, so that soft edges remain.

    Args:
        ink: float (height, width), 0 paper … 1 ink.
    """
    # Several times as fast as np.histogram.
    counts = np.bincount(np.clip(ink.ravel() * 64, 0, 63).astype(np.uint8), minlength=64)
    edges = np.linspace(0, 1, 65)
    levels = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    sums = np.cumsum(counts * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_difference = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
        variance = below * above * mean_difference**2
    return 0.5 * float(edges[1:-1][np.nanargmax(variance)])
