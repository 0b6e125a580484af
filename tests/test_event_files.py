"""Event files of a run folder: truncated on resume, or refused if they are damaged."""

from __future__ import annotations

import os
import struct
import tracemalloc

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.util.tensor_util import make_tensor_proto

from lenet_tf.errors import RunError
from lenet_tf.runs import event_files, event_records
from lenet_tf.runs.event_fields import EventBudget, read_event
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
    records = [record for file in files for record in read_records(file, EventBudget())]
    return [(record.tags[0].decode(), record.step) for record in records if record.tags]


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


@pytest.mark.parametrize("step", [0, 1, 200, 2**63 - 1, -1, -(2**63)])
def test_an_event_is_read_as_protocol_buffers_read_it(step):
    value = Summary.Value(tag="한글", node_name="x", tensor=make_tensor_proto([[0.5] * 100]))
    summary = Summary(value=[value, Summary.Value(simple_value=1.0), Summary.Value(tag="a" * 200)])
    message = Event(wall_time=1.5, step=step, summary=summary)
    tags = [each.tag.encode() for each in summary.value]
    assert read_event(message.SerializeToString(), EventBudget()) == (step, tags)


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


def set_budget(monkeypatch, **limits):
    monkeypatch.setattr(event_files, "EventBudget", lambda: EventBudget(**limits))


@pytest.mark.parametrize("name", ["files", "bytes", "records", "fields"])
def test_the_limits_are_of_all_event_files_together(folder, monkeypatch, name):
    """The two parts hold the same, and each alone is half of what is allowed."""
    used = {"files": 2, "bytes": 3 * len(GOOD), "records": 3, "fields": 9}[name]
    parts = [folder / "train", folder / "validation"]
    for part in parts:
        (part / NAME).write_bytes(GOOD)
        (part / NAME.replace("1", "2")).write_bytes(GOOD * 2)
    set_budget(monkeypatch, **{name: 2 * used - 1})
    with pytest.raises(RunError, match=rf"event files hold more than {2 * used - 1} {name}\."):
        truncate_events(folder, epochs=2, steps=20)
    assert [len(list(part.iterdir())) for part in parts] == [2, 2], "no change, no partial file"
    set_budget(monkeypatch, **{name: 2 * used})
    truncate_events(folder, epochs=2, steps=20)
    assert [read(part) for part in parts] == [[("epoch_loss", 0)]] * 2


def test_a_record_of_many_values_costs_little(folder, monkeypatch):
    """The parser of protocol buffers takes 400 MiB and 10 seconds for 4,000,000 empty values."""
    summary = b"\x0a\x00" * 200_000
    length = bytes([len(summary) & 127 | 128, len(summary) >> 7 & 127 | 128, len(summary) >> 14])
    (folder / "train" / NAME).write_bytes(frame(b"\x2a" + length + summary))
    set_budget(monkeypatch, fields=1_000)
    tracemalloc.start()
    with pytest.raises(RunError, match="event files hold more than 1,000 fields"):
        truncate_events(folder, epochs=2, steps=20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(summary)


def test_only_event_files_of_a_run_are_removed(folder):
    for name in ("events.out.tfevents.1.host.2.3.last", "notes.last", "model.tar.last"):
        (folder / "train" / name).write_bytes(GOOD)
    truncate_events(folder, epochs=2, steps=20)
    assert sorted(path.name for path in (folder / "train").iterdir()) == [
        "model.tar.last",
        "notes.last",
    ]


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
