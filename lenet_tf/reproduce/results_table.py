"""The results table in Markdown, with its notes and missed targets."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from lenet_tf.evaluation.markdown import format_table
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.results import Results
from lenet_tf.reproduce.statistics import format_mean_sd
from lenet_tf.reproduce.table_row import TableRow

_COLUMNS = (
    "row",
    "description",
    "published test error, %",
    "our test error, %: mean ± sd (min–max)",
    "runs",
    "target, %",
    "seconds per epoch, shared machine",
)
# What the tutorial claims as its validation accuracy.
_TUTORIAL_ACCURACY = 0.9871


def render_results_table(results: Results) -> str:
    """Render the published and the measured test error of every row."""
    lines: list[Sequence[str]] = []
    for row, records in results.records.items():
        errors = results.get_test_errors(row)
        published = _format_published(row)
        runs = f"{len(records)}" if len(records) >= row.seeds else f"{len(records)} of {row.seeds}"
        lines.append(
            (
                f"`{row.name}`",
                row.title,
                published,
                format_mean_sd(errors),
                runs,
                _format_target(row, errors),
                _format_seconds(records),
            )
        )
        if row.show_best_epoch and records:
            best = [100 * (1 - _best_val_accuracy(record)) for record in records]
            title = "… its best epoch, chosen on the test images as in the tutorial"
            lines.append(("", title, published, format_mean_sd(best), runs, "–", "–"))
    return format_table(_COLUMNS, lines)


def _best_val_accuracy(record: Record) -> float:
    return max(record["epochs"]["val_accuracy"])


def _format_published(row: TableRow) -> str:
    if row.published_error is None:
        return row.published_by or "–"
    return f"{row.published_error:g} ({row.published_by})"


def _format_seconds(records: Sequence[Record]) -> str:
    if not records:
        return "–"
    seconds = [record["seconds_per_epoch"] for record in records]
    return f"{min(seconds):.1f}–{max(seconds):.1f}"


def _format_target(row: TableRow, errors: Sequence[float]) -> str:
    if row.target_error is None:
        return "–"
    target = f"≤ {row.target_error:.2f}"
    if not errors:
        return target
    so_far = " so far" if len(errors) < row.seeds else ""
    verdict = f"met{so_far}" if _meets_target(row, errors) else f"**missed{so_far}**"
    return f"{target}, {verdict}"


def _meets_target(row: TableRow, errors: Sequence[float]) -> bool:
    # Rounding removes the error of floating-point sums: test errors come in steps of 0.01%.
    return row.target_error is None or round(statistics.mean(errors), 6) <= row.target_error


def render_tutorial_claim(results: Results) -> str:
    """Render how many seeds of `lenet5` reach the accuracy that the tutorial claims."""
    row = results.get_row("lenet5")
    if row is None or not results.records[row]:
        return ""
    records = results.records[row]
    last = [record["test"]["accuracy"] for record in records]
    best = [_best_val_accuracy(record) for record in records]
    reached_last, reached_best = (
        sum(accuracy >= _TUTORIAL_ACCURACY for accuracy in accuracies)
        for accuracies in (last, best)
    )
    return (
        f"The tutorial claims {_TUTORIAL_ACCURACY:.2%}. After the last epoch, {reached_last} of"
        f" {len(records)} seeds reach it (maximum {max(last):.2%}). The best of ten epochs, chosen"
        f" on the test images, reaches it for {reached_best} (mean {statistics.mean(best):.2%},"
        f" range {min(best):.2%}–{max(best):.2%})."
    )


def render_notes(results: Results) -> str:
    """Render the note of each finished row as a list."""
    return "\n".join(f"- `{row.name}`: {row.note}." for row in results.finished_rows if row.note)


def find_missed_rows(results: Results) -> list[TableRow]:
    """Find the finished rows whose mean test error is above the target."""
    return [
        row for row in results.finished_rows if not _meets_target(row, results.get_test_errors(row))
    ]


def render_missed_targets(results: Results) -> str:
    """Render each missed target and what was tried to meet it as a list."""
    return "\n".join(
        _render_missed_target(row, statistics.mean(results.get_test_errors(row)))
        for row in find_missed_rows(results)
    )


def _render_missed_target(row: TableRow, error: float) -> str:
    target = f"{row.target_error:.2f}"
    # A third decimal where two hide the difference.
    measured = f"{error:.3f}" if f"{error:.2f}" == target else f"{error:.2f}"
    return f"- `{row.name}`: {measured}%, target at most {target}%. {row.attempts}".rstrip()
