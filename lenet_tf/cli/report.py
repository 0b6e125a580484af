"""`lenet-tf report`: write the report of each run and a comparison of several."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lenet_tf.cli.inputs import load_recorded_data, pop_read_options
from lenet_tf.cli.options import ORIGINALS, add_read_options
from lenet_tf.cli.output import echo, note
from lenet_tf.text import escape_controls, quote_word

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData
    from lenet_tf.evaluation.run_report import EvaluatedRun
    from lenet_tf.runs.run_record import RunRecord


@click.command(short_help="Write the report of a run, or compare several.")
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN..."
)
@click.option("--data", metavar="NAME", help="Test on another data set. [default: the run's]")
@ORIGINALS
@add_read_options
@click.option(
    "--comparison",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the comparison of several runs. [default: comparison.html in the --logs folder of"
    " the runs, or in the current folder if they don't share one]",
)
def report(
    folders: tuple[Path, ...],
    data: str | None,
    originals: str | None,
    page: Path | None,
    **options: Any,
) -> None:
    """Write report.html to each RUN folder, and its figures as PNG files to report/ beside it.

    The report links to report/page.html, on which you draw and see the network at work.

    For several runs also write comparison.html, one file that shows all of them side by side.
    """
    from lenet_tf.evaluation import comparison
    from lenet_tf.pretrained.locate import is_pretrained
    from lenet_tf.runs import checkpoints, folder_checks, run_record

    for folder in folders:
        if is_pretrained(folder):
            raise click.UsageError(
                f"{folder} is no run, so there is no report of its training. Its scores:"
                f" lenet-tf evaluate {quote_word(folder)} --report."
            )
    # Two paths of the same run count once.
    unique_folders = {os.path.realpath(folder): folder for folder in folders}.values()
    runs = [run_record.read_run(folder) for folder in unique_folders]
    for run in runs:
        checkpoints.check_has_checkpoint(run.path)
        folder_checks.check_parts(run.path)
    is_comparable = 2 <= len(runs) <= comparison.MAX_RUNS
    if page is not None and not is_comparable:
        raise click.UsageError(
            f"--comparison takes 2 to {comparison.MAX_RUNS} different runs, not {len(runs)}."
        )
    if is_comparable:
        page = page or comparison.default_page_path(runs)
        # Fail now, not after the reports are written.
        comparison.check_comparison_path(page)
    evaluated_runs = [
        run.without_probabilities()
        for run in _write_reports(runs, data, originals, pop_read_options(options))
        if is_comparable
    ]
    if page is not None:
        path = comparison.write_comparison(evaluated_runs, page)
        echo(f"wrote {escape_controls(path)}")
    elif len(runs) > 1:
        note(
            f"No comparison was written: it takes at most {comparison.MAX_RUNS} runs, not"
            f" {len(runs)}."
        )


def _write_reports(
    runs: Sequence[RunRecord], data: str | None, originals: str | None, options: dict[str, Any]
) -> Iterator[EvaluatedRun]:
    """Write the report of each run; load each data set once."""
    loaded: dict[str, RawData] = {}
    for run in runs:
        # Runs may have read the same file differently.
        key = str((run.data_name, run.data_options) if data is None else data)
        if key not in loaded:
            loaded[key] = load_recorded_data(run, data, originals, options)
        raw = loaded[key]
        from lenet_tf.data import image_order
        from lenet_tf.evaluation import run_report
        from lenet_tf.inference.page import run_page

        if image_order.is_in_tfds_order(raw, run.config["data"].get("sha256")):
            note(
                f"{image_order.describe_order(raw)} The report numbers images in the published"
                " order."
            )
        evaluated = run_report.evaluate_run(run, raw)
        echo(f"wrote {escape_controls(run_page.write_run_report(evaluated))}")
        yield evaluated
