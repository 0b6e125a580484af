"""`lenet-tf reproduce`: repeat the runs of the reproduction table and rewrite its pages."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lenet_tf.cli.options import ORIGINALS, PoolOptions, add_pool_options
from lenet_tf.cli.output import echo, note
from lenet_tf.text import count_noun, escape_controls

if TYPE_CHECKING:
    from lenet_tf.reproduce.classical_row import Row
    from lenet_tf.reproduce.records import RecordStore
    from lenet_tf.reproduce.runner import Runner
    from lenet_tf.reproduce.task import Outcome
    from lenet_tf.scheduling.job import Pool


@click.command(short_help="Repeat the runs of the reproduction table.")
@click.argument("rows", nargs=-1, metavar="[ROW]...")
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of seeds of each row, from seed 0; 1 for methods without random parts."
    " [default: as planned]",
)
@add_pool_options
@click.option(
    "--logs",
    type=click.Path(path_type=Path),
    default=Path("logs"),
    show_default=True,
    help="Run folders go to LOGS/reproduce/<row>/seed-<n>/.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Use your own records in FOLDER/reproduce/, with tables in FOLDER/README.md and in the"
    " READMEs beside FOLDER. [default: the records of the package]",
)
@ORIGINALS
@click.option(
    "--list",
    "listing",
    is_flag=True,
    help="Only list the rows with the number of recorded runs.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Only check that the tables agree with the records.",
)
@click.option(
    "--tables",
    is_flag=True,
    help="Only rewrite the tables and figures from the records.",
)
def reproduce(
    rows: tuple[str, ...],
    seeds: int | None,
    pool_options: PoolOptions,
    logs: Path,
    results: Path | None,
    originals: str | None,
    listing: bool,
    check: bool,
    tables: bool,
) -> None:
    """Train the networks of the reproduction table and compare them with the recorded runs.

    ROW is a network, a classical method such as knn, or figure9 for all classifiers of figure 9 of
    the 1998 paper. Without a ROW, all networks are trained.

    Repeat the command to resume interrupted runs; finished runs are skipped. On a machine of the
    recorded type, with the recorded versions, a run must equal its record to the last digit.
    Elsewhere rounding changes the result: there the mean of a row's runs must lie within the
    prediction interval of the recorded runs. The exit code is 1 if a run or a row disagrees.
    """
    from lenet_tf.reproduce.chosen_rows import choose_rows, list_rows
    from lenet_tf.reproduce.records import RecordStore

    store = RecordStore.for_package() if results is None else RecordStore.for_folder(results)
    chosen = choose_rows(rows)
    if sum((listing, check, tables)) > 1:
        raise click.UsageError("--list, --check and --tables exclude each other.")
    if listing:
        _list_rows(store, chosen if rows else list_rows())
    elif check:
        _check_tables(store)
    elif tables:
        _write_tables(store, originals)
    else:
        _run(chosen, seeds, pool_options.open(), logs, store, originals)


def _list_rows(store: RecordStore, rows: Sequence[Row]) -> None:
    width = max(len(row.name) for row in rows)
    for row in rows:
        recorded = len(store.read(row))
        echo(f"{row.name:<{width}}  {recorded:>2} of {row.seeds:>2}  {row.title}")


def _check_tables(store: RecordStore) -> None:
    from lenet_tf.reproduce.generated_files import find_stale_files

    stale = find_stale_files(store)
    if stale:
        raise click.ClickException(
            f"{', '.join(map(str, stale))}: out of date. Run: lenet-tf reproduce --tables"
        )
    if store.pages is None:
        echo("The records are complete. There are no tables here.")
    else:
        echo("The tables agree with the records.")


def _write_tables(store: RecordStore, originals: str | None) -> None:
    from lenet_tf.reproduce.generated_files import write_stale_files

    if store.pages is None:
        raise click.UsageError(
            "an installed package has no tables: use a checkout of the project, or --results"
            " FOLDER."
        )
    for path in write_stale_files(store, originals):
        echo(f"wrote {escape_controls(path)}")


def _run(
    rows: Sequence[Row],
    seeds: int | None,
    pool: Pool,
    logs: Path,
    store: RecordStore,
    originals: str | None,
) -> None:
    from lenet_tf.reproduce.generated_files import find_stale_files, write_stale_files
    from lenet_tf.reproduce.runner import Runner
    from lenet_tf.runs import run_folder

    run_folder.check_writable(logs)
    # Fail now, not after hours of training, if a record or a page can't be read.
    find_stale_files(store)
    if not any(store.read(row) for row in rows):
        note(f"{store.folder} has no records of these rows to compare with.")
    with pool:
        runner = Runner(
            rows,
            seeds,
            pool,
            logs,
            store,
            originals,
            on_finished=lambda outcome: _print_outcome(runner, outcome),
            on_failed=lambda task: note(f"{task.name} failed: {task.error}"),
        )
        note(
            f"Starting {count_noun(len(runner.tasks), 'run')}, {runner.jobs} at a time"
            f"{' now' if pool.is_elastic else ''}; run folders in"
            f" {escape_controls(logs / 'reproduce')}",
            error=False,
        )
        try:
            with _progress_display(runner):
                outcomes = runner.run()
        finally:
            if runner.has_new_records:
                write_stale_files(store, originals)
    _report_verdicts(runner, outcomes)


def _print_outcome(runner: Runner, outcome: Outcome) -> None:
    from lenet_tf.reproduce.task import TaskState
    from lenet_tf.reproduce.time_left import format_time_left

    record, total = outcome.record, len(runner.tasks)
    done = sum(task.state is TaskState.DONE for task in runner.tasks)
    time_left = format_time_left(runner.estimate_seconds_left())
    note(
        f"{outcome.task.name}: test accuracy {record['test']['accuracy']:.2%},"
        f" {record['seconds']:.0f} s; {outcome.message} · {done} of {total}"
        + (f", {time_left}" if done < total else ""),
        error=False,
    )


def _report_verdicts(runner: Runner, outcomes: Sequence[Outcome]) -> None:
    """Print the verdicts of the rows; fail if a run or a row disagrees with its records."""
    row_verdicts = runner.compare_rows(outcomes)
    for verdict in row_verdicts:
        echo(verdict.message)
    different = [outcome for outcome in outcomes if not outcome.verdict.agrees]
    if different:
        raise click.ClickException(
            f"{len(different)} of {len(outcomes)} runs differ from their records, the first is"
            f" {different[0].task.name}."
        )
    disagreeing = sum(not verdict.agrees for verdict in row_verdicts)
    if disagreeing:
        raise click.ClickException(
            f"{disagreeing} of {len(row_verdicts)} rows disagree with their records."
        )


@contextlib.contextmanager
def _progress_display(runner: Runner) -> Iterator[None]:
    """Show the running tasks within the block if standard error is a terminal."""
    from lenet_tf.reproduce.display import show_progress

    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    display = threading.Thread(target=show_progress, args=(runner, stop), daemon=True)
    display.start()
    try:
        yield
    finally:
        stop.set()
        display.join()
