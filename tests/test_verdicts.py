"""New runs compared with their records."""

from __future__ import annotations

import statistics

import pytest
from reproduction import make_predictions, make_record, make_row
from scipy import stats

from lenet_tf.reproduce import verdicts


def test_a_run_on_the_same_machine_must_equal_its_record():
    old = make_record(make_row(), 0, 0.98)
    later = {
        "epochs": old["epochs"] | {"seconds": [9.0, 9.0, 9.0]},
        "seconds": 3.0,
        "finished": "later",
    }
    assert verdicts.compare_run(old, old | later) == verdicts.Verdict(
        True, "equal to its record, to the last digit"
    )
    message = (
        "NOT equal to its record: 0.01% from it, on the same type of machine with the same versions"
        " and settings"
    )
    assert verdicts.compare_run(old, make_record(make_row(), 0, 0.9801)) == verdicts.Verdict(
        False, message
    )
    assert not verdicts.compare_run(old, old | {"predictions": make_predictions(0.5)}).agrees, (
        "equal accuracy, but other images"
    )
    other = old | {"data": old["data"] | {"sha256": "e" * 64}}
    assert verdicts.compare_run(old, other) == verdicts.Verdict(
        False, "NOT comparable with its record: the data differ"
    )


@pytest.mark.parametrize(
    ("part", "change", "difference"),
    [
        ("machine", {"features": ["avx512f"]}, "machine"),
        ("versions", {"tensorflow": "3"}, "versions"),
        ("versions", {"lenet_tf arithmetic": "3"}, "versions"),
        ("threads", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "thread or oneDNN settings"),
        ("threads", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "thread or oneDNN settings"),
    ],
)
def test_runs_on_other_machines_are_not_compared_exactly(part, change, difference):
    """Such a run agrees however far it is from its record: its row decides."""
    old = make_record(make_row(), 0, 0.98)
    verdict = verdicts.compare_run(
        old, make_record(make_row(), 0, 0.93) | {part: old[part] | change}
    )
    assert verdict == verdicts.Verdict(
        True,
        f"5.00% from its record, not comparable exactly: different {difference}",
        is_exact=False,
    )


def test_new_runs_must_lie_in_the_prediction_interval_of_the_recorded_ones():
    """The interval of a mean, written out with SciPy's quantile."""
    recorded = [0.984, 0.986, 0.985, 0.987, 0.9855]
    mean, deviation = statistics.mean(recorded), statistics.stdev(recorded)
    half = stats.t(4).ppf(0.995) * deviation * (1 / 3 + 1 / 5) ** 0.5
    for sign in (1, -1):
        inside, outside = ([mean + sign * half * factor] * 3 for factor in (0.99, 1.01))
        assert verdicts.compare_row("r", recorded, inside, 10_000).agrees
        assert not verdicts.compare_row("r", recorded, outside, 10_000).agrees
    message = verdicts.compare_row("r", recorded, [0.98, 0.99], 10_000).message
    assert message.startswith("r: 2 new runs: mean 98.50%; 5 recorded: 98.55% ± 0.11; expected in ")
    assert message.endswith("(99% prediction interval): agrees")
    # New runs that differ from each other must not widen the interval.
    assert verdicts.compare_row("r", recorded, [0.983], 10_000).agrees
    assert not verdicts.compare_row("r", recorded, [0.97], 10_000).agrees
    assert not verdicts.compare_row("r", recorded, [0.93, 0.98, 0.96], 10_000).agrees
    # With many rows the interval is wider, so that one command rarely fails by chance.
    slightly_off = [mean + 1.2 * half] * 3
    assert not verdicts.compare_row("r", recorded, slightly_off, 10_000).agrees
    assert verdicts.compare_row("r", recorded, slightly_off, 10_000, num_rows=20).agrees


def test_the_sampling_error_replaces_the_spread_of_a_single_run():
    assert verdicts.compare_row("r", [0.99], [0.988], 10_000).agrees
    assert not verdicts.compare_row("r", [0.99], [0.98], 10_000).agrees
    assert verdicts.compare_row("r", [0.99, 0.99, 0.99], [0.9899], 10_000).agrees, (
        "equal accuracies still have a spread, because accuracies come in steps"
    )
