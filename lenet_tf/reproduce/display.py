"""What is seen of runs under way. rich draws it: a display that is drawn anew in place, kept by Textualize."""

from __future__ import annotations

import sys
import threading

from lenet_tf.reproduce.runner import Runner


def show_progress(runner: Runner, stop: threading.Event) -> None:
    """Draws the runs and the time left on a terminal until `stop` is set."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    def picture() -> Group:
        table = Table.grid(padding=(0, 2))
        for task in runner.tasks:
            if task.state in ("starting", "running"):
                epochs = task.row.spec.recipe.epochs
                table.add_row(
                    task.name,
                    ProgressBar(epochs, task.epoch, width=30),
                    f"epoch {task.epoch} of {epochs}",
                )
        done, left = sum(task.state == "done" for task in runner.tasks), runner.seconds_left()
        return Group(
            table, f"{done} of {len(runner.tasks)} runs finished, {format_time_left(left)}"
        )

    # What is printed to a terminal in the meantime stands above the display; what goes to a file must reach it.
    options = {"auto_refresh": False, "transient": True, "redirect_stdout": sys.stdout.isatty()}
    with Live(picture(), console=Console(stderr=True), **options) as live:
        while not stop.wait(1):
            live.update(picture(), refresh=True)


def format_time_left(seconds: float | None) -> str:
    if seconds is None:
        return "time left unknown yet"
    minutes = round(seconds / 60)
    return (
        f"about {minutes // 60} h {minutes % 60} min left"
        if minutes >= 90
        else f"about {max(1, minutes)} min left"
    )
