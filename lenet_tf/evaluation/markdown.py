"""Texts in Markdown, as TensorBoard shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lenet_tf.evaluation.spec_tables import tabulate_layers
from lenet_tf.evaluation.spec_text import describe_spec
from lenet_tf.specs import Spec


def render_architecture(spec: Spec) -> str:
    """The architecture table with its source."""
    names, rows = tabulate_layers(spec)
    heading, description = describe_spec(spec, 100)
    # Indented text stays as it is.
    indented = "\n".join(f"    {line}" for line in description.splitlines())
    return f"**{heading}**\n\n{format_table(names, rows)}\n\n{indented}"


def render_values(values: Mapping[str, Any]) -> str:
    """A table of names and values, those inside others named with a dot between; what is None is left away."""
    return format_table(("name", "value"), list(_flat(values)))


def _flat(values: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None:
            yield (
                f"{before}{name}",
                ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value),
            )


def format_table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Formats a Markdown table.

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
