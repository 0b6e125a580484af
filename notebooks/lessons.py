"""Figures of the course: images, channels, receptive fields, curves, embeddings, saliency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from pixel_grids import animate_convolution, plot_pixel_values

from lenet_tf.evaluation.image_figures import to_displayable
from lenet_tf.evaluation.palette import DIVERGING, INK, ORANGE, SERIES_COLORS
from lenet_tf.evaluation.plotting import despine
from lenet_tf.specs import Spec

__all__ = [
    "animate_convolution",
    "plot_channels",
    "plot_curves",
    "plot_embedding",
    "plot_images",
    "plot_pixel_values",
    "plot_receptive_fields",
    "plot_saliency",
]

# Markers distinguish the curves without their colors.
_STYLES = ("o-", "s--", "^-.", "D:", "v-", "P--")
# Ten classes need three colors more than the palette has.
_CLASS_COLORS = (*SERIES_COLORS, "#7F7F7F", "#8C564B", "#B8860B")


def plot_images(images: Mapping[str, np.ndarray], columns: int = 6) -> Figure:
    """Plot images in a grid, each scaled to its own values.

    Args:
        images: Title → array (height, width) or (height, width, 3). In gray images, dark is high.
        columns: Largest number of images in a row.

    Returns:
        The figure, with one axes per image.
    """
    column_count = min(columns, len(images))
    row_count = -(-len(images) // columns)
    figure = Figure(figsize=(1.75 * column_count, 2.0 * row_count))
    for axes in figure.subplots(row_count, column_count, squeeze=False).flat:
        axes.set_axis_off()
    for axes, (title, image) in zip(figure.axes, images.items(), strict=False):
        image = np.asarray(image)
        if image.ndim == 3 and image.dtype != np.uint8:
            image = (image - image.min()) / max(1e-9, image.max() - image.min())
        axes.imshow(image, cmap=INK)
        axes.set_title(title, fontsize=9)
    figure.tight_layout()
    return figure


def plot_channels(image: np.ndarray) -> Figure:
    """Plot a color image beside its red, green and blue channel, each in its color.

    Args:
        image: uint8 array (height, width, 3).

    Returns:
        The figure, with four axes.
    """
    figure = Figure(figsize=(8, 2.3))
    first, *others = figure.subplots(1, 4)
    first.imshow(image)
    first.set_title("×".join(map(str, image.shape)), fontsize=10)
    for number, (axes, name) in enumerate(zip(others, ("red", "green", "blue"), strict=True)):
        channel = np.zeros_like(image)
        channel[..., number] = image[..., number]
        axes.imshow(channel)
        axes.set_title(f"channel {number}: {name}", fontsize=10)
    for axes in figure.axes:
        axes.set_axis_off()
    figure.tight_layout()
    return figure


def plot_receptive_fields(spec: Spec, image: np.ndarray) -> Figure:
    """Plot an image with the receptive field of one central unit of each layer.

    Args:
        spec: Network.
        image: Prepared image (height, width[, channels]).

    Returns:
        The figure, with one axes for each layer that has feature maps.
    """
    layers = [facts for facts in spec.layers[1:] if len(facts.output_shape) == 3]
    figure = Figure(figsize=(1.9 * len(layers), 2.2))
    for axes, facts in zip(figure.subplots(1, len(layers), squeeze=False)[0], layers, strict=True):
        axes.imshow(np.squeeze(image), cmap=INK)
        height, width = facts.receptive_field
        corner = ((image.shape[1] - width) / 2 - 0.5, (image.shape[0] - height) / 2 - 0.5)
        frame = Rectangle(corner, width, height, fill=False, clip_on=False)
        frame.set(edgecolor=ORANGE, linewidth=2.5)
        axes.add_patch(frame)
        axes.set_title(f"{facts.row.name}: {height}×{width}", fontsize=10)
        axes.set(xticks=[], yticks=[])
    figure.tight_layout()
    return figure


def plot_curves(
    x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str
) -> Figure:
    """Plot one line per curve.

    Args:
        x: Positions shared by all curves.
        curves: Name → values, as many as `x` has.
        xlabel: Label of the horizontal axis.
        ylabel: Label of the vertical axis.

    Returns:
        The figure, with one axes. Integer positions get integer ticks.
    """
    figure = Figure(figsize=(6.4, 3.4))
    axes = figure.subplots()
    for number, (name, values) in enumerate(curves.items()):
        color, style = SERIES_COLORS[number % len(SERIES_COLORS)], _STYLES[number % len(_STYLES)]
        axes.plot(x, values, style, color=color, markersize=5, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    if all(float(value).is_integer() for value in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(curves) > 1:
        axes.legend(frameon=False)
    despine(axes)
    figure.tight_layout()
    return figure


def plot_embedding(
    points: np.ndarray, labels: np.ndarray, images: np.ndarray, title: str = ""
) -> Figure:
    """Plot each image at its point, tinted in the color of its class.

    Args:
        points: Array (N, 2).
        labels: Integer array (N,).
        images: Raw images (N, height, width[, channels]).
        title: Title of the figure.

    Returns:
        The figure, with one axes.
    """
    figure = Figure(figsize=(7, 6))
    axes = figure.subplots()
    colors = [to_rgb(color) for color in _CLASS_COLORS]
    side = np.ptp(points, axis=0).max() / 38
    for point, label, image in zip(points, labels, to_displayable(images), strict=True):
        ink = image / 255 if image.ndim == 2 else image.mean(axis=-1) / 255
        color = np.broadcast_to(colors[label % len(colors)], (*ink.shape, 3))
        # Transparent paper lets digits overlap.
        tinted = np.concatenate([color, ink[..., None]], axis=-1)
        left, top = point[0] - side / 2, point[1] - side / 2
        axes.imshow(tinted, extent=(left, left + side, top, top + side), interpolation="bilinear")
    low, high = points.min(axis=0) - side, points.max(axis=0) + side
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
    axes.set(aspect="equal", title=title)
    figure.tight_layout()
    return figure


def plot_saliency(images: np.ndarray, gradients: np.ndarray, titles: Sequence[str]) -> Figure:
    """Plot images above their saliency: orange supports the prediction, violet opposes it.

    Args:
        images: Raw images (N, height, width[, channels]).
        gradients: Array (N, height', width', channels) from `lenet_tf.inspection.saliency`. A
            padded network's gradients are larger than the images; the padding is cut off.
        titles: One title per image.

    Returns:
        The figure, with two axes per image.
    """
    figure = Figure(figsize=(1.2 * len(images), 2.7))
    height, width = images.shape[1:3]
    for number, (upper, lower) in enumerate(figure.subplots(2, len(images), squeeze=False).T):
        gradient = gradients[number].sum(axis=-1)
        top, left = (gradient.shape[0] - height) // 2, (gradient.shape[1] - width) // 2
        gradient = gradient[top : top + height, left : left + width]
        limit = np.abs(gradient).max() or 1.0
        image = to_displayable(images[number : number + 1])[0]
        upper.imshow(image, cmap=INK, vmin=0, vmax=255)
        lower.imshow(gradient, cmap=DIVERGING, vmin=-limit, vmax=limit)
        upper.set_title(titles[number], fontsize=9)
        for axes in (upper, lower):
            axes.set(xticks=[], yticks=[])
    figure.tight_layout()
    return figure
