"""Everything that decides a training run, apart from its data."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from lenet_tf.engine import ENGINES
from lenet_tf.errors import RunError, SpecError, TrainingError, suggest_name
from lenet_tf.io.paths import to_path
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.device import check_device_name
from lenet_tf.specs import Augmentation, Recipe, Spec, get_augmentation, get_recipe, get_spec
from lenet_tf.specs.changes import Changes
from lenet_tf.specs.differences import (
    Change,
    label_changes,
    list_network_changes,
    list_recipe_changes,
    shorten_label,
)
from lenet_tf.specs.recipes import PRECISIONS
from lenet_tf.specs.validators import is_integer, show_value, suggest, to_plain_number
from lenet_tf.training.tensorboard.options import Board


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a training run, validated once.

    The command line, `lenet_tf.fit`, `lenet_tf.resume` and `lenet-tf reproduce` all make one.

    Args:
        spec: The network, with the recipe that trains it.
        seed: Seed of initial weights, dropout, shuffling and the split, 0…2³² − 1.
        device: `auto`, `cpu`, `gpu`, `gpu:N`, `gpu:all`, or several such as `cpu:0,cpu:1`.
        logs: The folder of all runs.
        deterministic: Whether TensorFlow uses deterministic operations.
        precision: `float32`, `mixed_float16` or `mixed_bfloat16`.
        early_stopping: Epochs without a better validation loss after which training stops.
        engine: The training loop: `auto`, `graph` or `keras`.
        board: What TensorBoard shows.
        report: Whether a finished run gets report.html, if it is tested.
        quiet: Whether nothing is printed.
        split_seed: Chooses the held-out images. None: `seed` does.
        test: Whether the run ends with the test images. Without it they are never read.
        hparams: More columns of TensorBoard's HParams table. None: this run leaves it empty.
        changed: How `spec` differs from the network and recipe that it was made from.
        label: What follows the network's name in that of the run folder, such as `-lr0.01`.

    Raises:
        SpecError: `spec` is no `Spec`, or the precision is unknown.
        TrainingError: The seed, the patience, the engine or the board is invalid.
        DeviceError: The device name is unknown.
        RunError: `logs` is no path.
    """

    spec: Spec
    seed: int = 0
    device: str = "auto"
    logs: Path = Path("logs")
    deterministic: bool = False
    precision: str = "float32"
    early_stopping: int | None = None
    engine: str = "auto"
    board: Board = field(default_factory=Board)
    report: bool = True
    quiet: bool = False
    split_seed: int | None = None
    test: bool = True
    hparams: Mapping[str, str | float | None] = field(default_factory=dict)
    changed: tuple[Change, ...] = ()
    label: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.spec, Spec):
            name = type(self.spec).__name__
            raise SpecError(f"model must be a variant's name, a Spec or a LeNet, not {name}")
        object.__setattr__(self, "seed", _validate_seed(self.seed))
        if self.split_seed is not None:
            object.__setattr__(
                self, "split_seed", _validate_seed(self.split_seed, "the split's seed")
            )
        if not self.test and self.spec.recipe.validation == "test":
            raise TrainingError(
                'test=False excludes validation="test": hold out a fraction of the training images,'
                " such as validation=0.1"
            )
        object.__setattr__(self, "logs", to_path(self.logs, RunError, "logs"))
        object.__setattr__(self, "early_stopping", _validate_patience(self.early_stopping))
        check_device_name(self.device)
        if self.precision not in PRECISIONS:
            raise SpecError(
                f"unknown precision {self.precision!r}: known are {', '.join(PRECISIONS)}"
            )
        if self.engine not in ENGINES:
            hint = suggest_name(str(self.engine), ENGINES, "known are " + ", ".join(ENGINES))
            raise TrainingError(f"unknown engine {self.engine!r}: {hint}")
        if not isinstance(self.board, Board):
            raise TrainingError(f"board must be a Board, not {type(self.board).__name__}")

    @classmethod
    def create(
        cls,
        network: Spec | str | Path,
        *,
        recipe: Recipe | str | None = None,
        augmentation: Augmentation | str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        validation: float | str | None = None,
        **settings: Any,
    ) -> TrainConfig:
        """Make the settings of a run from a network and what differs from its recipe.

        Args:
            network: A `Spec`, a variant's name or a TOML file.
            recipe: A `Recipe`, or the name of one of the network's recipes.
            augmentation: An `Augmentation`, or the name of one.
            epochs: Number of epochs.
            batch_size: Images per training step.
            validation: Fraction of the training images to hold out, or `"test"`.
            **settings: Fields of this class and of `Changes`, such as `lr`. None keeps the
                default, or what the recipe has.

        Raises:
            SpecError: An unknown name, or an invalid value of the recipe.
            TrainingError, DeviceError: An invalid setting.
            TypeError: An unknown argument; the message suggests one.
        """
        settings = {name: value for name, value in settings.items() if value is not None}
        wanted = _take_changes(settings)
        spec = get_spec(network) if isinstance(network, str | Path) else network
        if isinstance(spec, Spec):
            changes: dict[str, Any] = {
                "epochs": epochs,
                "batch_size": batch_size,
                "validation": validation,
            }
            changes = {
                name: to_plain_number(value) for name, value in changes.items() if value is not None
            }
            if augmentation is not None:
                changes["augmentation"] = get_augmentation(augmentation)
            base = replace(spec, recipe=replace(_find_recipe(spec, recipe), **changes))
            spec = wanted.apply(base)
            in_recipe = list_recipe_changes(base, spec)
            settings["changed"] = (*list_network_changes(base, spec), *in_recipe)
            settings["label"] = shorten_label(settings.get("label", "") + label_changes(in_recipe))
        return cls(spec, **settings)

    @property
    def run_name(self) -> str:
        """What a run's folder is named after: the network, and changes of its recipe."""
        return f"{self.spec.name}{self.label}"

    @classmethod
    def from_record(cls, record: RunRecord, **settings: Any) -> TrainConfig:
        """Make the settings of a recorded run.

        Args:
            record: The run's record.
            **settings: Fields of this class that differ.
        """
        board = Board.from_config(record.config)
        return cls(record.spec, **record.settings | {"board": board} | settings)

    def recorded_settings(self) -> dict[str, Any]:
        """Return what config.json records as `settings`."""
        names = ("deterministic", "precision", "early_stopping", "engine")
        # Only where they are used, so that other versions read the other runs.
        optional = {
            "label": self.label,
            "hparams": dict(self.hparams),
            **({} if self.split_seed is None else {"split_seed": self.split_seed}),
            **({} if self.test else {"test": False}),
        }
        settings = {name: getattr(self, name) for name in names}
        return settings | {name: each for name, each in optional.items() if each not in ("", {})}

    @property
    def writes_report(self) -> bool:
        """Whether a finished run gets report.html, which needs the test images."""
        return self.report and self.test

    @property
    def split_by(self) -> int:
        """The seed that chooses the held-out images."""
        return self.seed if self.split_seed is None else self.split_seed


def _take_changes(settings: dict[str, Any]) -> Changes:
    """Remove the fields of `Changes` from the arguments of a run."""
    known = [field.name for field in (*fields(Changes), *fields(TrainConfig))]
    known += ["recipe", "augmentation", "epochs", "batch_size", "validation"]
    for name in settings:
        if name not in known or name == "spec":
            hint = suggest(name, known, f"known are {', '.join(known)}")
            raise TypeError(f"unknown argument {name!r}: {hint}")
    names = [field.name for field in fields(Changes) if field.name in settings]
    return Changes(**{name: settings.pop(name) for name in names})


def random_seed() -> int:
    """Return a seed from the system's source of randomness."""
    return random.SystemRandom().randrange(2**31)


def _validate_seed(seed: Any, name: str = "the seed") -> int:
    is_integer = isinstance(seed, Integral) and not isinstance(seed, bool)
    if not is_integer or not 0 <= int(seed) < 2**32:
        raise TrainingError(f"{name} must be a whole number from 0 to {2**32 - 1}, not {seed!r}")
    return int(seed)


def _validate_patience(patience: Any) -> int | None:
    patience = to_plain_number(patience)
    if patience is None:
        return None
    if not is_integer(patience):
        is_callback = type(patience).__name__ == "EarlyStopping"
        shown = (
            "an EarlyStopping: pass its patience, or the callback as callbacks=[…]"
            if is_callback
            else show_value(patience)
        )
        raise TrainingError(f"early_stopping must be a whole number of epochs, not {shown}")
    if patience < 1:
        raise TrainingError(f"early stopping needs at least 1 epoch of patience, not {patience}")
    return patience


def _find_recipe(spec: Spec, recipe: Recipe | str | None) -> Recipe:
    if not isinstance(recipe, Recipe | str | None):
        raise SpecError(f"recipe must be a Recipe or the name of one, not {recipe!r}")
    return get_recipe(spec.name, recipe) if isinstance(recipe, str) else recipe or spec.recipe
