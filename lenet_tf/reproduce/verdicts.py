"""Whether a run made here agrees with the record: to the last digit where that can be asked, and else within the spread of the seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lenet_tf.reproduce.plan import TableRow
from lenet_tf.reproduce.records import Record, RecordStore, name_predictions_apart
from lenet_tf.runtime import environment

# How often a call of `reproduce` may fail by chance, whatever the number of its rows.
FALSE_ALARMS = 0.01
# Versions that can change a number.
_DECISIVE = ("tensorflow", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Verdict:
    """Whether what is compared agrees, and that in words. `exact`: bits were comparable. Otherwise rounding makes the run another draw,
    and only its row can disagree (`of_row`)."""

    agrees: bool
    text: str
    exact: bool = True


def check_new_record(store: RecordStore, row: TableRow, record: Record) -> Verdict:
    """A run that is just finished against its record. The store takes one that it lacks, unless it is only read."""
    if store.pages is not None:
        recorded = store.add(row, record)
        return (
            Verdict(True, "a new record")
            if recorded is None
            else compare_run(recorded, name_predictions_apart(record))
        )
    recorded = next((each for each in store.read(row) if each["seed"] == record["seed"]), None)
    if recorded is None:
        return Verdict(True, "no record of this seed; --results FOLDER keeps one", exact=False)
    return compare_run(recorded, name_predictions_apart(record))


def compare_run(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> Verdict:
    """A run made here against the record of the same seed; both as `lenet_tf.reproduce.records` keeps them."""
    if recorded["data"]["sha256"] != here["data"]["sha256"]:
        return Verdict(False, "NOT comparable with its record: other data")
    if _numbers(recorded) == _numbers(here):
        return Verdict(True, "as recorded, to the last digit")
    apart = f"{abs(recorded['test']['accuracy'] - here['test']['accuracy']):.2%} from its record"
    others = differences(recorded, here)
    if others:
        return Verdict(True, f"{apart}, another draw: {' and '.join(others)} differ", exact=False)
    return Verdict(
        False,
        f"NOT as recorded: {apart}, on the same type of machine with the same versions and settings",
    )


def differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What differs of all that decides the last bits of a run."""
    same = {
        "machine": environment.is_same_type(recorded["machine"], here["machine"]),
        "versions": all(
            recorded["versions"].get(package) == here["versions"].get(package)
            for package in _DECISIVE
        ),
        "settings of threads or oneDNN": recorded["threads"] == here["threads"],
    }
    return [what for what, is_same in same.items() if not is_same]


def _numbers(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a seed decides."""
    epochs = {name: values for name, values in record["epochs"].items() if name != "seconds"}
    return record["test"], epochs, record["predictions"]


def compare_rows(
    store: RecordStore,
    recorded: Mapping[str, Sequence[Record]],
    here: Mapping[TableRow, Sequence[Record]],
) -> list[Verdict]:
    """`of_row` for each row with runs here that are other draws than the `recorded` ones; a row without these has no verdict."""

    def accuracies(records: Sequence[Record]) -> list[float]:
        return [record["test"]["accuracy"] for record in records]

    rows = [row for row in here if recorded[row.name]]
    images = [len(store.read_predictions(row).labels) for row in rows]
    return [
        compare_row(
            row.name, accuracies(recorded[row.name]), accuracies(here[row]), count, len(rows)
        )
        for row, count in zip(rows, images, strict=True)
    ]


def compare_row(
    name: str, recorded: Sequence[float], here: Sequence[float], images: int, rows: int = 1
) -> Verdict:
    """Runs that are other draws of a row against its recorded runs, by their test accuracies; one of `rows` that are compared at once.

    The mean of the new runs must lie in the prediction interval (Student's t) that the recorded runs give for a mean of so many. Its
    spread is that of the recorded runs alone, so that bad new runs do not widen it. A single recorded run has no spread: then the sampling
    error of the `images` test images takes its place.
    """
    from scipy import stats

    count, mean, mean_here = len(recorded), statistics.mean(recorded), statistics.mean(here)
    level = 1 - FALSE_ALARMS / rows
    quantile = (1 + level) / 2
    if count > 1:
        # At least one image, since accuracies come in steps.
        spread, factor = (
            max(statistics.stdev(recorded), 1 / images),
            stats.t.ppf(quantile, count - 1),
        )
    else:
        spread, factor = (
            math.sqrt(max(mean * (1 - mean), 1 / images) / images),
            stats.norm.ppf(quantile),
        )
    half = float(factor) * spread * math.sqrt(1 / len(here) + 1 / count)
    agrees = abs(mean_here - mean) <= half
    runs = (
        f"{len(here)} run{'s' * (len(here) > 1)} here: mean {mean_here:.2%}"
        if len(here) > 1
        else f"1 run here: {mean_here:.2%}"
    )
    expected = f"expected in {max(0, mean - half):.2%}–{min(1, mean + half):.2%} ({100 * level:g}% prediction interval)"
    of = f"{count} recorded: {mean:.2%} ± {100 * spread:.2f}"
    return Verdict(
        agrees,
        f"{name}: {runs}; {of}; {expected}: {'agrees' if agrees else 'DOES NOT AGREE'}",
        exact=False,
    )
