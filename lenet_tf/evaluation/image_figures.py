"""Figures made of images: galleries, filters and feature maps.

Figures of scores and predictions, `plot_mistakes` among them, are in `figures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lenet_tf.evaluation.palette import DIVERGING, INK
from lenet_tf.evaluation.plotting import default_style

MAX_MAPS = 24
# The distance from one feature map to the next, in widths of a map.
_MAP_STEP = 1.08


def to_displayable(images: np.ndarray, are_photographs: bool = False) -> np.ndarray:
    """Turn raw images into what matplotlib shows.

    Args:
        images: Integers of 0 to 255, (N, height, width) or (N, height, width, channels).
        are_photographs: Whether gray images are shown as they are, not as ink.

    Returns:
        The images as uint8. Color images keep their three channels; others become gray,
        (N, height, width), by the mean of their channels; gray photographs get three channels.
    """
    if images.ndim == 4 and images.shape[-1] != 3:
        images = images.mean(axis=-1)
    images = images.astype(np.uint8)
    return np.stack([images] * 3, axis=-1) if are_photographs and images.ndim == 3 else images


@default_style()
def plot_gallery(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    empty_text: str,
    columns: int = 8,
    are_photographs: bool = False,
) -> Figure:
    """Show images in lines, each below its title.

    Args:
        images: Raw images, each (height, width) or (height, width, channels).
        titles: The images' titles, of one line or more.
        empty_text: What to write if there is no image.
        columns: Images in one line.
        are_photographs: Whether gray images are shown as they are, not as ink.

    Returns:
        The figure.
    """
    shown = to_displayable(np.stack(images), are_photographs) if len(images) else ()
    lines = max(1, -(-len(images) // columns))
    title_lines = max((title.count("\n") for title in titles), default=0)
    # In inches. All images share one pair of axes, since 24 pairs take a second to draw.
    width, side, above = 1.125, 0.98, 0.22 + 0.15 * title_lines
    height = above + side + 0.1
    figure = Figure(figsize=(width * columns, height * lines))
    axes = figure.add_axes((0, 0, 1, 1))
    for number, (image, title) in enumerate(zip(shown, titles, strict=True)):
        left = number % columns * width + (width - side) / 2
        top = number // columns * height + above
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
        axes.text(width / 2, height / 2, empty_text, fontsize=10)
    axes.set(xlim=(0, width * columns), ylim=(height * lines, 0))
    axes.set_axis_off()
    return figure


@default_style()
def plot_image_rows(rows: Sequence[tuple[str, Any]], title: str) -> Figure:
    """Show rows of images, each row with its name.

    Args:
        rows: A name and prepared images, (N, height, width, channels), for each row.
        title: The figure's title.

    Returns:
        The figure. In gray images, high values are dark.
    """
    count = max(len(images) for _, images in rows)
    figure = Figure(figsize=(0.62 * count + 1.6, 0.62 * len(rows) + 0.5))
    low, high = min(np.min(images) for _, images in rows), max(np.max(images) for _, images in rows)
    grid = figure.subplots(len(rows), count, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for (name, images), line in zip(rows, grid, strict=True):
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


@default_style()
def plot_filters(kernels: np.ndarray, name: str) -> Figure:
    """Show the kernels of a convolution: violet is negative, orange positive.

    Args:
        kernels: The kernels, (height, width, input maps, feature maps), with NaN where a
            connection does not exist. Of several input maps the mean is shown.
        name: The layer's name.

    Returns:
        The figure, with up to 24 feature maps.
    """
    count = min(kernels.shape[-1], MAX_MAPS)
    limit = float(np.nanmax(np.abs(kernels))) or 1.0
    figure = Figure(figsize=(0.95 * count + 0.2, 1.25))
    for number, axes in enumerate(figure.subplots(1, count, squeeze=False)[0]):
        kernel = np.nanmean(kernels[..., number], axis=-1)
        axes.imshow(kernel, cmap=DIVERGING, vmin=-limit, vmax=limit)
        axes.set(xticks=[], yticks=[])
        axes.set_title(f"{name}.{number}", fontsize=8)
    figure.tight_layout()
    return figure


@default_style()
def plot_feature_maps(maps: Mapping[str, np.ndarray]) -> Figure:
    """Show every layer's output for one image; dark is high.

    Args:
        maps: Layer → its output, (height, width, maps) or (units,), as
            `lenet_tf.inspection.feature_maps` returns it for each image.

    Returns:
        The figure, with up to 24 maps of each layer.
    """
    shown = drop_flattened(maps)
    columns = min(
        MAX_MAPS, max(values.shape[-1] if values.ndim == 3 else 1 for values in shown.values())
    )
    heights = [1.0 if values.ndim == 3 else 0.45 for values in shown.values()]
    figure = Figure(figsize=(10, 0.62 * sum(heights) * max(1, 16 / max(columns, 8)) + 0.3))
    grid = figure.add_gridspec(len(shown), 1, height_ratios=heights, hspace=0.25)
    for number, (name, values) in enumerate(shown.items()):
        axes = figure.add_subplot(grid[number])
        if values.ndim == 1:
            axes.imshow(values[None], cmap=INK, aspect="auto")
        else:
            _plot_map_line(axes, values[..., :columns])
            axes.set(xlim=(-0.02, columns * _MAP_STEP), anchor="W")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def _plot_map_line(axes: Any, maps: np.ndarray) -> None:
    """Draw framed maps (height, width, maps) in one pair of axes, since 60 pairs take seconds."""
    low, high, height = maps.min(), maps.max(), maps.shape[0] / maps.shape[1]
    for number, feature_map in enumerate(np.moveaxis(maps, -1, 0)):
        left = number * _MAP_STEP
        axes.imshow(feature_map, cmap=INK, vmin=low, vmax=high, extent=(left, left + 1, height, 0))
        axes.add_patch(Rectangle((left, 0), 1, height, fill=False, linewidth=0.8))
    axes.set_ylim(height + 0.02, -0.02)
    for side in axes.spines.values():
        side.set_visible(False)


def drop_flattened(maps: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Leave out a flatten layer's units, which are the maps of the layer before it."""
    kept: dict[str, np.ndarray] = {}
    before = np.empty(0)
    for name, values in maps.items():
        if values.ndim not in (1, 3):
            continue
        if values.ndim == 3 or not np.array_equal(values.ravel(), before.ravel()):
            kept[name] = values
        before = values
    return kept


@default_style()
def plot_attributions(rows: Mapping[str, np.ndarray], titles: Sequence[str]) -> Figure:
    """Show images above the maps that explain their predictions.

    Args:
        rows: The name of each line → its images, uint8 (N, height, width, 3).
        titles: The images' titles.

    Returns:
        The figure. All images share one pair of axes.
    """
    count, above = len(titles), 0.25 + 0.15 * max(title.count("\n") for title in titles)
    figure = Figure(figsize=(1.1 * count + 0.9, 1.05 * len(rows) + above))
    axes = figure.add_axes((0, 0, 1, 1))
    for line, (name, images) in enumerate(rows.items()):
        top = above + 1.05 * line
        axes.text(0.8, top + 0.5, name, ha="right", va="center", fontsize=9)
        for number, image in enumerate(images):
            left = 0.9 + 1.1 * number
            axes.imshow(image, extent=(left, left + 1, top + 1, top), aspect="auto")
    for number, title in enumerate(titles):
        left = 1.4 + 1.1 * number
        axes.text(left, above - 0.05, title, ha="center", va="bottom", fontsize=8)
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(figure.get_figheight(), 0))
    axes.set_axis_off()
    return figure
