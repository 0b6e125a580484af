"""`lenet-tf variants`: list the named networks."""

from __future__ import annotations

import click

from lenet_tf.cli.console import create_console


@click.command(short_help="List the named networks.")
def variants() -> None:
    """List the named networks."""
    from lenet_tf import specs
    from lenet_tf.evaluation import spec_tables

    create_console().print(spec_tables.build_variants_table(specs.VARIANTS.values()))
    click.echo("lenet-tf summary VARIANT shows the architecture and the source of a network.")
