"""How the weights of a row begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators

# Initializer → the options that it takes; without options the name alone will do.
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
class Initializer:
    """An initializer by its Keras name, with options; a field that is None keeps Keras' default.

    `limit`: uniform in ±limit. `stddev`: of a Gaussian around 0, cut at two standard deviations by `truncated_normal`. `scale`, `mode`,
    `distribution`: a variance of scale/n, where the mode says what n is.
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
            if value is not None and field not in INITIALIZERS[self.name]:
                takers = " and ".join(
                    name for name, options in INITIALIZERS.items() if field in options
                )
                raise SpecError(f"initializer: {field} goes with {takers}, not with {self.name}")
            if field in ("limit", "stddev", "scale") and value is not None:
                validators.check_above_zero(f"initializer: {field}", value)
        if self.mode is not None:
            validators.check_one_of("mode", self.mode, MODES)
        if self.distribution is not None:
            validators.check_one_of("distribution", self.distribution, DISTRIBUTIONS)

    def options(self) -> dict[str, Any]:
        """What Keras' initializer is given."""
        given = {
            field: getattr(self, field)
            for field in INITIALIZERS[self.name]
            if getattr(self, field) is not None
        }
        limit = given.pop("limit", None)
        return given if limit is None else {"minval": -limit, "maxval": limit}


def check_initializer(value: Any) -> None:
    """Raises `SpecError` unless `value` is an `Initializer` or the name of one."""
    if not isinstance(value, Initializer):
        validators.check_one_of("initializer", value, tuple(INITIALIZERS))
