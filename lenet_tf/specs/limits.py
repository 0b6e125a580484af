"""What a network may ask for at most: far beyond any LeNet, and little enough that its arithmetic is done at once.

A network within these bounds may still be more than a machine can train.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.specs import validators
from lenet_tf.specs.rows import IntPair, Row, Shape, format_shape

MAX_ROWS = 1_000
# Values in the output of one row for one image, weights of all rows together (8 GiB of float32), pixels from one unit to the next.
MAX_VALUES = MAX_PARAMETERS = MAX_JUMP = validators.MAX_INTEGER


def check_count(name: str, rows: Sequence[Any]) -> None:
    """Raises `SpecError` for more rows than `MOST_ROWS`."""
    if len(rows) > MAX_ROWS:
        raise SpecError(
            f"{name}: {len(rows):,} rows are more than the {MAX_ROWS:,} that a network may have"
        )


def check_row(row: Row, shape: Shape, output: Shape, jump: IntPair, before: int) -> None:
    """Raises `SpecError` for a row whose output, or with the `before` weights of the rows before it whose weights, are out of bounds."""
    if prod(output) > MAX_VALUES:
        raise SpecError(f"its output of {format_shape(output)} values is more than {MAX_VALUES:,}")
    if before + row.parameters(shape) > MAX_PARAMETERS:
        raise SpecError(f"with it the network has more than {MAX_PARAMETERS:,} parameters")
    if max(jump) > MAX_JUMP:
        raise SpecError(f"with it the strides multiply to more than {MAX_JUMP:,} pixels")


def check_texts(spec: Any) -> None:
    """Raises `SpecError` for a field of a network beside its rows and recipe that is not what it should be."""
    if not isinstance(spec.data, str) or not spec.data:
        raise SpecError(
            f"{spec.name}: data must be the name of a data set, not {validators.show_value(spec.data)}"
        )
    for field in ("data", "source", "notes"):
        validators.check_text(f"{spec.name}: {field}", getattr(spec, field))
    if not isinstance(spec.departures, tuple) or len(spec.departures) > MAX_ROWS:
        raise SpecError(
            f"{spec.name}: departures must be a list of texts, not {validators.show_value(spec.departures)}"
        )
    for text in spec.departures:
        validators.check_text(f"{spec.name}: a departure", text)
    for field in ("expected_parameters", "expected_connections"):
        if getattr(spec, field) is not None:
            validators.check_positive(f"{spec.name}: {field}", getattr(spec, field), 2**63 - 1)
