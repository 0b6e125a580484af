"""Options that several subcommands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
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

# Where runs take place, by the fields of `PoolOptions`.
POOL_OPTIONS = (
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of runs at a time, each on one core. [default: the idle cores, or the threads"
        " of all workers]",
    ),
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


@dataclass(frozen=True)
class PoolOptions:
    """Where the runs of a command take place: the values of `POOL_OPTIONS`.

    Attributes:
        jobs: Number of runs at a time. None: the idle cores, or all threads of the workers.
        scheduler: Address of a Dask scheduler. None: this machine.
        tls_ca: The files of a `tls://` address.
        tls_cert: The same.
        tls_key: The same.
    """

    jobs: int | None
    scheduler: str | None
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None

    def open(self) -> Pool:
        """Return the pool, for a `with` block."""
        tls = (self.tls_ca, self.tls_cert, self.tls_key)
        if self.scheduler is None:
            if any(tls):
                raise click.UsageError("--tls-ca, --tls-cert and --tls-key need --scheduler.")
            from lenet_tf.scheduling.local_pool import LocalPool

            return LocalPool(self.jobs)
        from lenet_tf.scheduling.dask_connection import TlsFiles
        from lenet_tf.scheduling.open_pool import open_pool

        return open_pool(self.scheduler, self.jobs, TlsFiles(*tls), report=note)


def add_pool_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `POOL_OPTIONS` to the function of a subcommand, which gets them as one `PoolOptions`.

    Args:
        function: The function, with an argument `pool_options`.
    """

    @functools.wraps(function)
    def call(**values: Any) -> Any:
        chosen = {each.name: values.pop(each.name) for each in fields(PoolOptions)}
        return function(pool_options=PoolOptions(**chosen), **values)

    return add_options(POOL_OPTIONS)(call)
