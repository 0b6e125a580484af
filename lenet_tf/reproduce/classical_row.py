"""The rows of figure 9 that are classical methods, without a network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenet_tf.reproduce.table_row import TableRow

_RANDOM_SEEDS = 5


@dataclass(frozen=True)
class ClassicalRow:
    """A classical method, trained on all training images and tested on all test images.

    Attributes:
        name: The name on the command line and in file names.
        title: A short description.
        reading: How the paper was read where it is open, in Markdown.
        is_random: Whether the result depends on a seed. Other methods run once.
        data: The name of the data set.
    """

    name: str
    title: str
    reading: str
    is_random: bool = False
    data: str = "mnist"

    # A method has no epochs: displays and estimates count it as one.
    epochs = 1

    @property
    def seeds(self) -> int:
        """The number of seeds, from seed 0."""
        return _RANDOM_SEEDS if self.is_random else 1

    @property
    def digest(self) -> str:
        """Identify the method and its reading of the paper."""
        fields = {"method": self.name, "reading": self.reading, "data": self.data}
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def count_seeds(self, seeds: int | None) -> int:
        """Count the runs of this row, as `TableRow.count_seeds`."""
        return min(self.seeds, seeds or self.seeds)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that a worker process needs, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "reading": self.reading,
            "is_random": self.is_random,
            "data": self.data,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassicalRow:
        """Create a row from the result of `to_dict`."""
        return cls(**values)


Row = TableRow | ClassicalRow


def list_classical_rows() -> tuple[ClassicalRow, ...]:
    """List the rows of all classical methods, in the order of the methods."""
    from lenet_tf.classical.methods import METHODS

    return tuple(
        ClassicalRow(method.name, method.title, method.reading, method.is_random)
        for method in METHODS.values()
    )
