"""Checks of single fields, shared by rows and recipes; each raises `SpecError` that names the field and what it got."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lenet_tf.errors import SpecError, did_you_mean


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def positive(field: str, value: Any) -> None:
    """A whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SpecError(f"{field} must be a whole number of at least 1, not {value!r}")


def positive_pair(field: str, value: Any) -> None:
    """A whole number of at least 1, or a pair of them."""
    for part in value if isinstance(value, tuple) and len(value) == 2 else (value,):
        if not isinstance(part, int) or isinstance(part, bool) or part < 1:
            raise SpecError(f"{field} must be a whole number of at least 1, or a pair of them, not {value!r}")


def above_zero(field: str, value: Any) -> None:
    """A finite number above 0."""
    if not is_number(value) or not 0 < value < math.inf:
        raise SpecError(f"{field} must be a number above 0, not {value!r}")


def fraction(field: str, value: Any) -> None:
    """A number from 0 up to, not including, 1."""
    if not is_number(value) or not 0 <= value < 1:
        raise SpecError(f"{field} must be a number from 0 up to, not including, 1, not {value!r}")


def one_of(field: str, value: Any, known: Sequence[str]) -> None:
    """One of the known names; the message offers the nearest."""
    if not isinstance(value, str) or value not in known:
        raise SpecError(f"unknown {field} {value!r}: {did_you_mean(str(value), known, 'known are ' + ', '.join(known))}")
