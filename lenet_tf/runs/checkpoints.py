"""Checkpoints with the progress of their run: one file, so that one rename finishes an epoch."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import IO, Any

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.bounded import check_count, open_regular_file
from lenet_tf.runs import schema
from lenet_tf.runs.run_folder import BEST, FINAL
from lenet_tf.runs.validation import check_values, decode_values

# A member of the .keras archive that Keras ignores, its largest size, and the values in it and in
# history.csv: some 100,000 epochs.
PROGRESS_MEMBER, MAX_PROGRESS_BYTES, MAX_PROGRESS_VALUES = "lenet_tf.json", 64 << 20, 1_000_000
# What zipfile raises for a damaged file.
_DAMAGE = (
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)


@dataclass
class Progress:
    """How far a run has come.

    Args:
        rows: The metrics of each finished epoch, by name, with `seconds`.
        resumed: The numbers of finished epochs from which the run was resumed.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.rows)

    @property
    def history(self) -> dict[str, list[float]]:
        """Metric name to one value per epoch."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return {name: [row[name] for row in self.rows if name in row] for name in names}

    @property
    def best(self) -> int:
        """First epoch with the best validation accuracy, counted from 0; −1 without an epoch."""
        epochs = range(self.epochs)
        return max(epochs, key=lambda epoch: self.rows[epoch]["val_accuracy"], default=-1)

    def is_over(self, epochs: int, patience: int | None) -> bool:
        """Return whether training is over.

        Args:
            epochs: Number of epochs to train.
            patience: Epochs without a better validation loss that end the run. None never does.
        """
        best = min(range(self.epochs), key=lambda epoch: self.rows[epoch]["val_loss"], default=0)
        is_impatient = patience is not None and self.epochs - 1 - best >= patience
        return self.epochs >= epochs or is_impatient


def build_row(logs: Mapping[Any, Any]) -> dict[str, float]:
    """Return the metrics of an epoch as a checkpoint records them.

    Args:
        logs: The logs of an epoch as Keras and callbacks leave them. What is no number is left out.

    Returns:
        Number by name.

    Raises:
        ValueError: A name or a number is one that a reader would refuse, or one is missing.
    """
    row = {}
    for name, value in logs.items():
        if not isinstance(name, str) or name == "epoch":
            raise ValueError(f"{name!r:.60} can't be the name of a metric")
        if isinstance(value, Real) or getattr(value, "shape", None) == ():
            value = value if isinstance(value, Real) else float(value)
            # Beyond it are infinity, which a custom metric may be, and whole numbers of any size.
            if schema.MAX_NUMBER < abs(value) != math.inf:  # type: ignore[operator]
                raise ValueError(f"{name:.60} must be a number of at most {schema.MAX_NUMBER:g}")
            row[name] = float(value)
    check_values({"epochs": [_replace_nan(row)], "resumed": []}, schema.ProgressFile)
    check_values(row, schema.Epoch)
    return row


def _replace_nan(row: Mapping[str, float]) -> dict[str, float | str]:
    """Return a row as JSON, which has no NaN: such a value of a custom metric is a text there."""
    return {name: value if math.isfinite(value) else str(value) for name, value in row.items()}


def write_checkpoint(path: Path, model: Any, progress: Progress) -> None:
    """Save the model with the progress of its run, whole or not at all.

    Args:
        path: A `.keras` file.
        model: The model.
        progress: The finished epochs.

    Raises:
        OSError: The file cannot be written.
    """
    rows = [_replace_nan(row) for row in progress.rows]
    content = json.dumps({"epochs": rows, "resumed": progress.resumed})
    write_model(path, model, {PROGRESS_MEMBER: content})


class _KerasStream(io.BytesIO):
    """Memory that Keras saves to: it looks at the end of a file's name."""

    def __str__(self) -> str:
        return "model.keras"


def write_model(path: Path, model: Any, members: Mapping[str, str] | None = None) -> None:
    """Save a model, whole or not at all.

    Args:
        path: A `.keras` file.
        model: The model.
        members: Texts that the archive also holds, by name. Keras ignores them.

    Raises:
        OSError: The file cannot be written.
    """
    stream = _KerasStream()
    model.save(stream)
    with zipfile.ZipFile(stream, "a") as archive:
        for name, text in (members or {}).items():
            archive.writestr(name, text)
    with atomic_write(path) as file:
        file.write(stream.getbuffer())


def update_best(folder: Path, progress: Progress) -> None:
    """Copy final.keras to best.keras if its epoch is the best so far.

    Raises:
        OSError: The file cannot be written.
    """
    if progress.epochs and progress.best == progress.epochs - 1:
        with (
            atomic_write(folder / BEST) as file,
            open_regular_file(folder / FINAL, follow_links=False) as final,
        ):
            shutil.copyfileobj(final, file)


def check_has_checkpoint(folder: Path) -> None:
    """Raise `RunError` for a run folder without a finished epoch."""
    if not os.path.lexists(folder / FINAL):
        raise RunError(f"{folder} has no finished epoch to report on")


def read_progress(path: Path, stream: IO[bytes] | None = None) -> Progress:
    """Read the progress from a checkpoint.

    Args:
        path: A `.keras` file that `write_checkpoint` wrote.
        stream: The file, if it is already open for reading.

    Raises:
        RunError: The file has none, or is damaged.
    """
    try:
        if stream is not None:
            return _parse_progress(_read_member(stream))
        with open_regular_file(path, follow_links=False) as file:
            return _parse_progress(_read_member(file))
    except (OSError, zipfile.BadZipFile, *_DAMAGE) as error:
        raise RunError(
            f"{path} doesn't record the run's progress ({error}): it is damaged, or of another"
            " version"
        ) from error


def _read_member(stream: IO[bytes]) -> bytes:
    with zipfile.ZipFile(stream) as archive, archive.open(PROGRESS_MEMBER) as file:
        # Decompression bomb: a compressed member can be much larger than the file.
        if archive.getinfo(PROGRESS_MEMBER).compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{PROGRESS_MEMBER} is compressed")
        text = file.read(MAX_PROGRESS_BYTES + 1)
    if len(text) > MAX_PROGRESS_BYTES:
        raise ValueError(f"{PROGRESS_MEMBER} is larger than {MAX_PROGRESS_BYTES:,} bytes")
    return text


def _parse_progress(text: bytes) -> Progress:
    # Attack: millions of empty lists, each of which takes thirty times its length in memory.
    check_count(text, b",[{", MAX_PROGRESS_VALUES)
    content = decode_values(text, schema.ProgressFile)
    if not content.epochs:
        raise ValueError("it has no epoch")
    for row in content.epochs:
        check_values(row, schema.Epoch)
    rows = [{name: float(value) for name, value in row.items()} for row in content.epochs]
    return Progress(rows, content.resumed)
