"""`lenet-tf variants`: list the named networks."""

from __future__ import annotations

import click

from lenet_tf.cli.console import create_console, print_table
from lenet_tf.cli.output import echo


@click.command(short_help="List the named networks.")
def variants() -> None:
    """List the named networks."""
    from lenet_tf import specs
    from lenet_tf.evaluation import spec_tables

    print_table(create_console(), spec_tables.build_variants_table(specs.VARIANTS.values()))
    echo("lenet-tf summary VARIANT shows the architecture and the source of a network.")
