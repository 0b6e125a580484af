"""The `lenet-tf` command and the list of its subcommands."""

from __future__ import annotations

import os

import click

from lenet_tf.cli import (
    doctor,
    draw,
    evaluate,
    export,
    page,
    predict,
    presets,
    report,
    reproduce,
    summary,
    sweep,
    train,
    variants,
)
from lenet_tf.cli.errors import ErrorReportingGroup
from lenet_tf.runtime.settings import pin_settings
from lenet_tf.version import __version__

# Add a new subcommand here. Its module must not import TensorFlow, Keras or NumPy at the top, so
# that `lenet-tf --help` stays fast.
COMMANDS: tuple[click.Command, ...] = (
    doctor.doctor,
    draw.draw,
    evaluate.evaluate,
    export.export,
    page.page,
    predict.predict,
    presets.presets,
    report.report,
    reproduce.reproduce,
    summary.summary,
    sweep.sweep,
    train.train,
    variants.variants,
)


@click.group(
    cls=ErrorReportingGroup,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="lenet-tf")
def main() -> None:
    """Train, inspect and compare LeNet-5 with Keras 3 and TensorFlow.

    \b
    lenet-tf predict digit.png     recognize a digit in a picture
    lenet-tf train                 train LeNet-5 on MNIST
    lenet-tf summary lenet5        show its architecture
    lenet-tf page                  write a web page that shows it at work
    tensorboard --logdir logs      watch and compare the runs
    """  # noqa: D301 - Click needs the character \b, not its escape
    # Errors of TensorFlow that matter arrive as Python exceptions; its log hides the messages here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    pin_settings()
