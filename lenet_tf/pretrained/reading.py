"""Read trained networks from `.keras` files without Keras and without trusting the files."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from lenet_tf.errors import LenetError, RunError, SpecError
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.io.hdf5 import read_arrays
from lenet_tf.pretrained.keras_archive import (
    ARCHIVE_ERRORS,
    CONFIG,
    DAMAGED,
    MAX_FILE_BYTES,
    WEIGHTS,
    check_directory,
    list_members,
    read_json,
)
from lenet_tf.pretrained.network import Origin, TrainedNetwork, select_weights
from lenet_tf.pretrained.network_config import LENET, REGISTERED_NAME, check_spec
from lenet_tf.runs.run_folder import FINAL
from lenet_tf.runs.run_record import read_class_names, read_data_identity, read_run
from lenet_tf.specs import Spec
from lenet_tf.specs.recipes import PRECISIONS


def read_network(path: Path) -> TrainedNetwork:
    """Read the network of a run or of a `.keras` file.

    Args:
        path: A run folder, or a `.keras` file.

    Returns:
        The network, with the classes' names and the image shape that a run records.

    Raises:
        RunError: If the file is missing, damaged, too large or not a LeNet.
    """
    file = path / FINAL if path.is_dir() else path
    try:
        with open_regular_file(file, follow_links=not path.is_dir()) as stream:
            network = read_stream(stream)
    except FileNotFoundError as error:
        raise RunError(f"{file}: there is no such run or model") from error
    except (OSError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RunError(f"{file} cannot be read: {reason or 'out of memory'}") from error
    except ValueError as error:
        raise RunError(f"{file} cannot be read as a LeNet: {error}") from error
    identity = read_data_identity(path)
    shape = identity.get("image_shape")
    return TrainedNetwork(
        network.spec,
        network.weights,
        network.precision,
        read_class_names(path),
        tuple(shape) if isinstance(shape, list) else None,
        _read_origin(path, identity) if path.is_dir() else None,
    )


def _read_origin(folder: Path, identity: Mapping[str, Any]) -> Origin:
    """Read what a run records of its training and test."""
    try:
        record = read_run(folder)
        metrics = record.read_metrics() or {}
    except LenetError:
        return Origin()
    images = identity.get("images", {}).get("test", 0) if "test_accuracy" in metrics else 0
    errors = round((1 - metrics["test_accuracy"]) * images) if images else 0
    return Origin("", str(identity.get("name", "")), record.compiled, images, errors)


def read_stream(stream: IO[bytes], is_own: bool = False) -> TrainedNetwork:
    """Read the network of an open `.keras` file.

    Args:
        stream: The file.
        is_own: Whether it is a file of this package, whose weights are read by this process.

    Returns:
        The network, without names of classes.

    Raises:
        ValueError: If the file is damaged, too large or not a LeNet.
        OSError: If it cannot be read.
    """
    size = stream.seek(0, os.SEEK_END)
    # Attack: fill the memory with the file itself.
    if size > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        check_directory(stream, size)
        with zipfile.ZipFile(stream) as archive:
            members = list_members(archive)
            arguments, spec = check_arguments(read_json(archive, members[CONFIG]))
            weights = archive.read(members[WEIGHTS])
    except SpecError as error:
        raise ValueError(f"its network is not valid: {error}") from error
    except ARCHIVE_ERRORS as error:
        raise ValueError(DAMAGED) from error
    arrays = _read_own_arrays(weights) if is_own else read_arrays(weights)
    return build_network(arguments, spec, arrays)


def _read_own_arrays(content: bytes) -> dict[str, Any]:
    import h5py

    arrays = {}

    def keep(path: str, member: Any) -> None:
        if isinstance(member, h5py.Dataset):
            arrays[path] = member[()]

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(keep)
    return arrays


def check_arguments(config: Any) -> tuple[dict[str, Any], Spec]:
    """Check the config.json of a saved model.

    Args:
        config: Its content.

    Returns:
        The arguments of `LeNet`, and the network among them.

    Raises:
        ValueError: If it describes another model.
        SpecError: If the network isn't valid, or one image would take too much memory or time.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise ValueError("config.json describes no model")
    if (config.get("class_name"), config.get("registered_name")) != (LENET, REGISTERED_NAME):
        raise ValueError("it holds another model, so how to prepare its images is unknown")
    arguments = config["config"]
    return arguments, check_spec(arguments)


def build_network(
    arguments: Mapping[str, Any], spec: Spec, arrays: Mapping[str, Any]
) -> TrainedNetwork:
    """Build the network of a saved model from its arguments, its spec and its arrays by path.

    Raises:
        ValueError: If its precision is unknown, or an array is missing or of another shape.
    """
    precision = arguments.get("precision") or "float32"
    if precision not in PRECISIONS:
        raise ValueError("its precision is unknown")
    return TrainedNetwork(spec, select_weights(spec, arrays), precision)
