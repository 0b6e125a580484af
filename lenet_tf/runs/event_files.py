"""TensorBoard's event files of a resumed run, truncated so that no epoch is in them twice."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.errors import RunError
from lenet_tf.io.atomic import atomic_write, remove_partials
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.runs.event_records import MAX_FILE_BYTES, encode_record, read_records

# Suffix of the event files that a run writes after its last epoch.
FINAL_SUFFIX = ".last"
# TensorBoard reads event files in the order of their names, which start with the time.
_NAME = "events.out.tfevents.0000000000.finished.v2"


class _Place(NamedTuple):
    """Where a record lies: its file, and its first byte and length there."""

    file: Path
    start: int
    size: int


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
    parts = [folder / "train", folder / "validation"]
    # All are checked before one is changed.
    finished = {part: _find_finished(part, epochs, steps) for part in parts}
    for part, places in finished.items():
        remove_partials(part, inside=folder)
        # The run writes these again at its end.
        for file in part.glob(f"*{FINAL_SUFFIX}"):
            file.unlink()
        files = _list_event_files(part)
        if not files:
            continue
        _write_events(part / _NAME, places)
        for file in files:
            if file.name != _NAME:
                file.unlink()


def _list_event_files(part: Path) -> list[Path]:
    return sorted(file for file in part.glob("*tfevents*") if file.suffix != FINAL_SUFFIX)


def _find_finished(part: Path, epochs: int, steps: int) -> list[_Place]:
    """Find the records of finished epochs, without keeping them in memory."""
    # By tag and step: an interrupted truncation leaves files whose events are in its result.
    places: dict[tuple[bytes, int], _Place] = {}
    for file in _list_event_files(part):
        try:
            for record in read_records(file):
                event = record.event
                if event.summary.value and _is_finished(event, epochs, steps):
                    # Attack: tags of megabytes, all of which would be kept.
                    tag = event.summary.value[0].tag.encode()
                    key = hashlib.blake2b(tag, digest_size=16).digest(), event.step
                    places[key] = _Place(file, record.start, record.size)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RunError(
                f"{file} is no event file of TensorBoard that can be read: {reason}. Remove it to"
                " resume without its curves."
            ) from error
    # Attack: files that are allowed one by one, and fill the disk together.
    if sum(place.size for place in places.values()) > MAX_FILE_BYTES:
        raise RunError(f"{part} holds more than {MAX_FILE_BYTES:,} bytes of events")
    return list(places.values())


def _write_events(path: Path, places: Iterable[_Place]) -> None:
    with atomic_write(path, inside=path.parent.parent) as target:
        target.write(encode_record(Event(file_version="brain.Event:2")))
        for content in _read_places(places):
            target.write(content)


def _read_places(places: Iterable[_Place]) -> Iterator[bytes]:
    for path, group in itertools.groupby(places, key=lambda place: place.file):
        with open_regular_file(path, follow_links=False) as file:
            for place in group:
                file.seek(place.start)
                yield file.read(place.size)


def _is_finished(event: Event, epochs: int, steps: int) -> bool:
    # Keras counts evaluations by the optimizer's steps, and everything else by epochs from 0.
    return all(
        event.step <= steps if value.tag.startswith("evaluation_") else event.step < epochs
        for value in event.summary.value
    )
