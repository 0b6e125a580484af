"""Pictures that teach: pixels with their values, a window at work, receptive fields, an embedding. For notebooks."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy_reference import convolve, iter_windows, pad
from PIL import Image

from lenet_tf.evaluation.image_figures import to_displayable
from lenet_tf.evaluation.palette import BLUE, ORANGE
from lenet_tf.evaluation.plotting import despine
from lenet_tf.specs import Spec

_INK = "gray_r"
# Marks that stay apart without their colors.
_STYLES = ("o-", "s--", "^-.", "D:", "v-", "P--")
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
# Milliseconds for which a step of an animation stands, and its end.
_STEP, _END = 900, 2500


def format_value(value: float) -> str:
    """A number as it stands in a picture: whole ones without a point, others to two places."""
    return (f"{value:.0f}" if abs(value - round(value)) < 1e-9 else f"{value:.2f}").replace(
        "-", "−"
    )


def _grid(axes: Any, values: np.ndarray, title: str, low: float, high: float) -> None:
    """A (height, width) array as squares with their numbers; NaN is left empty."""
    axes.imshow(values, cmap=_INK, vmin=low, vmax=high + (high - low) * 0.35 + 1e-9)
    middle = (low + high) / 2 + (high - low) * 0.2
    height, width = values.shape
    longest = max((len(format_value(value)) for value in values[~np.isnan(values)]), default=1)
    size = min(np.clip(70 / max(height, width), 6.5, 11), 45 / longest)
    for row, column in np.argwhere(~np.isnan(values)):
        value = values[row, column]
        axes.text(
            column,
            row,
            format_value(value),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if value > middle else "black",
        )
    axes.set(
        xticks=np.arange(width + 1) - 0.5,
        yticks=np.arange(height + 1) - 0.5,
        xticklabels=[],
        yticklabels=[],
    )
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.grid(color="0.8", linewidth=0.5)
    axes.tick_params(length=0)
    axes.set_title(title, fontsize=10)


def plot_pixel_values(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Title → (height, width), side by side to one scale, every number written into its square."""
    widths, most = (
        [np.shape(array)[1] for array in arrays.values()],
        max(np.shape(array)[0] for array in arrays.values()),
    )
    side = 0.34 if max(most, *widths) > 12 else 0.42
    figure = Figure(figsize=(side * sum(widths) + 0.5 * len(widths) + 0.2, side * most + 0.5))
    for axes, (title, array) in zip(
        figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0],
        arrays.items(),
        strict=True,
    ):
        values = np.asarray(array, np.float64)
        _grid(axes, values, title, float(np.nanmin(values)), float(np.nanmax(values)))
        axes.set_anchor("N")
    figure.tight_layout()
    return figure


def plot_images(images: Mapping[str, np.ndarray], columns: int = 6) -> Figure:
    """Title → (height, width) or (height, width, 3), side by side, each stretched over its own values: dark is high where it is gray."""
    count = min(columns, len(images))
    lines = -(-len(images) // columns)
    figure = Figure(figsize=(1.75 * count, 2.0 * lines))
    every = figure.subplots(lines, count, squeeze=False).flat
    for axes in every:
        axes.set_axis_off()
    for axes, (title, image) in zip(figure.axes, images.items(), strict=False):
        image = np.asarray(image)
        if image.ndim == 3 and image.dtype != np.uint8:
            image = (image - image.min()) / max(1e-9, image.max() - image.min())
        axes.imshow(image, cmap=_INK)
        axes.set_title(title, fontsize=9)
    figure.tight_layout()
    return figure


def plot_channels(image: np.ndarray) -> Figure:
    """A color image (height, width, 3) of 0…255 beside its red, green and blue channel, each in its color."""
    figure = Figure(figsize=(8, 2.3))
    first, *others = figure.subplots(1, 4)
    first.imshow(image)
    first.set_title("×".join(map(str, image.shape)), fontsize=10)
    for number, (axes, name) in enumerate(zip(others, ("red", "green", "blue"), strict=True)):
        alone = np.zeros_like(image)
        alone[..., number] = image[..., number]
        axes.imshow(alone)
        axes.set_title(f"channel {number}: {name}", fontsize=10)
    for axes in figure.axes:
        axes.set_axis_off()
    figure.tight_layout()
    return figure


def animate_convolution(
    image: np.ndarray,
    kernel: np.ndarray,
    bias: float = 0.0,
    stride: int = 1,
    padding: int = 0,
    constant: float = 0.0,
) -> bytes:
    """An animated PNG of a kernel (kernel height, kernel width) sliding over an image (height, width): the window, its products, their
    sum, the feature map as it grows. Viewers that do not animate show the last step."""
    padded, result = (
        pad(np.asarray(image, np.float64), padding, constant),
        convolve(image, kernel, bias, stride, padding, constant),
    )
    grown = np.full(result.shape, np.nan)
    frames = []
    for row, column, window in iter_windows(padded, kernel.shape, stride):
        grown[row, column] = result[row, column]
        frames.append(
            _frame(
                padded,
                kernel,
                bias,
                stride,
                grown,
                (row, column),
                window,
                (result.min(), result.max()),
            )
        )
    # What stands still shows the first picture.
    frames = [frames[-1], *frames]
    file = io.BytesIO()
    first, *others = [
        Image.fromarray(frame).quantize(64, dither=Image.Dither.NONE) for frame in frames
    ]
    times = [_STEP] * len(others)
    times[-1] = _END
    first.save(
        file, "PNG", save_all=True, append_images=others, default_image=True, duration=times, loop=0
    )
    return file.getvalue()


def _frame(
    padded: np.ndarray,
    kernel: np.ndarray,
    bias: float,
    stride: int,
    grown: np.ndarray,
    place: tuple[int, int],
    window: np.ndarray,
    bounds: tuple[float, float],
) -> np.ndarray:
    """One step of `animate_convolution`: uint8 (height, width, 3)."""
    figure = Figure(figsize=(8, 3.2), dpi=80)
    left, middle, right = figure.subplots(
        1, 3, width_ratios=(padded.shape[1], kernel.shape[1] + 1, max(grown.shape[1], 2))
    )
    _grid(left, padded, "image", padded.min(), padded.max())
    _grid(middle, kernel, "kernel", kernel.min(), kernel.max())
    _grid(right, grown, "feature map", *bounds)
    row, column = place
    for axes, top, start, size, color in (
        (left, row * stride, column * stride, kernel.shape, ORANGE),
        (right, row, column, (1, 1), ORANGE),
        (middle, 0, 0, kernel.shape, BLUE),
    ):
        axes.add_patch(
            Rectangle(
                (start - 0.5, top - 0.5), size[1], size[0], fill=False, edgecolor=color, linewidth=3
            )
        )
    terms = " + ".join(
        f"{format_value(x)}·{_signed(w)}" for x, w in zip(window.flat, kernel.flat, strict=True)
    )
    terms += f" + {_signed(bias)}" if bias else ""
    figure.text(0.5, 0.06, f"{terms} = {format_value(grown[place])}", ha="center", fontsize=9)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.9, bottom=0.14, wspace=0.15)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _signed(value: float) -> str:
    return f"({format_value(value)})" if value < 0 else format_value(value)


def plot_receptive_fields(spec: Spec, image: np.ndarray) -> Figure:
    """What one unit in the middle of each layer sees of a prepared image (height, width[, channels]): the frame that it has around it."""
    layers = [facts for facts in spec.layers[1:] if len(facts.output_shape) == 3]
    figure = Figure(figsize=(1.9 * len(layers), 2.2))
    for axes, facts in zip(figure.subplots(1, len(layers), squeeze=False)[0], layers, strict=True):
        axes.imshow(np.squeeze(image), cmap=_INK)
        (height, width), (down, right) = facts.receptive_field, image.shape[:2]
        corner = ((right - width) / 2 - 0.5, (down - height) / 2 - 0.5)
        axes.add_patch(
            Rectangle(
                corner, width, height, fill=False, edgecolor=ORANGE, linewidth=2.5, clip_on=False
            )
        )
        axes.set_title(f"{facts.row.name}: {height}×{width}", fontsize=10)
        axes.set(xticks=[], yticks=[])
    figure.tight_layout()
    return figure


def plot_curves(
    x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str
) -> Figure:
    """Name → values over `x`, one line each."""
    figure = Figure(figsize=(6.4, 3.4))
    axes = figure.subplots()
    for number, (name, values) in enumerate(curves.items()):
        color, style = _COLORS[number % len(_COLORS)], _STYLES[number % len(_STYLES)]
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
    """Raw images (N, height, width[, channels]) where `points` (N, 2) puts them, each digit in the color of its label (N,)."""
    figure = Figure(figsize=(7, 6))
    axes = figure.subplots()
    colors = [
        tuple(int(part[i : i + 2], 16) / 255 for i in (1, 3, 5))
        for part in (*_COLORS, "#7F7F7F", "#8C564B", "#B8860B")
    ]
    span = np.ptp(points, axis=0).max() / 38
    for point, label, image in zip(points, labels, to_displayable(images), strict=True):
        ink = image / 255 if image.ndim == 2 else image.mean(axis=-1) / 255
        tinted = np.concatenate(
            [np.broadcast_to(colors[label % len(colors)], (*ink.shape, 3)), ink[..., None]], axis=-1
        )
        left, top = point[0] - span / 2, point[1] - span / 2
        axes.imshow(tinted, extent=(left, left + span, top, top + span), interpolation="bilinear")
    low, high = points.min(axis=0) - span, points.max(axis=0) + span
    axes.set(
        xlim=(low[0], high[0]),
        ylim=(low[1], high[1]),
        xticks=[],
        yticks=[],
        aspect="equal",
        title=title,
    )
    figure.tight_layout()
    return figure


def plot_saliency(images: np.ndarray, gradients: np.ndarray, titles: Sequence[str]) -> Figure:
    """Raw images (N, height, width[, channels]) above what each pixel says, `lenet_tf.evaluation.inspection.saliency`: orange for the answer, violet
    against it."""
    figure = Figure(figsize=(1.2 * len(images), 2.7))
    for number, (upper, lower) in enumerate(figure.subplots(2, len(images), squeeze=False).T):
        gradient = gradients[number].sum(axis=-1)
        # A padded network sees a frame that the raw image lacks.
        frame = [
            (size - own) // 2 for size, own in zip(gradient.shape, images.shape[1:3], strict=True)
        ]
        gradient = gradient[
            frame[0] : frame[0] + images.shape[1], frame[1] : frame[1] + images.shape[2]
        ]
        most = np.abs(gradient).max() or 1.0
        upper.imshow(to_displayable(images[number : number + 1])[0], cmap=_INK, vmin=0, vmax=255)
        lower.imshow(gradient, cmap="PuOr_r", vmin=-most, vmax=most)
        upper.set_title(titles[number], fontsize=9)
        for axes in (upper, lower):
            axes.set(xticks=[], yticks=[])
    figure.tight_layout()
    return figure
