"""`lenet-tf export`: write a trained network for another runtime."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lenet_tf.cli.console import print_notice
from lenet_tf.cli.options import JSON, ORIGINALS
from lenet_tf.cli.output import echo
from lenet_tf.text import escape_controls, format_json


@click.command(short_help="Write a trained network for another runtime.")
@click.argument("model", metavar="RUN|PRESET")
@click.option(
    "--format",
    "format_name",
    default="onnx",
    show_default=True,
    metavar="FORMAT",
    help="onnx, litert, int8 (LiteRT with 8-bit integers), saved_model, openvino, hub (a folder for"
    " model hubs) or c (C99 for microcontrollers).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="File or folder to write. [default: named after the network, in the current folder]",
)
@click.option(
    "--prepared",
    is_flag=True,
    help="Take prepared images, float32 (N, height, width, channels), instead of raw ones, uint8.",
)
@click.option(
    "--data",
    metavar="NAME",
    help="Data set to calibrate and check with. [default: the network's; the embedded sample if"
    " MNIST is unavailable]",
)
@ORIGINALS
@click.option("--force", is_flag=True, help="Replace an existing export.")
@JSON
def export(
    model: str,
    format_name: str,
    output: Path | None,
    prepared: bool,
    data: str | None,
    originals: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a run, a preset, a .keras file or a hub folder for another runtime.

    The export takes raw images, uint8 (N, height, width), in batches of any size: input `images`,
    output `probabilities`. Its runtime answers the first 1,000 test images before it is kept;
    labels.txt and the result of the check are written beside it. The exit code is 1 if an answer
    differs, and then nothing is written.
    """
    from lenet_tf.inference.export import exporter

    result = exporter.export(
        model,
        output,
        format=format_name,
        prepared=prepared,
        data=data,
        originals=originals,
        overwrite=force,
        notify=print_notice,
    )
    if as_json:
        echo(format_json(result.to_dict(), sys.stdout.encoding, indent=1))
        return
    echo(f"wrote {escape_controls(result.path)} ({result.size:,} bytes)")
    echo(result.check.describe())
