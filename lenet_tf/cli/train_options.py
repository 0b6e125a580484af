"""The options of `lenet-tf train`."""

from __future__ import annotations

from pathlib import Path

import click

from lenet_tf.cli.change_options import CHANGE_OPTIONS
from lenet_tf.cli.options import ORIGINALS, READ_OPTIONS


def _parse_validation(
    _: click.Context, __: click.Parameter, value: str | None
) -> float | str | None:
    if value is None or value == "test":
        return value
    try:
        fraction = float(value)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction < 1:
        raise click.BadParameter(f"{value!r} is neither a fraction between 0 and 1 nor 'test'.")
    return fraction


def _parse_names(
    _: click.Context, __: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    if value is None:
        return None
    return () if value == "none" else tuple(name.strip() for name in value.split(","))


TRAIN_OPTIONS = (
    click.option(
        "--data",
        metavar="NAME",
        help="A TFDS image set (mnist, fashion_mnist, kmnist, emnist/letters, cifar10, …),"
        " 'sample', a folder, .zip or .tar.gz of pictures in class folders (photos/cat/1.jpg, with"
        " or without train/ and test/), a .npz file, a .csv table of pixels, or a folder"
        " (./mine) of .npy files or of MNIST's or EMNIST's four IDX files, plain or gzipped.",
    ),
    ORIGINALS,
    *READ_OPTIONS,
    click.option(
        "--recipe",
        metavar="NAME",
        help="Another recipe than the network's own, such as fast for lenet5-modern.",
    ),
    click.option("--epochs", type=click.IntRange(min=1), help="Number of epochs."),
    click.option("--batch-size", type=click.IntRange(min=1), help="Images per training step."),
    *CHANGE_OPTIONS,
    click.option(
        "--validation",
        callback=_parse_validation,
        metavar="FRACTION|test",
        help="Fraction of the training images to hold out; 'test' validates on the test images.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        help="Seed of weights, shuffling and the split. [default: 0]",
    ),
    click.option(
        "--split-seed",
        type=click.IntRange(0, 2**32 - 1),
        help="Seed of the split alone, so that runs of several seeds hold out the same images."
        " [default: the seed]",
    ),
    click.option(
        "--test/--no-test",
        default=None,
        help="End with the test images; --no-test never reads them. [default: --test]",
    ),
    click.option(
        "--device",
        metavar="NAME",
        default="auto",
        show_default=True,
        help="auto, cpu, gpu, gpu:N or gpu:all, or several such as gpu:0,gpu:1.",
    ),
    click.option(
        "--logs",
        type=click.Path(path_type=Path),
        default=Path("logs"),
        show_default=True,
        help="Folder of all runs. The run goes to LOGS/fit/<variant>-<time>/.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "mixed_float16", "mixed_bfloat16"]),
        help="Precision of the arithmetic. [default: float32]",
    ),
    click.option(
        "--early-stopping",
        type=click.IntRange(min=1),
        metavar="EPOCHS",
        help="Stop after EPOCHS epochs without a better validation loss.",
    ),
    click.option(
        "--augment",
        "augmentation",
        metavar="NAME",
        help="Distort the training images: affine (as in 1998), elastic, affine+elastic or none."
        " [default: the recipe's]",
    ),
    click.option(
        "--engine",
        type=click.Choice(["auto", "graph", "keras"]),
        help="Training loop: graph (faster) or keras (standard). [default: auto]",
    ),
    click.option(
        "--deterministic",
        is_flag=True,
        default=None,
        help="Use deterministic operations, for equal results on a GPU too. They are slower on a"
        " GPU and as fast on a CPU.",
    ),
    click.option(
        "--spec",
        "spec_file",
        metavar="FILE.toml",
        help="The same as FILE.toml in place of VARIANT.",
    ),
    click.option(
        "--from-run",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Repeat the run in DIR. Other options change it.",
    ),
    click.option(
        "--resume",
        "interrupted",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Resume the interrupted run in DIR. Only --data, --originals, --device, --no-report"
        " and -q may be added.",
    ),
    click.option(
        "--images-every",
        type=click.IntRange(min=0),
        metavar="EPOCHS",
        help="Write images and PR curves to TensorBoard every EPOCHS epochs; 0 never."
        " [default: after the first and the last epoch]",
    ),
    click.option(
        "--histograms",
        callback=_parse_names,
        metavar="NAMES",
        help="Histograms in TensorBoard: weights, activations and gradients, such as"
        " weights,gradients, or none. [default: weights]",
    ),
    click.option(
        "--report/--no-report",
        default=None,
        help="Write report.html when the run finishes. [default: --report]",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print only the result."),
)
