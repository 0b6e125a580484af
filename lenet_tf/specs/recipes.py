"""How a network is trained: optimizer, loss, epochs and validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.augmentation import Augmentation
from lenet_tf.specs.parsing import SuggestsFields

# Optimizer -> the options that it accepts besides its learning rate.
OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "adam": ("beta_2", "schedule", "warm_up"),
    "adamw": ("beta_2", "weight_decay", "schedule", "warm_up"),
    "sgd": ("momentum", "nesterov", "schedule", "warm_up"),
    "rmsprop": ("momentum", "schedule", "warm_up"),
    "adagrad": ("schedule", "warm_up"),
    "sdlm": ("damping", "curvature_images"),
}
_KERAS_OPTIONS = ("momentum", "nesterov", "beta_2", "weight_decay", "damping")
_OPTIONS = (*_KERAS_OPTIONS, "curvature_images", "schedule", "warm_up")
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
class Optimizer(SuggestsFields):
    """An optimizer and its options; an option that is None keeps the optimizer's default.

    Attributes:
        name: A key of `OPTIMIZERS`: a Keras optimizer, or `sdlm`, that of the 1998 paper.
        learning_rate: One rate for all epochs, or a tuple of one per epoch, whose last value
            holds for all later epochs. With a schedule, the peak.
        momentum: Momentum in [0, 1).
        nesterov: Whether the momentum is Nesterov's.
        beta_2: Decay in [0, 1) of the second moment.
        weight_decay: Decoupled weight decay, above 0.
        damping: Damping constant μ of `sdlm`, above 0.
        curvature_images: Number of training images from which `sdlm` estimates the second
            derivatives before each epoch.
        schedule: `one_cycle` raises the rate linearly to its peak and then lowers it to 0.
        warm_up: Fraction of the training during which the rate rises; None means a quarter.

    Raises:
        SpecError: If a value is out of range or the optimizer does not accept an option.

    Example:
        >>> from lenet_tf.specs import Optimizer
        >>> Optimizer("sgd", 0.01, momentum=0.9).get_keras_options()
        {'momentum': 0.9}
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
        validators.convert_numpy_fields(self)
        if isinstance(self.learning_rate, list):
            object.__setattr__(self, "learning_rate", tuple(self.learning_rate))
        validators.check_one_of("optimizer", self.name, tuple(OPTIMIZERS))
        self._check_learning_rate()
        for field in _OPTIONS:
            if getattr(self, field) is not None and field not in OPTIMIZERS[self.name]:
                owners = [name for name, options in OPTIMIZERS.items() if field in options]
                raise SpecError(
                    f"{field} goes with {' and '.join(owners)}, not with {self.name}: choose the"
                    f" optimizer too (--optimizer {owners[0]}), or leave {field} out"
                )
        self._check_options()
        self._check_schedule()

    def _check_learning_rate(self) -> None:
        value = self.learning_rate
        rates: tuple[Any, ...] = value if isinstance(value, tuple) and value else (value,)
        if not all(validators.is_number(rate) and rate > 0 for rate in rates):
            raise SpecError(
                "learning_rate must be a number above 0, or a list of them, one per epoch, "
                f"not {validators.show_value(value)}"
            )

    def _check_options(self) -> None:
        for field in ("momentum", "beta_2", "warm_up"):
            if getattr(self, field) is not None:
                validators.check_fraction(field, getattr(self, field))
        if not isinstance(self.nesterov, bool | None):
            value = validators.show_value(self.nesterov)
            raise SpecError(f"nesterov must be true or false, not {value}")
        if self.nesterov and not self.momentum:
            raise SpecError("nesterov needs a momentum above 0")
        for field in ("weight_decay", "damping"):
            if getattr(self, field) is not None:
                validators.check_above_zero(field, getattr(self, field))
        if self.curvature_images is not None:
            validators.check_positive("curvature_images", self.curvature_images)

    def _check_schedule(self) -> None:
        if self.schedule is None:
            if self.warm_up is not None:
                raise SpecError("warm_up goes with the schedule one_cycle")
            return
        validators.check_one_of("schedule", self.schedule, SCHEDULES)
        if isinstance(self.learning_rate, tuple):
            raise SpecError(
                f"the schedule {self.schedule} takes one learning_rate, its peak, "
                f"not {validators.show_value(self.learning_rate)}"
            )

    def get_learning_rate(self, epoch: int) -> float:
        """Get the learning rate of an epoch.

        Args:
            epoch: Number of the epoch, from 0.

        Returns:
            The rate; with a schedule, its peak.
        """
        rates = self.learning_rate
        # Keras does not accept integers.
        return float(rates[min(epoch, len(rates) - 1)] if isinstance(rates, tuple) else rates)

    def get_keras_options(self) -> dict[str, Any]:
        """Get the arguments of the Keras optimizer besides the learning rate."""
        options = {field: getattr(self, field) for field in _KERAS_OPTIONS}
        return {
            field: value if isinstance(value, bool) else float(value)
            for field, value in options.items()
            if value is not None
        }


@dataclass(frozen=True)
class Recipe(SuggestsFields):
    """How `lenet_tf.fit` trains a network unless its arguments say otherwise.

    Attributes:
        optimizer: The optimizer with its options.
        loss: One of `LOSSES`.
        metrics: Metrics besides the loss; `accuracy` chooses the best epoch.
        epochs: Number of epochs.
        batch_size: Number of images per training step.
        validation: Fraction in (0, 1) of the training images that validates, or `"test"` to
            validate on the test images. Then the best epoch is chosen on the test images, and
            only the last epoch's accuracy is an unbiased test result.
        augmentation: Distortions of the training images, or None.
        label_smoothing: Fraction in [0, 1) of the target that cross-entropy spreads evenly
            over all classes.

    Raises:
        SpecError: If a value is out of range or two values exclude each other.

    Example:
        >>> from lenet_tf.specs import Optimizer, Recipe
        >>> recipe = Recipe(Optimizer("sgd", 0.1), epochs=3)
        >>> recipe.epochs, recipe.loss
        (3, 'categorical_crossentropy')
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
        validators.convert_numpy_fields(self)
        show = validators.show_value
        if not isinstance(self.optimizer, Optimizer):
            raise SpecError(f"optimizer must be an Optimizer, not {show(self.optimizer)}")
        if not isinstance(self.augmentation, Augmentation | None):
            raise SpecError(
                f"augmentation must be an Augmentation or None, not {show(self.augmentation)}"
            )
        validators.check_one_of("loss", self.loss, LOSSES)
        validators.check_fraction("label_smoothing", self.label_smoothing)
        if self.label_smoothing and self.loss != "categorical_crossentropy":
            raise SpecError(
                f"label_smoothing goes with categorical_crossentropy, not with {self.loss}"
            )
        if not isinstance(self.metrics, tuple) or "accuracy" not in self.metrics:
            raise SpecError(
                "metrics must contain accuracy, which chooses the best epoch, "
                f"not {show(self.metrics)}"
            )
        for metric in self.metrics:
            validators.check_one_of("metric", metric, METRICS)
        validators.check_positive("epochs", self.epochs)
        validators.check_positive("batch_size", self.batch_size)
        is_fraction = isinstance(self.validation, float) and 0 < self.validation < 1
        if self.validation != "test" and not is_fraction:
            raise SpecError(
                "validation must be a fraction between 0 and 1, or 'test', "
                f"not {show(self.validation)}"
            )
