"""The checkpoints of a run and how far it has come: both in one file, so that one rename finishes an epoch."""

from __future__ import annotations

import json
import math
import shutil
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.bounded import parse_json

# A member of the .keras archive, which Keras itself does not look at, and its bytes: some 400,000 epochs.
PROGRESS_MEMBER, MAX_PROGRESS_BYTES = "lenet_tf.json", 64 << 20
# What damage makes zipfile, and what strange values make of reading them.
_DAMAGE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)
_ALWAYS = ("loss", "val_loss", "val_accuracy", "seconds")


@dataclass
class Progress:
    """How far a run has come. `rows`: for each finished epoch its metrics by name, numbers as Keras gives them, and `seconds`; `resumed`:
    after how many epochs the run was gone on with, each time that it finished more of them."""

    rows: list[dict[str, float]] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)

    @property
    def epochs(self) -> int:
        return len(self.rows)

    @property
    def history(self) -> dict[str, list[float]]:
        """Metric name → one value per epoch."""
        return {
            name: [row[name] for row in self.rows if name in row]
            for name in dict.fromkeys(name for row in self.rows for name in row)
        }

    @property
    def best(self) -> int:
        """The epoch, counted from 0, with the best validation accuracy, the first of them; −1 without any."""
        return max(
            range(self.epochs), key=lambda epoch: self.rows[epoch]["val_accuracy"], default=-1
        )

    def is_over(self, epochs: int, patience: int | None) -> bool:
        """Whether all `epochs` are done, or `patience` of them have brought no better validation loss; None waits for ever."""
        best = min(range(self.epochs), key=lambda epoch: self.rows[epoch]["val_loss"], default=0)
        return self.epochs >= epochs or (
            patience is not None and self.epochs - 1 - best >= patience
        )


def write_checkpoint(path: Path, model: Any, progress: Progress) -> None:
    """Saves the model with the progress of its run, whole or not at all. Raises `OSError` where that is not possible."""
    # JSON has no number that is not finite; such a metric, a user's own, is kept as text.
    rows = [
        {name: value if math.isfinite(value) else str(value) for name, value in row.items()}
        for row in progress.rows
    ]
    with atomic_write(path) as partial:
        model.save(partial)
        with zipfile.ZipFile(partial, "a") as archive:
            archive.writestr(
                PROGRESS_MEMBER, json.dumps({"epochs": rows, "resumed": progress.resumed})
            )


def update_best(folder: Path, progress: Progress) -> None:
    """Leaves final.keras as best.keras too, where its epoch is the best so far; raises `OSError` where that is not possible."""
    if progress.epochs and progress.best == progress.epochs - 1:
        with atomic_write(folder / "best.keras") as partial:
            shutil.copyfile(folder / "final.keras", partial)


def check_has_checkpoint(folder: Path) -> None:
    """Raises `RunError` for the folder of a run that has no finished epoch."""
    if not (folder / "final.keras").exists():
        raise RunError(f"{folder} has no finished epoch to report on")


def read_progress(path: Path) -> Progress:
    """The progress that `write` has put into the file; raises `RunError` where there is none."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(PROGRESS_MEMBER) as file:
            if archive.getinfo(PROGRESS_MEMBER).compress_type != zipfile.ZIP_STORED:
                raise ValueError(
                    f"{PROGRESS_MEMBER} is compressed"
                )  # and could be much larger than the file
            text = file.read(MAX_PROGRESS_BYTES + 1)
        if len(text) > MAX_PROGRESS_BYTES:
            raise ValueError(f"{PROGRESS_MEMBER} is larger than {MAX_PROGRESS_BYTES:,} bytes")
        return _progress(parse_json(text))
    except (OSError, zipfile.BadZipFile, *_DAMAGE) as error:
        raise RunError(
            f"{path} does not say how far its run has come ({error}): it is damaged, or of another version"
        ) from error


def _progress(values: Mapping[str, Any]) -> Progress:
    rows = [{str(name): float(value) for name, value in row.items()} for row in values["epochs"]]
    resumed = [int(epochs) for epochs in values["resumed"]]
    if not all(math.isfinite(row[name]) for row in rows for name in _ALWAYS):
        raise ValueError("a loss that is not finite")
    return Progress(rows, resumed)
