"""What a user says of own data where the arrays or files leave it open."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from lenet_tf.errors import DataError, suggest_name
from lenet_tf.specs.validators import is_integer, is_number, show_value, to_plain_number

# Larger images are a mistake for these networks.
MAX_SIDE = 4_096
LAYOUTS = ("channels_last", "channels_first", "images_last")
# Each different label is a class.
DISTINCT = "distinct"
_NUMBER = r"[-+−]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*(?:\.\.|…)\s*({_NUMBER})\s*")


@dataclass(frozen=True)
class ReadOptions:
    """How to read data of the user's own. None lets the arrays decide, and asks if they don't.

    Args:
        image_size: Height and width of the images that pictures become, as one number for both, a
            pair or text such as `32x48`.
        color: Whether pictures get three channels or one.
        layout: Order of an image array's axes: `channels_last`, `channels_first`, or `images_last`
            as in MATLAB's files.
        values: The values that stand for black and white, as a pair or as text such as `0..1` or
            `-1..1`. They become 0 and 255.
        labels: The first and the last label, as a pair or as text such as `1..10`; or `distinct`,
            which makes a class of each different label.

    Raises:
        DataError: An option has another value.
    """

    image_size: Any = None
    color: bool | None = None
    layout: str | None = None
    values: Any = None
    labels: Any = None

    def __post_init__(self) -> None:
        if self.image_size is not None:
            object.__setattr__(self, "image_size", _parse_size(self.image_size))
        if self.color is not None and not isinstance(self.color, bool):
            raise DataError(f"color must be True or False, not {show_value(self.color)}")
        if self.layout is not None and self.layout not in LAYOUTS:
            hint = suggest_name(str(self.layout)[:80], LAYOUTS, f"known are {', '.join(LAYOUTS)}")
            raise DataError(f"unknown layout {show_value(self.layout)}: {hint}")
        if self.values is not None:
            values = _parse_range(self.values, "values", is_number, "0..1 or -1..1")
            object.__setattr__(self, "values", values)
        if self.labels is not None and not (
            isinstance(self.labels, str) and self.labels == DISTINCT
        ):
            labels = _parse_range(self.labels, "labels", is_integer, f"1..10, or {DISTINCT}")
            object.__setattr__(self, "labels", labels)

    @classmethod
    def from_dict(cls, recorded: Mapping[str, Any]) -> ReadOptions:
        """Make options from what `to_dict` returned; entries of later versions are ignored."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: recorded[name] for name in names if name in recorded})

    def to_dict(self) -> dict[str, Any]:
        """Return the options that are set, as JSON can hold them and `load_data` takes them."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.image_size is not None:
            options["image_size"] = "x".join(map(str, self.image_size))
        return {
            name: format_range(*value) if isinstance(value, tuple) else value
            for name, value in options.items()
            if value is not None
        }

    def check_applicable(self, names: tuple[str, ...], data: str) -> None:
        """Check that a source of data takes the options that are set.

        Args:
            names: The options that it takes.
            data: What it reads, for the message.

        Raises:
            DataError: It does not take one of them.
        """
        for name in self.to_dict():
            if name not in names:
                raise DataError(
                    f"{data} takes no {name} (--{name.replace('_', '-')}): leave it out"
                )


DEFAULT_OPTIONS = ReadOptions()


def format_range(low: float, high: float) -> str:
    """Format two numbers as the options take them, such as `0..1`."""
    low, high = (int(bound) if float(bound).is_integer() else bound for bound in (low, high))
    return f"{low!r}..{high!r}"


def suggest_option(name: str, value: str) -> str:
    """Return how to set an option in Python and on the command line.

    Example:
        >>> suggest_option("values", "0..1")
        "values='0..1' (--values 0..1)"
    """
    return f"{name}='{value}' (--{name} {value})"


def _parse_size(value: Any) -> tuple[int, int]:
    """Return the height and width that `image_size` means."""
    sides: Any = (value, value)
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,9})(?:[x×]([0-9]{1,9}))?", value)
        sides = (int(match[1]), int(match[2] or match[1])) if match else ()
    elif isinstance(value, tuple | list):
        sides = value
    sides = tuple(map(to_plain_number, sides))
    if len(sides) != 2 or not all(is_integer(side) and 1 <= side <= MAX_SIDE for side in sides):
        raise DataError(
            "image_size must be a whole number of pixels, or (height, width), each from 1 to"
            f" {MAX_SIDE:,}, not {show_value(value)}"
        )
    return sides[0], sides[1]


def _parse_range(
    value: Any, name: str, is_valid: Callable[[Any], bool], example: str
) -> tuple[Any, Any]:
    """Return the two bounds that a pair or a text such as `0..1` names."""
    bounds: Any = value
    if isinstance(value, str):
        match = _RANGE.fullmatch(value) if len(value) < 100 else None
        bounds = [float(bound.replace("−", "-")) for bound in match.groups()] if match else ()
        bounds = [
            int(bound) if math.isfinite(bound) and bound.is_integer() else bound for bound in bounds
        ]
    try:
        low, high = map(to_plain_number, bounds)
    except (TypeError, ValueError):
        low = high = None
    if not (is_valid(low) and is_valid(high)) or not low < high:
        raise DataError(f"{name} must be LOW..HIGH, such as {example}, not {show_value(value)}")
    return low, high
