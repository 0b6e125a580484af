"""TensorBoard's event files of a resumed run, truncated so that no epoch is in them twice."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import atomic_write, remove_partials
from lenet_tf.io.folders import open_folder
from lenet_tf.runs.event_fields import EventBudget
from lenet_tf.runs.event_records import Record, encode_record, read_records

# Suffix of the event files that a run writes after its last epoch.
FINAL_SUFFIX = ".last"
# TensorBoard reads event files in the order of their names, which start with the time.
_NAME = "events.out.tfevents.0000000000.finished.v2"


def truncate_events(folder: Path, epochs: int, steps: int) -> None:
    """Keep the events of finished epochs, in one file each in train/ and validation/.

    A torn record at the end of a file is dropped.

    Args:
        folder: The run folder.
        epochs: Number of finished epochs.
        steps: Steps of the optimizer after these epochs.

    Raises:
        RunError: An event file is damaged, or no plain file. No file was changed.
        OSError: A file cannot be written.
    """
    parts = {folder / name: _list_event_files(folder / name) for name in ("train", "validation")}
    budget = EventBudget()
    # Nothing is replaced before all files are read.
    with contextlib.ExitStack() as stack:
        for part, files in parts.items():
            if files:
                target = stack.enter_context(atomic_write(part / _NAME, inside=folder))
                _copy_finished(files, target, epochs, steps, budget)
    for part in parts:
        remove_partials(part, inside=folder)
        _remove_event_files(part, folder)


def _remove_event_files(part: Path, folder: Path) -> None:
    """Remove the event files that were copied, and those that the run writes again at its end."""
    with contextlib.suppress(FileNotFoundError), open_folder(part, inside=folder) as opened:
        for name in opened.names():
            if "tfevents" in name and name != _NAME:
                opened.unlink(name)


def _list_event_files(part: Path) -> list[Path]:
    return sorted(file for file in part.glob("*tfevents*") if file.suffix != FINAL_SUFFIX)


def _copy_finished(
    files: Sequence[Path], target: BinaryIO, epochs: int, steps: int, budget: EventBudget
) -> None:
    """Copy the records of finished epochs, each once."""
    target.write(encode_record(Event(file_version="brain.Event:2")))
    # By tag and step: an interrupted truncation leaves files whose events are in its result.
    copied: set[bytes] = set()
    for file in files:
        for record in _read_records(file, budget):
            if record.tags and _is_finished(record, epochs, steps):
                key = hashlib.blake2b(record.tags[0] + b" %d" % record.step, digest_size=8).digest()
                if key not in copied:
                    copied.add(key)
                    target.write(record.content)


def _read_records(file: Path, budget: EventBudget) -> Iterator[Record]:
    try:
        yield from read_records(file, budget)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RunError(
            f"{file} is no event file of TensorBoard that can be read: {reason}. Remove it to"
            " resume without its curves."
        ) from error


def _is_finished(record: Record, epochs: int, steps: int) -> bool:
    # Keras counts evaluations by the optimizer's steps, and everything else by epochs from 0.
    return all(
        record.step <= steps if tag.startswith(b"evaluation_") else record.step < epochs
        for tag in record.tags
    )
