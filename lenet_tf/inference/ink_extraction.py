"""Separates ink from paper in a gray picture, also where the light falls off across it."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy import ndimage

from lenet_tf.errors import DataError
from lenet_tf.inference.line_removal import compute_threshold

# Gray levels between ink and paper; a picture with less contrast is empty.
_MIN_CONTRAST = 12
# Contrast in standard deviations of the paper's noise, below which there is only noise.
_MIN_SIGNAL = 6
# Estimated standard deviation of the rim, up to which paper counts as clean.
_CLEAN_DEVIATION = 2.0
# What a Gaussian filter of one pixel leaves of independent noise.
_SMOOTHED_NOISE = 0.28
# The light is fitted to a copy of at most this side.
_FIT_SIDE = 64
# Share of the rim that it must fit better than even light does.
_MIN_GAIN = 0.1
# Weighted fits, the first half of them to the rim.
_FIT_STEPS = 12
# The edge of a shadow: the largest share of the rim that smooth light fits, the least contrast of
# light and shadow in shares of the light, and the least share of the rim on each side.
_MAX_FIT, _MIN_SHADOW, _MIN_ARC = 0.62, 0.15, 0.08
# Sides of windows, in shares of the shorter side, in which there is paper beside each stroke: for
# the paper's brightness, and to compare dark strokes with light ones.
_SHADOW_WINDOW, _STROKE_WINDOW = 0.2, 0.13
# Least share of the brightest light, so that noise in the dark is not enlarged.
_MIN_LIGHT = 0.2


def fit_paper(picture: np.ndarray) -> np.ndarray:
    """Fit a quadratic surface to the brightness of the paper, first to that of the rim.

    Args:
        picture: float32 (height, width), gray levels 0…255.

    Returns:
        The paper's brightness, float32 (height, width).
    """
    height, width = picture.shape
    scale = min(1.0, _FIT_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    terms, values = _make_terms(small.shape), small.ravel().astype(np.float64)
    # A line along the rim hides the paper beside it.
    rim = _select_rim(small.shape).ravel()
    median = float(np.median(values[rim]))
    fitted, weights = np.full(values.shape, median), rim.astype(float)
    for step in range(_FIT_STEPS):
        residual = values - fitted
        spread = max(1.0, _estimate_deviation(residual[weights > 0]))
        weights = 1 / (1 + (residual / (2 * spread)) ** 2) ** 2
        if step < _FIT_STEPS // 2:
            weights *= rim
        weighted = terms * weights[:, None]
        # One row or column has no slope across, so the matrix may be singular.
        solution = np.linalg.lstsq(terms.T @ weighted, weighted.T @ values, rcond=1e-9)[0]
        fitted = terms @ solution
    # Ink along the rim, as of a tightly cropped digit, bends the surface.
    even, uneven = (
        float((np.abs(values - each)[rim] < _MIN_CONTRAST / 2).mean()) for each in (median, fitted)
    )
    if uneven < even + _MIN_GAIN:
        return np.full(picture.shape, median, np.float32)
    surface = fitted.reshape(small.shape).astype(np.float32)
    return np.asarray(Image.fromarray(surface).resize((width, height), Image.Resampling.BILINEAR))


def estimate_paper(picture: np.ndarray) -> tuple[np.ndarray, bool]:
    """Estimate the brightness of the paper, also on both sides of the edge of a shadow.

    Args:
        picture: float32 (height, width), gray levels 0…255.

    Returns:
        The paper's brightness, float32 (height, width), and whether strokes are darker.
    """
    paper = fit_paper(picture)
    smooth = _smooth(picture)
    if _has_shadow_edge(smooth, paper):
        dark = _has_dark_strokes(smooth)
        # A median keeps the edge as sharp as it is.
        sharp = ndimage.median_filter(picture, 3, mode="nearest")
        return _fill_strokes(sharp, dark, _SHADOW_WINDOW * min(picture.shape)), dark
    residual = smooth - paper
    darker, lighter = np.clip(-residual, 0, None), np.clip(residual, 0, None)
    return paper, bool((darker**2).sum() >= (lighter**2).sum())


def _has_shadow_edge(smooth: np.ndarray, paper: np.ndarray) -> bool:
    """Return whether the rim is dark along one piece, which no smooth light explains."""
    rim = _select_rim(smooth.shape)
    fits = np.abs(smooth - paper)[rim] < _MIN_CONTRAST / 2
    if fits.mean() >= _MAX_FIT or min(smooth.shape) < 8:
        return False
    around = np.concatenate([smooth[0], smooth[1:-1, -1], smooth[-1, ::-1], smooth[-2:0:-1, 0]])
    around = around[:: max(1, len(around) // 256)]
    # Strokes and lines across the rim are short.
    around = ndimage.median_filter(around, len(around) // 12 | 1, mode="wrap")
    low, high = np.percentile(around, [3, 97])
    if high - low < max(_MIN_CONTRAST, _MIN_SHADOW * high):
        return False
    span = float(np.ptp(around))
    threshold = around.min() + 2 * span * compute_threshold((around - around.min()) / span)
    light = around > threshold
    is_one_piece = (light != np.roll(light, 1)).sum() == 2
    return bool(is_one_piece and _MIN_ARC < light.mean() < 1 - _MIN_ARC)


def _has_dark_strokes(smooth: np.ndarray) -> bool:
    side = _STROKE_WINDOW * min(smooth.shape)
    dark, light = (np.abs(_fill_strokes(smooth, each, side) - smooth) for each in (True, False))
    # Paper between ruled lines is narrow too, but has less contrast to them than ink has to paper.
    least = max(float(np.percentile(each, 99.5)) for each in (dark, light)) / 2
    # There is more light paper between strokes than there is dark paper.
    return bool(3 * (dark > least).sum() >= (light > least).sum())


def _fill_strokes(smooth: np.ndarray, dark: bool, side: float) -> np.ndarray:
    """Fill what is narrower than a square window with what is around it.

    Windows may reach beyond the picture, so that the edge of a shadow keeps its place at the rim.
    """
    if not dark:
        return -_fill_strokes(-smooth, True, side)
    window = max(3, round(side))
    padded = np.pad(smooth, window, constant_values=float(smooth.min()))
    filled = ndimage.grey_closing(padded, window)
    return filled[window:-window, window:-window]


def refine_paper(picture: np.ndarray, paper: np.ndarray, dark: bool) -> np.ndarray:
    """Follow uneven light that no smooth surface fits.

    Args:
        picture: float32 (height, width), gray levels 0…255.
        paper: Brightness of the paper from `estimate_paper`.
        dark: Whether strokes are darker than the paper.

    Returns:
        The paper's brightness: the picture without what is narrower than half of it, if that fits
        the rim better.
    """
    close = ndimage.grey_closing if dark else ndimage.grey_opening
    closed = close(_smooth(picture), max(3, max(picture.shape) // 2))
    rim = _select_rim(picture.shape)
    fitted_error, closed_error = (
        _estimate_deviation((picture - each)[rim]) for each in (paper, closed)
    )
    return closed if fitted_error > 1.5 * closed_error + 1 else paper


def subtract_paper(picture: np.ndarray, paper: np.ndarray, dark: bool) -> np.ndarray:
    """Return the gray levels between paper and ink.

    Args:
        picture: float32 (height, width), gray levels 0…255.
        paper: Brightness of the paper, of the same shape.
        dark: Whether strokes are darker than the paper.

    Returns:
        float32 (height, width), 0 paper, positive for ink, as in the brightest light.
    """
    if not dark:
        return picture - paper
    # Less light makes ink and paper darker by the same factor.
    brightest = max(float(paper.max()), 1.0)
    return (paper - picture) / np.maximum(paper / brightest, _MIN_LIGHT)


def to_ink(contrast: np.ndarray) -> np.ndarray:
    """Scale gray levels between paper and ink, and set the paper to 0.

    Args:
        contrast: float32 (height, width) from `subtract_paper`.

    Returns:
        float32 (height, width), 0 paper … 1 ink.

    Raises:
        DataError: If nothing is drawn.
    """
    smooth = _smooth(contrast)
    noise = _estimate_deviation((contrast - smooth)[_select_rim(contrast.shape)])
    # Smooth noise away, but not on clean paper, where smoothing would break a thin line.
    if noise > _CLEAN_DEVIATION:
        contrast = smooth
        noise *= _SMOOTHED_NOISE
    ink = np.clip(contrast, 0, None)
    top = float(ink.max())
    if top < max(_MIN_CONTRAST, _MIN_SIGNAL * noise):
        raise DataError("nothing is drawn in it: all of it has the same brightness")
    ink /= top
    return np.where(ink >= compute_threshold(ink), ink, 0)


def _smooth(picture: np.ndarray) -> np.ndarray:
    return ndimage.gaussian_filter(picture, 1, mode="nearest")


def _select_rim(shape: tuple[int, ...]) -> np.ndarray:
    width = max(1, min(shape) // 20)
    rim = np.ones(shape, bool)
    rim[width:-width, width:-width] = False
    return rim


def _estimate_deviation(values: np.ndarray) -> float:
    """Estimate the standard deviation, whatever the outliers."""
    return 1.48 * float(np.median(np.abs(values - np.median(values))))


def _make_terms(shape: tuple[int, ...]) -> np.ndarray:
    y, x = (np.linspace(-1, 1, size) if size > 1 else np.zeros(1) for size in shape)
    columns = np.broadcast_arrays(
        1.0, y[:, None], x[None, :], y[:, None] ** 2, x[None, :] ** 2, y[:, None] * x[None, :]
    )
    return np.stack([column.ravel() for column in columns], axis=1)
