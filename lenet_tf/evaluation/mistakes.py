"""The misclassified images of a test set: which they are, and the CSV file that lists them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from lenet_tf.evaluation.plotting import shorten_names
from lenet_tf.evaluation.scores import name_class
from lenet_tf.text import escape_cell

# Characters of two names in one line above an image.
_MAX_PAIR = 6
COLUMNS = ("index", "label", "prediction", "probability", "runner_up", "runner_up_probability")
# Columns of a data set whose classes have names.
NAME_COLUMNS = ("label_name", "prediction_name", "runner_up_name")


def rank_mistakes(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the misclassified images, those of the highest confidence first.

    Args:
        labels: True classes, int (N,).
        probabilities: Class probabilities, float (N, classes).

    Returns:
        Indices, int (mistakes,).
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def name_mistakes(
    labels: np.ndarray,
    probabilities: np.ndarray,
    indices: np.ndarray,
    class_names: Sequence[str] = (),
) -> list[str]:
    """Name images by class, prediction and its probability, in one line or two.

    Args:
        labels: True classes, int (N,).
        probabilities: Class probabilities, float (N, classes).
        indices: The images to name.
        class_names: Names of the classes; none are numbers.

    Returns:
        A title for each image, such as `4 as 9, 87%`.
    """
    titles = []
    for index in indices:
        prediction = int(probabilities[index].argmax())
        true, predicted = (name_class(label, class_names) for label in (labels[index], prediction))
        # Long names take a line each.
        gap = "\n" if len(true) + len(predicted) > _MAX_PAIR else " "
        names = shorten_names([true, f"as {predicted}"])
        titles.append(f"{names[0]}{gap}{names[1]}, {probabilities[index, prediction]:.0%}")
    return titles


def format_mistakes(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] = ()
) -> str:
    """Format the misclassified images as CSV, those of the highest confidence first.

    Args:
        labels: True classes, int (N,).
        probabilities: Class probabilities, float (N, classes).
        class_names: Names of the classes; none are numbers.

    Returns:
        A line for each image: its index in the test set, its class, the predicted class and the
        runner-up with their probabilities, and the names of the three classes if there are names.
        A spreadsheet shows each name as text.
    """
    indices = rank_mistakes(labels, probabilities)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(NAME_COLUMNS if len(class_names) else ())])
    names = [escape_cell(name) for name in class_names]
    for index in indices:
        scores = probabilities[index].copy()
        prediction = int(scores.argmax())
        probability, scores[prediction] = scores[prediction], -1
        runner_up = int(scores.argmax())
        classes = (int(labels[index]), prediction, runner_up)
        writer.writerow(
            [
                *(index, *classes[:2], f"{probability:.6f}", runner_up, f"{scores[runner_up]:.6f}"),
                *((names[label] for label in classes) if names else ()),
            ]
        )
    return text.getvalue()
