"""A run's report as one HTML file that needs nothing beside itself: figures as SVG with their text, tables, and how to repeat the run."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from lenet_tf.evaluation.spec_tables import tabulate_layers
from lenet_tf.evaluation.spec_text import describe_spec
from lenet_tf.specs import Spec

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; }
p { margin: .4rem 0; } .quiet { color: #555; }
table { border-collapse: collapse; font-size: .9rem; } th, td { padding: .2rem .55rem; border-bottom: 1px solid #ddd; text-align: left; }
td:first-child { white-space: nowrap; } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } .wide + .wide { margin-top: 1rem; } svg { max-width: 100%; height: auto; display: block; }
pre { background: #f5f5f5; padding: .6rem .8rem; overflow-x: auto; font-size: .85rem; }
"""


def mark(kind: str) -> str:
    """What a page of this kind, and no other file, has near its beginning."""
    return f'<meta name="generator" content="lenet_tf {kind}">'


def page(kind: str, title: str, lead: str, parts: Sequence[tuple[str, str]]) -> str:
    """The HTML of a heading, a lead and parts of (heading, HTML); `kind` is `report` or `comparison`."""
    body = "\n".join(
        f"<section>\n<h2>{escape(heading)}</h2>\n{content}\n</section>"
        for heading, content in parts
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{mark(kind)}\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{lead}\n{body}\n</body>\n</html>\n"
    )


def to_svg(figure: Figure, what: str) -> str:
    """A figure as SVG for a page, its text kept as text; `what` says it to those who do not see it."""
    stream = io.StringIO()
    # Names of parts that do not change from page to page.
    with matplotlib.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": what, "font.family": ["DejaVu Sans", "sans-serif"]}
    ):
        figure.savefig(
            stream, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None}
        )
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :].replace(
        "<svg", f'<svg role="img" aria-label="{escape(what)}"', 1
    )
    return f'<div class="wide">{svg}</div>'


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns of whole numbers to the right, others to the left."""
    numbers = [all(isinstance(row[column], int) for row in rows) for column in range(len(names))]

    def cells(kind: str, row: Sequence[Any]) -> str:
        return "".join(
            f"<{kind}{' class=number' if number else ''}>{f'{value:,}' if isinstance(value, int) else escape(str(value))}</{kind}>"
            for value, number in zip(row, numbers, strict=True)
        )

    head, lines = cells("th", names), "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table></div>'


def facts(pairs: Mapping[str, Any]) -> str:
    """A table of names and values."""
    lines = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in pairs.items()
    )
    return f"<table><tbody>\n{lines}\n</tbody></table>"


def layers(spec: Spec) -> str:
    """The architecture table."""
    names, rows = tabulate_layers(spec)
    heading, description = describe_spec(spec, 100)
    return f"<p>{escape(heading)}</p>\n{table(names, rows)}\n<pre>{escape(description)}</pre>"
