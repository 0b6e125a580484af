"""Reads the step and tags of a TensorBoard event, and skips what else is in it.

The parser of protocol buffers makes an object of each part of a message. A record of 8 MiB can
hold 4,000,000 empty values, which take 400 MiB there. Here a field takes a microsecond, its
number is limited, and only tags take memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

# Numbers of fields in the messages Event, Summary and Summary.Value.
_STEP, _SUMMARY, _VALUE, _TAG = 2, 5, 1, 1
# How a field is encoded. Groups, 3 and 4, are no part of an event.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass
class EventBudget:
    """What may still be read of all event files of a run folder.

    Each limit is far beyond what a run writes: up to 40 records an epoch, with 10 fields each.

    Attributes:
        files: Files.
        bytes: Bytes of all files.
        records: Records in them.
        fields: Fields of these records that `read_event` looks at.
    """

    files: int = 1_000
    bytes: int = 1 << 30
    records: int = 500_000
    fields: int = 5_000_000

    def __post_init__(self) -> None:
        self._limits = asdict(self)

    def spend(self, name: str, count: int = 1) -> None:
        """Take from a limit, or raise `ValueError` if not enough is left."""
        left = getattr(self, name) - count
        if left < 0:
            raise ValueError(f"the run's event files hold more than {self._limits[name]:,} {name}")
        setattr(self, name, left)


class MalformedEventError(Exception):
    """Data that are no event."""


def read_event(data: bytes, budget: EventBudget) -> tuple[int, list[bytes]]:
    """Read an event's step and the tags of its values.

    Args:
        data: An encoded event.
        budget: What may be read. Each field is taken from it.

    Raises:
        MalformedEventError: The data are no event.
        ValueError: The budget is spent.
    """
    step, tags = 0, []
    for number, kind, start, end in _read_fields(data, 0, len(data), budget):
        if (number, kind) == (_STEP, _VARINT):
            step = _to_signed(_read_varint(data, start, end)[0])
        elif (number, kind) == (_SUMMARY, _BYTES):
            for part, part_kind, first, last in _read_fields(data, start, end, budget):
                if (part, part_kind) == (_VALUE, _BYTES):
                    tags.append(_read_tag(data, first, last, budget))
    return step, tags


def _read_tag(data: bytes, start: int, end: int, budget: EventBudget) -> bytes:
    tag = b""
    for number, kind, first, last in _read_fields(data, start, end, budget):
        if (number, kind) == (_TAG, _BYTES):
            tag = data[first:last]
    return tag


def _read_fields(
    data: bytes, position: int, end: int, budget: EventBudget
) -> Iterator[tuple[int, int, int, int]]:
    """Yield a message's fields: the number, the encoding, and where the content starts and ends."""
    while position < end:
        budget.spend("fields")
        key, start = _read_varint(data, position, end)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            position = _read_varint(data, start, end)[1]
        elif kind == _BYTES:
            size, start = _read_varint(data, start, end)
            position = start + size
        elif kind in (_FIXED64, _FIXED32):
            position = start + (8 if kind == _FIXED64 else 4)
        else:
            raise MalformedEventError
        if not number or position > end:
            raise MalformedEventError
        yield number, kind, start, position


def _read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Read an integer of up to ten bytes, and return it with the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise MalformedEventError


def _to_signed(value: int) -> int:
    value %= 1 << 64
    return value - (1 << 64) if value >> 63 else value
