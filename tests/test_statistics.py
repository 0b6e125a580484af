"""Means, spreads and paired comparisons."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lenet_tf.reproduce.statistics import format_mean_sd, holm_correction, paired_difference


def test_mean_and_standard_deviation():
    assert format_mean_sd([]) == "not run yet"
    assert format_mean_sd([1.234]) == "1.23"
    assert format_mean_sd([1.0, 2.0, 4.0]) == f"2.33 ± {np.std([1, 2, 4], ddof=1):.2f} (1.00–4.00)"


def test_paired_difference():
    pairs = [(98.9, 98.5), (98.7, 98.6), (99.0, 98.4), (98.8, 98.8)]
    result, differences = paired_difference(pairs), np.array([a - b for a, b in pairs])
    error = differences.std(ddof=1) / 2
    half = stats.t.ppf(0.975, 3) * error
    assert (result.low, result.high) == pytest.approx(
        (differences.mean() - half, differences.mean() + half)
    )
    assert result.p == pytest.approx(2 * stats.t.sf(differences.mean() / error, 3))
    assert result.verdict == "undecided: the interval contains 0"
    assert paired_difference([(2, 1), (2.1, 1), (2.2, 1.1)]).verdict == "yes"
    assert (
        paired_difference([(99.01, 99.0), (99.11, 99.1), (98.51, 98.5)]).verdict
        == "undecided: the interval contains 0"
    ), "equal steps don't show a spread"
    assert paired_difference([(1, 2), (1, 2.1), (1.1, 2.2)]).verdict == "no: the opposite"


def test_holm_correction():
    # From the smallest: times 4, 3, 2 and 1, and never below the one before.
    assert holm_correction([0.02, 0.005, 0.9, 0.03]) == pytest.approx([0.06, 0.02, 0.9, 0.06])
    assert holm_correction([0.5, 0.6]) == [1.0, 1.0]
