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
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Seeds 0 to N − 1 of each row. [default: the row's own number]",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Runs side by side, a core each. [default: the free cores]",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Run folders: LOGS/reproduce/<row>/seed-<n>/.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Records of your own: FOLDER/reproduce/<row>.jsonl; their tables: FOLDER/README.md and the READMEs beside FOLDER."
    " [default: the records that the package ships]",
)
@ORIGINALS
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help="Show the rows and how many of their runs are recorded, and run nothing.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Fail where the tables are not what the records say, and run nothing.",
)
@click.option(
    "--tables",
    is_flag=True,
    help="Make the tables and the figure anew from the records, and run nothing.",
)
def reproduce(
    rows: tuple[str, ...],
    seeds: int | None,
    jobs: int | None,
    logs: Path,
    results: Path | None,
    originals: str | None,
    listing: bool,
    check: bool,
    tables: bool,
) -> None:
    """Train the networks of the reproduction table over their seeds, and compare with the records that there are.

    The same command resumes runs that were interrupted and skips finished ones. On a machine of the recorded type, with the recorded
    versions, a run must equal its record to the last digit. Elsewhere rounding makes it another draw: then the mean of a row's runs must
    lie within the spread of the recorded ones. The exit code is 1 where it does not.
    """
    from lenet_tf.reproduce import tables as made
    from lenet_tf.reproduce.plan import get_rows
    from lenet_tf.reproduce.records import RecordStore

    store = RecordStore.own() if results is None else RecordStore.of(results)

    chosen = get_rows(rows)
    if sum((listing, check, tables)) > 1:
        raise click.UsageError("--list, --check and --tables exclude each other.")
    if listing:
        click.echo(made.plan_table(store, chosen))
    elif check:
        stale = made.find_stale(store)
        if stale:
            raise click.ClickException(
                f"{', '.join(map(str, stale))}: not what the records say. Run: lenet-tf reproduce --tables"
            )
        click.echo(
            "The tables are what the records say."
            if store.pages
            else "The records are whole. There are no tables here."
        )
    elif tables:
        if store.pages is None:
            raise click.UsageError(
                "--tables needs a checkout of the project, or --results FOLDER: an installed package has no tables."
            )
        for path in made.write_tables(store):
            click.echo(f"wrote {path}")
    else:
        _run(chosen, seeds, jobs, logs, store, originals)


def _run(
    rows: Any, seeds: int | None, jobs: int | None, logs: Path, store: Any, originals: str | None
) -> None:
    from lenet_tf.reproduce import tables as made
    from lenet_tf.reproduce.display import format_time_left
    from lenet_tf.reproduce.runner import Runner, free_cores
    from lenet_tf.runs import run_folder

    run_folder.check_writable(logs)
    # What cannot be read or written in the end is told now.
    made.find_stale(store)
    if not any(store.read(row) for row in rows):
        click.echo(
            f"{store.folder} has no records of these rows, so there is nothing to compare with.",
            err=True,
        )

    def tell(outcome: Any) -> None:
        done = sum(task.state == "done" for task in runner.tasks)
        record = outcome.record
        click.echo(
            f"{outcome.task.name}: test accuracy {record['test']['accuracy']:.2%}, {record['seconds']:.0f} s; {outcome.text}"
            f" · {done} of {len(runner.tasks)}"
            + (f", {format_time_left(runner.seconds_left())}" if done < len(runner.tasks) else "")
        )

    def tell_failure(task: Any) -> None:
        click.echo(f"{task.name} failed: {task.state}", err=True)

    runner = Runner(rows, seeds, jobs or free_cores(), logs, store, originals, tell, tell_failure)
    click.echo(
        f"{len(runner.tasks)} runs, {runner.jobs} side by side; run folders in {logs / 'reproduce'}"
    )
    try:
        with _watched(runner):
            outcomes = runner.run()
    finally:
        if runner.recorded:
            made.write_tables(store)
    by_row = runner.row_verdicts(outcomes)
    for verdict in by_row:
        click.echo(verdict.text)
    apart = [outcome for outcome in outcomes if not outcome.verdict.agrees]
    if apart:
        raise click.ClickException(
            f"{len(apart)} of {len(outcomes)} runs are not as recorded, {apart[0].task.name} the first of them."
        )
    if not all(verdict.agrees for verdict in by_row):
        raise click.ClickException(
            f"{sum(not verdict.agrees for verdict in by_row)} of {len(by_row)} rows do not agree with their records."
        )


@contextlib.contextmanager
def _watched(runner: Any) -> Iterator[None]:
    """On a terminal, with a display of what runs."""
    from lenet_tf.reproduce.display import show_progress

    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    watcher = threading.Thread(target=show_progress, args=(runner, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
