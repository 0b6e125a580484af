"""One field of a space: its range or its choices."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs.validators import is_integer, is_number, show_value, suggest

# What the table of a field may have.
_RANGE, _CHOICES = ("low", "high", "step", "log"), ("choices",)
KEYS = (*_RANGE, *_CHOICES, "when")
_MAX_CHOICES = 1_000
_MAX_STEPS = 1e9
# Short names of fields by their other names.
SAME_FIELDS = {"lr": "learning_rate"} | {
    f"recipe.{table}{name}": name
    for table, names in (
        ("optimizer.", ("learning_rate", "momentum", "weight_decay")),
        ("", ("loss", "label_smoothing", "epochs", "batch_size", "augmentation")),
    )
    for name in names
}


@dataclass(frozen=True)
class SweptField:
    """A field with the values that it may take.

    Attributes:
        name: A short name of `lenet_tf.fit`, such as `learning_rate`, or a path such as
            `rows.C1.filters`.
        low: The lowest number. None for a field with choices.
        high: The highest number.
        step: Distance between the numbers. None: any number, or any whole one.
        log: Whether the logarithm is sampled evenly.
        is_integer: Whether only whole numbers fit the field.
        choices: The values of a field without a range.
        when: Other fields and the choice that each must have for this one to matter.
    """

    name: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    is_integer: bool = False
    choices: tuple[Any, ...] = ()
    when: tuple[tuple[str, str], ...] = ()

    @property
    def labels(self) -> list[str]:
        """The choices as texts, by which the study knows them."""
        return [label_choice(value) for value in self.choices]

    @property
    def examples(self) -> list[Any]:
        """The choices, or the ends of the range, and the number that is a step from its start."""
        if self.low is None or self.step is None:
            return list(self.choices) or [self.low, self.high]
        return [self.low, self.low + self.step, self.high]

    def decode(self, value: Any) -> Any:
        """Return the field's value for what the study knows."""
        return self.choices[self.labels.index(value)] if self.choices else value

    def suggest(self, trial: Any) -> Any:
        """Return the value that the study suggests, as the study knows it."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.labels)
        assert self.low is not None
        assert self.high is not None
        if self.is_integer:
            step = 1 if self.step is None else int(self.step)
            return trial.suggest_int(
                self.name, int(self.low), int(self.high), step=step, log=self.log
            )
        return trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)

    def is_active(self, labels: Mapping[str, Any]) -> bool:
        """Return whether the choices of the other fields make this one matter."""
        return all(labels.get(name) == label for name, label in self.when)

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the field's values, as JSON values."""
        if self.choices:
            values: dict[str, Any] = {"choices": self.labels}
        else:
            values = {"low": self.low, "high": self.high, "step": self.step, "log": self.log}
        return values | ({"when": dict(self.when)} if self.when else {})


def label_choice(value: Any) -> str:
    """Return a choice as text: a text itself, and other values as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def parse_field(name: str, value: Any) -> SweptField:
    """Build a field from its value in a file, without a look at the network.

    Args:
        name: The field.
        value: A list of choices, or a table of `low`, `high`, `step` and `log`, or of `choices`.

    Raises:
        SpecError: The value is neither, or a bound does not fit.
    """
    if isinstance(value, list):
        value = {"choices": value}
    if not isinstance(value, Mapping):
        raise SpecError(
            f"{name} must be a list of choices, or a table such as {{low = 0.001, high = 0.1}}, not"
            f" {show_value(value)}; a value that stays the same belongs above [space]"
        )
    for key in value:
        if key not in KEYS:
            hint = suggest(key, KEYS, f"known are {', '.join(KEYS)}")
            raise SpecError(f"{name}: unknown key {show_value(key)}: {hint}")
    when = _parse_when(name, value.get("when", {}))
    if "choices" in value:
        mixed = [key for key in _RANGE if key in value]
        if mixed:
            raise SpecError(f"{name} has both choices and {mixed[0]}: leave one out")
        return SweptField(name, choices=_parse_choices(name, value["choices"]), when=when)
    return _parse_range(name, value, when)


def _parse_when(name: str, when: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(when, Mapping):
        raise SpecError(
            f'{name}: when must be a table such as {{optimizer = "sgd"}}, not {show_value(when)}'
        )
    return tuple((other, _label_known_choice(name, value)) for other, value in when.items())


def _label_known_choice(name: str, value: Any) -> str:
    try:
        return label_choice(value)
    except TypeError as error:  # TOML has dates, too.
        raise SpecError(f"{name}: {show_value(str(value))} is no value of a field") from error


def _parse_choices(name: str, choices: Any) -> tuple[Any, ...]:
    if not isinstance(choices, Sequence) or isinstance(choices, str) or not choices:
        raise SpecError(f"{name}: choices must be a list of values, not {show_value(choices)}")
    if len(choices) > _MAX_CHOICES:
        raise SpecError(f"{name} has {len(choices):,} choices; at most {_MAX_CHOICES:,} are tried")
    labels = [_label_known_choice(name, choice) for choice in choices]
    for label in labels:
        if labels.count(label) > 1:
            raise SpecError(f"{name} has the choice {show_value(label)} twice")
    return tuple(choices)


def _parse_range(name: str, value: Mapping[str, Any], when: Any) -> SweptField:
    for key in ("low", "high"):
        if key not in value:
            raise SpecError(f"{name} has no {key}: give low and high, or a list of choices")
    for key in ("low", "high", "step"):
        if key in value and not is_number(value[key]):
            raise SpecError(f"{name}: {key} must be a number, not {show_value(value[key])}")
    low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
    if not isinstance(log, bool):
        raise SpecError(f"{name}: log must be true or false, not {show_value(log)}")
    if not low < high:
        raise SpecError(f"{name}: low must be below high, and {low:g} is not below {high:g}")
    if log and low <= 0:
        raise SpecError(f"{name}: low must be above 0 for log = true, not {low:g}")
    if step is not None and not 0 < step <= high - low:
        raise SpecError(f"{name}: step must be above 0 and at most high - low, not {step:g}")
    if step is not None and (high - low) / step > _MAX_STEPS:
        raise SpecError(f"{name}: step = {step:g} is too small; without a step any number is tried")
    if log and step is not None:
        raise SpecError(f"{name}: step and log = true exclude each other")
    is_whole = all(is_integer(number) for number in (low, high, 0 if step is None else step))
    return SweptField(name, low, high, step, log, is_integer=is_whole, when=when)
