"""Means, standard deviations and paired comparisons over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def format_mean_sd(values: Sequence[float], with_range: bool = True) -> str:
    """Format values as `mean ± sd (min–max)`, with the standard deviation of a sample.

    Args:
        values: Results of all seeds.
        with_range: Whether to add the smallest and the largest value.

    Returns:
        The text. One value has neither a deviation nor a range.
    """
    if not values:
        return "not run yet"
    mean = f"{statistics.mean(values):.2f}"
    if len(values) == 1:
        return mean
    text = f"{mean} ± {statistics.stdev(values):.2f}"
    return f"{text} ({min(values):.2f}–{max(values):.2f})" if with_range else text


@dataclass(frozen=True)
class PairedDifference:
    """Two rows compared seed by seed with Student's paired t-test.

    Attributes:
        first: The mean of the first row.
        second: The mean of the second row.
        difference: The mean difference, first minus second.
        low: Lower bound of the 95% confidence interval of the difference.
        high: Its upper bound.
        p: The two-sided p-value.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def verdict(self) -> str:
        """Whether the first row is better."""
        if not self.is_significant:
            return "undecided: the interval contains 0"
        return "yes" if self.low > 0 else "no: the opposite"


def paired_difference(pairs: Sequence[tuple[float, float]]) -> PairedDifference:
    """Compare two rows seed by seed.

    Args:
        pairs: For each of at least three seeds, the values of the first and the second row.

    Returns:
        The difference with its interval and p-value.
    """
    from scipy import stats

    first, second = zip(*pairs, strict=True)
    differences = np.subtract(first, second)
    low, high, p = -math.inf, math.inf, 1.0
    # Accuracies come in steps: equal differences don't show how much they vary.
    if np.ptp(differences) >= 1e-9:
        result = stats.ttest_rel(first, second)
        low, high = result.confidence_interval(0.95)
        p = result.pvalue
    return PairedDifference(
        statistics.mean(first),
        statistics.mean(second),
        float(differences.mean()),
        float(low),
        float(high),
        float(p),
    )


def holm_correction(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for the number of tests (Holm 1979); SciPy has no such function.

    Args:
        p_values: The p-values of all tests.

    Returns:
        The corrected p-values, in the same order.
    """
    order = np.argsort(p_values)
    factors = np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.maximum.accumulate(np.asarray(p_values)[order] * factors)
    return np.minimum(corrected, 1.0).tolist()
