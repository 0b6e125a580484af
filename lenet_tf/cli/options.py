"""Options that several subcommands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _parse_size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,4})(?:[x×](\d{1,4}))?", value.strip().lower())
    if match is None:
        raise click.BadParameter(f"{value!r} is not a number of pixels, or HEIGHTxWIDTH.")
    return int(match[1]), int(match[2] or match[1])


ORIGINALS = click.option(
    "--originals",
    metavar="FOLDER",
    help="Folder with published data files, FOLDER/<data set>/*.gz. [env: LENET_TF_ORIGINALS]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
# How to read data of the user's own, by the names of `lenet_tf.load_data`: pictures, then arrays.
READ_OPTIONS = (
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
    click.option(
        "--layout",
        metavar="ORDER",
        help="Axes of your own images: channels_last, channels_first, or images_last (MATLAB)."
        " [default: as their shape says]",
    ),
    click.option(
        "--values",
        metavar="BLACK..WHITE",
        help="Values of black and white in your own images, such as 0..1 or -1..1."
        " [default: as the pixels say]",
    ),
    click.option(
        "--labels",
        metavar="FIRST..LAST",
        help="Your own labels, such as 1..10, or 'distinct' to make a class of each different one."
        " [default: as the labels say]",
    ),
)


def add_options(
    options: Sequence[Callable[[_Function], _Function]],
) -> Callable[[_Function], _Function]:
    """Return a decorator that adds options to the function of a subcommand.

    Args:
        options: The options, in the order of the help.
    """

    def decorate(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


# The function gets them as keyword arguments, None where they are not set.
add_read_options = add_options(READ_OPTIONS)
