"""Reads and writes the records of TensorBoard's event files without trusting their lengths.

TensorFlow's own reader believes the lengths in a file, and crashes on some. The attacker is
someone who sends a run folder. The comment beside each check names the attack that it stops.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import google_crc32c
from google.protobuf.message import DecodeError
from tensorboard.compat.proto.event_pb2 import Event

from lenet_tf.io.bounded import open_regular_file

# Far beyond what a run writes: its largest records are images of some 100 KB.
MAX_RECORD_BYTES, MAX_FILE_BYTES, MAX_RECORDS = 8 << 20, 4 << 30, 1_000_000
# Before the data their length and its checksum, behind them their checksum.
_HEADER, _CHECKSUM = struct.Struct("<QI"), struct.Struct("<I")


class Record(NamedTuple):
    """A record of an event file.

    Attributes:
        start: Where it starts in the file.
        size: Its length in the file in bytes, with its checksums.
        event: What it holds.
    """

    start: int
    size: int
    event: Event


def read_records(file: Path) -> Iterator[Record]:
    """Yield the records of an event file in their order.

    A torn record at the end, which a killed process leaves, is skipped.

    Args:
        file: A regular file, not a link.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no event file, or damaged; the message says where.
    """
    with open_regular_file(file, follow_links=False) as stream:
        end, start = os.fstat(stream.fileno()).st_size, 0
        # Attack: a file that takes hours to read.
        if end > MAX_FILE_BYTES:
            raise ValueError(f"it is larger than {MAX_FILE_BYTES:,} bytes")
        for number in itertools.count():
            data = _read_data(stream, start, end)
            if data is None:
                return
            # Attack: millions of empty records, each of which takes time and memory.
            if number == MAX_RECORDS:
                raise ValueError(f"it has more than {MAX_RECORDS:,} records")
            try:
                event = Event.FromString(data)
            except DecodeError as error:
                raise ValueError(f"the record at byte {start:,} is no event") from error
            size = _HEADER.size + len(data) + _CHECKSUM.size
            yield Record(start, size, event)
            start += size


def _read_data(stream: IO[bytes], start: int, end: int) -> bytes | None:
    """Read the data of the record at `start`, or return None at the end or for a torn record."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    length, checksum = _HEADER.unpack(header)
    if _mask_checksum(header[:8]) != checksum:
        raise ValueError(f"the record at byte {start:,} is damaged")
    # Attack: a record of 2⁶² bytes, whose length has a valid checksum.
    if length > MAX_RECORD_BYTES:
        raise ValueError(
            f"the record at byte {start:,} is of {length:,} bytes, more than {MAX_RECORD_BYTES:,}"
        )
    if start + _HEADER.size + length + _CHECKSUM.size > end:
        return None
    data = stream.read(length)
    tail = stream.read(_CHECKSUM.size)
    if len(tail) < _CHECKSUM.size:  # The file was cut in the meantime.
        return None
    if _mask_checksum(data) != _CHECKSUM.unpack(tail)[0]:
        raise ValueError(f"the record at byte {start:,} is damaged")
    return data


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
