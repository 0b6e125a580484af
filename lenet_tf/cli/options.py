"""Options that several subcommands share."""

from __future__ import annotations

import re

import click


def _parse_size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,4})(?:[x×](\d{1,4}))?", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a number of pixels, or HEIGHTxWIDTH.")
    return int(match[1]), int(match[2] or match[1])


# What folders and archives of pictures become.
PICTURES = (
    click.option(
        "--image-size",
        callback=_parse_size,
        metavar="PIXELS|HxW",
        help="Crop and resize the pictures of --data to squares of PIXELS, or to height × width."
        " [default: their own size if all have the same up to 64×64, else the network's]",
    ),
    click.option(
        "--color/--gray",
        default=None,
        help="Give the pictures of --data three channels or one. [default: three if one of them"
        " has color]",
    ),
)
ORIGINALS = click.option(
    "--originals",
    metavar="FOLDER",
    help="Folder with published data files, FOLDER/<data set>/*.gz. [env: LENET_TF_ORIGINALS]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
