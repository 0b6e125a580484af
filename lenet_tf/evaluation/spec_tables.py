"""Tables of a network's layers and of several networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from rich import box
from rich.table import Table

from lenet_tf.specs import LayerFacts, Row, Spec
from lenet_tf.specs.rows import as_pair, format_shape

# Columns that the architecture table takes with all it has to say.
FULL_WIDTH = 125
# Headings of the counted columns where the table has room, and where it must fit into 80 columns.
_HEADINGS = {
    True: (
        "feature\nmaps",
        "size",
        "kernel",
        "stride",
        "activation",
        "parameters",
        "connections",
        "multiply-\nadds",
        "receptive\nfield",
    ),
    False: (
        "maps",
        "size",
        "kernel",
        "stride",
        "activ-\nation",
        "para-\nmeters",
        "connec-\ntions",
        "multiply-\nadds",
        "recep-\ntive\nfield",
    ),
}


def summarize_spec(spec: Spec) -> dict[str, Any]:
    """Everything the architecture table shows, as JSON-ready values."""
    layers = [
        facts.row.to_dict()
        | {
            "number": facts.number,
            "input_shape": list(facts.input_shape),
            "output_shape": list(facts.output_shape),
            "parameters": facts.parameters,
            "connections": facts.connections,
            "multiply_adds": facts.multiply_adds,
            "receptive_field": list(facts.receptive_field),
        }
        for facts in spec.layers
    ]
    totals = {
        "parameters": spec.parameters,
        "connections": spec.connections,
        "multiply_adds": spec.multiply_adds,
    }
    return (
        {key: value for key, value in spec.to_dict().items() if key != "rows"}
        | {"layers": layers}
        | totals
    )


def tabulate_layers(spec: Spec) -> tuple[list[str], list[list[Any]]]:
    """(Names of the columns, a row for each layer, counts as whole numbers, and one with their sums), for pages."""
    names = [
        "layer",
        "kind",
        "output",
        "parameters",
        "connections",
        "multiply-adds",
        "receptive field",
    ]
    rows = [
        [
            each.row.name,
            f"{each.row.pool} pooling"
            if each.row.kind == "pooling"
            else each.row.kind.replace("_", " "),
            format_shape(each.output_shape),
            each.parameters,
            each.connections,
            each.multiply_adds,
            format_shape(as_pair(each.receptive_field)),
        ]
        for each in spec.layers
    ]
    return names, [
        *rows,
        ["all", "", "", spec.parameters, spec.connections, spec.multiply_adds, ""],
    ]


def build_architecture_table(spec: Spec, wide: bool = True) -> Table:
    """One line per row: what it is, its output, its window, its counts and the input pixels that one of its units sees.

    `wide` False leaves out the kind of the rows and fits into 80 columns.
    """
    footers = {5: f"{spec.parameters:,}", 6: f"{spec.connections:,}", 7: f"{spec.multiply_adds:,}"}
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, padding=(0, 1 if wide else 0, 0, 0))
    table.add_column("layer", footer="sum", no_wrap=True)
    if wide:
        table.add_column("kind", no_wrap=True)
    for number, heading in enumerate(_HEADINGS[wide]):
        justify = "left" if number == 4 else "right"
        table.add_column(heading, justify=justify, footer=footers.get(number, ""), no_wrap=True)
    for facts in spec.layers:
        name, kind, *cells = _layer_cells(facts)
        table.add_row(name, *([kind] if wide else []), *cells)
    return table


def build_comparison_table(specs: Iterable[Spec]) -> Table:
    """One line per network: its counts, and how much of the image a unit of its last feature maps sees."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("network", no_wrap=True)
    for heading in (
        "parameters",
        "connections",
        "multiply-\nadds",
        "last\nfeature maps",
        "their\nreceptive field",
    ):
        table.add_column(heading, justify="right")
    for spec in specs:
        maps = [layer for layer in spec.layers[1:] if len(layer.output_shape) == 3]
        last = (
            (
                f"{maps[-1].output_shape[2]}@{format_shape(maps[-1].output_shape[:2])}",
                format_shape(maps[-1].receptive_field),
            )
            if maps
            else ("–", "–")
        )
        table.add_row(
            spec.name,
            f"{spec.parameters:,}",
            f"{spec.connections:,}",
            f"{spec.multiply_adds:,}",
            *last,
        )
    return table


def build_variants_table(specs: Iterable[Spec]) -> Table:
    """One line per variant: its counts and what it is."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("variant", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("multiply-adds", justify="right")
    table.add_column("what it is")
    for spec in specs:
        table.add_row(spec.name, f"{spec.parameters:,}", f"{spec.multiply_adds:,}", spec.notes)
    return table


def _layer_cells(facts: LayerFacts) -> list[str]:
    row, output = facts.row, facts.output_shape
    maps, size = (
        (str(output[2]), format_shape(output[:2])) if len(output) == 3 else ("–", str(output[0]))
    )
    kind = (
        getattr(row, "pool", "") + " pooling"
        if row.kind == "pooling"
        else row.kind.replace("_", " ")
    )
    kind += " (same)" if getattr(row, "padding", "valid") == "same" else ""
    activation = getattr(row, "activation", "–")
    counts = [
        f"{count:,}" if count else "–"
        for count in (facts.parameters, facts.connections, facts.multiply_adds)
    ]
    kernel, stride = _window(row, "kernel"), _window(row, "stride")
    return [
        row.name,
        kind,
        maps,
        size,
        kernel,
        stride,
        activation,
        *counts,
        format_shape(as_pair(facts.receptive_field)),
    ]


def _window(row: Row, field: str) -> str:
    if "kernel" not in (names := {f.name for f in fields(row)}) and "size" not in names:
        return "–"
    size, stride = row.window()
    return (
        format_shape(size)
        if field == "kernel"
        else (str(stride[0]) if stride[0] == stride[1] else format_shape(stride))
    )
