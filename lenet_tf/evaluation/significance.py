"""Two networks on the same images: whether one is right more often than chance explains. SciPy computes the exact test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PairedTest:
    """On how many images both are right, only the first, only the second, neither.

    Where both are equally good, each is as likely as the other to be the one that is right alone: McNemar's test (1947), exact.
    """

    both: int
    first: int
    second: int
    neither: int

    @classmethod
    def from_correct(cls, first: np.ndarray, second: np.ndarray) -> PairedTest:
        """From whether each is right, both bool (N,)."""
        one, other = np.asarray(first, bool), np.asarray(second, bool)
        return cls(
            *(int(part.sum()) for part in (one & other, one & ~other, ~one & other, ~one & ~other))
        )

    @property
    def difference(self) -> float:
        """The first's accuracy less the second's."""
        return (self.first - self.second) / (self.both + self.first + self.second + self.neither)

    @cached_property
    def _test(self) -> Any:
        from scipy.stats import binomtest

        return binomtest(self.first, self.first + self.second)

    @property
    def p(self) -> float:
        """Of a split at least as uneven, either way, where both are equally good; 1 where they are right on the same images."""
        return float(self._test.pvalue) if self.first + self.second else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the difference, exact at 95% (Clopper and Pearson 1934) for as many images as only one is right on, so that it leaves
        out 0 where p < 0.05; NaN where there is no such image."""
        alone = self.first + self.second
        if not alone:
            return float("nan"), float("nan")
        count = alone + self.both + self.neither
        low, high = (
            (2 * float(share) - 1) * alone / count
            for share in self._test.proportion_ci(0.95, "exact")
        )
        return low, high

    def better(self, names: tuple[str, str]) -> str:
        """The name of the one that is right more often, where p < 0.05."""
        return "cannot be told" if self.p >= 0.05 else names[self.first < self.second]
