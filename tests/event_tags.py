"""Reads TensorBoard's event files."""

from __future__ import annotations

from pathlib import Path


def scalar_tags(folder: Path) -> dict[str, list[int]]:
    """Returns the steps of each tag in a folder of event files."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    tags = events.Tags()["tensors"]
    return {tag: [event.step for event in events.Tensors(tag)] for tag in tags}
