"""A figure of LeNet-5's output codes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from lenet_tf.evaluation.palette import INK
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.specs.rbf_codes import DIGIT_CODES, HEIGHT, WIDTH


@default_style()
def plot_codes() -> Figure:
    """Show the ten 7×12 codes of LeNet-5's output layer: ink is +1, background −1.

    Returns:
        The figure.
    """
    figure = Figure(figsize=(8, 1.9))
    for digit, axes in enumerate(figure.subplots(1, len(DIGIT_CODES))):
        axes.imshow(np.reshape(DIGIT_CODES[digit], (HEIGHT, WIDTH)), cmap=INK, vmin=-1, vmax=1)
        axes.set(
            xticks=np.arange(WIDTH + 1) - 0.5,
            yticks=np.arange(HEIGHT + 1) - 0.5,
            xticklabels=[],
            yticklabels=[],
        )
        axes.grid(color="0.75", linewidth=0.4)
        axes.tick_params(length=0)
        axes.set_title(digit, fontsize=11)
    figure.suptitle("Output codes: 7×12 pixels, ink +1, background −1", fontsize=11, y=1.06)
    return figure
