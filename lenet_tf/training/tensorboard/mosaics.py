"""Pictures made of many small ones, without axes: quick enough to be made while a network trains."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps

# Pixels of the side of a map or kernel that is drawn, at least, and between two of them.
_SIDE, _GAP = 28, 3
# Columns of one picture, and of units, which are small.
_MAX, _MAX_UNITS = 64, 512


def maps_mosaic(values: np.ndarray) -> np.ndarray:
    """A layer's outputs for some images, (N, height, width, maps) or (N, units), as one picture uint8 (height, width, 1): a line for each
    image, a column for each map or unit, up to 64 or 512; dark is high."""
    values = values[:, None, None, :_MAX_UNITS] if values.ndim == 2 else values[..., :_MAX]
    low, high = float(values.min()), float(values.max())
    shades = (255 - 255 * (values - low) / (high - low or 1.0)).astype(np.uint8)
    return _tiled(shades.transpose(0, 3, 1, 2)[..., None], 12 if values.shape[1] == 1 else _SIDE)


def filters_mosaic(kernels: np.ndarray) -> np.ndarray:
    """Kernels (height, width, input maps, feature maps) as one picture uint8 (height, width, 3): a line for each input map, a column for
    each feature map, up to 64; blue is negative, orange positive, and a connection that does not exist (NaN) white."""
    kernels = kernels[..., :_MAX]
    most = float(np.nanmax(np.abs(kernels))) or 1.0
    colored = colormaps["PuOr_r"](np.nan_to_num(kernels / most) / 2 + 0.5)[..., :3]
    colored[np.isnan(kernels)] = 1.0
    return _tiled((255 * colored).astype(np.uint8).transpose(2, 3, 0, 1, 4), _SIDE + 12)


def _tiled(tiles: np.ndarray, side: int) -> np.ndarray:
    """(Lines, columns, height, width, channels) as one picture on a light ground, whole pixels enlarged until a tile is `side` high."""
    times = max(1, side // tiles.shape[2])
    tiles = tiles.repeat(times, axis=2).repeat(times, axis=3)
    framed = np.pad(tiles, ((0, 0), (0, 0), (_GAP, 0), (_GAP, 0), (0, 0)), constant_values=225)
    lines, columns, height, width, channels = framed.shape
    whole = framed.transpose(0, 2, 1, 3, 4).reshape(lines * height, columns * width, channels)
    return np.pad(whole, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=225)
