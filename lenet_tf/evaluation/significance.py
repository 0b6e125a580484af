"""McNemar's exact test: whether one of two networks is more accurate on the same images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PairedTest:
    """Two networks tested on the same images.

    If both are equally good, an image that only one classifies correctly is as likely to be the
    first's as the second's (McNemar 1947). The test is exact.

    Attributes:
        both: Images that both classify correctly.
        only_first: Images that only the first classifies correctly.
        only_second: Images that only the second classifies correctly.
        neither: Images that both misclassify.
    """

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def from_correct(cls, first: np.ndarray, second: np.ndarray) -> PairedTest:
        """Count the images.

        Args:
            first: Whether the first network classifies each image correctly, bool (N,).
            second: The same for the second network, bool (N,).

        Returns:
            The test.
        """
        a, b = np.asarray(first, bool), np.asarray(second, bool)
        return cls(*(int(each.sum()) for each in (a & b, a & ~b, ~a & b, ~a & ~b)))

    @property
    def discordant(self) -> int:
        """The number of images that only one of the two classifies correctly."""
        return self.only_first + self.only_second

    @property
    def difference(self) -> float:
        """The first's accuracy minus the second's."""
        count = self.both + self.discordant + self.neither
        return (self.only_first - self.only_second) / count

    @cached_property
    def _test(self) -> Any:
        from scipy.stats import binomtest

        return binomtest(self.only_first, self.discordant)

    @property
    def p_value(self) -> float:
        """The two-sided p-value; 1 if both are correct on the same images."""
        return float(self._test.pvalue) if self.discordant else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """The difference's exact 95% interval (Clopper and Pearson 1934).

        It takes the number of discordant images as given, and so excludes 0 where p < 0.05.
        Both bounds are NaN if there is no such image.
        """
        if not self.discordant:
            return float("nan"), float("nan")
        scale = self.discordant / (self.both + self.discordant + self.neither)
        low, high = self._test.proportion_ci(0.95, "exact")
        return (2 * float(low) - 1) * scale, (2 * float(high) - 1) * scale

    def more_accurate(self, names: tuple[str, str]) -> str:
        """Names the more accurate network.

        Args:
            names: The names of the first and the second network.

        Returns:
            A name if p < 0.05, else `not significant`.
        """
        if self.p_value >= 0.05:
            return "not significant"
        return names[self.only_first < self.only_second]
