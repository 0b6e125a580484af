"""Tables for people, of a spec and of the variants. rich draws them: kept, and used by pip itself."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

from rich import box
from rich.table import Table

from lenet_tf.specs import RECIPES, Augmentation, LayerFacts, Optimizer, Recipe, Row, Spec
from lenet_tf.specs.rows import as_pair, format_shape


def spec_facts(spec: Spec) -> dict[str, Any]:
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


def _window(row: Row, field: str) -> str:
    if "kernel" not in (names := {f.name for f in fields(row)}) and "size" not in names:
        return "–"
    size, stride = row.window()
    return (
        format_shape(size)
        if field == "kernel"
        else (str(stride[0]) if stride[0] == stride[1] else format_shape(stride))
    )


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


def layer_rows(spec: Spec) -> tuple[list[str], list[list[Any]]]:
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


# Columns that the architecture table takes with all it has to say.
WIDE = 125
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


def architecture_table(spec: Spec, wide: bool = True) -> Table:
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


def spec_lines(spec: Spec, width: int) -> tuple[str, str]:
    """(heading, description) that stand above and below the architecture table, in lines of at most `width` characters."""
    sized = (
        f" padded to {spec.preparation.pad_to}×{spec.preparation.pad_to}"
        if spec.preparation.pad_to
        else ""
    )
    sized += (
        f", digits reduced to {format_shape((spec.preparation.digit_size,) * 2)}"
        if spec.preparation.digit_size
        else ""
    )
    recipe = spec.recipe
    tested = (
        f", of test images {spec.preparation.test_normalization}"
        if spec.preparation.test_normalization
        else ""
    )
    distorted = (
        f", distorted by {format_augmentation(recipe.augmentation)}"
        if recipe.augmentation is not None
        else ""
    )
    lines = [
        ("source", spec.source),
        ("notes", spec.notes),
        (
            "images",
            f"{spec.data}, {format_shape(spec.input_shape)}{sized}, normalization {spec.preparation.normalization}{tested}{distorted}",
        ),
        ("recipe", recipe_line(spec.recipe)),
        *((name, recipe_line(recipe)) for name, recipe in RECIPES.get(spec.name, {}).items()),
        *(("departs", departure) for departure in spec.departures),
    ]
    wrapped = (
        textwrap.fill(f"{name:7} {line}", width, subsequent_indent=" " * 8) for name, line in lines
    )
    return f"{spec.name}: {spec.parameters:,} parameters", "\n".join(wrapped)


def recipe_line(recipe: Recipe) -> str:
    """How a recipe trains, without its distortions."""
    optimizer = recipe.optimizer
    options = "".join(
        f", {name} {value:g}"
        for name, value in optimizer.options().items()
        if not isinstance(value, bool)
    )
    cycle = f" in one cycle{options}" if optimizer.schedule else options
    smoothed = f" with label smoothing {recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    return (
        f"{optimizer.name} at {_rates(optimizer)}{cycle}, {recipe.loss}{smoothed}, {recipe.epochs} epochs, batch size"
        f" {recipe.batch_size}, validation {recipe.validation}"
    )


def format_augmentation(how: Augmentation) -> str:
    """The distortions that there are, with their bounds."""
    return ", ".join(
        f"{name} {value:g}"
        for name, value in asdict(how).items()
        if value and (name != "elastic_sigma" or how.elastic)
    )


def _rates(optimizer: Optimizer) -> str:
    """`0.001`, or the rates of the epochs in turn: `0.0005 ×2, 0.0002 ×3`."""
    if not isinstance(optimizer.learning_rate, tuple):
        return f"{optimizer.learning_rate:g}"
    return ", ".join(
        f"{rate:g} ×{len(list(epochs))}"
        for rate, epochs in itertools.groupby(optimizer.learning_rate)
    )


def comparison_table(specs: Iterable[Spec]) -> Table:
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


def variants_table(specs: Iterable[Spec]) -> Table:
    """One line per variant: its counts and what it is."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("variant", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("multiply-adds", justify="right")
    table.add_column("what it is")
    for spec in specs:
        table.add_row(spec.name, f"{spec.parameters:,}", f"{spec.multiply_adds:,}", spec.notes)
    return table
