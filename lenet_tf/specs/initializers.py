"""Initial weights of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.parsing import SuggestsFields

# Initializer -> the options that it accepts. Without options, its name alone suffices.
INITIALIZERS: dict[str, tuple[str, ...]] = {
    "glorot_uniform": (),
    "glorot_normal": (),
    "he_uniform": (),
    "he_normal": (),
    "lecun_uniform": (),
    "lecun_normal": (),
    "lecun1998_uniform": (),
    "random_uniform": ("limit",),
    "random_normal": ("stddev",),
    "truncated_normal": ("stddev",),
    "variance_scaling": ("scale", "mode", "distribution"),
}
MODES = ("fan_in", "fan_out", "fan_avg")
DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")


@dataclass(frozen=True)
class Initializer(SuggestsFields):
    """An initializer with options; an option that is None keeps Keras' default.

    Attributes:
        name: A key of `INITIALIZERS`.
        limit: Bound of a uniform distribution in [-limit, limit].
        stddev: Standard deviation of a Gaussian around 0, which `truncated_normal` cuts at two
            standard deviations.
        scale: Factor of the variance, which is `scale` divided by n.
        mode: What n is: one of `MODES`.
        distribution: One of `DISTRIBUTIONS`.

    Raises:
        SpecError: If a value is out of range or the initializer does not accept an option.

    Example:
        >>> from lenet_tf.specs import Initializer
        >>> Initializer("random_uniform", limit=0.5).get_keras_options()
        {'minval': -0.5, 'maxval': 0.5}
    """

    name: str
    limit: float | None = None
    stddev: float | None = None
    scale: float | None = None
    mode: str | None = None
    distribution: str | None = None

    def __post_init__(self) -> None:
        validators.check_one_of("initializer", self.name, tuple(INITIALIZERS))
        for field in ("limit", "stddev", "scale", "mode", "distribution"):
            value = getattr(self, field)
            if value is None:
                continue
            if field not in INITIALIZERS[self.name]:
                owners = [name for name, options in INITIALIZERS.items() if field in options]
                raise SpecError(
                    f"initializer: {field} goes with {' and '.join(owners)}, not with {self.name}"
                )
            if field in ("limit", "stddev", "scale"):
                validators.check_above_zero(f"initializer: {field}", value)
        if self.mode is not None:
            validators.check_one_of("mode", self.mode, MODES)
        if self.distribution is not None:
            validators.check_one_of("distribution", self.distribution, DISTRIBUTIONS)

    def get_keras_options(self) -> dict[str, Any]:
        """Get the arguments of the Keras initializer."""
        options = {field: getattr(self, field) for field in INITIALIZERS[self.name]}
        options = {field: value for field, value in options.items() if value is not None}
        limit = options.pop("limit", None)
        return options if limit is None else {"minval": -limit, "maxval": limit}


def check_initializer(value: Any) -> None:
    """Raise `SpecError` unless `value` is an `Initializer` or the name of one."""
    if not isinstance(value, Initializer):
        validators.check_one_of("initializer", value, tuple(INITIALIZERS))
