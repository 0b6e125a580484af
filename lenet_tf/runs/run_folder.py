"""The run folder: the files of one training run, each written whole or not at all.

<logs>/fit/<variant>-<YYYYmmdd-HHMMSS>/
    config.json           everything needed to repeat the run (`lenet_tf.runs.run_record`)
    initial.keras         the initial weights, if the run started from a trained model
    train/, validation/   TensorBoard event files
    best.keras            the epoch with the best validation accuracy
    final.keras           the last finished epoch, with the run's progress (`checkpoints`)
    history.csv           one line per finished epoch
    kernels.npz           the first convolution's kernels after each epoch (`kernel_history`)
    metrics.json          written at the end: a folder without it is an unfinished run
    .lock                 held by the process that trains
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.io import bounded
from lenet_tf.io.atomic import file_lock, write_text
from lenet_tf.io.folders import UnsafePathError
from lenet_tf.runs.folder_checks import unsafe_error
from lenet_tf.text import escape_cell, format_json

CONFIG = "config.json"
METRICS = "metrics.json"
HISTORY = "history.csv"
KERNELS = "kernels.npz"
INITIAL_WEIGHTS = "initial.keras"
FINAL = "final.keras"
BEST = "best.keras"


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Args:
        path: The run folder.
        history: Metric name to one value per epoch, as in Keras' history, and `seconds`.
        metrics: The content of metrics.json.
        config: The content of config.json.
        model: The trained `LeNet` after the last epoch.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> run = lenet_tf.fit("tiny", data, epochs=1, quiet=True, report=False)
        >>> run.metrics["epochs"], sorted(run.history)[:2]
        (1, ['accuracy', 'loss'])
    """

    path: Path
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    model: Any = field(default=None, repr=False)


def check_writable(logs: Path) -> None:
    """Check that run folders can be created in `logs`, without creating anything.

    Raises:
        RunError: `logs` or the folder above it is no folder, or not writable.
    """
    path = logs / "fit"
    _check_encoding(path)
    existing = next(
        folder for folder in (path, *path.parents) if folder.exists() or folder.is_symlink()
    )
    if not existing.is_dir():
        reason = "is a link to nowhere" if existing.is_symlink() else "is not a folder"
    elif not os.access(existing, os.W_OK | os.X_OK):
        reason = "is not writable"
    else:
        return
    raise RunError(
        f"cannot write runs to {path}: {existing} {reason}. Choose another folder with --logs."
    )


def create_run_folder(logs: Path, variant: str, now: datetime | None = None) -> Path:
    """Create an empty run folder, named for the variant and the time.

    Args:
        logs: The folder of all runs.
        variant: The network's name.
        now: The time in the folder's name. None takes the current time.

    Returns:
        The new folder. A number is appended to the name if it is already taken.

    Raises:
        RunError: The folder cannot be created.
    """
    stem = f"{variant}-{(now or datetime.now()):%Y%m%d-%H%M%S}"
    try:
        (logs / "fit").mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            folder = logs / "fit" / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                break
    except OSError as error:
        raise unwritable_error(logs / "fit", error) from error
    return folder


def unwritable_error(path: Path, error: OSError) -> RunError:
    """Return the error for a folder of runs that refuses writes."""
    reason = error.strerror or error
    return RunError(f"cannot write runs to {path}: {reason}. Choose another folder with --logs.")


def _check_encoding(path: Path) -> None:
    """Refuse a path that is not UTF-8, which TensorFlow cannot write to."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise RunError(
            f"cannot write runs to {path}: this name is not UTF-8, which TensorBoard's files need."
            " Rename the folder, or choose another one with --logs."
        ) from error


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Lock the run folder, or raise `RunError` while another process trains in it."""
    from filelock import Timeout

    _check_encoding(folder)
    try:
        with file_lock(folder / ".lock"):
            yield
    except UnsafePathError as error:
        raise unsafe_error(folder, error) from error
    except Timeout as error:
        raise RunError(
            f"another process is training in {folder}: wait for it, or stop it first"
        ) from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all.

    Raises:
        ValueError: A number is NaN or infinite, which JSON lacks.
        OSError: The file cannot be written.
    """
    write_text(path, format_json(values, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a run folder.

    Raises:
        RunError: The file is missing, or holds no JSON object.
    """
    try:
        values = bounded.read_json(path, follow_links=False)
    except FileNotFoundError as error:
        raise RunError(f"{path.parent} is not a run folder: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} cannot be read: it holds no JSON object")
    return values


def write_history(folder: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write history.csv: one line per epoch, numbered from 0. A missing metric stays empty.

    Raises:
        OSError: The file cannot be written.
    """
    names = sorted({name for row in rows for name in row})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["epoch", *names])
    # Attack: a metric whose name a spreadsheet runs as a formula.
    writer.writerow({name: escape_cell(name) for name in ("epoch", *names)})
    writer.writerows({"epoch": epoch} | dict(row) for epoch, row in enumerate(rows))
    write_text(folder / HISTORY, text.getvalue())
