"""TensorBoard's event files of a resumed run, truncated so that no epoch is in them twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.io.atomic import atomic_write, remove_partials
from lenet_tf.io.scratch import private_folder

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
        OSError: A file cannot be written.
    """
    for part in (folder / "train", folder / "validation"):
        remove_partials(part, inside=folder)
        # The run writes these again at its end.
        for file in part.glob(f"*{FINAL_SUFFIX}"):
            file.unlink()
        files = sorted(part.glob("*tfevents*"))
        if not files:
            continue
        _write_events(part / _NAME, _read_finished(files, epochs, steps))
        for file in files:
            if file.name != _NAME:
                file.unlink()


def _read_finished(files: Iterable[Path], epochs: int, steps: int) -> Iterable[bytes]:
    # By tag and step: an interrupted truncation leaves files whose events are in its result.
    records: dict[tuple[str, int], bytes] = {}
    for file in files:
        for record in RawEventFileLoader(str(file)).Load():
            event = Event.FromString(record)
            if event.summary.value and _is_finished(event, epochs, steps):
                records[event.summary.value[0].tag, event.step] = record
    return records.values()


def _write_events(path: Path, records: Iterable[bytes]) -> None:
    header = Event(file_version="brain.Event:2").SerializeToString()
    # TensorFlow computes the checksums, and writes by path only.
    with private_folder() as folder:
        copy = folder / path.name
        try:
            with tf.io.TFRecordWriter(str(copy)) as writer:
                for record in (header, *records):
                    writer.write(record)
        except tf.errors.OpError as error:
            raise OSError(f"TensorBoard's events: {error.message}") from error
        with copy.open("rb") as source, atomic_write(path, inside=path.parent.parent) as file:
            shutil.copyfileobj(source, file)


def _is_finished(event: Event, epochs: int, steps: int) -> bool:
    # Keras counts evaluations by the optimizer's steps, and everything else by epochs from 0.
    return all(
        event.step <= steps if value.tag.startswith("evaluation_") else event.step < epochs
        for value in event.summary.value
    )
