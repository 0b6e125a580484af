"""Hostile event files of TensorBoard: records whose lengths lie, and events that are none."""

from __future__ import annotations

import struct
from random import Random

import google_crc32c
from google.protobuf.message import DecodeError
from mutations import SIZES, mutate_bytes
from tensorboard.compat.proto.event_pb2 import Event

# Tags that a run writes, and text that a tag must not hold.
_TAGS = (
    *(
        "epoch_loss",
        "epoch_accuracy",
        "epoch_seconds",
        "evaluation_loss_vs_iterations",
        "filters/C1",
    ),
    *("", "../x", "\x1b[2J", "a" * 20_000, "한글", "$x^2$", "<script>"),
)
_STEPS = (0, 1, 2, 3, 40, -1, 2**31, 2**62, 2**63 - 1, -(2**63))
# Lengths of a record, beyond those that a field can lie with.
_LENGTHS = (*SIZES, 2**62, 2**63 - 1, 8 << 20, (8 << 20) + 1)
_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)


def make_event_file(random: Random) -> bytes:
    """Returns the content of a hostile event file."""
    events = [Event(file_version="brain.Event:2").SerializeToString()]
    events += [_make_event(random) for _ in range(random.choice((0, 1, 4, 12)))]
    if random.random() < 0.4:
        # Mostly whole, so that files are read to their end.
        valid = [event for event in events if _is_event(event)]
        return b"".join(_frame(event, random, 0.002) for event in valid)
    if random.random() < 0.02:
        events += [b""] * 20_000
    if random.random() < 0.2:
        random.shuffle(events)
    content = b"".join(_frame(event, random) for event in events)
    if random.random() < 0.25:
        # A killed process leaves half a record.
        content = content[: random.randrange(len(content) + 1)]
    if random.random() < 0.05:
        content += bytes(random.choice((1, 12, 16, 5_000)))
    return mutate_bytes(content, random) if random.random() < 0.15 else content


def _is_event(data: bytes) -> bool:
    try:
        Event.FromString(data)
    except DecodeError:
        return False
    return True


def _frame(data: bytes, random: Random, chance: float = 0.02) -> bytes:
    """Returns data as a record, whose length or checksums lie with some probability."""
    length = random.choice(_LENGTHS) if random.random() < chance else len(data)
    if random.random() < chance:
        length = max(0, len(data) + random.choice((-1, 1, 12, 16)))
    header = struct.pack("<Q", length % 2**64)
    checksums = [_compute_checksum(header), _compute_checksum(data)]
    if random.random() < chance:
        checksums[random.randrange(2)] = random.choice((0, 2**32 - 1, random.getrandbits(32)))
    return header + struct.pack("<I", checksums[0]) + data + struct.pack("<I", checksums[1])


def _compute_checksum(data: bytes) -> int:
    """Returns the CRC-32C, masked as TensorFlow masks it."""
    checksum = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) % 2**32


def _make_event(random: Random) -> bytes:
    event = Event(wall_time=1.0, step=random.choice(_STEPS[:4]))
    for _ in range(random.choice((1, 1, 1, 0, 2, 50))):
        value = event.summary.value.add(tag=random.choice(_TAGS[:5]))
        value.simple_value = random.choice((0.5, float("nan"), float("inf"), -1e38))
        if random.random() < 0.3:
            value.tensor.dtype = random.choice((1, 3, 7, 0))
            value.tensor.tensor_content = random.randbytes(random.choice((0, 4, 400)))
            for _ in range(random.choice((0, 1, 3, 30))):
                value.tensor.tensor_shape.dim.add(size=random.choice(_STEPS))
    if random.random() < 0.3:
        event.step = random.choice(_STEPS)
        event.wall_time = random.choice((0.0, -1.0, 1e300, float("nan"), float("inf")))
    if random.random() < 0.2 and event.summary.value:
        event.summary.value[0].tag = random.choice(_TAGS)
    data = event.SerializeToString()
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        data = _mutate_message(data, random)
    return data


def _mutate_message(data: bytes, random: Random) -> bytes:
    """Returns a serialized message with a field added, repeated, cut or nested in others."""
    mutation = random.randrange(6)
    if mutation == 0:
        return data + _make_field(random)
    if mutation == 1:
        return _make_field(random) + data
    if mutation == 2:
        return data[: random.randrange(len(data) + 1)]
    if mutation == 3:
        # Attack: nesting that exhausts the stack of a recursive parser.
        field = random.choice((1, 5, 9))
        for _ in range(random.choice((3, 90, 110, 5_000))):
            if len(data) > 100_000:
                break
            data = _encode_key(field, _BYTES) + _encode_varint(len(data)) + data
        return data
    if mutation == 4:
        return (data * random.choice((2, 100)))[:100_000]
    return mutate_bytes(data, random)


def _make_field(random: Random) -> bytes:
    number = random.choice((1, 2, 3, 4, 5, 6, 9, 15, 16, 2**29 - 1, 0))
    kind = random.choice((_VARINT, _FIXED64, _BYTES, _BYTES, _GROUP, _END_GROUP, _FIXED32, 6, 7))
    key = _encode_key(number, kind)
    if kind == _VARINT:
        return key + random.choice((_encode_varint(random.choice(SIZES)), b"\xff" * 11))
    if kind in (_FIXED64, _FIXED32):
        return key + random.randbytes(8 if kind == _FIXED64 else 4)
    if kind == _BYTES:
        content = random.randbytes(random.choice((0, 1, 40)))
        size = len(content) if random.random() < 0.7 else random.choice(SIZES)
        return key + _encode_varint(size) + content
    # Groups begin without an end, or end without a beginning.
    return key * random.choice((1, 1, 2_000))


def _encode_key(field: int, kind: int) -> bytes:
    return _encode_varint(field << 3 | kind)


def _encode_varint(value: int) -> bytes:
    content = bytearray()
    while value > 127:
        content.append(value & 127 | 128)
        value >>= 7
    return bytes([*content, value])
