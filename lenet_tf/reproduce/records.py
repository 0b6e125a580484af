"""Records of finished runs, in a file of JSON lines for each row of the plan, one line a seed. Written whole, under a lock.

Beside it lie the predictions for all test images (`lenet_tf.reproduce.predictions`), which the record names by their digest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout

from lenet_tf.errors import RunError
from lenet_tf.io import atomic, bounded
from lenet_tf.reproduce import predictions
from lenet_tf.reproduce.plan import TableRow
from lenet_tf.reproduce.predictions import Predictions

# What a record must have to be read.
_PARTS = {
    "row": str,
    "digest": str,
    "seed": int,
    "data": dict,
    "versions": dict,
    "machine": dict,
    "threads": dict,
    "seconds": int | float,
    "seconds_per_epoch": int | float,
    "epochs": dict,
    "test": dict,
    "predictions": str,
}
# And in its parts.
_INNER = {
    "data": {"name": str, "version": str, "sha256": str},
    "versions": {"python": str, "tensorflow": str, "keras": str, "numpy": str},
    "machine": {"system": str, "processor": str, "cores": int, "features": list},
    "epochs": {"val_accuracy": list, "seconds": list},
    "test": {"accuracy": float, "loss": int | float},
}
Record = dict[str, Any]


@dataclass(frozen=True)
class RecordStore:
    """Where records lie, and the pages that are made of them.

    `folder` has two files a row. `pages` is the folder of README.md and the figures; None where there are no pages: then records are only
    read.
    """

    folder: Path
    pages: Path | None

    @classmethod
    def own(cls) -> RecordStore:
        """The records that this package ships. In a checkout of the project they have pages, and new ones are added."""
        root = Path(__file__).parents[2]
        folder, pages = (
            Path(__file__).parent / "records",
            root / "results" if (root / "setup.cfg").is_file() else None,
        )
        return cls(_from_here(folder), pages and _from_here(pages))

    @classmethod
    def of(cls, results: Path) -> RecordStore:
        """A folder of a person's own: pages in it, records in `reproduce/` below it."""
        return cls(results / "reproduce", results)

    def path(self, row: TableRow) -> Path:
        return self.folder / f"{row.name}.jsonl"

    def read(self, row: TableRow) -> list[Record]:
        """The row's records in the order of their seeds.

        Raises `RunError` for a file that is damaged, or of another recipe than the plan's.
        """
        path = self.path(row)
        try:
            lines = bounded.read_bounded(path, bounded.MAX_TEXT_BYTES * 16).splitlines()
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
        records = [_record(path, number, line, row) for number, line in enumerate(lines, 1)]
        seeds = [record["seed"] for record in records]
        if len(set(seeds)) < len(seeds):
            raise RunError(f"{path} has a seed twice: remove one of the two lines")
        return sorted(records, key=lambda record: record["seed"])

    def read_predictions(self, row: TableRow) -> Predictions:
        """The predictions of the row's recorded seeds; raises `RunError` where they are damaged, or not those that the records name."""
        path = self._predictions_path(row)
        found = predictions.read(path)
        recorded = {record["seed"]: record["predictions"] for record in self.read(row)}
        for seed, digest in recorded.items():
            if seed not in found.by_seed or predictions.digest(found.by_seed[seed]) != digest:
                raise RunError(
                    f"{path} does not hold the predictions that the record of seed {seed} names: run the row again"
                )
        return Predictions(found.labels, {seed: found.by_seed[seed] for seed in recorded})

    def add(self, row: TableRow, record: Record) -> Record | None:
        """Adds a run's record and its predictions, or gives the record that is already there for its seed, untouched.

        `record` also has the `labels` and `predictions` of all test images as texts. Raises `RunError` where it cannot be written.
        """
        path = self.path(row)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic.file_lock(path.with_suffix(".lock"), timeout=30):
                records = self.read(row)
                for old in records:
                    if old["seed"] == record["seed"]:
                        return old
                texts = self.read_predictions(row).with_seed(
                    record["seed"], record["labels"], record["predictions"]
                )
                records = sorted(
                    [*records, name_predictions_apart(record)], key=lambda each: each["seed"]
                )
                lines = (json.dumps(each, ensure_ascii=False, allow_nan=False) for each in records)
                # Predictions first: a record never names some that are not there.
                for place, text in (
                    (self._predictions_path(row), texts.to_text()),
                    (path, "\n".join(lines) + "\n"),
                ):
                    with atomic.atomic_write(place) as partial:
                        partial.write_text(text, encoding="utf-8")
        except Timeout as error:
            raise RunError(f"another process holds {path}: try again") from error
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
        return None

    def _predictions_path(self, row: TableRow) -> Path:
        return self.folder / f"{row.name}.predictions"


def _from_here(path: Path) -> Path:
    """As short as it can be said in the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def name_predictions_apart(record: Record) -> Record:
    """A run's record as it is kept: its predictions named by their digest."""
    kept = {name: value for name, value in record.items() if name != "labels"}
    return kept | {"predictions": predictions.digest(record["predictions"])}


def _record(path: Path, number: int, line: bytes, row: TableRow) -> Record:
    try:
        record = bounded.parse_json(line)
    except ValueError as error:
        raise RunError(f"{path}, line {number}: {error}") from error
    unfit = _unfit(record, row)
    if unfit is not None:
        raise RunError(f"{path}, line {number}: no usable {unfit!r}")
    if (record["row"], record["digest"]) != (row.name, row.digest):
        raise RunError(
            f"{path}, line {number}: the plan now has another recipe for {row.name}: move the file away and run the row again"
        )
    return record


def _unfit(record: Any, row: TableRow) -> str | None:
    """The first part that is missing or of another kind; None: all are there."""
    for part, kind in _PARTS.items():
        if not isinstance(record, dict) or not isinstance(record.get(part), kind):
            return part
    for part, names in _INNER.items():
        for name, kind in names.items():
            if not isinstance(record[part].get(name), kind) or record[part][name] == []:
                return f"{part}.{name}"
    shifted = record["test"].get("shifted")
    fine = isinstance(shifted, dict) and all(isinstance(value, float) for value in shifted.values())
    return "test.shifted" if row.shifted and not fine else None
