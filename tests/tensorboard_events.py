"""Readers for TensorBoard's event files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def read_events(folder: Path) -> EventAccumulator:
    """Read all event files of a folder."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return events


def read_steps(folder: Path) -> dict[str, list[int]]:
    """Return the steps of each tag."""
    events = read_events(folder)
    return {tag: [event.step for event in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


def read_values(folder: Path, tag: str) -> list[np.ndarray]:
    """Return the value of a tag at each step."""
    return [tf.make_ndarray(event.tensor_proto) for event in read_events(folder).Tensors(tag)]


def read_text(folder: Path, tag: str) -> str:
    """Return the only text of a tag."""
    (event,) = read_events(folder).Tensors(tag)
    return event.tensor_proto.string_val[0].decode()


def read_image(folder: Path, tag: str) -> np.ndarray:
    """Return the last image of a tag, uint8 (height, width, channels)."""
    width, height, *encoded = read_values(folder, tag)[-1]
    image = tf.io.decode_png(encoded[0]).numpy()
    assert image.shape[:2] == (int(height), int(width))
    return image
