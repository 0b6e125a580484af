"""A saved model, opened without trust in its file.

A `.keras` file is an archive of JSON and HDF5. Before Keras sees any of it, its form and sizes are checked here, what it asks Keras
to build in `model_configs`, and its weights are read by a process of their own, `h5_reader`. Keras then loads a fresh file of what passed.
"""

from __future__ import annotations

import io
import json
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import h5py
import keras

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.bounded import MAX_TEXT_BYTES, parse_json
from lenet_tf.io.hdf5 import read_arrays
from lenet_tf.io.npy import RATIO
from lenet_tf.models.config_allowlist import NotALeNet, check_config
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import checkpoints

# 268 million numbers: the largest variant with its optimizer's state has 1.3 million.
MAX_FILE_BYTES = 1 << 30

METADATA, CONFIG, WEIGHTS, PROGRESS = (
    "metadata.json",
    "config.json",
    "model.weights.h5",
    checkpoints.PROGRESS_MEMBER,
)
_DIRECTORY_LIMIT = 4096
_END = struct.Struct("<4s4H2LH")
_DAMAGED = "it is damaged or incomplete"


@dataclass(frozen=True)
class ModelFile:
    """What a `.keras` file holds, checked but not built. `config` is what Keras is to load, `weights` the bytes of an HDF5 file that
    nobody has looked into, `note` what training noted in `lenet_tf.json`, None where it has none."""

    metadata: Any
    config: dict[str, Any]
    weights: bytes


def load_model(path: str | Path) -> LeNet:
    """The model of a run folder (its last finished epoch) or of a `.keras` file that this package made.

    Raises `RunError` where there is none, or where the file is damaged, too large or holds something else. Nothing in the file is executed,
    no other file is opened for it, and no more memory is taken than its size allows.
    """
    file = _file_of(Path(path))
    try:
        content = read_model_file(file)
        arrays = read_arrays(content.weights)
    except NotALeNet as error:
        raise RunError(f"{file} {error}") from error
    except (OSError, MemoryError) as error:  # of this machine, not of the file
        raise RunError(
            f"{file} cannot be read here: {_line(error) or 'there is not enough memory'}"
        ) from error
    except ValueError as error:
        raise RunError(
            f"{file} cannot be read as a Keras model: {_line(error)}.\nTake another copy of it, or train again."
        ) from error
    try:
        return _loaded(content.config, arrays)
    except (OSError, MemoryError) as error:
        raise RunError(
            f"{file} cannot be loaded here: {_line(error) or 'there is not enough memory'}"
        ) from error
    except (
        Exception
    ) as error:  # Keras raises whatever a config that it does not like makes its classes raise
        saved = (
            content.metadata.get("keras_version") if isinstance(content.metadata, dict) else None
        )
        saved = (
            saved
            if isinstance(saved, str) and re.fullmatch(r"[\w.+-]{1,30}", saved)
            else "of an unknown version"
        )
        raise RunError(
            f"{file} cannot be read as a Keras model: {_line(error)}\n"
            f"It was saved by Keras {saved}, and Keras {keras.__version__} is here: install that version, or train again."
        ) from error


def _file_of(path: Path) -> Path:
    if path.is_dir() and not (path / "config.json").exists():
        raise RunError(f"{path} is not a run folder: it has no config.json")
    file = path / "final.keras" if path.is_dir() else path
    if not file.exists():
        raise RunError(
            f"{path} has no final.keras: no epoch was finished"
            if path.is_dir()
            else f"{path}: there is no such run or model"
        )
    if file.suffix != ".keras":
        raise RunError(f"{file} is not a .keras file")
    return file


def _line(error: BaseException) -> str:
    """An error's text on one line that is not endless."""
    text = " ".join(str(error).split())
    return text if len(text) <= 400 else f"{text[:400]} …"


def read_model_file(file: Path) -> ModelFile:
    """The checked content of a `.keras` file. Takes time and memory in proportion to the file; builds nothing.

    Raises `ValueError` with the reason where it is not such a file, or asks for more than a LeNet needs (`NotALeNet`, `SpecError` among
    them), and `OSError` where it cannot be read.
    """
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file")
    if status.st_size > MAX_FILE_BYTES:
        raise ValueError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
    with file.open("rb") as stream:
        return read_stream(stream, status.st_size)


def read_stream(stream: IO[bytes], size: int) -> ModelFile:
    """As `read_model_file`, from an open file of that size."""
    try:
        _check_end(stream, size)
        with zipfile.ZipFile(stream) as archive:
            members = _members(archive, size)
            metadata, config = (_read_json(archive, members[name]) for name in (METADATA, CONFIG))
            wanted, spec = check_config(config)
            # Layers take memory for all that the table asks for: the weights must be there.
            held = members[WEIGHTS].file_size
            if 4 * spec.parameters > held:
                raise ValueError(
                    f"its network has {spec.parameters:,} parameters, and its weights are {held:,} bytes, too few for them"
                )
            return ModelFile(metadata, wanted, _read(archive, members[WEIGHTS]))
    except SpecError as error:
        raise ValueError(f"its network's table cannot work: {error}") from error
    # What zipfile raises for headers that contradict each other or ask for what it cannot do.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        RuntimeError,
        struct.error,
        OverflowError,
    ) as error:
        raise ValueError(_DAMAGED) from error


def _check_end(stream: IO[bytes], size: int) -> None:
    """An archive's last bytes say how long its directory is, which zipfile would believe up to the size of the file."""
    if size < _END.size:
        raise ValueError(_DAMAGED)
    stream.seek(max(0, size - _END.size - 20))
    tail = stream.read(_END.size + 20)
    signature, disk, start_disk, here, count, length, offset, comment = _END.unpack(
        tail[-_END.size :]
    )
    whole = (
        signature == b"PK\5\6"
        and disk == start_disk == 0
        and here == count
        and comment == 0
        and offset + length + _END.size == size
    )
    if not whole or tail.startswith(b"PK\6\7"):
        raise ValueError(_DAMAGED)
    if count > 4 or length > _DIRECTORY_LIMIT:
        raise ValueError(f"it holds other files than {METADATA}, {CONFIG} and {WEIGHTS}")


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's members by name, each of a form and size that can be."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.orig_filename
        if name not in (METADATA, CONFIG, WEIGHTS, PROGRESS) or name in members:
            raise ValueError(
                f"it holds {name[:80]!r}{', twice' * (name in members)}, which is not a part of a LeNet's file"
            )
        if info.flag_bits & 0x41 or info.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise ValueError(
                f"its {name} is encrypted, or compressed in a way that Keras does not use"
            )
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise ValueError(f"its {name} is not a regular file")
        ratio = 1 if info.compress_type == zipfile.ZIP_STORED else RATIO
        if info.compress_size > size or info.file_size > ratio * info.compress_size:
            raise ValueError(_DAMAGED)
        limit = {WEIGHTS: MAX_FILE_BYTES, PROGRESS: checkpoints.MAX_PROGRESS_BYTES}.get(
            name, MAX_TEXT_BYTES
        )
        if info.file_size > limit:
            raise ValueError(f"its {name} is larger than {limit:,} bytes")
        members[name] = info
    missing = [name for name in (METADATA, CONFIG, WEIGHTS) if name not in members]
    if missing:
        raise ValueError(f"it has no {missing[0]}")
    return members


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as member:
        content = member.read(info.file_size)
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        raise ValueError(_DAMAGED)
    return content


def _read_json(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Any:
    content = _read(archive, info)
    try:
        return parse_json(content)
    except ValueError as error:
        raise ValueError(f"its {info.filename} cannot be read: {error}") from error


def _loaded(config: dict[str, Any], arrays: dict[str, Any]) -> LeNet:
    """What Keras makes of a fresh file that holds this and nothing else."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        for path, array in arrays.items():
            file[path] = array
    # In a folder that nobody else can write to.
    with tempfile.TemporaryDirectory(prefix="lenet_tf-") as folder:
        fresh = Path(folder) / "model.keras"
        with zipfile.ZipFile(fresh, "w") as archive:
            archive.writestr(METADATA, "{}")
            archive.writestr(CONFIG, json.dumps(config))
            archive.writestr(WEIGHTS, weights.getbuffer())
        return keras.saving.load_model(fresh, safe_mode=True)
