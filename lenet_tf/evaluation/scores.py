"""Accuracy, recall and precision of predictions, with 95% confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.table import Table

# The normal distribution's quantile of a two-sided 95% interval.
_Z = NormalDist().inv_cdf(0.975)
# Classes up to which the confusion matrix is written out.
_MAX_MATRIX = 1_000


@dataclass(frozen=True)
class Score:
    """A proportion with its 95% interval.

    Attributes:
        value: The proportion, 0 to 1; NaN if it is a proportion of nothing.
        low: The interval's lower bound; NaN likewise.
        high: The interval's upper bound; NaN likewise.
    """

    value: float
    low: float
    high: float

    @classmethod
    def from_counts(cls, successes: int, trials: int) -> Score:
        """Compute a proportion and its Wilson score interval (Wilson 1927).

        Args:
            successes: How often the event occurred, 0 to `trials`.
            trials: How often it could have occurred.

        Returns:
            The score; all NaN if `trials` is 0.
        """
        k, n = int(successes), int(trials)
        if not n:
            return cls(math.nan, math.nan, math.nan)
        # SciPy's binomtest gives the same, but takes a millisecond to test a hypothesis first.
        share, denominator = k / n, 2 * (n + _Z**2)
        center = (2 * n * share + _Z**2) / denominator
        delta = _Z / denominator * math.sqrt(4 * n * share * (1 - share) + _Z**2)
        return cls(share, center - delta if k else 0.0, center + delta if k < n else 1.0)

    def to_dict(self) -> dict[str, float | None]:
        """Return JSON-ready values, rounded to six decimals; NaN becomes None."""
        return {
            name: None if math.isnan(value) else round(value, 6)
            for name, value in asdict(self).items()
        }

    def __str__(self) -> str:
        """Format value and interval in percent; a NaN score is a dash."""
        if math.isnan(self.value):
            return "–"
        return f"{self.value:.2%} ({self.low:.2%}–{self.high:.2%})"


class Confusion(NamedTuple):
    """How often images of one class are classified as another.

    Attributes:
        label: The true class.
        prediction: The predicted class.
        images: The number of images.
        share: Their share of the class's images.
    """

    label: int
    prediction: int
    images: int
    share: Score


def name_class(label: int, class_names: Sequence[str]) -> str:
    """Return the name of a class, which is its number if there are no names."""
    return class_names[label] if len(class_names) else str(label)


@dataclass(frozen=True)
class Scores:
    """Scores of a set of predictions, computed from their confusion matrix.

    Attributes:
        counts: The confusion matrix, a SciPy sparse array of int (classes, classes): a row for each
            true class, a column for each predicted class.
        class_names: Names of the classes; none are numbers.
    """

    counts: Any
    class_names: Sequence[str] = ()

    @classmethod
    def from_predictions(
        cls,
        labels: np.ndarray,
        predictions: np.ndarray,
        num_classes: int,
        class_names: Sequence[str] = (),
    ) -> Scores:
        """Count the confusions.

        Args:
            labels: True classes, int (N,), below `num_classes`.
            predictions: Predicted classes, int (N,), below `num_classes`.
            num_classes: The number of classes.
            class_names: Names of the classes; none are numbers.

        Returns:
            The scores.
        """
        # A full matrix of 10,000 classes would take 800 MB.
        from scipy.sparse import coo_array

        ones = np.ones(len(labels), np.int64)
        counts = coo_array((ones, (labels, predictions)), (num_classes, num_classes))
        return cls(counts.tocsr(), class_names)

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return int(self.counts.shape[0])

    @property
    def confusion(self) -> np.ndarray:
        """The confusion matrix as an array, int (classes, classes)."""
        return self.counts.toarray()

    @cached_property
    def images(self) -> np.ndarray:
        """The number of images of each class, int (classes,)."""
        return np.asarray(self.counts.sum(axis=1))

    @cached_property
    def _predicted(self) -> np.ndarray:
        return np.asarray(self.counts.sum(axis=0))

    @cached_property
    def _correct(self) -> np.ndarray:
        return self.counts.diagonal()

    def name_class(self, label: int) -> str:
        """Return the name of a class, which is its number if it has none."""
        return name_class(label, self.class_names)

    def accuracy(self) -> Score:
        """Return the share of all images that are correctly classified."""
        return Score.from_counts(self._correct.sum(), self.images.sum())

    def recall(self, label: int) -> Score:
        """Return the share of a class's images that are correctly classified."""
        return Score.from_counts(self._correct[label], self.images[label])

    def precision(self, label: int) -> Score:
        """Return the share of a class's predictions that are correct.

        The interval takes the number of predictions as given.
        """
        return Score.from_counts(self._correct[label], self._predicted[label])

    def most_confused(self, limit: int = 10) -> Iterator[Confusion]:
        """Yield the most frequent confusions.

        Args:
            limit: The largest number of confusions.

        Yields:
            Confusions that occur, the most frequent first.
        """
        labels, predictions, counts = self.list_errors()
        order = np.lexsort((predictions, labels, -counts))[:limit]
        for index in order:
            label, count = int(labels[index]), int(counts[index])
            share = Score.from_counts(count, self.images[label])
            yield Confusion(label, int(predictions[index]), count, share)

    def list_errors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """List the confusions that occur.

        Returns:
            True classes, predicted classes and numbers of images, int (confusions,) each.
        """
        cells = self.counts.tocoo()
        wrong = cells.row != cells.col
        return cells.row[wrong], cells.col[wrong], cells.data[wrong]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready scores: None for NaN, and no matrix of more than 1,000 classes."""
        values: dict[str, Any] = {}
        if self.class_names:
            values["class_names"] = list(self.class_names)
        values["accuracy"] = self.accuracy().to_dict()
        values["classes"] = [
            {
                "class": label,
                "images": int(self.images[label]),
                "recall": self.recall(label).to_dict(),
                "precision": self.precision(label).to_dict(),
            }
            for label in range(self.num_classes)
        ]
        values["confused"] = [
            {
                "class": each.label,
                "answer": each.prediction,
                "images": each.images,
                "share": each.share.to_dict(),
            }
            for each in self.most_confused()
        ]
        if self.num_classes <= _MAX_MATRIX:
            values["confusion"] = self.confusion.tolist()
        return values


def build_score_tables(scores: Scores) -> tuple[Table, Table]:
    """Build the terminal's tables of scores.

    Args:
        scores: The scores.

    Returns:
        A table of each class's scores and one of the most frequent confusions.
    """
    classes = Table(
        "class", "images", "recall (95% interval)", "precision (95% interval)", box=box.SIMPLE_HEAD
    )
    for label, images in enumerate(scores.images):
        recall, precision = scores.recall(label), scores.precision(label)
        classes.add_row(scores.name_class(label), f"{int(images):,}", str(recall), str(precision))
    classes.add_row("all", f"{int(scores.images.sum()):,}", str(scores.accuracy()), "")
    confusions = Table(
        "class", "taken for", "images", "of the class (95% interval)", box=box.SIMPLE_HEAD
    )
    for label, prediction, images, share in scores.most_confused():
        names = (scores.name_class(label), scores.name_class(prediction))
        confusions.add_row(*names, f"{images:,}", str(share))
    return classes, confusions
