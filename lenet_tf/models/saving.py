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
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import h5py
import keras

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.bounded import MAX_TEXT_BYTES, open_regular_file, parse_json
from lenet_tf.io.hdf5 import read_arrays
from lenet_tf.io.npy import MAX_DEFLATE_RATIO
from lenet_tf.io.scratch import private_folder
from lenet_tf.models.config_allowlist import NotLeNetError, check_config
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import checkpoints
from lenet_tf.runs.run_record import read_run

# The largest variant needs 15 MB with its optimizer's state.
MAX_FILE_BYTES = 1 << 30

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
_MEMBERS = (METADATA, CONFIG, WEIGHTS, checkpoints.PROGRESS_MEMBER)
_MAX_DIRECTORY_BYTES = 4096
_END_RECORD = struct.Struct("<4s4H2LH")
_DAMAGED = "it is damaged or incomplete"
# What zipfile raises for headers that are damaged or contradict each other.
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OverflowError,
    RuntimeError,
)


@dataclass(frozen=True)
class ModelFile:
    """The content of a `.keras` file: `config` is validated, the bytes of `weights` are not."""

    metadata: Any
    config: dict[str, Any]
    weights: bytes


def load_model(path: str | Path) -> LeNet:
    """Load a model that lenet_tf saved.

    Nothing in the file is executed, and it can't make lenet_tf open another file or use more
    memory than its size allows.

    Args:
        path: A run folder, for the model of its last finished epoch, or a `.keras` file.

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
    path = Path(path)
    if path.is_dir():
        from lenet_tf.models.run_models import load_run_model

        return load_run_model(read_run(path))
    return _load_file(path)


def _load_file(file: Path) -> LeNet:
    if not file.exists():
        raise RunError(f"{file}: there is no such run or model")
    if file.suffix != ".keras":
        raise RunError(f"{file} is not a .keras file")
    try:
        content = read_model_file(file)
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


def read_model_file(file: Path) -> ModelFile:
    """Read and validate a `.keras` file without building anything.

    Args:
        file: A regular file of at most `MAX_FILE_BYTES`.

    Returns:
        Its content. Time and memory are proportional to the file's size.

    Raises:
        ValueError: If the file is damaged, too large or asks for more than a LeNet needs.
        OSError: If the file cannot be read.
    """
    with open_regular_file(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        # Attack: fill the memory with the file itself.
        if size > MAX_FILE_BYTES:
            raise ValueError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
        return read_stream(stream, size)


def read_stream(stream: IO[bytes], size: int) -> ModelFile:
    """Do what `read_model_file` does, for an open file of `size` bytes."""
    try:
        _check_directory(stream, size)
        with zipfile.ZipFile(stream) as archive:
            members = _check_members(archive)
            metadata, config = (_read_json(archive, members[name]) for name in (METADATA, CONFIG))
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
    except _ARCHIVE_ERRORS as error:
        raise ValueError(_DAMAGED) from error


def _check_directory(stream: IO[bytes], size: int) -> None:
    """Raise `ValueError` unless the archive's directory is short.

    Attack: a directory of millions of members, which zipfile reads before anything else. The end
    record must be the file's last bytes, so that zipfile can't find another one.
    """
    if size < _END_RECORD.size:
        raise ValueError(_DAMAGED)
    # A ZIP64 locator takes 20 bytes before the end record.
    stream.seek(max(0, size - _END_RECORD.size - 20))
    tail = stream.read()
    signature, *_, length, start, comment_length = _END_RECORD.unpack(tail[-_END_RECORD.size :])
    is_last = start + length + _END_RECORD.size == size and not comment_length
    is_zip64 = tail.startswith(b"PK\6\7")
    if signature != b"PK\5\6" or not is_last or is_zip64:
        raise ValueError(_DAMAGED)
    if length > _MAX_DIRECTORY_BYTES:
        raise ValueError(f"it holds other files than {METADATA}, {CONFIG} and {WEIGHTS}")


def _check_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by name if their names and sizes are acceptable."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.orig_filename
        # Attack: paths, and two versions of a member of which another tool sees the other one.
        if name not in _MEMBERS or name in members:
            raise ValueError(
                f"it holds {name[:80]!r}{', twice' * (name in members)},"
                " which is not part of a LeNet's file"
            )
        # Attack: a small file that decompresses to more than deflate can, or than the limit.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its {name} is compressed in a way that Keras does not use")
        ratio = MAX_DEFLATE_RATIO if info.compress_type == zipfile.ZIP_DEFLATED else 1
        if info.file_size > ratio * info.compress_size:
            raise ValueError(_DAMAGED)
        limit = MAX_FILE_BYTES if name == WEIGHTS else MAX_TEXT_BYTES
        if info.file_size > limit and name != checkpoints.PROGRESS_MEMBER:
            raise ValueError(f"its {name} is larger than {limit:,} bytes")
        members[name] = info
    missing = [name for name in (METADATA, CONFIG, WEIGHTS) if name not in members]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    return members


def _read_json(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    try:
        return parse_json(archive.read(info))
    except ValueError as error:
        raise ValueError(f"its {info.filename} cannot be read: {error}") from error


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
        return keras.saving.load_model(rebuilt, safe_mode=True)
