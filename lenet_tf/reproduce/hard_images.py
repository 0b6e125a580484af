"""The test images that most of the recorded networks get wrong: a page with a picture, the label and the votes of each."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lenet_tf.reproduce.plan import TableRow
from lenet_tf.reproduce.predictions import Predictions, decode_classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "hard-images.md"
TITLE = "# Test images that most networks get wrong"
# Of each data set.
_MAX, _COLUMNS = 40, 8
# Its test images are prepared wrongly on purpose.
_LEFT_OUT = "lenet5-divided-twice"
_CLASSES = {
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
}
_NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


@dataclass(frozen=True)
class HardImage:
    """A test image: its published number, its label, and the wrong predictions with how many networks make each, most first."""

    number: int
    label: int
    votes: tuple[tuple[int, int], ...]

    @property
    def wrong(self) -> int:
        """Networks that get it wrong."""
        return sum(count for _, count in self.votes)


@dataclass(frozen=True)
class Votes:
    """What all recorded networks of the rows on one data set predict: labels (N,), predictions (networks, N)."""

    data: str
    rows: tuple[str, ...]
    labels: np.ndarray
    predictions: np.ndarray

    @property
    def networks(self) -> int:
        return len(self.predictions)

    @property
    def wrong(self) -> np.ndarray:
        """How many networks get each image wrong: (N,)."""
        return (self.predictions != self.labels).sum(axis=0)

    def hardest(self, most: int = _MAX) -> list[HardImage]:
        """Images that more than half of the networks get wrong: those first that most get wrong, and most in the same way."""
        numbers = np.flatnonzero(self.wrong > self.networks / 2)
        images = [self._image(int(number)) for number in numbers]
        return sorted(images, key=lambda image: (-image.wrong, -image.votes[0][1], image.number))[
            :most
        ]

    def _image(self, number: int) -> HardImage:
        label = int(self.labels[number])
        counts = Counter(int(each) for each in self.predictions[:, number] if each != label)
        return HardImage(
            number, label, tuple(sorted(counts.items(), key=lambda vote: (-vote[1], vote[0])))
        )


def count_votes(predictions: Mapping[TableRow, Predictions]) -> list[Votes]:
    """The votes of all networks, by data set, in the order of the rows."""
    found = []
    for data in dict.fromkeys(row.data for row in predictions):
        rows = {
            row: each
            for row, each in predictions.items()
            if row.data == data and each.by_seed and row.name != _LEFT_OUT
        }
        if rows:
            labels = decode_classes(next(iter(rows.values())).labels)
            texts = [text for each in rows.values() for text in each.by_seed.values()]
            found.append(
                Votes(
                    data,
                    tuple(row.name for row in rows),
                    labels,
                    np.stack([decode_classes(text) for text in texts]),
                )
            )
    return found


def figure_name(data: str) -> str:
    return f"hard-images-{data}.png"


def votes_digest(votes: Votes) -> str:
    """Names what the picture shows."""
    shown = [(image.number, _caption(image, votes)) for image in votes.hardest()]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def votes_figure(votes: Votes, images: np.ndarray) -> Figure:
    """The hardest of the raw test images (N, height, width, channels), each below its number, label and most common prediction."""
    from lenet_tf.evaluation.image_figures import plot_gallery

    hardest = votes.hardest()
    captions = [_caption(image, votes) for image in hardest]
    return plot_gallery([images[image.number] for image in hardest], captions, "none", _COLUMNS)


def _caption(image: HardImage, votes: Votes) -> str:
    return f"{image.number}: {_class(image.label, votes)}\n→ {_class(image.votes[0][0], votes)}"


def _class(number: int, votes: Votes) -> str:
    names = _CLASSES.get(votes.data)
    return names[number] if names else str(number)


def render_page(found: list[Votes]) -> str:
    parts = [
        f"{TITLE}\n\nMade by `lenet-tf reproduce` from the predictions beside the records. Images are numbered from 0 in the published"
        " order, as in papers on label errors. A network is one seed of one row of [the table](README.md); `lenet5-divided-twice`,"
        " whose test images are prepared wrongly on purpose, has no vote."
    ]
    for votes in found:
        parts += [f"## {_NAMES.get(votes.data, votes.data)}", _summary(votes)]
        if hardest := votes.hardest():
            parts += [
                f"![Number: label → most common prediction]({figure_name(votes.data)})",
                _table(votes, hardest),
            ]
    return "\n\n".join(parts) + "\n"


def _summary(votes: Votes) -> str:
    wrong, count = votes.wrong, votes.networks
    many = int((wrong > count / 2).sum())
    shown = f" The {_MAX} that most get wrong are shown." if many > _MAX else ""
    return (
        f"{count} networks of {len(votes.rows)} rows. Of the {len(wrong):,} test images all networks get {int((wrong == 0).sum()):,}"
        f" right. At least one gets {int((wrong > 0).sum()):,} wrong, more than half get {many:,} wrong, and all get"
        f" {int((wrong == count).sum()):,} wrong.{shown}"
    )


def _table(votes: Votes, hardest: list[HardImage]) -> str:
    lines = ["| image | label | wrong | predicted instead |", "|---|---|---|---|"]
    for image in hardest:
        instead = ", ".join(
            f"{_class(prediction, votes)}: {count}" for prediction, count in image.votes
        )
        lines.append(
            f"| {image.number} | {_class(image.label, votes)} | {image.wrong} of {votes.networks} | {instead} |"
        )
    return "\n".join(lines)
