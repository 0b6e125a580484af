"""A figure of picture files, the images that a network saw, and their predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lenet_tf.evaluation.palette import INK, ORANGE
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.inference.predict import MAX_PICTURES
from lenet_tf.inference.prediction import Prediction
from lenet_tf.text import escape_controls

_COLUMNS, _MAX_NAME = 6, 14


@default_style()
def plot_predictions(predictions: Sequence[Prediction], as_digits: bool = True) -> Figure:
    """Show each picture beside the image that the network classified.

    Args:
        predictions: Predictions that keep their picture.
        as_digits: Whether the images are digits like MNIST's, which are drawn as ink on paper.

    Returns:
        The figure, with up to 120 pictures.
    """
    predictions = predictions[:MAX_PICTURES]
    lines = max(1, -(-len(predictions) // _COLUMNS))
    columns = min(_COLUMNS, max(1, len(predictions)))
    figure = Figure(figsize=(2.4 * columns, 1.75 * lines))
    grid = figure.subplots(lines, 2 * columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, prediction in enumerate(predictions):
        left, right = grid[number // _COLUMNS][2 * (number % _COLUMNS) :][:2]
        name = "" if prediction.file is None else escape_controls(prediction.file.name)
        left.imshow(prediction.picture, cmap="gray", vmin=0, vmax=255)
        left.set_title(name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…", fontsize=7)
        image = prediction.image
        if prediction.digits:
            _draw_boxes(left, prediction)
            image = _tile([each.image for each in prediction.digits if each.image is not None])
        right.imshow(image, cmap=INK if as_digits else "gray", vmin=0, vmax=255)
        answer = f"{prediction.answer[:_MAX_NAME]}  {prediction.probability:.0%}"
        right.set_title("no digit" if prediction.is_digit is False else answer, fontsize=9)
    figure.subplots_adjust(wspace=0.08, hspace=0.3)
    return figure


def _draw_boxes(axes: Axes, prediction: Prediction) -> None:
    """Draw a box around each of several digits."""
    assert prediction.picture is not None and prediction.size is not None
    scale = prediction.picture.shape[0] / prediction.size[0]
    for digit in prediction.digits:
        assert digit.box is not None
        top, left, height, width = (scale * each for each in digit.box)
        corner = (left - 0.5, top - 0.5)
        axes.add_patch(Rectangle(corner, width, height, fill=False, color=ORANGE, linewidth=0.8))


def _tile(images: Sequence[np.ndarray]) -> np.ndarray:
    """Put images into rows of a square, from left to right."""
    side = math.ceil(math.sqrt(len(images)))
    height, width = images[0].shape
    tiled = np.zeros((-(-len(images) // side) * height, side * width), np.uint8)
    for number, image in enumerate(images):
        top, left = number // side * height, number % side * width
        tiled[top : top + height, left : left + width] = image
    return tiled
