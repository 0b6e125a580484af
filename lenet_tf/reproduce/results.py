"""All records and predictions of the plan, read once for the pages made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lenet_tf.reproduce import plan
from lenet_tf.reproduce.classical_row import ClassicalRow, list_classical_rows
from lenet_tf.reproduce.predictions import Predictions
from lenet_tf.reproduce.records import Record, RecordStore
from lenet_tf.reproduce.table_row import TableRow


@dataclass(frozen=True)
class Results:
    """The records and predictions of every row of the plan, in its order, and of classical methods.

    Attributes:
        records: For each row, the records of its runs by rising seed.
        predictions: For each row, the predictions of these runs.
        classical: For each classical method, the records of its runs by rising seed.
    """

    records: Mapping[TableRow, Sequence[Record]]
    predictions: Mapping[TableRow, Predictions]
    classical: Mapping[ClassicalRow, Sequence[Record]] = field(default_factory=dict)

    @classmethod
    def read(cls, store: RecordStore) -> Results:
        """Read the results of all rows.

        Args:
            store: The records and predictions.

        Returns:
            The results. A row without runs has no records.

        Raises:
            RunError: If a file is damaged or doesn't belong to the plan.
        """
        classical = {row: store.read(row) for row in list_classical_rows()}
        for row in classical:
            # Only checked here: no page counts the votes of these methods.
            store.read_predictions(row)
        return cls(
            {row: store.read(row) for row in plan.ROWS},
            {row: store.read_predictions(row) for row in plan.ROWS},
            classical,
        )

    @property
    def finished_rows(self) -> list[TableRow]:
        """The rows that have at least one record."""
        return [row for row, records in self.records.items() if records]

    def get_row(self, name: str) -> TableRow | None:
        """Return the row with this name, or None."""
        return next((row for row in self.records if row.name == name), None)

    def get_test_errors(self, row: TableRow) -> list[float]:
        """Return the test error of each run of a row, in %."""
        return [100 * (1 - record["test"]["accuracy"]) for record in self.records[row]]

    def get_test_accuracies(self, row: TableRow, shift: int = 0) -> dict[int, float]:
        """Return the test accuracy of each run of a row.

        Args:
            row: A row of the plan.
            shift: How many pixels the test images are shifted; 0 for the unchanged ones.

        Returns:
            The accuracies in %, by seed. Runs that weren't tested with this shift are left out.
        """
        accuracies = {
            record["seed"]: record["test"]["shifted"].get(str(shift))
            if shift
            else record["test"]["accuracy"]
            for record in self.records[row]
        }
        return {seed: 100 * value for seed, value in accuracies.items() if value is not None}
