"""Event files of a run folder: truncated on resume, or refused if they are damaged."""

from __future__ import annotations

import os
import struct

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from lenet_tf.errors import RunError
from lenet_tf.runs import event_files, event_records
from lenet_tf.runs.event_files import truncate_events
from lenet_tf.runs.event_records import encode_record, read_records

NAME = "events.out.tfevents.1.host.v2"


def event(tag: str, step: int) -> Event:
    return Event(step=step, summary=Summary(value=[Summary.Value(tag=tag)]))


def frame(data: bytes, length: int | None = None) -> bytes:
    """Return a record with valid checksums around any data, of any length in its header."""
    header = struct.pack("<Q", len(data) if length is None else length)
    checksums = [struct.pack("<I", event_records._mask_checksum(part)) for part in (header, data)]
    return header + checksums[0] + data + checksums[1]


@pytest.fixture
def folder(tmp_path):
    for part in ("train", "validation"):
        (tmp_path / part).mkdir()
    return tmp_path


def read(part) -> list[tuple[str, int]]:
    files = sorted(part.iterdir())
    events = [record.event for file in files for record in read_records(file)]
    return [(each.summary.value[0].tag, each.step) for each in events if each.summary.value]


def test_events_of_finished_epochs_are_kept_once_and_a_torn_record_is_dropped(folder):
    first = [event("epoch_loss", step) for step in range(3)]
    last = [event("epoch_loss", 1), event("evaluation_loss", 20), event("evaluation_loss", 21)]
    content = b"".join(map(encode_record, first))
    (folder / "train" / NAME).write_bytes(content)
    torn = encode_record(event("epoch_accuracy", 0))[:-3]
    (folder / "train" / NAME.replace("1", "2")).write_bytes(
        b"".join(map(encode_record, last)) + torn
    )
    truncate_events(folder, epochs=2, steps=20)
    assert [file.name for file in (folder / "train").iterdir()] == [event_files._NAME]
    expected = [("epoch_loss", 0), ("epoch_loss", 1), ("evaluation_loss", 20)]
    assert read(folder / "train") == expected
    truncate_events(folder, epochs=2, steps=20)
    assert read(folder / "train") == expected
    assert list((folder / "validation").iterdir()) == []


@pytest.mark.parametrize("cut", [1, 5, 12, 15, 30])
def test_a_record_may_be_torn_anywhere(folder, cut):
    record = encode_record(event("epoch_loss", 0))
    (folder / "train" / NAME).write_bytes(record + record[:cut])
    truncate_events(folder, epochs=2, steps=20)
    assert read(folder / "train") == [("epoch_loss", 0)]


GOOD = encode_record(event("epoch_loss", 0))
HOSTILE = {
    "a length of 2⁶² with a valid checksum": (frame(b"x" * 96, 1 << 62), "is of 4,611,686,018,4"),
    "a length of 2⁶⁴ − 1": (frame(b"", (1 << 64) - 1), "is of 18,446,744,073,709,551,615 bytes"),
    "valid checksums around nonsense": (
        GOOD + frame(b"\xff" * 40),
        rf"byte {len(GOOD)} is no event",
    ),
    "data that differ from their checksum": (
        GOOD[:20] + bytes([GOOD[20] ^ 1]) + GOOD[21:] + GOOD,
        "record at byte 0 is damaged",
    ),
    "a length that differs from its checksum": (b"\1" + GOOD[1:], "record at byte 0 is damaged"),
    "text": (b"no event file at all\n" * 9, "record at byte 0 is damaged"),
    "nested groups": (frame(b"\x0b" * 5_000), "is no event"),
}


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_event_files_are_refused_in_one_line(folder, content, message):
    (folder / "train" / "a.tfevents").write_bytes(GOOD)
    file = folder / "validation" / NAME
    file.write_bytes(content)
    with pytest.raises(RunError, match=message) as error:
        truncate_events(folder, epochs=2, steps=20)
    assert str(error.value).startswith(f"{file} is no event file of TensorBoard")
    assert len(str(error.value).splitlines()) == 1
    assert file.read_bytes() == content
    assert [path.name for path in (folder / "train").iterdir()] == ["a.tfevents"], "no change"


def test_many_or_large_records_are_refused(folder, monkeypatch):
    monkeypatch.setattr(event_records, "MAX_RECORDS", 10)
    file = folder / "train" / NAME
    file.write_bytes(frame(b"") * 11)
    with pytest.raises(RunError, match="it has more than 10 records"):
        truncate_events(folder, epochs=2, steps=20)
    file.write_bytes(frame(b"") * 10)
    truncate_events(folder, epochs=2, steps=20)
    monkeypatch.setattr(event_records, "MAX_FILE_BYTES", 100)
    (folder / "train" / NAME).write_bytes(GOOD * 9)
    with pytest.raises(RunError, match="it is larger than 100 bytes"):
        truncate_events(folder, epochs=2, steps=20)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "link to a device"])
@pytest.mark.parametrize("name", [NAME, "x.tfevents.v2"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_plain_file_is_not_opened(folder, kind, name):
    """Opening a pipe would wait for its other end forever."""
    file, own = folder / "train" / name, folder / "own"
    own.write_bytes(GOOD)
    {
        "pipe": lambda: os.mkfifo(file),
        "folder": file.mkdir,
        "link": lambda: file.symlink_to(own),
        "link to a device": lambda: file.symlink_to("/dev/zero"),
    }[kind]()
    with pytest.raises(RunError, match="it is (not a regular file|a link to another file)"):
        truncate_events(folder, epochs=2, steps=20)
    assert own.read_bytes() == GOOD
