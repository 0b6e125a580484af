"""A network's answers to a test set, class by class: scores with their uncertainty, and which classes it takes for which.

scikit-learn counts the confusions; rich draws the tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

# Test sets drawn anew from this one, with replacement, for 95% intervals: the bootstrap (Efron 1979).
_DRAWS, _BOUNDS = 2_000, (2.5, 97.5)


# Of the probability given, finer where a good network gives most of them.
_BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)


@dataclass(frozen=True)
class Score:
    """A share, and the interval in which it lies for 95% of test sets drawn anew from this one. NaN where there is nothing to divide by."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """Of `confusion` (classes, classes): how many images of each class, a row, were answered by each class, a column."""

    confusion: np.ndarray

    @classmethod
    def from_predictions(cls, labels: np.ndarray, answers: np.ndarray, num_classes: int) -> Scores:
        """From the labels (N,) and the network's answers (N,), both whole numbers below `num_classes`."""
        from sklearn.metrics import confusion_matrix

        return cls(confusion_matrix(labels, answers, labels=np.arange(num_classes)))

    @cached_property
    def _drawn(self) -> np.ndarray:
        """Confusions of test sets drawn anew: of N images with replacement is of N counts by their shares."""
        count = int(self.confusion.sum())
        # Of hundreds of classes fewer, so that they stay below 500 MB.
        enough = max(100, min(_DRAWS, 60_000_000 // self.confusion.size))
        draws = np.random.default_rng(0).multinomial(
            count, self.confusion.reshape(-1) / count, enough
        )
        return draws.reshape(-1, *self.confusion.shape)

    def accuracy(self) -> Score:
        return _score(
            lambda c: np.trace(c, axis1=-2, axis2=-1) / c.sum(axis=(-2, -1)),
            self.confusion,
            self._drawn,
        )

    def recall(self, label: int) -> Score:
        """The share of the class' images that are answered rightly."""
        return _score(
            lambda c: _ratio(c[..., label, label], c[..., label, :].sum(axis=-1)),
            self.confusion,
            self._drawn,
        )

    def precision(self, label: int) -> Score:
        """The share of the class' answers that are right."""
        return _score(
            lambda c: _ratio(c[..., label, label], c[..., :, label].sum(axis=-1)),
            self.confusion,
            self._drawn,
        )

    def confused(self, most: int = 10) -> Iterator[tuple[int, int, int, Score]]:
        """(Class, what it was taken for, how often, as a share of the class' images), the most frequent first; no pair that never was."""
        wrong = self.confusion * (1 - np.eye(len(self.confusion), dtype=int))
        for place in np.argsort(-wrong, axis=None, kind="stable")[:most]:
            label, answer = divmod(int(place), len(wrong))
            if not wrong[label, answer]:
                return

            def share(c: np.ndarray, label: int = label, answer: int = answer) -> np.ndarray:
                return _ratio(c[..., label, answer], c[..., label, :].sum(axis=-1))

            yield (
                label,
                answer,
                int(wrong[label, answer]),
                _score(share, self.confusion, self._drawn),
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; a share that is NaN is None."""

        def told(score: Score) -> dict[str, float | None]:
            return {
                name: None if np.isnan(value) else round(value, 6)
                for name, value in vars(score).items()
            }

        classes = range(len(self.confusion))
        return {
            "accuracy": told(self.accuracy()),
            "classes": [
                {
                    "class": label,
                    "images": int(self.confusion[label].sum()),
                    "recall": told(self.recall(label)),
                    "precision": told(self.precision(label)),
                }
                for label in classes
            ],
            "confused": [
                {"class": label, "answer": answer, "images": count, "share": told(share)}
                for label, answer, count, share in self.confused()
            ],
            "confusion": self.confusion.tolist(),
        }


def _ratio(part: Any, whole: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(part, float) / np.asarray(whole, float)


def _score(share: Any, confusion: np.ndarray, drawn: np.ndarray) -> Score:
    values = share(drawn)
    known = values[~np.isnan(values)]
    low, high = np.percentile(known, _BOUNDS) if len(known) else (np.nan, np.nan)
    return Score(float(share(confusion)), float(low), float(high))


def build_score_tables(scores: Scores) -> tuple[Table, Table]:
    """(Each class' scores, the classes that are confused most), with 95% intervals."""

    def told(score: Score) -> str:
        return (
            "–"
            if math.isnan(score.value)
            else f"{score.value:.2%} ({score.low:.2%}–{score.high:.2%})"
        )

    classes = Table(
        "class", "images", "recall (95% interval)", "precision (95% interval)", box=box.SIMPLE_HEAD
    )
    for label in range(len(scores.confusion)):
        images = int(scores.confusion[label].sum())
        classes.add_row(
            str(label), f"{images:,}", told(scores.recall(label)), told(scores.precision(label))
        )
    classes.add_row("all", f"{int(scores.confusion.sum()):,}", told(scores.accuracy()), "")
    pairs = Table(
        "class", "taken for", "images", "of the class (95% interval)", box=box.SIMPLE_HEAD
    )
    for label, answer, count, share in scores.confused():
        pairs.add_row(str(label), str(answer), str(count), told(share))
    return classes, pairs


def calibration_curve(
    chances: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """(Mean probability, share answered rightly, images) for each bin of the greatest probability that holds any image, and the expected
    calibration error: the mean distance between the first two over all images. `chances`: (N, classes); `labels`: (N,)."""
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    bins = np.digitize(sure, _BINS)
    parts = [bins == number for number in np.unique(bins)]
    given, shares = (np.array([values[part].mean() for part in parts]) for values in (sure, right))
    counts = np.array([part.sum() for part in parts])
    return given, shares, counts, float((counts * np.abs(given - shares)).sum() / len(labels))
