"""Records of finished runs: for each row a file of JSON lines, one line per seed.

A file with the predictions for all test images (`lenet_tf.reproduce.predictions`) stands beside it.
The records name these predictions by their digest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout
from msgspec import UNSET

from lenet_tf.errors import RunError
from lenet_tf.io import atomic, bounded
from lenet_tf.reproduce.classical_row import ClassicalRow, Row
from lenet_tf.reproduce.predictions import Predictions, compute_digest, read_predictions
from lenet_tf.reproduce.record_schema import StoredClassicalRecord, StoredRecord
from lenet_tf.runs.validation import check_values

Record = dict[str, Any]
_MAX_BYTES = bounded.MAX_TEXT_BYTES * 16
_LOCK_SECONDS = 30


@dataclass(frozen=True)
class RecordStore:
    """A folder of records and the folder of the pages made from them.

    Attributes:
        folder: The records and predictions, two files per row.
        pages: The folder of README.md and the figures. None: no pages, and the records are
            read-only.
    """

    folder: Path
    pages: Path | None

    @classmethod
    def for_package(cls) -> RecordStore:
        """Return the records of this package. Only a checkout of the project has their pages."""
        root = Path(__file__).parents[2]
        folder = _shorten(Path(__file__).parent / "records")
        is_checkout = (root / "setup.cfg").is_file()
        return cls(folder, _shorten(root / "results") if is_checkout else None)

    @classmethod
    def for_folder(cls, results: Path) -> RecordStore:
        """Return a user's records in the subfolder `reproduce/` of the folder of their pages."""
        return cls(results / "reproduce", results)

    def get_path(self, row: Row) -> Path:
        """Return the file of a row's records."""
        return self.folder / f"{row.name}.jsonl"

    def read(self, row: Row) -> list[Record]:
        """Read the records of a row.

        Args:
            row: A row of the plan or of a classical method.

        Returns:
            The records by rising seed.

        Raises:
            RunError: If the file is damaged or its recipe isn't that of the row.
        """
        path = self.get_path(row)
        try:
            lines = bounded.read_bounded(path, _MAX_BYTES).splitlines()
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise RunError(f"cannot read {path}: {error}") from error
        records = [_parse_record(path, number, line, row) for number, line in enumerate(lines, 1)]
        if len({record["seed"] for record in records}) < len(records):
            raise RunError(f"{path} has two lines with the same seed: remove one of them")
        return sorted(records, key=_get_seed)

    def read_predictions(self, row: Row) -> Predictions:
        """Read the predictions of a row's recorded seeds.

        Args:
            row: A row of the plan or of a classical method.

        Returns:
            The predictions.

        Raises:
            RunError: If the file is damaged or doesn't match the digests of the records.
        """
        path = self._get_predictions_path(row)
        stored = read_predictions(path)
        by_seed = {}
        for record in self.read(row):
            seed = record["seed"]
            text = stored.by_seed.get(seed)
            if text is None or compute_digest(text) != record["predictions"]:
                raise RunError(
                    f"{path} doesn't contain the predictions of the recorded seed {seed}: run the"
                    " row again"
                )
            by_seed[seed] = text
        return Predictions(stored.labels, by_seed)

    def add(self, row: Row, record: Record) -> Record | None:
        """Add the record and the predictions of a run unless its seed is recorded already.

        Args:
            row: The row of the run.
            record: The record with the encoded `labels` and `predictions` of all test images.

        Returns:
            The existing record of this seed, or None if the new record was added.

        Raises:
            RunError: If the files can't be read or written.
        """
        path = self.get_path(row)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic.file_lock(path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                records = self.read(row)
                for old in records:
                    if old["seed"] == record["seed"]:
                        return old
                predictions = self.read_predictions(row).with_seed(
                    record["seed"], record["labels"], record["predictions"]
                )
                records = sorted([*records, replace_predictions_by_digest(record)], key=_get_seed)
                lines = [json.dumps(each, ensure_ascii=False, allow_nan=False) for each in records]
                # Predictions first: a record must never name predictions that don't exist yet.
                atomic.write_text(self._get_predictions_path(row), predictions.to_text())
                atomic.write_text(path, "\n".join(lines) + "\n")
        except Timeout as error:
            raise RunError(f"another process is writing {path}: try again") from error
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
        return None

    def _get_predictions_path(self, row: Row) -> Path:
        return self.folder / f"{row.name}.predictions"


def replace_predictions_by_digest(record: Record) -> Record:
    """Return a run's record as it is stored: without labels, its predictions as a digest."""
    stored = {name: value for name, value in record.items() if name != "labels"}
    return stored | {"predictions": compute_digest(record["predictions"])}


def _get_seed(record: Record) -> int:
    return record["seed"]


def _shorten(path: Path) -> Path:
    """Make a path relative if it is below the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _check_content(record: Record, row: Row) -> StoredRecord | StoredClassicalRecord:
    if isinstance(row, ClassicalRow):
        return check_values(record, StoredClassicalRecord)
    content = check_values(record, StoredRecord)
    if row.test_shifted and content.test.shifted is UNSET:
        raise ValueError("test has no 'shifted'")
    return content


def _parse_record(path: Path, number: int, line: bytes, row: Row) -> Record:
    try:
        record = bounded.parse_json(line)
        content = _check_content(record, row)
    except ValueError as error:
        raise RunError(f"{path}, line {number}: {error}") from error
    if (content.row, content.digest) != (row.name, row.digest):
        raise RunError(
            f"{path}, line {number}: the plan now has another recipe for {row.name}: move the file"
            " away and run the row again"
        )
    return record
