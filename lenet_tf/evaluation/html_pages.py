"""HTML pages that need no other file: templates, tables and figures as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import jinja2
import matplotlib
from matplotlib.figure import Figure

from lenet_tf.evaluation.plotting import default_style
from lenet_tf.text import escape_controls


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


def generator_tag(kind: str) -> str:
    """Return the tag that marks a page as written by this package.

    Args:
        kind: `report` or `comparison`.

    Returns:
        A `<meta>` element, which stands near the page's beginning.
    """
    return f'<meta name="generator" content="lenet_tf {kind}">'


def render_page(kind: str, **values: Any) -> str:
    """Render a page from its template.

    Args:
        kind: `report` or `comparison`, the template's name.
        **values: What the template shows. All of it is escaped but the figures.

    Returns:
        The page.
    """
    template = _TEMPLATES.get_template(f"{kind}.html.j2")
    return template.render(generator=generator_tag(kind), **values)


def to_svg(figure: Figure, label: str) -> str:
    """Turn a figure into SVG for a page. Its text can be selected.

    Args:
        figure: The figure.
        label: What it shows, for screen readers.

    Returns:
        An `<svg>` element, the same for the same figure and label.
    """
    stream = io.StringIO()
    options: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": label,
        "font.family": ["DejaVu Sans", "sans-serif"],
    }
    with default_style():
        matplotlib.rcParams.update(options)
        figure.savefig(
            stream, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    svg = stream.getvalue()
    # Drop the XML declaration, which HTML does not allow.
    svg = svg[svg.index("<svg") :]
    # matplotlib escapes the figure's own texts.
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
