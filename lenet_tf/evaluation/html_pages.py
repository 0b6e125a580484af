"""HTML pages that need no other file: templates, tables and figures as SVG."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import jinja2
import matplotlib
from matplotlib.figure import Figure

from lenet_tf.evaluation.page_files import generator_tag
from lenet_tf.evaluation.palette import DARK_MODE
from lenet_tf.evaluation.plotting import default_style
from lenet_tf.text import escape_controls

# In the SVG that matplotlib writes: colors, sizes of text, the width.
_COLOR = re.compile(r"(fill|stroke): (#[0-9a-f]{6})\b")
_FONT_SIZE = re.compile(r"font(?:-size)?: (?:[\w-]+ )*([\d.]+)px")
_VIEW_WIDTH = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)')
_VARIABLES = {color.upper() for color in DARK_MODE}
# In CSS pixels: the smallest text, and the width of a page on a phone.
_MIN_TEXT, _PHONE = 9.2, 358


def _escape_page_text(value: Any) -> Any:
    # What a template marks as safe, a figure or a macro's output, stays as it is.
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return escape_controls(value, keep="\n\t")


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("lenet_tf.evaluation"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    finalize=_escape_page_text,
)


@dataclass(frozen=True)
class PageTable:
    """A table for a page.

    Attributes:
        columns: The column headings.
        rows: The cells of each row. Columns of integers are right-aligned.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]

    @property
    def is_numeric(self) -> list[bool]:
        """Whether each column holds integers only."""
        return [
            all(isinstance(row[index], int) for row in self.rows)
            for index in range(len(self.columns))
        ]


def render_page(kind: str, **values: Any) -> str:
    """Render a page from its template.

    Args:
        kind: `report`, `comparison` or `sweep`, the template's name.
        **values: What the template shows. All of it is escaped but the figures.

    Returns:
        The page.
    """
    template = _TEMPLATES.get_template(f"{kind}.html.j2")
    return template.render(generator=generator_tag(kind), dark_mode=DARK_MODE, **values)


def to_svgs(figure: Figure, label: str) -> list[str]:
    """Turn each plot of a figure into SVG for a page, which can stand side by side or stacked.

    Args:
        figure: The figure.
        label: What it shows, for screen readers.

    Returns:
        An `<svg>` element for each pair of axes, see `to_svg`.
    """
    plots = figure.axes
    if len(plots) == 1:
        return [to_svg(figure, label)]
    svgs = []
    for shown in plots:
        for axes in plots:
            axes.set_visible(axes is shown)
        svgs.append(to_svg(figure, f"{label}: {shown.get_ylabel()}"))
    for axes in plots:
        axes.set_visible(True)
    return svgs


def to_svg(figure: Figure, label: str) -> str:
    """Turn a figure into SVG for a page.

    Its text can be selected, its background is the page's, and its colors follow the page's mode.

    Args:
        figure: The figure.
        label: What it shows, for screen readers.

    Returns:
        An `<svg>` element, the same for the same figure and label. Its smallest width keeps its
        text legible.
    """
    stream = io.StringIO()
    options: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,
        "font.family": ["DejaVu Sans", "sans-serif"],
    }
    metadata = {"Date": None, "Creator": None}
    with default_style():
        matplotlib.rcParams.update(options)
        figure.savefig(
            stream, format="svg", bbox_inches="tight", transparent=True, metadata=metadata
        )
    svg = stream.getvalue()
    # Drop the XML declaration, which HTML does not allow.
    svg = _use_variables(svg[svg.index("<svg") :])
    # matplotlib escapes the figure's own texts.
    attributes = f'role="img" aria-label="{escape(label)}"{_limit_width(svg)}'
    return svg.replace("<svg", f"<svg {attributes}", 1)


def _use_variables(svg: str) -> str:
    """Replace the palette's colors by the page's variables."""
    return _COLOR.sub(
        lambda match: (
            f"{match[1]}: var(--{match[2][1:]})" if match[2].upper() in _VARIABLES else match[0]
        ),
        svg,
    )


def _limit_width(svg: str) -> str:
    """Return the attribute that keeps a figure from shrinking until its text is illegible."""
    width = float(_VIEW_WIDTH.search(svg)[1])  # type: ignore[index]
    smallest = min(map(float, _FONT_SIZE.findall(svg)), default=_MIN_TEXT)
    least = math.ceil(width * _MIN_TEXT / smallest)
    return f' style="min-width: {least}px"' if least > _PHONE else ""
