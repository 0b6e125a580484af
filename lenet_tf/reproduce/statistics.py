"""Means, spreads and paired comparisons. SciPy computes the test: the reference, and scikit-learn needs it anyway."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def format_mean_sd(values: Sequence[float], brief: bool = False) -> str:
    """`mean ± sd (least–most)` with the sample's standard deviation; without the range where `brief`."""
    if not values:
        return "not run yet"
    mean = f"{statistics.mean(values):.2f}"
    if len(values) == 1:
        return mean
    told = f"{mean} ± {statistics.stdev(values):.2f}"
    return told if brief else f"{told} ({min(values):.2f}–{max(values):.2f})"


@dataclass(frozen=True)
class PairedDifference:
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


def paired_difference(pairs: Sequence[tuple[float, float]]) -> PairedDifference:
    """Of (first, second) for each seed, at least three."""
    from scipy import stats

    first, second = zip(*pairs, strict=True)
    differences = [one - other for one, other in pairs]
    # Accuracies come in steps: differences that are all alike say nothing of the spread.
    alike = max(differences) - min(differences) < 1e-9
    result = None if alike else stats.ttest_rel(first, second)
    low, high = (-math.inf, math.inf) if alike else result.confidence_interval(0.95)
    p = 1.0 if alike else result.pvalue
    return PairedDifference(
        statistics.mean(first),
        statistics.mean(second),
        statistics.mean(differences),
        float(low),
        float(high),
        float(p),
    )


def holm_correction(values: Sequence[float]) -> list[float]:
    """p-values corrected for how many there are, in their order (Holm 1979)."""
    corrected, largest = [0.0] * len(values), 0.0
    for before, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, values[place] * (len(values) - before)))
        corrected[place] = largest
    return corrected
