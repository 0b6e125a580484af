"""TensorBoard's event files of a run that goes on: cut back to the epochs that are finished, so that no epoch is in them twice."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.io.atomic import atomic_write, remove_partials

# TensorBoard reads a folder's files in the order of their names, which begin with the time: this one stays the first, whatever the clock.
# Ends of the names of those that a run writes after its last epoch.
FINAL_SUFFIX = ".last"
_NAME = "events.out.tfevents.0000000000.finished.v2"


def truncate_events(folder: Path, epochs: int, steps: int) -> None:
    """Leaves in `folder`/train and `folder`/validation one file with what was written up to the end of the epoch number `epochs` (counted
    from 1), when the optimizer had taken `steps` steps. Half a record at the end of a file is dropped. Raises `OSError`."""
    for part in (folder / "train", folder / "validation"):
        remove_partials(part)
        # Written again at the end.
        for file in part.glob(f"*{FINAL_SUFFIX}"):
            file.unlink()
        files = sorted(part.glob("*tfevents*"))
        if not files:
            continue
        # By tag and step: files that an earlier, interrupted cutting left beside its result are in that already.
        kept: dict[tuple[str, int], bytes] = {}
        for file in files:
            for record in RawEventFileLoader(str(file)).Load():
                event = Event.FromString(record)
                if event.summary.value and _is_finished(event, epochs, steps):
                    kept[event.summary.value[0].tag, event.step] = record
        try:
            with (
                atomic_write(part / _NAME) as partial,
                tf.io.TFRecordWriter(str(partial)) as writer,
            ):
                for record in (
                    Event(file_version="brain.Event:2").SerializeToString(),
                    *kept.values(),
                ):
                    writer.write(record)
        except tf.errors.OpError as error:
            raise OSError(f"TensorBoard's events: {error.message}") from error
        for file in files:
            if file.name != _NAME:
                file.unlink()


def _is_finished(event: Event, epochs: int, steps: int) -> bool:
    # Keras counts the evaluations by the optimizer's steps, all else by epochs from 0.
    return all(
        event.step <= steps if value.tag.startswith("evaluation_") else event.step < epochs
        for value in event.summary.value
    )
