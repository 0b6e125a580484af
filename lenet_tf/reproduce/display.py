"""A live display of running tasks on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lenet_tf.reproduce.classical_row import ClassicalRow
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.task import Task, TaskState
from lenet_tf.reproduce.time_left import format_time_left
from lenet_tf.runtime.rendering import create_bar, render
from lenet_tf.runtime.terminal import STATUS

_MIN_BAR, _MAX_BAR = 4, 30


def show_progress(runner: Runner, stop: threading.Event) -> None:
    """Show the running tasks and the time left until an event is set.

    Args:
        runner: The runner whose tasks are shown.
        stop: Ends the display.
    """

    def render_all(width: int) -> str:
        finished = sum(task.state is TaskState.DONE for task in runner.tasks)
        time_left = format_time_left(runner.estimate_seconds_left())
        summary = f"{finished} of {len(runner.tasks)} runs finished, {time_left}"
        running = [task for task in runner.tasks if task.is_running]
        return "\n".join([*render_tasks(running, width), summary[:width]])

    while not stop.wait(1):
        STATUS.draw(render_all)
    STATUS.clear()


def render_tasks(tasks: Sequence[Task], width: int) -> list[str]:
    """Return a line for each running task: its name, its epochs and a bar.

    Args:
        tasks: The running tasks.
        width: Columns. A long name loses its end.
    """
    from rich.table import Table

    if not tasks:
        return []
    counts = [_format_count(task) for task in tasks]
    longest = max(len(task.name) for task in tasks)
    room = width - longest - max(map(len, counts)) - 2 * 2
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right", min_width=max(map(len, counts)))
    table.add_column(no_wrap=True)
    for task, count in zip(tasks, counts, strict=True):
        share = task.finished_epochs / task.row.epochs
        table.add_row(task.name, count, create_bar(share, max(_MIN_BAR, min(room, _MAX_BAR))))
    return render(table, width).split("\n")


def _format_count(task: Task) -> str:
    # A classical method has no epochs.
    if isinstance(task.row, ClassicalRow):
        return "running"
    return f"epoch {task.finished_epochs}/{task.row.epochs}"
