"""Estimate and format the time left until all runs are finished."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.task import Task


def estimate_seconds_left(
    tasks: Sequence[Task], recorded: Mapping[str, float], jobs: int
) -> float | None:
    """Estimate the time until all runs are finished.

    A row's epochs take as long as its finished ones. A row without finished epochs takes as long as
    recorded, scaled by how much slower this machine is on the other rows; without a record, as long
    as the median of the other rows.

    Args:
        tasks: All runs.
        recorded: The recorded seconds per epoch, by name of row.
        jobs: The number of runs at a time.

    Returns:
        Seconds, or None if nothing is known about any row.
    """
    ratios = [
        statistics.median(task.epoch_seconds) / recorded[task.row.name]
        for task in tasks
        if task.epoch_seconds and recorded.get(task.row.name)
    ]
    ratio = statistics.median(ratios) if ratios else 1.0
    seconds_per_epoch = {}
    for name in {task.row.name for task in tasks}:
        measured = [each for task in tasks if task.row.name == name for each in task.epoch_seconds]
        if measured:
            seconds_per_epoch[name] = statistics.median(measured)
        elif recorded.get(name):
            seconds_per_epoch[name] = recorded[name] * ratio
    if not seconds_per_epoch:
        return None
    default = statistics.median(seconds_per_epoch.values())
    total = sum(
        task.remaining_epochs * seconds_per_epoch.get(task.row.name, default) for task in tasks
    )
    unfinished = sum(task.remaining_epochs > 0 for task in tasks)
    return total / min(jobs, max(1, unfinished))


def get_epoch_seconds(record: Record) -> float:
    """Return the seconds of a recorded epoch; of the whole run for a classical method."""
    name = "seconds_per_epoch" if "seconds_per_epoch" in record else "seconds"
    return float(record[name])


def format_time_left(seconds: float | None) -> str:
    """Format an estimate of `estimate_seconds_left`."""
    if seconds is None:
        return "time left unknown"
    minutes = round(seconds / 60)
    if minutes >= 90:
        return f"about {minutes // 60} h {minutes % 60} min left"
    return f"about {max(1, minutes)} min left"
