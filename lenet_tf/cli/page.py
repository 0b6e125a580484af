"""`lenet-tf page`: write a page on which one sees networks at work."""

from __future__ import annotations

from pathlib import Path

import click

from lenet_tf.cli.console import print_notice
from lenet_tf.cli.options import ORIGINALS
from lenet_tf.cli.output import echo
from lenet_tf.text import escape_controls


@click.command(short_help="Write a page that shows networks at work.")
@click.argument("models", nargs=-1, metavar="[RUN|PRESET]...")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("page.html"),
    show_default=True,
    metavar="FILE",
    help="HTML file to write. A page that stands there is replaced, another file never.",
)
@click.option(
    "--data",
    metavar="NAME",
    help="Data set of the test images. [default: that of the first network; the embedded sample if"
    " MNIST is unavailable]",
)
@ORIGINALS
def page(models: tuple[str, ...], output: Path, data: str | None, originals: str | None) -> None:
    """Write one HTML file on which you draw and see all of a network at work.

    It shows the RUNs, presets, .keras files or hub folders, which take images of one shape and know
    the same classes; without any, the 1998 LeNet-5, that of the tutorials and a modern one. It
    opens in any browser, needs no network, and computes with the networks' own weights.
    """
    from lenet_tf.inference.page import write_page

    path = write_page.write_page(
        models or write_page.DEFAULT_MODELS,
        output,
        data=data,
        originals=originals,
        notify=print_notice,
    )
    echo(f"wrote {escape_controls(path)} ({path.stat().st_size:,} bytes)")
