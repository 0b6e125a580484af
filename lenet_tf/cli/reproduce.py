"""`lenet-tf reproduce`: the runs of the reproduction table, and what is made of their records."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lenet_tf.cli.group import ORIGINALS, main


@main.command(short_help="Repeat the runs of the reproduction table.")
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Seeds 0 to N − 1 of each row. [default: the row's own number]")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Runs side by side, a core each. [default: the free cores]")
@click.option(
    "--logs", type=click.Path(path_type=Path), default=Path("logs"), show_default=True, help="Run folders: LOGS/reproduce/<row>/seed-<n>/."
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Records: RESULTS/reproduce/<row>.jsonl; the tables: RESULTS/README.md and the READMEs beside RESULTS.",
)
@ORIGINALS
@click.option("--list", "listing", is_flag=True, help="Show the rows and how many of their runs are recorded, and run nothing.")
@click.option("--check", is_flag=True, help="Fail where the tables are not what the records say, and run nothing.")
@click.option("--tables", is_flag=True, help="Make the tables and the figure anew from the records, and run nothing.")
def reproduce(
    rows: tuple[str, ...],
    seeds: int | None,
    jobs: int | None,
    logs: Path,
    results: Path,
    originals: str | None,
    listing: bool,
    check: bool,
    tables: bool,
) -> None:
    """Train the networks of the reproduction table over their seeds, and compare with the records that there are.

    A run that was interrupted is gone on with by the same command, a finished one is not repeated. A run without a record adds one; the
    tables are made from the records. The exit code is 1 where a run differs from its record by more than it may.
    """
    from lenet_tf.reproduce import tables as made
    from lenet_tf.reproduce.plan import get_rows

    chosen = get_rows(rows)
    if sum((listing, check, tables)) > 1:
        raise click.UsageError("--list, --check and --tables exclude each other.")
    if listing:
        click.echo(made.listing(results, chosen))
    elif check:
        stale = made.stale(results)
        if stale:
            raise click.ClickException(f"{', '.join(map(str, stale))}: not what the records say. Run: lenet-tf reproduce --tables")
        click.echo("The tables are what the records say.")
    elif tables:
        for path in made.write(results):
            click.echo(f"wrote {path}")
    else:
        _run(chosen, seeds, jobs, logs, results, originals)


def _run(rows: Any, seeds: int | None, jobs: int | None, logs: Path, results: Path, originals: str | None) -> None:
    from lenet_tf import runs
    from lenet_tf.reproduce import records
    from lenet_tf.reproduce import tables as made
    from lenet_tf.reproduce.display import time_left
    from lenet_tf.reproduce.runner import Runner, free_cores

    runs.check_writable(logs)
    # What cannot be read or written in the end is told now.
    made.stale(results)
    if not any(records.read(results, row) for row in rows):
        click.echo(f"There are no records of these rows in {results}: nothing to compare with, and the runs become the first.", err=True)

    def tell(outcome: Any) -> None:
        done = sum(task.state == "done" for task in runner.tasks)
        record = outcome.record
        click.echo(
            f"{outcome.task.name}: test accuracy {record['test']['accuracy']:.2%}, {record['seconds']:.0f} s; {outcome.told}"
            f" · {done} of {len(runner.tasks)}" + (f", {time_left(runner.seconds_left())}" if done < len(runner.tasks) else "")
        )

    def tell_failure(task: Any) -> None:
        click.echo(f"{task.name} failed: {task.state}", err=True)

    runner = Runner(rows, seeds, jobs or free_cores(), logs, results, originals, tell, tell_failure)
    click.echo(f"{len(runner.tasks)} runs, {runner.jobs} side by side; run folders in {logs / 'reproduce'}")
    try:
        with _watched(runner):
            outcomes = runner.run()
    finally:
        if runner.recorded:
            made.write(results)
    apart = [outcome for outcome in outcomes if not outcome.agrees]
    if apart:
        raise click.ClickException(f"{len(apart)} of {len(outcomes)} runs are not as recorded, {apart[0].task.name} the first of them.")


@contextlib.contextmanager
def _watched(runner: Any) -> Iterator[None]:
    """On a terminal, with a display of what runs."""
    from lenet_tf.reproduce.display import watch

    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(runner, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
