"""What a row's name, the input's shape and the output's units are where they are left out.

Names follow LeCun et al. 1998: a letter for the kind, and a number that counts the layers with
weights or pooling: C1, S2, C3, S4, C5, F6, OUTPUT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenet_tf.specs.preparation import Preparation
from lenet_tf.specs.rows import LEFT_OUT, Row
from lenet_tf.specs.rows_standard import Input

# MNIST's, for a network that says neither.
_SIDE, _CHANNELS, _CLASSES = 28, 1, 10
# Letters of kinds that are counted, and of kinds that have the number of the layer before them.
_COUNTED = {
    "convolution": "C",
    "table_convolution": "C",
    "pooling": "S",
    "subsampling": "S",
    "dense": "F",
    "rbf": "F",
}
_UNCOUNTED = {"dropout": "D", "batch_normalization": "N"}
_REDUCING = ("pooling", "subsampling")


def fill_rows(rows: Sequence[Row], preparation: Preparation) -> dict[str, Any]:
    """Set the names, the input's shape and the number of classes that were left out.

    Args:
        rows: Rows of a network.
        preparation: How its images are prepared.

    Returns:
        Values for fields of `Spec`: `rows`, and `default_shape` and `default_classes` where the
        rows leave them out.
    """
    filled = list(name_rows(rows))
    new: dict[str, Any] = {}
    if filled and isinstance(filled[0], Input) and filled[0].shape is LEFT_OUT:
        side = preparation.pad_to or _SIDE
        new["default_shape"] = (side, side, preparation.channels or _CHANNELS)
        filled[0] = filled[0].replace(shape=new["default_shape"])
    if filled and filled[-1].is_fully_connected and getattr(filled[-1], "units", 0) is LEFT_OUT:
        new["default_classes"] = _CLASSES
        filled[-1] = filled[-1].replace(units=_CLASSES)
    return new | {"rows": tuple(filled)}


def name_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Give each row without a name the one that the paper would give it.

    A dense row behind flattened pooling maps is a C: a convolution whose kernel covers its whole
    input, as C5 of the paper. The last row is OUTPUT.

    Args:
        rows: Rows of a network, some with an empty name.

    Returns:
        The rows, all with a name. A number is appended to a name that another row has.

    Example:
        >>> from lenet_tf.specs import Convolution, Dense, Flatten, Input, Pooling
        >>> from lenet_tf.specs.default_rows import name_rows
        >>> rows = (Input(), Convolution(filters=6, kernel=5), Pooling(), Flatten(), Dense())
        >>> [row.name for row in name_rows(rows)]
        ['INPUT', 'C1', 'S2', 'FLATTEN', 'OUTPUT']
    """
    taken = {row.name for row in rows if isinstance(row.name, str)}
    named, number, previous = [], 0, ""
    for row in rows:
        number += row.kind in _COUNTED
        if row.name == "":
            name = "OUTPUT" if row is rows[-1] else _choose_name(row, number, previous)
            row = row.replace(name=_find_free(name, taken))
            taken.add(row.name)
        named.append(row)
        if row.kind in (*_COUNTED, "global_average_pooling"):
            previous = row.kind
    return tuple(named)


def _choose_name(row: Row, number: int, previous: str) -> str:
    """Return the paper's name of a row, the `number`th of those that count."""
    if row.kind == "dense" and previous in _REDUCING:
        return f"C{number}"
    letter = (_COUNTED | _UNCOUNTED).get(row.kind)
    return f"{letter}{number}" if letter else type(row).name


def _find_free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
