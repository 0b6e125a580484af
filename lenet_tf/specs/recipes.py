"""How a network is trained and what its images must look like, as data beside the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators

# Optimizer → the options it takes beside its learning rate.
OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "adam": ("beta_2", "schedule", "warm_up"),
    "adamw": ("beta_2", "weight_decay", "schedule", "warm_up"),
    "sgd": ("momentum", "nesterov", "schedule", "warm_up"),
    "rmsprop": ("momentum", "schedule", "warm_up"),
    "adagrad": ("schedule", "warm_up"),
    "sdlm": ("damping", "curvature_images"),
}
_OPTIONS = (
    "momentum",
    "nesterov",
    "beta_2",
    "weight_decay",
    "damping",
    "curvature_images",
    "schedule",
    "warm_up",
)
# Those that do not go to the optimizer itself.
_ASIDE = ("curvature_images", "schedule", "warm_up")
SCHEDULES = ("one_cycle",)
LOSSES = (
    "categorical_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
    "lecun1998_mle",
    "lecun1998_map",
)
METRICS = ("accuracy",)
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True)
class Optimizer:
    """An optimizer by its Keras name, or `sdlm`, the 1998 paper's (`lenet_tf.models.optimizers`).

    `learning_rate` is one number, or one for each epoch, the last of which holds from there on; with the `schedule` `one_cycle` it is the
    peak, to which the rate of the steps rises in a line over the share `warm_up` (None: a quarter) of a run, and then falls to 0. A field
    that is None keeps the optimizer's own default; which optimizer takes which, `OPTIMIZERS` says. `curvature_images`: how many training
    images `sdlm` estimates the second derivatives on before each epoch.
    """

    name: str = "adam"
    learning_rate: float | tuple[float, ...] = 0.001
    momentum: float | None = None
    nesterov: bool | None = None
    beta_2: float | None = None
    weight_decay: float | None = None
    damping: float | None = None
    curvature_images: int | None = None
    schedule: str | None = None
    warm_up: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.learning_rate, list):
            object.__setattr__(self, "learning_rate", tuple(self.learning_rate))
        validators.check_one_of("optimizer", self.name, tuple(OPTIMIZERS))
        rates = (
            self.learning_rate
            if isinstance(self.learning_rate, tuple) and self.learning_rate
            else (self.learning_rate,)
        )
        if not all(validators.is_number(rate) and rate > 0 for rate in rates):
            raise SpecError(
                f"learning_rate must be a number above 0, or a list of them, one per epoch, not {validators.show_value(self.learning_rate)}"
            )
        for field in _OPTIONS:
            if getattr(self, field) is not None and field not in OPTIMIZERS[self.name]:
                takers = " and ".join(
                    name for name, options in OPTIMIZERS.items() if field in options
                )
                raise SpecError(f"{field} goes with {takers}, not with {self.name}")
        for field in ("momentum", "beta_2", "warm_up"):
            if getattr(self, field) is not None:
                validators.check_fraction(field, getattr(self, field))
        if not isinstance(self.nesterov, bool | None):
            raise SpecError(
                f"nesterov must be true or false, not {validators.show_value(self.nesterov)}"
            )
        if self.nesterov and not self.momentum:
            raise SpecError("nesterov needs a momentum above 0")
        for field in ("weight_decay", "damping"):
            if getattr(self, field) is not None:
                validators.check_above_zero(field, getattr(self, field))
        if self.curvature_images is not None:
            validators.check_positive("curvature_images", self.curvature_images)
        if self.schedule is not None:
            validators.check_one_of("schedule", self.schedule, SCHEDULES)
            if isinstance(self.learning_rate, tuple):
                raise SpecError(
                    f"the schedule {self.schedule} takes one learning_rate, its peak, not {validators.show_value(self.learning_rate)}"
                )
        elif self.warm_up is not None:
            raise SpecError("warm_up goes with the schedule one_cycle")

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        rates = self.learning_rate
        # Keras refuses whole numbers.
        return float(rates[min(epoch, len(rates) - 1)] if isinstance(rates, tuple) else rates)

    def options(self) -> dict[str, Any]:
        """What the optimizer itself is given beside its learning rate."""
        given = {field: getattr(self, field) for field in _OPTIONS if field not in _ASIDE}
        return {
            field: value if isinstance(value, bool) else float(value)
            for field, value in given.items()
            if value is not None
        }


@dataclass(frozen=True)
class Augmentation:
    """How far the training images are distorted, anew for every epoch; each image draws its own amounts, uniformly within these bounds.

    The planar affine transformations of LeCun et al. 1998, section III.B, whose bounds the paper does not give: `translation` in pixels,
    horizontal and vertical alike; `scaling` and `squeezing` as shares of the size, the latter wider and lower or narrower and taller;
    `shear` in pixels to the side per pixel of height. Elastic distortions of Simard, Steinkraus and Platt 2003: every pixel moved by
    `elastic` (their α) times a random field in −1…1 smoothed by a Gaussian of `elastic_sigma` pixels.
    """

    translation: float = 0.0
    scaling: float = 0.0
    squeezing: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    elastic_sigma: float = 4.0

    def __post_init__(self) -> None:
        for field in ("translation", "scaling", "squeezing", "shear", "elastic"):
            value, most = getattr(self, field), 1 if field in ("scaling", "squeezing") else math.inf
            if not validators.is_number(value) or not 0 <= value < most:
                bound = "at least 0" if most == math.inf else "from 0 up to, not including, 1"
                raise SpecError(
                    f"{field} must be a number {bound}, not {validators.show_value(value)}"
                )
        validators.check_above_zero("elastic_sigma", self.elastic_sigma)


_AFFINE = {"translation": 1.5, "scaling": 0.1, "squeezing": 0.1, "shear": 0.15}
AUGMENTATIONS = {
    "affine": Augmentation(**_AFFINE),
    "elastic": Augmentation(elastic=34.0),
    "affine+elastic": Augmentation(**_AFFINE, elastic=34.0),
}


def get_augmentation(wanted: Augmentation | str) -> Augmentation | None:
    """The augmentation of that name, `none` standing for None; raises `SpecError` if there is none."""
    if isinstance(wanted, Augmentation):
        return wanted
    validators.check_one_of("augmentation", wanted, (*AUGMENTATIONS, "none"))
    return AUGMENTATIONS.get(wanted)


@dataclass(frozen=True)
class Recipe:
    """What `fit` does unless it is told otherwise.

    `validation` is the share of the training images held back, between 0 and 1, or `"test"`: the test images serve as validation data
    too, as in the tutorial. Then "best epoch" is chosen on the test set, and no number but the last epoch's is an honest test result.
    `label_smoothing` is the share of the target that cross-entropy spreads evenly over all classes.
    """

    optimizer: Optimizer = Optimizer()
    loss: str = "categorical_crossentropy"
    metrics: tuple[str, ...] = ("accuracy",)
    epochs: int = 10
    batch_size: int = 32
    validation: float | str = 0.1
    augmentation: Augmentation | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        validators.check_fraction("label_smoothing", self.label_smoothing)
        if self.label_smoothing and self.loss != "categorical_crossentropy":
            raise SpecError(
                f"label_smoothing goes with categorical_crossentropy, not with {self.loss}"
            )
        if not isinstance(self.optimizer, Optimizer):
            raise SpecError(
                f"optimizer must be an Optimizer, not {validators.show_value(self.optimizer)}"
            )
        if not isinstance(self.augmentation, Augmentation | None):
            raise SpecError(
                f"augmentation must be an Augmentation or None, not {validators.show_value(self.augmentation)}"
            )
        validators.check_one_of("loss", self.loss, LOSSES)
        if not isinstance(self.metrics, tuple) or "accuracy" not in self.metrics:
            raise SpecError(
                f"metrics must contain accuracy, by which the best epoch is chosen, not {validators.show_value(self.metrics)}"
            )
        for metric in self.metrics:
            validators.check_one_of("metric", metric, METRICS)
        validators.check_positive("epochs", self.epochs)
        validators.check_positive("batch_size", self.batch_size)
        share = isinstance(self.validation, float) and 0 < self.validation < 1
        if self.validation != "test" and not share:
            raise SpecError(
                f"validation must be a share between 0 and 1, or 'test', not {validators.show_value(self.validation)}"
            )
