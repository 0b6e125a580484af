"""Options that several subcommands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lenet_tf.cli.output import note

if TYPE_CHECKING:
    from lenet_tf.scheduling.job import Pool

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
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
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

# Where runs take place. The function passes them to `open_scheduler`.
SCHEDULER_OPTIONS = (
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Run on the workers of this Dask scheduler, such as tcp://127.0.0.1:8786."
        " [default: on this machine]",
    ),
    click.option(
        "--tls-ca",
        type=_FILE,
        metavar="FILE",
        help="For a scheduler at tls://HOST:PORT: certificate of the authority that signed all"
        " others. [default: Dask's configuration]",
    ),
    click.option("--tls-cert", type=_FILE, metavar="FILE", help="This machine's certificate."),
    click.option(
        "--tls-key", type=_FILE, metavar="FILE", help="Its key, unless it is in the same file."
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
add_scheduler_options = add_options(SCHEDULER_OPTIONS)


def open_scheduler(
    scheduler: str | None,
    slots: int | None,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> Pool:
    """Open the pool that `SCHEDULER_OPTIONS` name.

    Args:
        scheduler: The address. None: this machine.
        slots: Number of runs at a time. None: the idle cores, or all threads of the workers.
        tls_ca: As the option.
        tls_cert: As the option.
        tls_key: As the option.

    Returns:
        The pool, for a `with` block.
    """
    if scheduler is None:
        if tls_ca or tls_cert or tls_key:
            raise click.UsageError("--tls-ca, --tls-cert and --tls-key need --scheduler.")
        from lenet_tf.scheduling.local_pool import LocalPool

        return LocalPool(slots)
    from lenet_tf.scheduling.dask_connection import TlsFiles
    from lenet_tf.scheduling.open_pool import open_pool

    return open_pool(scheduler, slots, TlsFiles(tls_ca, tls_cert, tls_key), report=note)
