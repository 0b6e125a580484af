"""`lenet-tf draw`: draw output codes or distorted images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.inputs import choose_data_name, find_spec, load_data, pop_read_options
from lenet_tf.cli.options import ORIGINALS, add_read_options
from lenet_tf.cli.output import echo
from lenet_tf.text import escape_controls


@click.command(short_help="Draw output codes or distorted images.")
@click.argument("subject", type=click.Choice(["codes", "distortions"]))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.png")
@click.option(
    "--network",
    metavar="VARIANT|FILE.toml",
    show_default="lenet5-1998",
    help="Network whose images are distorted.",
)
@click.option("--data", metavar="NAME", help="Data set, as for train.")
@ORIGINALS
@add_read_options
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of the distortions.",
)
def draw(
    subject: str,
    file: Path,
    network: str | None,
    data: str | None,
    originals: str | None,
    seed: int,
    **options: Any,
) -> None:
    """Draw a figure into FILE.png: PNG, JPEG, WebP, TIFF, SVG or PDF, as its name ends.

    codes shows the output codes of LeNet-5, distortions shows training images distorted by each
    kind of --augment.
    """
    from lenet_tf.evaluation import plotting, rbf_code_figure

    plotting.check_figure_path(file)
    if subject == "codes":
        if network or data:
            raise click.UsageError("--network and --data are for distortions.")
        figure = rbf_code_figure.plot_codes()
    else:
        spec = find_spec(network or "lenet5-1998")
        name = choose_data_name(spec, data)
        raw = load_data(name, originals, {"network": spec, **pop_read_options(options)})
        # Imported here: it needs TensorFlow, which load_data starts.
        from lenet_tf.evaluation import distortion_figure

        figure = distortion_figure.plot_distortions(raw, spec, seed)
    plotting.save_figure(figure, file)
    echo(f"wrote {escape_controls(file)}")
