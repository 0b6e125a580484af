"""Options that several subcommands share."""

from __future__ import annotations

import click

ORIGINALS = click.option(
    "--originals",
    metavar="FOLDER",
    help="Folder with published data files, FOLDER/<data set>/*.gz. [env: LENET_TF_ORIGINALS]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
