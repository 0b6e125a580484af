"""Reads and writes the records of TensorBoard's event files without trusting their lengths.

TensorFlow's own reader believes the lengths in a file, and crashes on some. The attacker is
someone who sends a run folder. The comment beside each check names the attack that it stops.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import google_crc32c
from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.io.bounded import open_regular_file
from lenet_tf.runs.event_fields import EventBudget, MalformedEventError, read_event

# Far beyond what a run writes: its largest records are images of some 100 KB.
MAX_RECORD_BYTES = 8 << 20
# Before the data their length and its checksum, behind them their checksum.
_HEADER, _CHECKSUM = struct.Struct("<QI"), struct.Struct("<I")


class Record(NamedTuple):
    """A record of an event file.

    Attributes:
        step: The event's step.
        tags: The tags of its values.
        content: The record as it is in the file.
    """

    step: int
    tags: list[bytes]
    content: bytes


def read_records(file: Path, budget: EventBudget) -> Iterator[Record]:
    """Yield the records of an event file in their order.

    A torn record at the end, which a killed process leaves, is skipped.

    Args:
        file: A regular file, not a link.
        budget: What may be read. What is read is taken from it.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no event file, or damaged; the message says where. Or the budget is
            spent.
    """
    with open_regular_file(file, follow_links=False) as stream:
        end, start = os.fstat(stream.fileno()).st_size, 0
        # Attack: files and records that are allowed one by one, and take hours together.
        budget.spend("files")
        budget.spend("bytes", end)
        while content := _read_content(stream, start, end):
            budget.spend("records")
            try:
                step, tags = read_event(content[_HEADER.size : -_CHECKSUM.size], budget)
            except MalformedEventError as error:
                raise ValueError(f"the record at byte {start:,} is no event") from error
            yield Record(step, tags, content)
            start += len(content)


def _read_content(stream: IO[bytes], start: int, end: int) -> bytes:
    """Read the record at `start`, or return nothing at the end or for a torn record."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return b""
    length, checksum = _HEADER.unpack(header)
    if _mask_checksum(header[:8]) != checksum:
        raise ValueError(f"the record at byte {start:,} is damaged")
    # Attack: a record of 2⁶² bytes, whose length has a valid checksum.
    if length > MAX_RECORD_BYTES:
        raise ValueError(
            f"the record at byte {start:,} is of {length:,} bytes, more than {MAX_RECORD_BYTES:,}"
        )
    if start + _HEADER.size + length + _CHECKSUM.size > end:
        return b""
    data = stream.read(length)
    tail = stream.read(_CHECKSUM.size)
    if len(tail) < _CHECKSUM.size:  # The file was cut in the meantime.
        return b""
    if _mask_checksum(data) != _CHECKSUM.unpack(tail)[0]:
        raise ValueError(f"the record at byte {start:,} is damaged")
    return b"".join((header, data, tail))


def encode_record(event: Event) -> bytes:
    """Return an event as a record of an event file."""
    data = event.SerializeToString()
    length = struct.pack("<Q", len(data))
    return b"".join(
        (
            length,
            _CHECKSUM.pack(_mask_checksum(length)),
            data,
            _CHECKSUM.pack(_mask_checksum(data)),
        )
    )


def _mask_checksum(data: bytes) -> int:
    """Return the CRC-32C of bytes, masked as TensorFlow masks it."""
    checksum = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
