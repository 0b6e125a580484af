"""A live display of running tasks on a terminal."""

from __future__ import annotations

import sys
import threading

from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.task import TaskState
from lenet_tf.reproduce.time_left import format_time_left


def show_progress(runner: Runner, stop: threading.Event) -> None:
    """Show the running tasks and the time left until an event is set.

    Args:
        runner: The runner whose tasks are shown.
        stop: Ends the display.
    """
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    def render() -> Group:
        table = Table.grid(padding=(0, 2))
        for task in runner.tasks:
            if task.is_running:
                epochs = task.row.spec.recipe.epochs
                table.add_row(
                    task.name,
                    ProgressBar(epochs, task.finished_epochs, width=30),
                    f"epoch {task.finished_epochs} of {epochs}",
                )
        finished = sum(task.state is TaskState.DONE for task in runner.tasks)
        time_left = format_time_left(runner.estimate_seconds_left())
        return Group(table, f"{finished} of {len(runner.tasks)} runs finished, {time_left}")

    # Redirect stdout only if it goes to the terminal: output to a file must reach the file.
    with Live(
        render(),
        console=Console(stderr=True, markup=False, emoji=False, highlight=False),
        auto_refresh=False,
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as live:
        while not stop.wait(1):
            live.update(render(), refresh=True)
