"""Images tiled from feature maps or kernels, without axes: quick to make while a model trains."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps

from lenet_tf.evaluation.palette import DIVERGING

# Smallest side of a tile and the gap between two, in pixels.
_TILE_SIDE, _GAP = 28, 3
# Columns of an image: maps or kernels, and units, which are smaller.
_MAX_MAPS, _MAX_UNITS = 64, 512
_BACKGROUND = 225


def maps_mosaic(values: np.ndarray) -> np.ndarray:
    """Return a layer's outputs for several images as one grayscale image; dark is high.

    Args:
        values: Feature maps (N, height, width, maps) or units (N, units).

    Returns:
        uint8 (height, width, 1): one row per image, one column for each of up to 64 maps or 512
        units.
    """
    values = values[:, None, None, :_MAX_UNITS] if values.ndim == 2 else values[..., :_MAX_MAPS]
    low, high = float(values.min()), float(values.max())
    shades = (255 - 255 * (values - low) / (high - low or 1.0)).astype(np.uint8)
    side = 12 if values.shape[1] == 1 else _TILE_SIDE
    return _tile(shades.transpose(0, 3, 1, 2)[..., None], side)


def filters_mosaic(kernels: np.ndarray) -> np.ndarray:
    """Return kernels as one color image: violet is negative, orange positive.

    Args:
        kernels: (height, width, input maps, feature maps). NaN marks a missing connection, which
            is drawn white.

    Returns:
        uint8 (height, width, 3): one row per input map, one column for each of up to 64 feature
        maps.
    """
    kernels = kernels[..., :_MAX_MAPS]
    largest = float(np.nanmax(np.abs(kernels))) or 1.0
    colors = colormaps[DIVERGING](np.nan_to_num(kernels / largest) / 2 + 0.5)[..., :3]
    colors[np.isnan(kernels)] = 1.0
    return _tile((255 * colors).astype(np.uint8).transpose(2, 3, 0, 1, 4), _TILE_SIDE + 12)


def _tile(tiles: np.ndarray, side: int) -> np.ndarray:
    """Join tiles (rows, columns, height, width, channels), scaled up to at least `side`."""
    scale = max(1, side // tiles.shape[2])
    tiles = tiles.repeat(scale, axis=2).repeat(scale, axis=3)
    gaps = ((0, 0), (0, 0), (_GAP, 0), (_GAP, 0), (0, 0))
    framed = np.pad(tiles, gaps, constant_values=_BACKGROUND)
    rows, columns, height, width, channels = framed.shape
    image = framed.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
    return np.pad(image, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=_BACKGROUND)
