"""Figures that show every pixel as a square with its number, and an animated convolution."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy_reference import convolve, iter_windows, pad
from PIL import Image

from lenet_tf.evaluation.palette import BLUE, INK, ORANGE

_STEP_MILLISECONDS, _LAST_STEP_MILLISECONDS = 900, 2500


def format_value(value: float) -> str:
    """Format a number for a grid: integers without a point, others with two decimals."""
    text = f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2f}"
    return text.replace("-", "−")


def plot_pixel_values(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Plot arrays side by side, with every number written in its square.

    Args:
        arrays: Title → array (height, width). All arrays share one scale of length.

    Returns:
        The figure, with one axes per array.
    """
    widths = [np.shape(array)[1] for array in arrays.values()]
    max_height = max(np.shape(array)[0] for array in arrays.values())
    side = 0.34 if max(max_height, *widths) > 12 else 0.42
    size = (side * sum(widths) + 0.5 * len(widths) + 0.2, side * max_height + 0.5)
    figure = Figure(figsize=size)
    row = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    for axes, (title, array) in zip(row, arrays.items(), strict=True):
        values = np.asarray(array, np.float64)
        _draw_grid(axes, values, title, float(np.nanmin(values)), float(np.nanmax(values)))
        axes.set_anchor("N")
    figure.tight_layout()
    return figure


def _draw_grid(axes: Axes, values: np.ndarray, title: str, low: float, high: float) -> None:
    """Draw an array (height, width) as numbered squares; NaN squares stay empty."""
    axes.imshow(values, cmap=INK, vmin=low, vmax=high + (high - low) * 0.35 + 1e-9)
    white_text_above = (low + high) / 2 + (high - low) * 0.2
    height, width = values.shape
    longest = max((len(format_value(value)) for value in values[~np.isnan(values)]), default=1)
    font_size = min(np.clip(70 / max(height, width), 6.5, 11), 45 / longest)
    for row, column in np.argwhere(~np.isnan(values)):
        value = values[row, column]
        axes.text(
            column,
            row,
            format_value(value),
            ha="center",
            va="center",
            fontsize=font_size,
            color="white" if value > white_text_above else "black",
        )
    axes.set(
        xticks=np.arange(width + 1) - 0.5,
        yticks=np.arange(height + 1) - 0.5,
        xticklabels=[],
        yticklabels=[],
        xlim=(-0.5, width - 0.5),
        ylim=(height - 0.5, -0.5),
    )
    axes.grid(color="0.8", linewidth=0.5)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=10)


def animate_convolution(
    image: np.ndarray,
    kernel: np.ndarray,
    bias: float = 0.0,
    stride: int = 1,
    padding: int = 0,
    constant: float = 0.0,
) -> bytes:
    """Animate a kernel that slides over an image while the feature map fills.

    Args:
        image: Array (height, width).
        kernel: Array (kernel height, kernel width).
        bias: Number added to every sum.
        stride: Step of the kernel in pixels.
        padding: Pixels added on every side of the image.
        constant: Value of the added pixels.

    Returns:
        An animated PNG. Viewers without animation show the last step.
    """
    padded = pad(np.asarray(image, np.float64), padding, constant)
    feature_map = convolve(image, kernel, bias, stride, padding, constant)
    partial_map = np.full(feature_map.shape, np.nan)
    bounds = (feature_map.min(), feature_map.max())
    frames = []
    for row, column, window in iter_windows(padded, kernel.shape, stride):
        partial_map[row, column] = feature_map[row, column]
        terms = _format_sum(window, kernel, bias, feature_map[row, column])
        grids = {
            "image": (padded, padded.min(), padded.max()),
            "kernel": (kernel, kernel.min(), kernel.max()),
            "feature map": (partial_map, *bounds),
        }
        corners = ((row * stride, column * stride), (0, 0), (row, column))
        frames.append(_render_frame(grids, corners, kernel.shape, terms))
    # The first picture is for viewers without animation.
    return _encode_animation([frames[-1], *frames])


def _format_sum(window: np.ndarray, kernel: np.ndarray, bias: float, result: float) -> str:
    """Write the sum of products of one window as text."""
    products = [
        f"{format_value(x)}·{_format_signed(w)}"
        for x, w in zip(window.flat, kernel.flat, strict=True)
    ]
    if bias:
        products.append(_format_signed(bias))
    return f"{' + '.join(products)} = {format_value(result)}"


def _format_signed(value: float) -> str:
    return f"({format_value(value)})" if value < 0 else format_value(value)


def _render_frame(
    grids: Mapping[str, tuple[np.ndarray, float, float]],
    corners: tuple[tuple[int, int], ...],
    kernel_shape: tuple[int, ...],
    caption: str,
) -> np.ndarray:
    """Render one step of `animate_convolution`.

    Args:
        grids: Title → array, lowest and highest value: image, kernel and feature map.
        corners: Row and column of the marked rectangle in each grid.
        kernel_shape: Height and width of the rectangle in image and kernel.
        caption: The sum of products.

    Returns:
        uint8 array (height, width, 3).
    """
    image, kernel, feature_map = (grid for grid, _, _ in grids.values())
    figure = Figure(figsize=(8, 3.2), dpi=80)
    ratios = (image.shape[1], kernel.shape[1] + 1, max(feature_map.shape[1], 2))
    row = figure.subplots(1, 3, width_ratios=ratios)
    for axes, (title, (values, low, high)) in zip(row, grids.items(), strict=True):
        _draw_grid(axes, values, title, low, high)
    shapes, colors = (kernel_shape, kernel_shape, (1, 1)), (ORANGE, BLUE, ORANGE)
    for axes, (top, left), (height, width), color in zip(row, corners, shapes, colors, strict=True):
        mark = Rectangle((left - 0.5, top - 0.5), width, height, fill=False)
        mark.set(edgecolor=color, linewidth=3)
        axes.add_patch(mark)
    figure.text(0.5, 0.06, caption, ha="center", fontsize=9)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.14, wspace=0.15)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _encode_animation(frames: list[np.ndarray]) -> bytes:
    """Encode frames as an animated PNG; the first frame is its still picture."""
    still, *steps = [
        Image.fromarray(frame).quantize(64, dither=Image.Dither.NONE) for frame in frames
    ]
    durations = [_STEP_MILLISECONDS] * (len(steps) - 1) + [_LAST_STEP_MILLISECONDS]
    file = io.BytesIO()
    still.save(
        file,
        "PNG",
        save_all=True,
        append_images=steps,
        default_image=True,
        duration=durations,
        loop=0,
    )
    return file.getvalue()
