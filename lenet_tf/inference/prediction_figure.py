"""A figure of picture files and what a network predicts for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from lenet_tf.evaluation.palette import INK


def plot_predictions(answers: Sequence[Any], columns: int = 6, most: int = 120) -> Figure:
    """What files hold beside what a network was shown of them and said (`lenet_tf.inference.predict.PicturePrediction`), up to `most` of them."""
    answers = answers[:most]
    lines = max(1, -(-len(answers) // columns))
    figure = Figure(figsize=(2.4 * min(columns, max(1, len(answers))), 1.75 * lines))
    grid = figure.subplots(lines, 2 * min(columns, max(1, len(answers))), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, answer in enumerate(answers):
        before, after = grid[number // columns][2 * (number % columns) :][:2]
        before.imshow(answer.picture, cmap="gray", vmin=0, vmax=255)
        after.imshow(answer.digit, cmap=INK, vmin=0, vmax=255)
        after.set_title(f"{answer.label}  {answer.probability:.0%}", fontsize=9)
        before.set_title(
            answer.file.name if len(answer.file.name) <= 14 else f"{answer.file.name[:13]}…",
            fontsize=7,
        )
    figure.subplots_adjust(wspace=0.08, hspace=0.3)
    return figure
