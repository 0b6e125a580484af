"""`lenet-tf variants`: list the named networks."""

from __future__ import annotations

import click

from lenet_tf.cli.console import create_console, print_table
from lenet_tf.cli.output import echo


@click.command(short_help="List the named networks.")
def variants() -> None:
    """List the named networks, then the rows of the results table that are variants of them."""
    from lenet_tf import specs
    from lenet_tf.evaluation import spec_tables

    console = create_console()
    print_table(console, spec_tables.build_variants_table(specs.VARIANTS.values()))
    echo("Rows of the results table with another recipe or one other row:")
    print_table(console, spec_tables.build_variants_table(specs.EXPERIMENTS.values()))
    echo("lenet-tf summary NAME shows the architecture, the recipe and the source of a network.")
