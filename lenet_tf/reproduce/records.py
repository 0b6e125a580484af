"""Records of finished runs: a file of JSON lines for each row of the plan, one line a seed. Written whole, under a lock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import Timeout

from lenet_tf import files, machine
from lenet_tf.errors import RunError
from lenet_tf.reproduce.plan import Row

# Between two machines the last bits of sums differ, and with them some images.
TOLERANCE = 0.001
# What a record must have to be read.
_PARTS = {
    "row": str,
    "digest": str,
    "seed": int,
    "data": dict,
    "versions": dict,
    "machine": dict,
    "seconds": int | float,
    "seconds_per_epoch": int | float,
    "epochs": dict,
    "test": dict,
}
# And in its parts.
_INNER = {
    "data": {"name": str, "version": str, "sha256": str},
    "versions": {"python": str, "tensorflow": str, "keras": str, "numpy": str},
    "machine": {"system": str, "processor": str, "cores": int, "features": list},
    "epochs": {"val_accuracy": list, "seconds": list},
    "test": {"accuracy": float, "loss": int | float},
}
# Versions that can change a number.
_DECISIVE = ("tensorflow", "keras", "numpy", "scikit-learn")

Record = dict[str, Any]


def place(results: Path, row: Row) -> Path:
    return results / "reproduce" / f"{row.name}.jsonl"


def read(results: Path, row: Row) -> list[Record]:
    """The row's records in the order of their seeds; raises `RunError` for a file that is damaged or of another recipe than the plan's."""
    path = place(results, row)
    try:
        lines = files.read_bounded(path, files.MOST_TEXT * 16).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    records = [_record(path, number, line, row) for number, line in enumerate(lines, 1)]
    seeds = [record["seed"] for record in records]
    if len(set(seeds)) < len(seeds):
        raise RunError(f"{path} has a seed twice: remove one of the two lines")
    return sorted(records, key=lambda record: record["seed"])


def _record(path: Path, number: int, line: bytes, row: Row) -> Record:
    try:
        record = files.parse_json(line)
    except ValueError as error:
        raise RunError(f"{path}, line {number}: {error}") from error
    unfit = _unfit(record, row)
    if unfit is not None:
        raise RunError(f"{path}, line {number}: no usable {unfit!r}")
    if (record["row"], record["digest"]) != (row.name, row.digest):
        raise RunError(f"{path}, line {number}: the plan now has another recipe for {row.name}: move the file away and run the row again")
    return record


def _unfit(record: Any, row: Row) -> str | None:
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


def keep(results: Path, row: Row, record: Record) -> Record | None:
    """Adds a record, or gives the one that is already there for its seed, untouched. Raises `RunError` where that cannot be written."""
    path = place(results, row)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.locked(path.with_suffix(".lock"), seconds=30):
            records = read(results, row)
            for old in records:
                if old["seed"] == record["seed"]:
                    return old
            records = sorted([*records, record], key=lambda each: each["seed"])
            with files.whole(path) as partial:
                lines = (json.dumps(each, ensure_ascii=False, allow_nan=False) for each in records)
                partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except Timeout as error:
        raise RunError(f"another process holds {path}: try again") from error
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return None


def verdict(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a run reproduces a record, and that in words: exactly on the same type of machine with the same versions, and else within one
    test image in a thousand."""
    if old["data"]["sha256"] != new["data"]["sha256"]:
        return False, "NOT comparable with its record: other data"
    if _numbers(old) == _numbers(new):
        return True, "as recorded, to the last digit"
    apart = abs(old["test"]["accuracy"] - new["test"]["accuracy"])
    same = machine.same_type(old["machine"], new["machine"]) and all(old["versions"].get(p) == new["versions"].get(p) for p in _DECISIVE)
    within = apart <= TOLERANCE + 1e-9
    told = f"{apart:.2%} from its record"
    if same:
        return False, f"NOT as recorded: {told}, on the same type of machine with the same versions"
    return within, f"{told}, made on another machine or with other versions" if within else f"NOT as recorded: {told}"


def _numbers(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a seed decides."""
    return record["test"], {name: values for name, values in record["epochs"].items() if name != "seconds"}
