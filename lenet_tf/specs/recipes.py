"""How a network is trained and what its images must look like, as data beside the table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lenet_tf.errors import SpecError
from lenet_tf.specs import checks

OPTIMIZERS = ("adam", "sgd", "rmsprop", "adagrad")
LOSSES = ("categorical_crossentropy", "mean_squared_error", "mean_absolute_error", "lecun1998_mle", "lecun1998_map")
METRICS = ("accuracy",)
NORMALISATIONS = ("unit", "lecun1998")


@dataclass(frozen=True)
class Optimizer:
    """An optimiser by its Keras name. `momentum` is for `sgd` and `rmsprop`; what is not named here keeps Keras' default."""

    name: str = "adam"
    learning_rate: float = 0.001
    momentum: float = 0.0

    def __post_init__(self) -> None:
        checks.one_of("optimizer", self.name, OPTIMIZERS)
        if not checks.is_number(self.learning_rate) or not 0 < self.learning_rate < math.inf:
            raise SpecError(f"learning_rate must be a number above 0, not {self.learning_rate!r}")
        if self.momentum and self.name not in ("sgd", "rmsprop"):
            raise SpecError(f"momentum goes with sgd and rmsprop, not with {self.name}")
        checks.fraction("momentum", self.momentum)


@dataclass(frozen=True)
class Recipe:
    """What `fit` does unless it is told otherwise.

    `validation` is the share of the training images held back, between 0 and 1, or `"test"`: the test images serve as validation data
    too, as in the tutorial. Then "best epoch" is chosen on the test set, and no number but the last epoch's is an honest test result.
    """

    optimizer: Optimizer = Optimizer()
    loss: str = "categorical_crossentropy"
    metrics: tuple[str, ...] = ("accuracy",)
    epochs: int = 10
    batch_size: int = 32
    validation: float | str = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            raise SpecError(f"optimizer must be an Optimizer, not {self.optimizer!r}")
        checks.one_of("loss", self.loss, LOSSES)
        if "accuracy" not in self.metrics:
            raise SpecError(f"metrics must contain accuracy, by which the best epoch is chosen, not {self.metrics!r}")
        for metric in self.metrics:
            checks.one_of("metric", metric, METRICS)
        checks.positive("epochs", self.epochs)
        checks.positive("batch_size", self.batch_size)
        share = isinstance(self.validation, float) and 0 < self.validation < 1
        if self.validation != "test" and not share:
            raise SpecError(f"validation must be a share between 0 and 1, or 'test', not {self.validation!r}")


@dataclass(frozen=True)
class Preparation:
    """What raw images 0…255 become before the network sees them.

    `pad_to`: zero padding to this height and width, centred; None leaves the size alone.
    `normalisation`: `unit` gives 0…1 (the tutorial), `lecun1998` gives −0.1 (background) … 1.175 (ink) (LeCun et al. 1998,
    section II.B).
    """

    pad_to: int | None = None
    normalisation: str = "unit"

    def __post_init__(self) -> None:
        if self.pad_to is not None:
            checks.positive("pad_to", self.pad_to)
        checks.one_of("normalisation", self.normalisation, NORMALISATIONS)
