"""Load the data sets and networks that the arguments of a subcommand name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.cli.console import print_notice
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.text import escape_controls

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData
    from lenet_tf.runs.run_record import RunRecord
    from lenet_tf.specs import Spec


def load_data(
    name: str | None, originals: str | None, options: Mapping[str, Any] | None = None
) -> RawData:
    """Load a data set, then start TensorFlow.

    Args:
        name: The data set. None: MNIST, or the embedded sample with a notice if MNIST is
            unavailable.
        originals: The folder of the published data files.
        options: How to read it, by the names of `lenet_tf.load_data`.

    Returns:
        The data set.

    Raises:
        DataError: If the data set is unknown or damaged.
        SourceUnreachable: If no source has it.
    """
    from lenet_tf.data import sources

    with STATUS.show(f"reading {sources.DEFAULT_DATA if name is None else escape_controls(name)}"):
        data = sources.load_data(name, originals, notify=print_notice, **options or {})
    # Not earlier: the notice about missing data must come before seconds of TensorFlow's start.
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    start_tensorflow()
    return data


def pop_read_options(options: dict[str, Any]) -> dict[str, Any]:
    """Remove how to read data from a subcommand's options, and return what the user set."""
    from lenet_tf.data.read_options import ReadOptions

    names = [field.name for field in fields(ReadOptions) if field.name in options]
    popped = {name: options.pop(name) for name in names}
    return {name: value for name, value in popped.items() if value is not None}


def load_recorded_data(
    record: RunRecord,
    name: str | None,
    originals: str | None,
    options: Mapping[str, Any],
    is_same: bool = False,
) -> RawData:
    """Load the data set of a run as the run read it, or another one, then start TensorFlow.

    Args:
        record: The run.
        name: Another name of the data set, if the user gave one.
        originals: The folder of the published data files.
        options: How to read it, instead of as the run did.
        is_same: Whether `name` must hold the run's data too.

    Raises:
        DataError, SourceUnreachable: As `load_data`.
        RunError: The run's data can't be loaded by name.
    """
    from lenet_tf.data.read_options import ReadOptions

    keeps_options = name is None or is_same
    recorded = ReadOptions.from_dict(record.data_options).to_dict() if keeps_options else {}
    options = {"network": record.spec, **recorded, **options}
    return load_data(record.data_name if name is None else name, originals, options)


def choose_data_name(spec: Spec, name: str | None) -> str | None:
    """Choose the data set of a network.

    Args:
        spec: The network.
        name: The data set that the user named, if any.

    Returns:
        The name for `load_data`. None for MNIST unless the user named it, so that the sample can
        replace it.
    """
    from lenet_tf.data.sources import DEFAULT_DATA

    if name is not None:
        return name
    return None if spec.data == DEFAULT_DATA else spec.data


def find_spec(name: str) -> Any:
    """Find a network.

    Args:
        name: A variant, a `.toml` file, a run folder, a preset or a folder for model hubs.

    Returns:
        Its spec.

    Raises:
        SpecError: If the variant is unknown or the file is invalid.
        RunError: If the folder is damaged.
    """
    from lenet_tf.pretrained.locate import is_pretrained, read_any
    from lenet_tf.runs import run_record
    from lenet_tf.specs import get_spec

    if is_pretrained(name):
        return read_any(name).spec
    if Path(name, "config.json").is_file():
        return run_record.read_run(Path(name)).spec
    return get_spec(name)
