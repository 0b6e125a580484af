"""Accuracy, recall, precision and calibration of predictions, with 95% confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.table import Table

# Inner edges of the confidence bins; narrower where a good network puts most predictions.
_BIN_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)


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
        from scipy.stats import binomtest

        if not trials:
            return cls(math.nan, math.nan, math.nan)
        interval = binomtest(int(successes), int(trials)).proportion_ci(0.95, method="wilson")
        return cls(float(successes / trials), float(interval.low), float(interval.high))

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
        confusion: The confusion matrix, int (classes, classes): a row for each true class, a
            column for each predicted class.
        class_names: Names of the classes; none are numbers.
    """

    confusion: np.ndarray
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
        from sklearn.metrics import confusion_matrix

        return cls(
            confusion_matrix(labels, predictions, labels=np.arange(num_classes)), class_names
        )

    def name_class(self, label: int) -> str:
        """Return the name of a class, which is its number if it has none."""
        return name_class(label, self.class_names)

    def accuracy(self) -> Score:
        """Return the share of all images that are correctly classified."""
        return Score.from_counts(np.trace(self.confusion), self.confusion.sum())

    def recall(self, label: int) -> Score:
        """Return the share of a class's images that are correctly classified."""
        return Score.from_counts(self.confusion[label, label], self.confusion[label].sum())

    def precision(self, label: int) -> Score:
        """Return the share of a class's predictions that are correct.

        The interval takes the number of predictions as given.
        """
        return Score.from_counts(self.confusion[label, label], self.confusion[:, label].sum())

    def most_confused(self, limit: int = 10) -> Iterator[Confusion]:
        """Yield the most frequent confusions.

        Args:
            limit: The largest number of confusions.

        Yields:
            Confusions that occur, the most frequent first.
        """
        errors = self.confusion * (1 - np.eye(len(self.confusion), dtype=int))
        for index in np.argsort(-errors, axis=None, kind="stable")[:limit]:
            label, prediction = divmod(int(index), len(errors))
            count = int(errors[label, prediction])
            if not count:
                return
            share = Score.from_counts(count, self.confusion[label].sum())
            yield Confusion(label, prediction, count, share)

    def to_dict(self) -> dict[str, Any]:
        """Return all scores as JSON-ready values; NaN becomes None."""
        names = {"class_names": list(self.class_names)} if self.class_names else {}
        return names | {
            "accuracy": self.accuracy().to_dict(),
            "classes": [
                {
                    "class": label,
                    "images": int(self.confusion[label].sum()),
                    "recall": self.recall(label).to_dict(),
                    "precision": self.precision(label).to_dict(),
                }
                for label in range(len(self.confusion))
            ],
            "confused": [
                {
                    "class": each.label,
                    "answer": each.prediction,
                    "images": each.images,
                    "share": each.share.to_dict(),
                }
                for each in self.most_confused()
            ],
            "confusion": self.confusion.tolist(),
        }


class Calibration(NamedTuple):
    """Confidence against accuracy, in bins of confidence that hold any image.

    Attributes:
        confidence: Mean confidence of each bin, float (bins,).
        accuracy: Accuracy of each bin, float (bins,).
        counts: Images in each bin, int (bins,).
        error: The expected calibration error: the mean absolute difference between confidence
            and accuracy, weighted by the bins' images.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    error: float


def calibration_curve(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """Compare confidence, the largest probability of an image, with accuracy.

    Args:
        probabilities: Class probabilities, float (N, classes).
        labels: True classes, int (N,).

    Returns:
        Confidence, accuracy and number of images of each bin, and the calibration error.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.digitize(confidence, _BIN_EDGES)
    members = [bins == number for number in np.unique(bins)]
    confidences = np.array([confidence[member].mean() for member in members])
    accuracies = np.array([correct[member].mean() for member in members])
    counts = np.array([member.sum() for member in members])
    error = float((counts * np.abs(confidences - accuracies)).sum() / len(labels))
    return Calibration(confidences, accuracies, counts, error)


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
    for label, row in enumerate(scores.confusion):
        recall, precision = scores.recall(label), scores.precision(label)
        classes.add_row(
            scores.name_class(label), f"{int(row.sum()):,}", str(recall), str(precision)
        )
    classes.add_row("all", f"{int(scores.confusion.sum()):,}", str(scores.accuracy()), "")
    confusions = Table(
        "class", "taken for", "images", "of the class (95% interval)", box=box.SIMPLE_HEAD
    )
    for label, prediction, images, share in scores.most_confused():
        names = (scores.name_class(label), scores.name_class(prediction))
        confusions.add_row(*names, f"{images:,}", str(share))
    return classes, confusions
