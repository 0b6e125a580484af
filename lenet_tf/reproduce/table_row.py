"""One row of the reproduction table, and the digest that identifies its recipe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lenet_tf.specs import Spec


@dataclass(frozen=True)
class TableRow:
    """A network with its recipe, trained with several seeds and compared with a published number.

    Attributes:
        name: The name on the command line and in file names.
        title: A short description, in Markdown.
        spec: The network and its recipe.
        seeds: The number of seeds. The runs have the seeds 0 to `seeds` - 1.
        data: The name of the data set.
        published_error: The published test error in %. None if no single number exists.
        published_by: The source of the published number.
        target_error: The highest mean test error in % that meets the target. None: no target.
        show_best_epoch: Whether the table also shows the best epoch by test images.
        test_shifted: Whether the runs are also tested on shifted test images.
        note: Why the result may differ from the published one, in Markdown.
        attempts: What was tried to meet a missed target, in Markdown.
    """

    name: str
    title: str
    spec: Spec
    seeds: int
    data: str = "mnist"
    published_error: float | None = None
    published_by: str = ""
    target_error: float | None = None
    show_best_epoch: bool = False
    test_shifted: bool = False
    note: str = ""
    attempts: str = ""

    @property
    def epochs(self) -> int:
        """The number of epochs of a run."""
        return self.spec.recipe.epochs

    def count_seeds(self, seeds: int | None) -> int:
        """Count the runs of this row.

        Args:
            seeds: The number of seeds that the user wants. None: as planned.

        Returns:
            The number of seeds, from seed 0.
        """
        return self.seeds if seeds is None else seeds

    @property
    def digest(self) -> str:
        """Identify everything that decides the results of a run, apart from its seed."""
        fields = select_decisive_fields(self.spec)
        # The published records have the digest of the former spelling.
        fields["preparation"] = _restore_former_spelling(fields["preparation"])
        fields |= {"data": self.data, "shifted": self.test_shifted}
        text = json.dumps(fields, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that a worker process needs, ready for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "spec": self.spec.to_dict(),
            "seeds": self.seeds,
            "data": self.data,
            "test_shifted": self.test_shifted,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TableRow:
        """Create a row from the result of `to_dict`."""
        return cls(**dict(values) | {"spec": Spec.from_dict(values["spec"])})


def select_decisive_fields(spec: Spec) -> dict[str, Any]:
    """Select the fields of a spec that decide the results of a run.

    Fields that are None are left out, so that an option added later changes no digest.

    Args:
        spec: The network and its recipe.

    Returns:
        The rows, the recipe and the preparation, ready for JSON.
    """
    fields = spec.to_dict()
    return {part: _drop_none(fields[part]) for part in ("rows", "recipe", "preparation")}


def _drop_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop_none(inner) for name, inner in value.items() if inner is not None}
    return [_drop_none(inner) for inner in value] if isinstance(value, list) else value


def _restore_former_spelling(preparation: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("normaliz", "normalis"): value for name, value in preparation.items()}
