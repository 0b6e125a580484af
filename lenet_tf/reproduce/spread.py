"""Means, spreads and paired comparisons. SciPy computes the test: the reference, and scikit-learn needs it anyway."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def spread(values: Sequence[float], brief: bool = False) -> str:
    """`mean ± sd (least–most)` with the sample's standard deviation; without the range where `brief`."""
    if not values:
        return "not run yet"
    mean = f"{statistics.mean(values):.2f}"
    if len(values) == 1:
        return mean
    told = f"{mean} ± {statistics.stdev(values):.2f}"
    return told if brief else f"{told} ({min(values):.2f}–{max(values):.2f})"


@dataclass(frozen=True)
class Paired:
    """Two rows compared seed by seed: their means, the mean difference, its 95% interval and the p-value of Student's paired test."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> str:
        if self.low > 0:
            return "yes"
        return "no: the opposite" if self.high < 0 else "cannot be told"


def paired(pairs: Sequence[tuple[float, float]]) -> Paired:
    """Of (first, second) for each seed, at least two."""
    from scipy import stats

    first, second = zip(*pairs, strict=True)
    differences = [one - other for one, other in pairs]
    mean = statistics.mean(differences)
    if len(set(differences)) == 1:
        # Without any spread there is no test.
        low = high = mean
        p = 0.0 if mean else 1.0
    else:
        result = stats.ttest_rel(first, second)
        low, high = result.confidence_interval(0.95)
        p = result.pvalue
    return Paired(statistics.mean(first), statistics.mean(second), mean, float(low), float(high), float(p))
