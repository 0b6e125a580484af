"""The rows that the arguments of `lenet-tf reproduce` choose."""

from __future__ import annotations

from collections.abc import Sequence

from lenet_tf.errors import SpecError, suggest_name
from lenet_tf.reproduce import plan
from lenet_tf.reproduce.classical_row import Row, list_classical_rows
from lenet_tf.reproduce.figure9_bars import BARS

# The name of all rows of the figure.
FIGURE9 = "figure9"


def list_rows() -> tuple[Row, ...]:
    """List all rows: those of the plan, which are networks, then the classical methods."""
    return (*plan.ROWS, *list_classical_rows())


def choose_rows(names: Sequence[str]) -> tuple[Row, ...]:
    """Look up rows of the plan and of the classical methods.

    Args:
        names: Names of rows. `figure9` stands for all rows of the figure, in its order. Empty: all
            rows of the plan, which are networks.

    Returns:
        Each row once, in the given order.

    Raises:
        SpecError: If there is no row with one of these names.
    """
    rows: dict[str, Row] = {row.name: row for row in list_rows()}
    figure = [bar.row for bar in BARS if bar.row in rows]
    chosen: list[str | None] = []
    for name in names or [row.name for row in plan.ROWS]:
        if name not in (*rows, FIGURE9):
            known = [*rows, FIGURE9]
            hint = suggest_name(name, known, "known rows are " + ", ".join(known))
            raise SpecError(f"unknown row {name!r}: {hint}")
        chosen += figure if name == FIGURE9 else [name]
    return tuple(rows[name] for name in dict.fromkeys(chosen) if name)
