"""Confidence of predictions against their accuracy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Inner edges of the confidence bins; narrower where a good network puts most predictions.
_BIN_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99)


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
