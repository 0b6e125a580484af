"""Load saved models without trusting their files.

A `.keras` file is a ZIP archive of JSON and HDF5. Its sizes are checked here, what it makes Keras
build in `config_allowlist`, and its weights are read by a separate process in `lenet_tf.io.hdf5`.
Keras then loads a clean archive rebuilt from the validated parts. The comment beside each check
names the attack that it stops.
"""

from __future__ import annotations

import io
import json
import os
import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import h5py
import keras

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.io.hdf5 import read_arrays
from lenet_tf.io.paths import to_path
from lenet_tf.io.scratch import private_folder
from lenet_tf.models.config_allowlist import NotLeNetError, check_config
from lenet_tf.models.lenet import LeNet
from lenet_tf.pretrained.keras_archive import (
    ARCHIVE_ERRORS,
    CONFIG,
    DAMAGED,
    MAX_FILE_BYTES,
    METADATA,
    WEIGHTS,
    check_directory,
    list_members,
    read_json,
)
from lenet_tf.pretrained.locate import is_hub_folder
from lenet_tf.pretrained.presets import find_preset
from lenet_tf.runs.run_folder import Run
from lenet_tf.runs.run_record import read_run

_HDF5_SUFFIXES = (".h5", ".hdf5")


@dataclass(frozen=True)
class ModelFile:
    """The content of a `.keras` file: `config` is validated, the bytes of `weights` are not."""

    metadata: Any
    config: dict[str, Any]
    weights: bytes


def load_model(path: Run | str | Path) -> LeNet:
    """Load a model that lenet_tf saved.

    Nothing in the file is executed, and it can't make lenet_tf open another file or use more
    memory than its size allows.

    Args:
        path: A run or its folder, for the model of its last finished epoch, a `.keras` file, or a
            folder of `lenet-tf export --format hub`.

    Returns:
        The compiled model with its weights and its optimizer's state.

    Raises:
        RunError: If there is no model, or the file is damaged, too large or not a LeNet.

    Example:
        >>> import lenet_tf
        >>> lenet_tf.LeNet("tiny", seed=0).save("model.keras")
        >>> lenet_tf.load_model("model.keras").spec.name
        'tiny'
    """
    path = to_path(path.path if isinstance(path, Run) else path, RunError, "a run or model")
    if is_hub_folder(path):
        return LeNet.from_preset(path)
    if path.is_dir():
        from lenet_tf.models.run_models import load_run_model

        return load_run_model(read_run(path))
    return _load_file(path)


def _load_file(file: Path) -> LeNet:
    if not file.exists():
        if find_preset(str(file)) is not None:
            raise RunError(f"{file} is a preset: LeNet.from_preset({str(file)!r}) builds it")
        raise RunError(f"{file}: there is no such run or model")
    if file.suffix.lower() in _HDF5_SUFFIXES:
        raise RunError(
            f"{file} is an HDF5 file, the older format of Keras. Build the same network as a"
            " LeNet, read the weights with its load_weights(), and save it as a .keras file"
        )
    if file.suffix != ".keras":
        raise RunError(f"{file} is not a .keras file, which LeNet.save writes")
    try:
        stream = open_regular_file(file)
    except (OSError, ValueError) as error:
        raise RunError(f"{file} cannot be read: {_to_line(error)}") from error
    with stream:
        return load_stream(stream, file)


def load_stream(stream: IO[bytes], file: Path) -> LeNet:
    """Load a model as `load_model` does, from a `.keras` file that is already open.

    Args:
        stream: The open file.
        file: Its path, for messages.

    Returns:
        The compiled model.

    Raises:
        RunError: As `load_model`.
    """
    try:
        content = read_stream(stream)
        arrays = read_arrays(content.weights)
    except NotLeNetError as error:
        raise RunError(f"{file} {error}") from error
    except (OSError, MemoryError) as error:
        raise RunError(f"{file} cannot be read: {_to_line(error) or 'out of memory'}") from error
    except ValueError as error:
        raise RunError(
            f"{file} cannot be read as a Keras model: {_to_line(error)}.",
            "Use another copy of the file, or train the model again.",
        ) from error
    try:
        return _build_model(content.config, arrays)
    except (OSError, MemoryError) as error:
        raise RunError(f"{file} cannot be loaded: {_to_line(error) or 'out of memory'}") from error
    except Exception as error:  # Keras raises anything for a config that it doesn't accept.
        raise RunError(
            f"{file} cannot be read as a Keras model: {_to_line(error)}",
            f"Keras {_find_keras_version(content.metadata)} saved it, and Keras"
            f" {keras.__version__} is installed. Install that version, or train the model again.",
        ) from error


def _to_line(error: BaseException) -> str:
    """Return an error's text on one line of limited length."""
    text = " ".join(str(error).split())
    return text if len(text) <= 400 else f"{text[:400]} …"


def _find_keras_version(metadata: Any) -> str:
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    # Attack: escape sequences that reach the terminal.
    if isinstance(version, str) and re.fullmatch(r"[\w.+-]{1,30}", version):
        return version
    return "of an unknown version"


def read_stream(stream: IO[bytes]) -> ModelFile:
    """Read and validate a `.keras` file without building anything.

    Args:
        stream: An open file of at most `MAX_FILE_BYTES`.

    Returns:
        Its content. Time and memory are proportional to the file's size.

    Raises:
        ValueError: If the file is damaged, too large or asks for more than a LeNet needs.
        OSError: If the file cannot be read.
    """
    size = stream.seek(0, os.SEEK_END)
    # Attack: fill the memory with the file itself.
    if size > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        check_directory(stream, size)
        with zipfile.ZipFile(stream) as archive:
            members = list_members(archive)
            metadata, config = (read_json(archive, members[name]) for name in (METADATA, CONFIG))
            checked_config, spec = check_config(config)
            weights = archive.read(members[WEIGHTS])
            # Attack: a spec whose layers fill the memory before Keras looks for their weights.
            if 4 * spec.parameters > len(weights):
                raise ValueError(
                    f"its network has {spec.parameters:,} parameters, and its weights are"
                    f" {len(weights):,} bytes, too few for them"
                )
            return ModelFile(metadata, checked_config, weights)
    except SpecError as error:
        raise ValueError(f"its network is not valid: {error}") from error
    except ARCHIVE_ERRORS as error:
        raise ValueError(DAMAGED) from error


def _build_model(config: dict[str, Any], arrays: dict[str, Any]) -> LeNet:
    """Load a clean archive rebuilt from the validated parts."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for path, array in arrays.items():
            file[path] = array
    # Keras loads from a path. No other user can write to this folder.
    with private_folder() as folder:
        rebuilt = folder / "model.keras"
        with zipfile.ZipFile(rebuilt, "w") as archive:
            archive.writestr(METADATA, "{}")
            archive.writestr(CONFIG, json.dumps(config))
            archive.writestr(WEIGHTS, weights.getbuffer())
        with warnings.catch_warnings():
            # The state of an optimizer that never took a step is its two numbers alone, and files
            # without an optimizer's state, such as presets, have none.
            warnings.filterwarnings("ignore", ".*whereas the saved optimizer has [02] variables")
            return keras.saving.load_model(rebuilt, safe_mode=True)
