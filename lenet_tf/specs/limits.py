"""Limits of a network, far beyond any LeNet, within which its arithmetic takes no time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.rows import IntPair, Row, Shape, format_shape

MAX_ROWS = 1_000
# Values in one output of a row, weights of all rows (8 GiB of float32), pixels between units.
MAX_VALUES = MAX_PARAMETERS = MAX_JUMP = validators.MAX_INTEGER


def check_row_count(name: str, rows: Sequence[Any]) -> None:
    """Raise `SpecError` if the network `name` has more than `MAX_ROWS` rows."""
    if len(rows) > MAX_ROWS:
        raise SpecError(
            f"{name}: {len(rows):,} rows are more than the {MAX_ROWS:,} that a network may have"
        )


def check_row(row: Row, input_shape: Shape, output: Shape, jump: IntPair, parameters: int) -> None:
    """Check that a row does not make a network too large.

    Args:
        row: The row.
        input_shape: Shape of its input.
        output: Shape of its output.
        jump: Pixels between the receptive fields of neighboring units behind the row.
        parameters: Number of weights of all earlier rows.

    Raises:
        SpecError: If the output, the number of weights or the jump exceeds its limit.
    """
    if prod(output) > MAX_VALUES:
        raise SpecError(f"its output of {format_shape(output)} values is more than {MAX_VALUES:,}")
    if parameters + row.parameters(input_shape) > MAX_PARAMETERS:
        raise SpecError(f"with it the network has more than {MAX_PARAMETERS:,} parameters")
    if max(jump) > MAX_JUMP:
        raise SpecError(f"with it the strides multiply to more than {MAX_JUMP:,} pixels")


def check_texts(spec: Any) -> None:
    """Check the fields of a network other than its name, rows, recipe and preparation.

    Args:
        spec: The `Spec`, whose type would be a circular import.

    Raises:
        SpecError: If a field has the wrong type or is too long.
    """
    show = validators.show_value
    if not isinstance(spec.data, str) or not spec.data:
        raise SpecError(f"{spec.name}: data must be the name of a data set, not {show(spec.data)}")
    for field in ("data", "source", "notes"):
        validators.check_text(f"{spec.name}: {field}", getattr(spec, field))
    if not isinstance(spec.departures, tuple) or len(spec.departures) > MAX_ROWS:
        raise SpecError(
            f"{spec.name}: departures must be a list of texts, not {show(spec.departures)}"
        )
    for text in spec.departures:
        validators.check_text(f"{spec.name}: a departure", text)
    for field in ("expected_parameters", "expected_connections"):
        if getattr(spec, field) is not None:
            validators.check_positive(f"{spec.name}: {field}", getattr(spec, field), 2**63 - 1)
