"""Markdown for TensorBoard's texts and the result pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lenet_tf.evaluation.settings_table import flatten_mapping
from lenet_tf.evaluation.spec_tables import tabulate_layers
from lenet_tf.evaluation.spec_text import describe_spec
from lenet_tf.specs import Spec
from lenet_tf.text import escape_controls, escape_markdown


def render_architecture(spec: Spec, compiled: Mapping[str, Any] | None = None) -> str:
    """Render a network's architecture table with its heading and description.

    Args:
        spec: The network.
        compiled: What a run's model was compiled with instead of the recipe's parts.
    """
    names, rows = tabulate_layers(spec)
    heading, description = describe_spec(spec, 100, compiled)
    # Markdown leaves indented lines as they are.
    indented = "\n".join(f"    {line}" for line in description.splitlines())
    cells = [
        [escape_markdown(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    ]
    text = escape_controls(indented, keep="\n")
    return f"**{heading}**\n\n{format_table(names, cells)}\n\n{text}"


def render_values(values: Mapping[str, Any]) -> str:
    """Render names and values as a table.

    Args:
        values: The values. Names in nested mappings are joined by dots; None is left out.

    Returns:
        A Markdown table with the columns name and value.
    """
    rows = [
        (".".join(path), ", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
        for path, value in flatten_mapping(values)
        if value is not None
    ]
    cells = [(escape_markdown(name), escape_markdown(value)) for name, value in rows]
    return format_table(("name", "value"), cells)


def format_table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Format a Markdown table.

    Args:
        names: The column headings.
        rows: The cells of each row. Integers get thousands separators.

    Returns:
        The table, without a final newline.
    """

    def line(cells: Iterable[Any]) -> str:
        texts = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)
        return (
            "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in texts) + " |"
        )

    return "\n".join([line(names), "|" + "---|" * len(names), *map(line, rows)])
