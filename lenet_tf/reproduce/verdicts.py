"""Compare new runs with their records: to the last digit, or within the spread over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lenet_tf.reproduce.classical_row import ClassicalRow, Row
from lenet_tf.reproduce.records import Record, RecordStore, replace_predictions_by_digest
from lenet_tf.runtime import environment

# The probability that one command fails by chance, whatever its number of rows.
FALSE_ALARM_RATE = 0.01
# Packages whose version can change results.
_DECISIVE_PACKAGES = ("lenet_tf arithmetic", "tensorflow", "keras", "numpy")
_CLASSICAL_PACKAGES = ("numpy", "scipy", "scikit-learn")
# In test accuracy: what rounding may change in a classical method that needs no seed.
CLASSICAL_TOLERANCE = 0.001


@dataclass(frozen=True)
class Verdict:
    """The outcome of a comparison.

    Attributes:
        agrees: Whether the new results agree with the records.
        message: The outcome in words.
        is_exact: Whether equal numbers were expected. If not, rounding makes the run an
            independent sample, and only its row can disagree.
    """

    agrees: bool
    message: str
    is_exact: bool = True


def check_new_record(store: RecordStore, row: Row, record: Record) -> Verdict:
    """Compare a new run with its record, or add it to a writable store without one.

    Args:
        store: The records.
        row: The row of the run.
        record: The run's record with encoded labels and predictions.

    Returns:
        Whether the run agrees with its record.

    Raises:
        RunError: If the records can't be read or written.
    """
    if store.pages is not None:
        recorded = store.add(row, record)
        if recorded is None:
            return Verdict(True, "a new record")
    else:
        recorded = next((each for each in store.read(row) if each["seed"] == record["seed"]), None)
        if recorded is None:
            message = "this seed has no record; store it with --results FOLDER"
            return Verdict(True, message, is_exact=False)
    new = replace_predictions_by_digest(record)
    if isinstance(row, ClassicalRow):
        return compare_classical(recorded, new, row.is_random)
    return compare_run(recorded, new)


def compare_run(recorded: Mapping[str, Any], new: Mapping[str, Any]) -> Verdict:
    """Compare a new run with the record of the same seed.

    Args:
        recorded: The stored record.
        new: The new run's record, as it would be stored.

    Returns:
        Whether the run agrees with its record.
    """
    if recorded["data"]["sha256"] != new["data"]["sha256"]:
        return Verdict(False, "NOT comparable with its record: the data differ")
    if _select_results(recorded) == _select_results(new):
        return Verdict(True, "equal to its record, to the last digit")
    gap = abs(recorded["test"]["accuracy"] - new["test"]["accuracy"])
    differences = find_differences(recorded, new)
    if differences:
        message = f"{gap:.2%} from its record, not comparable exactly: different " + " and ".join(
            differences
        )
        return Verdict(True, message, is_exact=False)
    return Verdict(
        False,
        f"NOT equal to its record: {gap:.2%} from it, on the same type of machine with the same"
        " versions and settings",
    )


def compare_classical(
    recorded: Mapping[str, Any], new: Mapping[str, Any], is_random: bool
) -> Verdict:
    """Compare a new run of a classical method with the record of the same seed.

    Args:
        recorded: The stored record.
        new: The new run's record, as it would be stored.
        is_random: Whether the method depends on its seed.

    Returns:
        On the same type of machine with the same versions, whether the predictions are equal.
        Elsewhere, whether the test accuracies differ by at most `CLASSICAL_TOLERANCE`; a method
        that depends on its seed is compared by its row instead.
    """
    if recorded["data"]["sha256"] != new["data"]["sha256"]:
        return Verdict(False, "NOT comparable with its record: the data differ")
    if recorded["predictions"] == new["predictions"]:
        return Verdict(True, "equal to its record, in all predictions")
    gap = abs(recorded["test"]["accuracy"] - new["test"]["accuracy"])
    differences = find_differences(recorded, new, _CLASSICAL_PACKAGES)
    if not differences:
        return Verdict(
            False,
            f"NOT equal to its record: {gap:.2%} from it, on the same type of machine with the"
            " same versions and settings",
        )
    others = "different " + " and ".join(differences)
    if is_random:
        message = f"{gap:.2%} from its record, not comparable exactly: {others}"
        return Verdict(True, message, is_exact=False)
    # Accuracies come in steps, whose floating-point differences are inexact.
    agrees = gap <= CLASSICAL_TOLERANCE + 1e-9
    word = "within" if agrees else "NOT within"
    return Verdict(agrees, f"{gap:.2%} from its record, {word} {CLASSICAL_TOLERANCE:.1%}: {others}")


def find_differences(
    recorded: Mapping[str, Any],
    new: Mapping[str, Any],
    packages: Sequence[str] = _DECISIVE_PACKAGES,
) -> list[str]:
    """Name the differences between two runs that can change the last digits of their results."""
    is_same = {
        "machine": environment.is_same_type(recorded["machine"], new["machine"]),
        "versions": all(
            recorded["versions"].get(package) == new["versions"].get(package)
            for package in packages
        ),
        "thread or oneDNN settings": recorded["threads"] == new["threads"],
    }
    return [name for name, same in is_same.items() if not same]


def _select_results(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Select what must be equal for equal seeds: everything but times."""
    epochs = {name: values for name, values in record["epochs"].items() if name != "seconds"}
    return record["test"], epochs, record["predictions"]


def compare_rows(
    store: RecordStore,
    recorded: Mapping[str, Sequence[Record]],
    new: Mapping[Row, Sequence[Record]],
) -> list[Verdict]:
    """Compare the new runs of each row with its recorded runs by `compare_row`.

    Args:
        store: The recorded predictions, which tell the number of test images.
        recorded: The recorded runs by name of row.
        new: The new runs by row.

    Returns:
        A verdict for each row that has recorded runs.
    """

    def get_accuracies(records: Sequence[Record]) -> list[float]:
        return [record["test"]["accuracy"] for record in records]

    rows = [row for row in new if recorded[row.name]]
    return [
        compare_row(
            row.name,
            get_accuracies(recorded[row.name]),
            get_accuracies(new[row]),
            num_images=len(store.read_predictions(row).labels),
            num_rows=len(rows),
        )
        for row in rows
    ]


def compare_row(
    name: str,
    recorded: Sequence[float],
    new: Sequence[float],
    num_images: int,
    num_rows: int = 1,
) -> Verdict:
    """Compare the mean test accuracy of new runs with that of the recorded runs of a row.

    The mean of the new runs must lie in the prediction interval (Student's t) of the recorded runs.
    Only the recorded runs decide its width, so that bad new runs don't widen it. A single recorded
    run has no spread over seeds: the sampling error of the test images takes its place.

    Args:
        name: The name of the row.
        recorded: Test accuracies of the recorded runs, 0 to 1.
        new: Test accuracies of the new runs, 0 to 1.
        num_images: The number of test images.
        num_rows: The number of rows that are compared at the same time.

    Returns:
        Whether the row agrees with its records.
    """
    from scipy import stats

    count, mean, new_mean = len(recorded), statistics.mean(recorded), statistics.mean(new)
    level = 1 - FALSE_ALARM_RATE / num_rows
    distribution: Any
    if count > 1:
        # At least one image, because accuracies come in steps.
        deviation = max(statistics.stdev(recorded), 1 / num_images)
        distribution = stats.t(count - 1, loc=mean, scale=deviation * _widen(len(new), count))
    else:
        deviation = math.sqrt(max(mean * (1 - mean), 1 / num_images) / num_images)
        distribution = stats.norm(loc=mean, scale=deviation * _widen(len(new), count))
    low, high = (float(bound) for bound in distribution.interval(level))
    agrees = low <= new_mean <= high
    here = f"{len(new)} new runs: mean" if len(new) > 1 else "1 new run:"
    return Verdict(
        agrees,
        f"{name}: {here} {new_mean:.2%}; {count} recorded: {mean:.2%} ± {100 * deviation:.2f};"
        f" expected in {max(0, low):.2%}–{min(1, high):.2%} ({100 * level:g}% prediction interval):"
        f" {'agrees' if agrees else 'DOES NOT AGREE'}",
        is_exact=False,
    )


def _widen(num_new: int, num_recorded: int) -> float:
    """Return the standard deviation of a difference of means, relative to that of one run."""
    return math.sqrt(1 / num_new + 1 / num_recorded)
