"""Checks of single fields, shared by rows, recipes and preparations.

Every field is bounded, so that any table from a file is refused or computed immediately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from lenet_tf.errors import SpecError, suggest_name
from lenet_tf.specs.scope_names import is_scope_name
from lenet_tf.specs.synonyms import find_synonyms

# TensorFlow stores sizes in 32 bits.
MAX_INTEGER = 2**31 - 1
# The largest float32.
MAX_NUMBER = 3.4e38
# Characters of a name, of a text, and of a value that an error message shows.
MAX_NAME, MAX_TEXT, _MAX_SHOWN = 100, 10_000, 80


def show_value(value: Any) -> str:
    """Format a value like `repr`, shortened to 80 characters."""
    if isinstance(value, int) and abs(value) >= 10**_MAX_SHOWN:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, str | bytes):
        value = value[: _MAX_SHOWN + 1]
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # It contains a number with more digits than Python formats, or is nested too deeply.
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def to_plain_number(value: Any) -> Any:
    """Return NumPy's number as Python's, which JSON can hold, and any other value unchanged."""
    # This package imports the standard library only.
    is_scalar = hasattr(value, "dtype") and getattr(value, "ndim", None) == 0
    return value.item() if is_scalar and hasattr(value, "item") else value


def convert_numpy_fields(instance: Any) -> None:
    """Turn the NumPy numbers in a frozen dataclass into Python's, also those in tuples."""
    for field in fields(instance):
        value = getattr(instance, field.name)
        is_tuple = isinstance(value, tuple)
        plain = tuple(map(to_plain_number, value)) if is_tuple else to_plain_number(value)
        object.__setattr__(instance, field.name, plain)


def is_integer(value: Any) -> bool:
    """Return whether `value` is an integer and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Return whether `value` is a finite number that float32 can represent."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return is_numeric and -MAX_NUMBER <= value <= MAX_NUMBER


def is_name(value: Any) -> bool:
    """Return whether `value` is a printable string of at most `MAX_NAME` characters."""
    return isinstance(value, str) and len(value) <= MAX_NAME and value.isprintable()


def are_class_names(values: Any, num_classes: int) -> bool:
    """Return whether `values` is a list or tuple of one name for each class, all different."""
    return (
        isinstance(values, list | tuple)
        and len(values) == num_classes
        and all(is_name(value) and value for value in values)
        and len(set(values)) == num_classes
    )


def check_given(field: str, value: Any) -> None:
    """Raise `SpecError` if a field that every row of its kind needs was left out."""
    if value is None:
        raise SpecError(f"{field} must be given")


def check_positive(field: str, value: Any, maximum: int = MAX_INTEGER) -> None:
    """Raise `SpecError` unless `value` is an integer from 1 to `maximum`."""
    if not is_integer(value) or value < 1:
        raise SpecError(f"{field} must be a whole number of at least 1, not {show_value(value)}")
    if value > maximum:
        raise SpecError(f"{field} must be at most {maximum:,}, not {show_value(value)}")


def check_positive_pair(field: str, value: Any) -> None:
    """Raise `SpecError` unless `value` is a positive integer or a pair of them."""
    for part in value if isinstance(value, tuple) and len(value) == 2 else (value,):
        if not is_integer(part) or part < 1:
            raise SpecError(
                f"{field} must be a whole number of at least 1, or a pair of them, "
                f"not {show_value(value)}"
            )
        check_positive(field, part)


def check_above_zero(field: str, value: Any) -> None:
    """Raise `SpecError` unless `value` is a finite number above 0."""
    if not is_number(value) or not value > 0:
        raise SpecError(f"{field} must be a number above 0, not {show_value(value)}")


def check_fraction(field: str, value: Any) -> None:
    """Raise `SpecError` unless `value` is a number in [0, 1)."""
    if not is_number(value) or not 0 <= value < 1:
        raise SpecError(
            f"{field} must be a number from 0 up to, not including, 1, not {show_value(value)}"
        )


def check_text(field: str, value: Any) -> None:
    """Raise `SpecError` unless `value` is a string of at most `MAX_TEXT` characters."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise SpecError(
            f"{field} must be a text of up to {MAX_TEXT:,} letters, not {show_value(value)}"
        )


def check_name(field: str, value: Any) -> None:
    """Raise `SpecError` unless `value` is a name of at most `MAX_NAME` ASCII characters."""
    # TensorFlow refuses other names, some of them only when the trained network is tested.
    if not is_name(value) or not is_scope_name(value):
        raise SpecError(
            f"{field} must be up to {MAX_NAME} letters a-z or A-Z, digits, '_', '.' and '-', and"
            f" start with a letter or digit, not {show_value(value)}"
        )


def check_one_of(field: str, value: Any, known: Sequence[str]) -> None:
    """Raise `SpecError` with similar names unless `value` is one of the `known` names."""
    if not isinstance(value, str) or value not in known:
        hint = suggest(value, known, f"known are {', '.join(known)}")
        raise SpecError(f"unknown {field} {show_value(value)}: {hint}")


def suggest(value: Any, known: Sequence[str], otherwise: str) -> str:
    """Suggest known names that mean an invalid value of any type, or are similar to it.

    Args:
        value: The invalid value.
        known: The valid names.
        otherwise: Text to return if no name is similar.

    Returns:
        A question such as `did you mean tanh?`, or `otherwise`.
    """
    is_comparable = isinstance(value, str) and len(value) <= MAX_NAME
    if not is_comparable:
        return otherwise
    meant = find_synonyms(value, known)
    return f"did you mean {' or '.join(meant)}?" if meant else suggest_name(value, known, otherwise)
