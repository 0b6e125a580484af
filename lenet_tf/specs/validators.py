"""Checks of single fields, shared by rows and recipes; each raises `SpecError` that names the field and what it got.

Every field is bounded, so that whatever a file asks for is told or computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenet_tf.errors import SpecError, did_you_mean

# The largest whole number of a field: TensorFlow's sizes are of 32 bits. The largest number: float32's.
MAX_INTEGER = 2**31 - 1
MAX_NUMBER = 3.4e38
# Letters of a name, of a text such as a note, and of a value in an error's text.
MAX_NAME, MAX_TEXT, _MAX_SHOWN = 100, 10_000, 80


def show_value(value: Any) -> str:
    """`repr(value)`, cut where it is long."""
    if isinstance(value, int) and abs(value) >= 10**_MAX_SHOWN:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes):
        value = value[: _MAX_SHOWN + 1]
    try:
        text = repr(value)
    except (
        ValueError,
        RecursionError,
    ):  # a number of more digits than Python writes, or lists in lists without end
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether it is a finite number that float32 holds."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -MAX_NUMBER <= value <= MAX_NUMBER
    )


def check_positive(field: str, value: Any, most: int = MAX_INTEGER) -> None:
    """A whole number from 1 to `most`."""
    if not is_integer(value) or value < 1:
        raise SpecError(f"{field} must be a whole number of at least 1, not {show_value(value)}")
    if value > most:
        raise SpecError(f"{field} must be at most {most:,}, not {show_value(value)}")


def check_positive_pair(field: str, value: Any) -> None:
    """A whole number of at least 1, or a pair of them."""
    for part in value if isinstance(value, tuple) and len(value) == 2 else (value,):
        if not is_integer(part) or part < 1:
            raise SpecError(
                f"{field} must be a whole number of at least 1, or a pair of them, not {show_value(value)}"
            )
        check_positive(field, part)


def check_above_zero(field: str, value: Any) -> None:
    """A finite number above 0."""
    if not is_number(value) or not value > 0:
        raise SpecError(f"{field} must be a number above 0, not {show_value(value)}")


def check_fraction(field: str, value: Any) -> None:
    """A number from 0 up to, not including, 1."""
    if not is_number(value) or not 0 <= value < 1:
        raise SpecError(
            f"{field} must be a number from 0 up to, not including, 1, not {show_value(value)}"
        )


def check_text(field: str, value: Any) -> None:
    """A text of up to `MOST_TEXT` letters."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise SpecError(
            f"{field} must be a text of up to {MAX_TEXT:,} letters, not {show_value(value)}"
        )


def is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME and value.isprintable()


def check_name(field: str, value: Any) -> None:
    """A text of up to `MOST_NAME` letters, all of which can be seen, without a slash."""
    if not isinstance(value, str) or not value or "/" in value:
        raise SpecError(f"{field} must be a text without a slash, not {show_value(value)}")
    if not is_name(value):
        raise SpecError(
            f"{field} must be of up to {MAX_NAME} letters that can be printed, not {show_value(value)}"
        )


def check_one_of(field: str, value: Any, known: Sequence[str]) -> None:
    """One of the known names; the message offers the nearest."""
    if not isinstance(value, str) or value not in known:
        raise SpecError(
            f"unknown {field} {show_value(value)}: {suggest(value, known, 'known are ' + ', '.join(known))}"
        )


def suggest(value: Any, known: Sequence[str], otherwise: str) -> str:
    """What stands in the message for a name that is none: the nearest names."""
    return (
        did_you_mean(str(value), known, otherwise)
        if isinstance(value, str) and len(value) <= MAX_NAME
        else otherwise
    )
