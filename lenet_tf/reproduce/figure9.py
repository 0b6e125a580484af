"""Figure 9 of the 1998 paper repeated: its bars with our results, as a page and a figure."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenet_tf.evaluation.markdown import format_table
from lenet_tf.reproduce.classical_row import ClassicalRow, Row
from lenet_tf.reproduce.figure9_bars import BARS, Bar, format_published
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.results import Results
from lenet_tf.reproduce.statistics import format_mean_sd
from lenet_tf.reproduce.verdicts import CLASSICAL_TOLERANCE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, FIGURE = "figure9.md", "figure9.png"
TITLE = "# Figure 9 of the 1998 paper, repeated"
# Increase it when the figure is drawn in another way.
_FIGURE_VERSION = 1
_INTRODUCTION = f"""\
{TITLE}

Figure 9 of LeCun, Bottou, Bengio and Haffner (1998) compares classifiers by their test error on \
MNIST. `lenet-tf reproduce figure9` repeats those that have a row here; `lenet-tf reproduce ROW` \
repeats one. The same command resumes: finished runs are skipped. `lenet-tf reproduce` generates \
this page from the records in `lenet_tf/reproduce/records/`.

The bars are in the paper's order. *Deslant* are images moved so that the digits stand upright, \
*dist* training images with distorted copies, *16×16* images reduced to this size."""
_COLUMNS = (
    "classifier",
    "published test error, %",
    "our test error, %: mean ± sd (min–max)",
    "row",
    "runs",
    "seconds",
    "peak memory, MiB",
    "multiply-adds per image",
    "stored values",
)
_EXPLANATION = f"""\
Networks run over several seeds, and so do classical methods with random parts; the others run \
once. ± is the standard deviation over seeds. Each published error has one run and, by the paper, \
an uncertainty of about 0.1 points. Seconds are the median of the runs, each on one core of a \
shared machine: training for networks, training and test for classical methods. Multiply-adds for \
one image and stored values, such as weights or training images, follow from the arithmetic of our \
methods. The records of networks have no peak memory.

A repeated classical run must give equal predictions on the recorded type of machine with the \
recorded versions of NumPy, SciPy and scikit-learn. Elsewhere its error may differ by \
{100 * CLASSICAL_TOLERANCE:g} points, and methods with random parts are compared by their mean \
over seeds, as networks are."""


@dataclass(frozen=True)
class BarResult:
    """A bar of the figure with our results.

    Attributes:
        bar: The bar.
        row: The row that repeats it. None if there is none.
        records: The records of its runs by rising seed.
    """

    bar: Bar
    row: Row | None
    records: Sequence[Record]

    @property
    def errors(self) -> list[float]:
        """The test error of each run in %."""
        return _get_errors(self.records)


def collect_bars(results: Results) -> list[BarResult]:
    """Collect the results of every bar.

    Args:
        results: The records of all rows.

    Returns:
        The bars in the paper's order, also those without a row or a record.
    """
    by_name: dict[str, tuple[Row, Sequence[Record]]] = {}
    for records in (results.records, results.classical):
        by_name |= {row.name: (row, each) for row, each in records.items()}
    return [BarResult(bar, *by_name.get(bar.row or "", (None, ()))) for bar in BARS]


def has_results(bars: Iterable[BarResult]) -> bool:
    """Return whether any bar has been repeated: otherwise there is nothing to show."""
    return any(bar.records for bar in bars)


def compute_digest(bars: Sequence[BarResult]) -> str:
    """Compute a digest of everything that the figure shows."""
    shown = [(bar.bar.label, bar.bar.published, bar.errors) for bar in bars]
    text = json.dumps([_FIGURE_VERSION, shown])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def draw(bars: Sequence[BarResult]) -> Figure:
    """Draw the published and our test errors of every bar."""
    from lenet_tf.reproduce.figure9_figure import plot_figure9

    return plot_figure9([(bar.bar, bar.errors) for bar in bars])


def render_page(results: Results) -> str:
    """Render the page in Markdown: the figure, a table, and how the paper was read."""
    bars = collect_bars(results)
    repeated = [bar.row for bar in bars if bar.row is not None]
    others = {row: each for row, each in results.classical.items() if row not in repeated}
    missing = [bar.bar.label for bar in bars if bar.row is None]
    parts = [
        _INTRODUCTION,
        f"![Published and our test errors of every classifier]({FIGURE})",
        format_table(_COLUMNS, map(_format_bar, bars)),
        _EXPLANATION,
    ]
    if others:
        lines = [(row.title, *_format_row(row, each)) for row, each in others.items()]
        parts += [
            "These methods are not in the figure:",
            format_table((_COLUMNS[0], *_COLUMNS[2:]), lines),
        ]
    readings = map(_render_reading, [*repeated, *others])
    parts += ["## How the paper was read", "\n".join(readings)]
    if missing:
        parts += [f"These classifiers have no row yet: {'; '.join(missing)}."]
    return "\n\n".join(parts) + "\n"


def _format_bar(result: BarResult) -> Sequence[Any]:
    name = result.bar.label, format_published(result.bar)
    if result.row is None:
        return (*name, *["–"] * 7)
    return (*name, *_format_row(result.row, result.records))


def _format_row(row: Row, records: Sequence[Record]) -> Sequence[Any]:
    runs = f"{len(records)}" if len(records) >= row.seeds else f"{len(records)} of {row.seeds}"
    return (
        format_mean_sd(_get_errors(records)),
        f"`{row.name}`",
        runs,
        _format_median(records, "seconds"),
        _format_median(records, "peak_mib"),
        *_count_work(row, records),
    )


def _format_median(records: Sequence[Record], name: str) -> str:
    values = [record[name] for record in records if name in record]
    return f"{statistics.median(values):,.0f}" if values else "–"


def _count_work(row: Row, records: Sequence[Record]) -> tuple[int | str, int | str]:
    """Count multiply-adds for an image and stored values."""
    if not isinstance(row, ClassicalRow):
        return row.spec.multiply_adds, row.spec.parameters
    if not records:
        return "–", "–"
    return records[0]["multiply_adds"], records[0]["memory_values"]


def _get_errors(records: Sequence[Record]) -> list[float]:
    return [100 * (1 - record["test"]["accuracy"]) for record in records]


def _render_reading(row: Row) -> str:
    if isinstance(row, ClassicalRow):
        text = " ".join(row.reading.split())
    else:
        text = "; ".join(part for part in (row.title.removeprefix("… "), row.note) if part)
    return f"- `{row.name}`: {text.rstrip('.')}."
