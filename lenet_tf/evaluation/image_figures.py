"""Figures made of images: galleries, filters and feature maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lenet_tf.evaluation.palette import INK

_MAX_MAPS = 24
# From one map to the next, in widths of a map.
_MAP_STEP = 1.08


def to_displayable(images: np.ndarray) -> np.ndarray:
    """Raw images (N, height, width[, channels]) of whole numbers 0…255 as uint8: with three channels as they are, else gray (N, height,
    width), which of several other channels is their mean."""
    if images.ndim == 4 and images.shape[-1] != 3:
        images = images.mean(axis=-1)
    return images.astype(np.uint8)


def plot_gallery(
    images: Sequence[np.ndarray], titles: Sequence[str], none: str, columns: int = 8
) -> Figure:
    """Raw images (height, width[, channels]) in lines of so many, each below its title of one line or more; `none` is said of no image."""
    drawn = to_displayable(np.stack(images)) if len(images) else ()
    lines = max(1, -(-len(images) // columns))
    # Inches. One pair of axes for all: 24 of them take a second, which is much where a network trains.
    width, side, above = (
        1.125,
        0.98,
        0.22 + 0.15 * max((title.count("\n") for title in titles), default=0),
    )
    height = above + side + 0.1
    figure = Figure(figsize=(width * columns, height * lines))
    axes = figure.add_axes((0, 0, 1, 1))
    for number, (image, title) in enumerate(zip(drawn, titles, strict=True)):
        left, top = (
            number % columns * width + (width - side) / 2,
            number // columns * height + above,
        )
        axes.imshow(
            image,
            cmap=INK,
            vmin=0,
            vmax=255,
            extent=(left, left + side, top + side, top),
            aspect="auto",
        )
        axes.text(left + side / 2, top - 0.04, title, ha="center", va="bottom", fontsize=8)
    if not len(images):
        axes.text(width / 2, height / 2, none, fontsize=10)
    axes.set(xlim=(0, width * columns), ylim=(height * lines, 0))
    axes.set_axis_off()
    return figure


def plot_image_rows(rows: Sequence[tuple[str, Any]], title: str) -> Figure:
    """One line of images for each (name, images); images are (N, height, width, channels), dark where their values are high."""
    count = max(len(images) for _, images in rows)
    figure = Figure(figsize=(0.62 * count + 1.6, 0.62 * len(rows) + 0.5))
    low, high = min(np.min(images) for _, images in rows), max(np.max(images) for _, images in rows)
    for (name, images), line in zip(
        rows, figure.subplots(len(rows), count, squeeze=False), strict=True
    ):
        for axes in line:
            axes.set_axis_off()
        for image, axes in zip(images, line, strict=False):
            if image.shape[-1] == 1:
                axes.imshow(image[..., 0], cmap=INK, vmin=low, vmax=high)
            else:
                axes.imshow((image - low) / (high - low))
        line[0].text(
            -0.2, 0.5, name, transform=line[0].transAxes, ha="right", va="center", fontsize=9
        )
    figure.subplots_adjust(wspace=0.05, hspace=0.05, top=1 - 0.45 / figure.get_figheight())
    figure.suptitle(title, fontsize=11, y=1, va="top")
    return figure


def plot_filters(kernels: np.ndarray, name: str) -> Figure:
    """The kernels of the first convolution, (height, width, input maps, feature maps): violet is negative, orange positive."""
    count = min(kernels.shape[-1], _MAX_MAPS)
    most = float(np.nanmax(np.abs(kernels))) or 1.0
    figure = Figure(figsize=(0.95 * count + 0.2, 1.25))
    for number, axes in enumerate(figure.subplots(1, count, squeeze=False)[0]):
        # Of several input maps the mean; a connection that does not exist counts for nothing.
        axes.imshow(np.nanmean(kernels[..., number], axis=-1), cmap="PuOr_r", vmin=-most, vmax=most)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{name}.{number}", fontsize=8)
    figure.tight_layout()
    return figure


def plot_feature_maps(maps: Mapping[str, np.ndarray]) -> Figure:
    """What every layer makes of one image: layer → (height, width, maps) or (units,), as `lenet_tf.evaluation.inspection.feature_maps` gives it for
    each; dark is high."""
    shown = {name: values for name, values in maps.items() if values.ndim == 3 or values.ndim == 1}
    # Flattened maps are those above them once more.
    names = [
        name
        for number, name in enumerate(shown)
        if not (shown[name].ndim == 1 and _repeats(list(shown.values()), number))
    ]
    columns = min(
        _MAX_MAPS, max(shown[name].shape[-1] if shown[name].ndim == 3 else 1 for name in names)
    )
    heights = [1.0 if shown[name].ndim == 3 else 0.45 for name in names]
    figure = Figure(figsize=(10, 0.62 * sum(heights) * max(1, 16 / max(columns, 8)) + 0.3))
    lines = figure.add_gridspec(len(names), 1, height_ratios=heights, hspace=0.25)
    for line, name in zip(lines, names, strict=True):
        values = shown[name]
        axes = figure.add_subplot(line)
        if values.ndim == 1:
            axes.imshow(values[None], cmap=INK, aspect="auto")
        else:
            _map_line(axes, values[..., :columns])
            axes.set(xlim=(-0.02, columns * _MAP_STEP), anchor="W")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def _map_line(axes: Any, maps: np.ndarray) -> None:
    """Maps (height, width, maps) side by side, each framed, in one pair of axes: a pair for each takes seconds for some sixty."""
    low, high, height = maps.min(), maps.max(), maps.shape[0] / maps.shape[1]
    for number, map_ in enumerate(np.moveaxis(maps, -1, 0)):
        left = number * _MAP_STEP
        axes.imshow(map_, cmap=INK, vmin=low, vmax=high, extent=(left, left + 1, height, 0))
        axes.add_patch(Rectangle((left, 0), 1, height, fill=False, linewidth=0.8))
    axes.set_ylim(height + 0.02, -0.02)
    for side in axes.spines.values():
        side.set_visible(False)


def _repeats(values: Sequence[np.ndarray], number: int) -> bool:
    return (
        number > 0
        and values[number - 1].size == values[number].size
        and np.array_equal(values[number - 1].ravel(), values[number].ravel())
    )
