"""`lenet-tf summary`: show the architecture of networks."""

from __future__ import annotations

import sys
from typing import Any

import click

from lenet_tf.cli.change_options import CHANGE_OPTIONS
from lenet_tf.cli.console import create_console, print_table
from lenet_tf.cli.inputs import find_spec
from lenet_tf.cli.options import JSON, add_options
from lenet_tf.cli.output import echo
from lenet_tf.text import format_json

_DEFAULT_VARIANT = "lenet5"


@click.command(short_help="Show the architecture of a network.")
@click.argument("networks", nargs=-1, metavar="[VARIANT|FILE.toml]...")
@add_options(CHANGE_OPTIONS)
@click.option("--compare", is_flag=True, help="Print one line per network, for a comparison.")
@JSON
def summary(networks: tuple[str, ...], compare: bool, as_json: bool, **changes: Any) -> None:
    """Show the architecture of each network (lenet5).

    The table has shapes, parameters, connections, multiply-adds and receptive fields. Options that
    change a network show it as train builds it with the same options.
    """
    from lenet_tf.evaluation import spec_tables, spec_text
    from lenet_tf.specs.changes import Changes

    wanted = Changes(**changes)
    specs = [wanted.apply(find_spec(name)) for name in networks or (_DEFAULT_VARIANT,)]
    if as_json:
        facts = [spec_tables.summarize_spec(spec) for spec in specs]
        value = facts[0] if len(facts) == 1 else facts
        echo(format_json(value, sys.stdout.encoding, indent=2))
        return
    console = create_console()
    if compare:
        print_table(console, spec_tables.build_comparison_table(specs))
        return
    is_wide = console.width >= spec_tables.FULL_WIDTH
    for spec in specs:
        heading, description = spec_text.describe_spec(spec, console.width)
        echo(heading)
        print_table(console, spec_tables.build_architecture_table(spec, wide=is_wide))
        echo(description)
