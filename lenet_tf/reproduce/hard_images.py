"""The test images that most recorded networks misclassify: a page with their votes and a figure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lenet_tf.data.sources.cifar10_jpeg import CIFAR10_JPEG, CLASS_NAMES
from lenet_tf.evaluation.markdown import format_table
from lenet_tf.reproduce.predictions import Predictions, decode_classes
from lenet_tf.reproduce.table_row import TableRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "hard-images.md"
# For each data set.
_MAX_IMAGES = 40
_FIGURE_COLUMNS = 8
# Its test images are prepared wrongly on purpose.
_EXCLUDED_ROW = "lenet5-divided-twice"
_TITLES = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    CIFAR10_JPEG: "CIFAR-10, JPEG copy",
}
_CLASS_NAMES = {
    "fashion_mnist": (
        "T-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    CIFAR10_JPEG: CLASS_NAMES,
}
TITLE = "# Test images that most networks misclassify"
_INTRODUCTION = f"""\
{TITLE}

`lenet-tf reproduce` generates this page from the predictions beside the records. Image numbers \
count from 0 in the published order, as in papers on label errors. A network is one seed of one \
row of [the table](README.md). `{_EXCLUDED_ROW}` has no vote, because its test images are \
prepared wrongly on purpose."""


@dataclass(frozen=True)
class HardImage:
    """A test image and the wrong predictions for it.

    Attributes:
        number: Its number in the published order, from 0.
        label: Its class.
        votes: The wrong classes, each with the number of networks that predict it, the most
            frequent first.
    """

    number: int
    label: int
    votes: tuple[tuple[int, int], ...]

    @property
    def num_wrong(self) -> int:
        """The number of networks that misclassify it."""
        return sum(count for _, count in self.votes)


@dataclass(frozen=True)
class Votes:
    """What all recorded networks predict for the test images of one data set.

    Attributes:
        data: The name of the data set.
        rows: The names of the rows of these networks.
        labels: The classes, int (N,).
        predictions: The predicted classes, int (networks, N).
    """

    data: str
    rows: tuple[str, ...]
    labels: np.ndarray
    predictions: np.ndarray

    @property
    def num_networks(self) -> int:
        """The number of networks."""
        return len(self.predictions)

    @property
    def num_wrong(self) -> np.ndarray:
        """For each image, the number of networks that misclassify it, int (N,)."""
        return (self.predictions != self.labels).sum(axis=0)

    def find_hardest(self, max_images: int = _MAX_IMAGES) -> list[HardImage]:
        """Find the images that more than half of the networks misclassify.

        Args:
            max_images: The largest number of images to return.

        Returns:
            The images by falling number of wrong networks, then of networks that agree.
        """
        numbers = np.flatnonzero(self.num_wrong > self.num_networks / 2)
        images = [self._build_image(int(number)) for number in numbers]
        images.sort(key=lambda image: (-image.num_wrong, -image.votes[0][1], image.number))
        return images[:max_images]

    def get_class_name(self, label: int) -> str:
        """Return the name of a class, or its number for digits."""
        names = _CLASS_NAMES.get(self.data)
        return names[label] if names else str(label)

    def _build_image(self, number: int) -> HardImage:
        label = int(self.labels[number])
        wrong = self.predictions[:, number]
        counts = Counter(wrong[wrong != label].tolist())
        votes = sorted(counts.items(), key=lambda vote: (-vote[1], vote[0]))
        return HardImage(number, label, tuple(votes))


def count_votes(predictions: Mapping[TableRow, Predictions]) -> list[Votes]:
    """Collect the predictions of all networks by data set.

    Args:
        predictions: The recorded predictions of each row.

    Returns:
        The votes of each data set that has predictions, in the order of the rows.
    """
    by_data: dict[str, dict[TableRow, Predictions]] = {}
    for row, recorded in predictions.items():
        if recorded.by_seed and row.name != _EXCLUDED_ROW:
            by_data.setdefault(row.data, {})[row] = recorded
    return [
        Votes(
            data,
            tuple(row.name for row in rows),
            decode_classes(next(iter(rows.values())).labels),
            np.stack(
                [decode_classes(text) for each in rows.values() for text in each.by_seed.values()]
            ),
        )
        for data, rows in by_data.items()
    ]


def get_figure_name(data: str) -> str:
    """Return the file name of the figure of a data set."""
    return f"hard-images-{data}.png"


def compute_digest(votes: Votes) -> str:
    """Compute a digest of everything that the figure of a data set shows."""
    captions = [(image.number, _format_caption(image, votes)) for image in votes.find_hardest()]
    return hashlib.sha256(json.dumps(captions).encode()).hexdigest()[:16]


def draw_votes(votes: Votes, images: np.ndarray) -> Figure:
    """Draw the hardest images with number, label and most frequent prediction.

    Args:
        votes: The votes of a data set.
        images: Its raw test images, (N, height, width) or (N, height, width, channels).

    Returns:
        The figure.
    """
    from lenet_tf.evaluation.image_figures import plot_gallery

    hardest = votes.find_hardest()
    captions = [_format_caption(image, votes) for image in hardest]
    shown = [images[image.number] for image in hardest]
    return plot_gallery(shown, captions, "none", _FIGURE_COLUMNS)


def _format_caption(image: HardImage, votes: Votes) -> str:
    label, prediction = (votes.get_class_name(each) for each in (image.label, image.votes[0][0]))
    return f"{image.number}: {label}\n→ {prediction}"


def render_page(all_votes: list[Votes]) -> str:
    """Render the page with the hardest images of each data set, in Markdown."""
    parts = [_INTRODUCTION]
    for votes in all_votes:
        parts += [f"## {_TITLES.get(votes.data, votes.data)}", _summarize(votes)]
        hardest = votes.find_hardest()
        if hardest:
            figure = get_figure_name(votes.data)
            parts += [
                f"![Number: label → most frequent prediction]({figure})",
                _render_table(votes, hardest),
            ]
    return "\n\n".join(parts) + "\n"


def _summarize(votes: Votes) -> str:
    wrong, networks = votes.num_wrong, votes.num_networks
    by_most = int((wrong > networks / 2).sum())
    shown = f" The {_MAX_IMAGES} hardest are shown." if by_most > _MAX_IMAGES else ""
    return (
        f"{networks} networks of {len(votes.rows)} rows. All networks classify"
        f" {int((wrong == 0).sum()):,} of the {len(wrong):,} test images correctly. At least one"
        f" network misclassifies {int((wrong > 0).sum()):,}, more than half misclassify"
        f" {by_most:,}, and all misclassify {int((wrong == networks).sum()):,}.{shown}"
    )


def _render_table(votes: Votes, hardest: list[HardImage]) -> str:
    lines = []
    for image in hardest:
        predictions = ", ".join(
            f"{votes.get_class_name(prediction)}: {count}" for prediction, count in image.votes
        )
        label = votes.get_class_name(image.label)
        wrong = f"{image.num_wrong} of {votes.num_networks}"
        lines.append((str(image.number), label, wrong, predictions))
    return format_table(("image", "label", "misclassified by", "predicted instead"), lines)
