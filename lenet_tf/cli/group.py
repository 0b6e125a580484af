"""The `lenet-tf` command itself and what its commands share. Click parses: long kept by the Pallets project, and light to import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.console import Commands, notice
from lenet_tf.version import __version__

ORIGINALS = click.option(
    "--originals",
    metavar="FOLDER",
    help="Published data files, as FOLDER/<data set>/*.gz. [env: LENET_TF_ORIGINALS]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="lenet-tf")
def main() -> None:
    """LeNet-5 for Keras 3 and TensorFlow, from the tutorial's network to the paper's.

    \b
    lenet-tf train                 train the tutorial's LeNet-5 on MNIST
    lenet-tf summary lenet5        its architecture, counted
    tensorboard --logdir logs      watch and compare the runs
    """
    # TensorFlow's own logging, unless the user has set it: what matters reaches Python as an exception.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def load_or_exit(name: str | None, originals: str | None) -> Any:
    from lenet_tf.data import sources

    data = sources.load_data(name, originals, notify=notice)
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    start_tensorflow()
    return data


def default_data(spec: Any, named: str | None) -> str | None:
    """What `load_data` is asked for: the data set named, or the network's own; None lets the sample stand in for MNIST."""
    from lenet_tf.data import sources

    own = None if spec.data == sources.DEFAULT_DATA else spec.data
    return own if named is None else named


def find_spec(name: str) -> Any:
    """A variant by its name, or a network by its file, which ends in `.toml`, or by a run folder."""
    from lenet_tf.runs import run_record
    from lenet_tf.specs import get_spec
    from lenet_tf.specs.toml import load_spec

    if name.endswith(".toml"):
        return load_spec(name)
    return (
        run_record.read_spec(run_record.read_config(Path(name)))
        if Path(name, "config.json").is_file()
        else get_spec(name)
    )
