"""A space: a network, its data, what stays the same in all trials, and the fields to search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.specs import Spec
from lenet_tf.sweep.field import SweptField
from lenet_tf.training.config import TrainConfig

# Objective -> what it is called on the page, and whether more is better.
OBJECTIVES = {
    "accuracy": ("held-back accuracy", True),
    "error": ("held-back error", False),
    "loss": ("held-back loss", False),
}
SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "hyperband", "none")
_DEFAULT_VALIDATION = 0.1


@dataclass(frozen=True)
class Space:
    """What a sweep searches, validated by `lenet_tf.sweep.space_file.load_space`.

    Attributes:
        path: The file.
        network: A variant's name or a TOML file.
        data: The data set. None: the network's own.
        settings: What all trials share: arguments of `lenet_tf.fit`.
        changes: What all trials share: fields by their paths.
        fields: The fields to search.
        objective: A key of `OBJECTIVES`.
        sampler: `tpe` or `random`.
        pruner: `median`, `hyperband` or `none`.
        seed: Seed of the sampler, of the split and of the first trial.
        trials: Number of trials.
        best: Number of settings that are repeated with fresh seeds.
        seeds: Number of fresh seeds of each of them.
    """

    path: Path
    network: str
    data: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple[SweptField, ...] = ()
    objective: str = "error"
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0
    trials: int = 40
    best: int = 3
    seeds: int = 5

    @property
    def is_maximized(self) -> bool:
        """Whether a higher objective is better."""
        return OBJECTIVES[self.objective][1]

    def measure(self, accuracy: float, loss: float) -> float:
        """Return the objective of a network on the held-back images.

        Args:
            accuracy: Its accuracy on them.
            loss: Its loss on them.
        """
        return {"accuracy": accuracy, "error": 1 - accuracy, "loss": loss}[self.objective]

    def decode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of fields for what a trial of the study has."""
        return {each.name: each.decode(params[each.name]) for each in self.fields_in(params)}

    def fields_in(self, params: Mapping[str, Any]) -> list[SweptField]:
        """Return the fields that a trial of the study has."""
        return [each for each in self.fields if each.name in params]

    def get_validation(self) -> float:
        """Return the fraction of the training images that is held back in every trial."""
        validation = self.settings.get("validation")
        if validation is None:
            validation = self._create({}).spec.recipe.validation
        return validation if isinstance(validation, float) else _DEFAULT_VALIDATION

    def build_config(self, values: Mapping[str, Any], seed: int, **settings: Any) -> TrainConfig:
        """Build the settings of a run.

        Args:
            values: Field to value.
            seed: Seed of the run.
            **settings: Other arguments of `TrainConfig.create`.

        Returns:
            Settings of a run that holds back the same images as all others and never reads the
            test images.

        Raises:
            SpecError, TrainingError: The values don't fit together.
        """
        return self._create(
            values,
            seed=seed,
            split_seed=self.seed,
            test=False,
            validation=self.get_validation(),
            **settings,
        )

    def describe_base(self) -> Spec:
        """Return the network with what all trials share."""
        return self._create({}).spec

    def _create(self, values: Mapping[str, Any], **settings: Any) -> TrainConfig:
        named = dict(self.settings) | {
            name: each for name, each in values.items() if _is_named(name)
        }
        paths = {name: _to_none(each) for name, each in values.items() if not _is_named(name)}
        network = named.pop("network", self.network)
        changes = {**self.changes, **paths}
        arguments = named | settings | ({"changes": changes} if changes else {})
        return TrainConfig.create(network, **arguments)

    def to_dict(self) -> dict[str, Any]:
        """Return what decides which trials a sweep makes, as JSON values."""
        return {
            "network": self.network,
            "data": self.data,
            "objective": self.objective,
            "sampler": self.sampler,
            "pruner": self.pruner,
            "seed": self.seed,
            "settings": dict(self.settings),
            "changes": dict(self.changes),
            "space": {each.name: each.to_dict() for each in self.fields},
        }


def _is_named(name: str) -> bool:
    return "." not in name


def _to_none(value: Any) -> Any:
    """Return None for `none`, as `--set` does: it leaves an option out."""
    return None if value == "none" else value
