"""`lenet-tf presets`: list the trained networks of the package."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lenet_tf.cli.console import create_console, print_table
from lenet_tf.cli.options import JSON
from lenet_tf.cli.output import echo
from lenet_tf.text import format_json

if TYPE_CHECKING:
    from lenet_tf.pretrained.presets import Preset


@click.command(short_help="List the trained networks of the package.")
@JSON
def presets(as_json: bool) -> None:
    """List the trained networks that are part of the package, with their test errors."""
    from lenet_tf.pretrained.presets import DEFAULT_PRESET, list_presets

    found = list_presets()
    if as_json:
        value = [asdict(preset) | {"bytes": preset.size} for preset in found]
        echo(format_json(value, sys.stdout.encoding, indent=2))
        return
    print_table(create_console(), _build_table(found))
    echo(f"lenet-tf predict PICTURE uses {DEFAULT_PRESET} unless --model NAME chooses.")
    echo("lenet-tf presets --json prints where each comes from.")


def _build_table(found: tuple[Preset, ...]) -> Any:
    from rich import box
    from rich.table import Table

    # Edges would make it wider than 80 characters.
    table = Table(
        "preset", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True
    )
    for name in ("parameters", "test error (95%)", "kB"):
        table.add_column(name, justify="right")
    table.add_column("data")
    for preset in found:
        low, high = (100 * bound for bound in preset.test_error_interval)
        table.add_row(
            preset.name,
            f"{preset.parameters:,}",
            f"{preset.test_error:.2%} ({low:.2f}–{high:.2f})",
            f"{preset.size / 1000:,.0f}",
            preset.data_title,
        )
    return table
