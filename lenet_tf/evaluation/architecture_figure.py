"""A network drawn to scale, in the style of LeCun et al. 1998, figure 2."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from lenet_tf.evaluation.palette import DARK_BLUE, DARK_GRAY, GRAY, PALE_BLUE
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.specs import Flatten, LayerFacts, Pooling, Row, Spec
from lenet_tf.specs.rows import format_shape

# In the drawing's units: the side that the largest map has, the step from one map to the next,
# the gap between layers, and a dense layer's height for each unit and its width.
_LARGEST, _STEP, _GAP, _UNIT_HEIGHT, _UNIT_WIDTH = 28, 2.2, 12.0, 0.35, 2.4
# Feature maps drawn for one layer; the label says how many there are.
_MAX_MAPS = 20
# Kinds whose label is not their name.
_LABELS = {
    "table_convolution": "convolution\nby table",
    "dense": "full\nconnection",
    "rbf": "Euclidean\nRBF",
}


@default_style()
def plot_architecture(spec: Spec) -> Figure:
    """Draw a network's layers from left to right: maps as stacked squares, units as bars.

    Args:
        spec: The network.

    Returns:
        The figure. The operation from one layer to the next stands between them.
    """
    layers = [facts for facts in spec.layers if not isinstance(facts.row, Flatten)]
    largest = max(facts.output_shape[0] for facts in layers if len(facts.output_shape) == 3)
    figure = Figure(figsize=(11, 3.6))
    axes = figure.subplots()
    left = 0.0
    for number, facts in enumerate(layers):
        if number:
            _draw_step(axes, facts.row, left)
            left += _GAP
        width = _draw_layer(axes, facts, left, _LARGEST / largest)
        _draw_label(axes, facts, left + width / 2)
        left += width
    axes.set(xlim=(-4, left + _GAP), ylim=(-37, 36), aspect="equal")
    axes.set_axis_off()
    figure.tight_layout(pad=0.2)
    return figure


def _draw_layer(axes: Any, facts: LayerFacts, left: float, scale: float) -> float:
    """Draw a layer and return its width."""
    shape = facts.output_shape
    if len(shape) == 1:
        height = max(6.0, min(52.0, shape[0] * _UNIT_HEIGHT))
        corner = (left, -height / 2)
        axes.add_patch(
            Rectangle(
                corner, _UNIT_WIDTH, height, facecolor=PALE_BLUE, edgecolor=DARK_BLUE, linewidth=0.9
            )
        )
        return _UNIT_WIDTH
    height, width = (max(side * scale, 1.2) for side in shape[:2])
    count = min(shape[2], _MAX_MAPS)
    step = min(_STEP, 24 / (count - 1)) if count > 1 else 0.0
    spread = step * (count - 1)
    for number in range(count):
        # The first map lies behind the others, up and to the right, as in the paper.
        x, y = left + spread - number * step, (spread - height) / 2 - number * step
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        axes.add_patch(Polygon(corners, facecolor=PALE_BLUE, edgecolor=DARK_BLUE, linewidth=0.6))
    return spread + width


def _draw_label(axes: Any, facts: LayerFacts, middle: float) -> None:
    shape = facts.output_shape
    size = f"{shape[2]}@{format_shape(shape[:2])}" if len(shape) == 3 else f"{shape[0]}"
    axes.text(middle, 33, f"{facts.row.name}\n{size}", ha="center", va="top", fontsize=8.5)


def _draw_step(axes: Any, row: Row, left: float) -> None:
    """Draw the arrow to a layer, with the layer's operation below."""
    axes.text(
        left + _GAP / 2,
        -27,
        _format_operation(row),
        ha="center",
        va="top",
        fontsize=7.5,
        color=DARK_GRAY,
    )
    axes.annotate(
        "",
        (left + _GAP - 1, 0),
        (left + 1, 0),
        arrowprops={"arrowstyle": "-|>", "color": GRAY, "lw": 0.8},
    )


def _format_operation(row: Row) -> str:
    kind = _LABELS.get(row.kind, row.kind.replace("_", "\n"))
    if isinstance(row, Pooling):
        kind = f"{row.pool}\npooling"
    has_window = hasattr(row, "kernel") or hasattr(row, "size")
    return f"{kind}\n{format_shape(row.window()[0])}" if has_window else kind
