"""Tables of a network's layers and of several networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from lenet_tf.specs import LayerFacts, Pooling, Row, Spec
from lenet_tf.specs.rows import as_pair, format_shape

# The width of the architecture table with all its columns, in characters.
FULL_WIDTH = 125
_NONE = "–"
# Headings of the columns behind layer and kind, in the full table and in one of 80 columns.
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
    """Collect everything that the architecture table shows.

    Args:
        spec: The network.

    Returns:
        JSON-ready values: the spec's own, with `layers` for `rows`, and the totals.
    """
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
    values = {key: value for key, value in spec.to_dict().items() if key != "rows"}
    return values | {"layers": layers} | totals


def tabulate_layers(spec: Spec) -> tuple[list[str], list[list[Any]]]:
    """List a network's layers for a page.

    Args:
        spec: The network.

    Returns:
        The column headings, and a row for each layer with a last one of totals. Counts are
        integers, other cells texts.
    """
    names = [
        "layer",
        "kind",
        "output",
        "parameters",
        "connections",
        "multiply-adds",
        "receptive field",
    ]
    rows: list[list[Any]] = [
        [
            facts.row.name,
            _format_kind(facts.row),
            format_shape(facts.output_shape),
            facts.parameters,
            facts.connections,
            facts.multiply_adds,
            format_shape(as_pair(facts.receptive_field)),
        ]
        for facts in spec.layers
    ]
    total = ["all", "", "", spec.parameters, spec.connections, spec.multiply_adds, ""]
    return names, [*rows, total]


def build_architecture_table(spec: Spec, wide: bool = True) -> Table:
    """Build the terminal's table of a network's layers.

    Args:
        spec: The network.
        wide: Whether to use up to `FULL_WIDTH` columns. Otherwise the table leaves out the
            layers' kind and fits into 80.

    Returns:
        The table: a line for each layer with its output, window, counts and receptive field.
    """
    footers = {5: f"{spec.parameters:,}", 6: f"{spec.connections:,}", 7: f"{spec.multiply_adds:,}"}
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, padding=(0, 1 if wide else 0, 0, 0))
    table.add_column("layer", footer="sum", no_wrap=True)
    if wide:
        table.add_column("kind", no_wrap=True)
    for number, heading in enumerate(_HEADINGS[wide]):
        table.add_column(
            heading,
            justify="left" if heading.startswith("activ") else "right",
            footer=footers.get(number, ""),
            no_wrap=True,
        )
    for facts in spec.layers:
        same = " (same)" if getattr(facts.row, "padding", "valid") == "same" else ""
        kind = [f"{_format_kind(facts.row)}{same}"] if wide else []
        table.add_row(facts.row.name, *kind, *_format_cells(facts))
    return table


def build_comparison_table(specs: Iterable[Spec]) -> Table:
    """Build the terminal's table of several networks.

    Args:
        specs: The networks.

    Returns:
        The table: a line for each network with its counts and its last feature maps.
    """
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
        maps = [facts for facts in spec.layers[1:] if len(facts.output_shape) == 3]
        last = [_NONE, _NONE]
        if maps:
            height, width, count = maps[-1].output_shape
            last = [
                f"{count}@{format_shape((height, width))}",
                format_shape(maps[-1].receptive_field),
            ]
        counts = (spec.parameters, spec.connections, spec.multiply_adds)
        table.add_row(spec.name, *(f"{count:,}" for count in counts), *last)
    return table


def build_variants_table(specs: Iterable[Spec]) -> Table:
    """Build the terminal's table of named networks.

    Args:
        specs: The networks.

    Returns:
        The table: a line for each network with its counts and notes.
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("variant", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("multiply-adds", justify="right")
    table.add_column("what it is")
    for spec in specs:
        table.add_row(spec.name, f"{spec.parameters:,}", f"{spec.multiply_adds:,}", spec.notes)
    return table


def _format_kind(row: Row) -> str:
    return f"{row.pool} pooling" if isinstance(row, Pooling) else row.kind.replace("_", " ")


def _format_cells(facts: LayerFacts) -> list[str]:
    """Format the architecture table's cells behind layer and kind."""
    row, output = facts.row, facts.output_shape
    maps, size = _NONE, str(output[0])
    if len(output) == 3:
        maps, size = str(output[2]), format_shape(output[:2])
    kernel = strides = _NONE
    if hasattr(row, "kernel") or hasattr(row, "size"):
        window, (down, across) = row.window()
        kernel = format_shape(window)
        strides = str(down) if down == across else format_shape((down, across))
    counts = (facts.parameters, facts.connections, facts.multiply_adds)
    return [
        maps,
        size,
        kernel,
        strides,
        getattr(row, "activation", _NONE),
        *(f"{count:,}" if count else _NONE for count in counts),
        format_shape(as_pair(facts.receptive_field)),
    ]
