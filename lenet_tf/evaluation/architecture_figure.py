"""A network drawn to scale from its rows, in the style of LeCun et al. 1998, figure 2: maps as stacked squares, units as bars."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from lenet_tf.specs import Flatten, LayerFacts, Spec
from lenet_tf.specs.rows import format_shape

# Of the drawing's units: a pixel of a map, the step from a map to the next, and from a layer to the next.
_PIXEL, _STEP, _GAP = 1.0, 2.2, 12.0
# Maps of one layer that are drawn; the label says how many there are.
_MAX = 20
_UNITS_HEIGHT = 0.35
_FACE, _EDGE = "#eaf1f8", "#24527a"
_KINDS = {
    "pooling": "pooling",
    "convolution": "convolution",
    "table_convolution": "convolution by table",
    "subsampling": "subsampling",
}


def plot_architecture(spec: Spec) -> Figure:
    """The layers from left to right, each as wide and high as its maps are, with what leads from one to the next written below."""
    layers = [facts for facts in spec.layers if not isinstance(facts.row, Flatten)]
    largest = max(facts.output_shape[0] for facts in layers if len(facts.output_shape) == 3)
    scale = 28 / largest
    figure = Figure(figsize=(11, 3.6))
    axes = figure.subplots()
    left, places = 0.0, []
    for facts in layers:
        width = _draw(axes, facts, left, scale)
        places.append((facts, left, width))
        left += width + _GAP
    for (facts, start, width), (following, *_) in zip(places, [*places[1:], (None,)], strict=True):
        _label(axes, facts, start + width / 2)
        if following is not None:
            axes.text(
                start + width + _GAP / 2,
                -27,
                _how(following),
                ha="center",
                va="top",
                fontsize=7,
                color="0.35",
            )
            axes.annotate(
                "",
                (start + width + _GAP - 1, 0),
                (start + width + 1, 0),
                arrowprops={"arrowstyle": "-|>", "color": "0.6", "lw": 0.8},
            )
    axes.set(xlim=(-4, left), ylim=(-37, 36), aspect="equal")
    axes.set_axis_off()
    figure.tight_layout(pad=0.2)
    return figure


def _draw(axes: object, facts: LayerFacts, left: float, scale: float) -> float:
    """Draws a layer and gives its width."""
    shape = facts.output_shape
    if len(shape) == 1:
        height = max(6.0, min(52.0, shape[0] * _UNITS_HEIGHT))
        axes.add_patch(
            Rectangle(
                (left, -height / 2), 2.4, height, facecolor=_FACE, edgecolor=_EDGE, linewidth=0.9
            )
        )
        return 2.4
    high, wide, maps = (shape[0] * _PIXEL * scale, shape[1] * _PIXEL * scale, min(shape[2], _MAX))
    high, wide = max(high, 1.2), max(wide, 1.2)
    step = min(_STEP, 24 / max(1, maps - 1)) if maps > 1 else 0.0
    spread = step * (maps - 1)
    for number in range(maps):
        # The first map lies behind, up and to the right, as in the paper.
        x, y = left + spread - number * step, (spread - high) / 2 - number * step
        corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
        axes.add_patch(Polygon(corners, facecolor=_FACE, edgecolor=_EDGE, linewidth=0.6))
    return spread + wide


def _label(axes: object, facts: LayerFacts, middle: float) -> None:
    shape = facts.output_shape
    size = f"{shape[2]}@{format_shape(shape[:2])}" if len(shape) == 3 else f"{shape[0]}"
    axes.text(middle, 33, f"{facts.row.name}\n{size}", ha="center", va="top", fontsize=8.5)


def _how(facts: LayerFacts) -> str:
    row = facts.row
    kind = _KINDS.get(
        row.kind,
        {"dense": "full\nconnection", "rbf": "Euclidean\nRBF"}.get(
            row.kind, row.kind.replace("_", "\n")
        ),
    )
    kind = f"{row.pool}\npooling" if row.kind == "pooling" else kind.replace(" ", "\n")
    window = format_shape(row.window()[0]) if hasattr(row, "kernel") or hasattr(row, "size") else ""
    return f"{kind}\n{window}".strip()
