"""Compares the files of a run folder that say the same, such as config.json and final.keras."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lenet_tf.errors import RunError
from lenet_tf.io.bounded import check_count, read_bounded
from lenet_tf.runs import schema
from lenet_tf.runs.checkpoints import MAX_PROGRESS_BYTES, MAX_PROGRESS_VALUES, Progress
from lenet_tf.runs.run_folder import CONFIG, FINAL, HISTORY, METRICS
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runs.validation import check_values

_MISSING = object()


def check_model(record: RunRecord, model: Any, file: str = FINAL) -> None:
    """Check that a model of a run folder is the one that config.json describes.

    Args:
        record: The run.
        model: The `LeNet` in the file.
        file: The file's name in the run folder.

    Raises:
        RunError: They differ; the message names the first field with both values.
    """
    expected, found = record.spec.to_dict(), model.spec.to_dict()
    expected |= {"precision": record.settings["precision"]}
    found |= {"precision": model.precision}
    if record.config.get("initial_weights") == "seed":
        expected |= {"seed": record.settings["seed"]}
        found |= {"seed": model.seed}
    else:
        # A trained model keeps its own recipe when it is trained by another.
        del expected["recipe"], found["recipe"]
    for field, ours, theirs in _differences(expected, found):
        raise RunError(
            f"{record.path} holds another model than it says: {field} is {_show(ours)} in {CONFIG}"
            f" and {_show(theirs)} in {file}. Use an unchanged copy of the run folder."
        )


def check_progress(
    record: RunRecord, progress: Progress, metrics: Mapping[str, Any] | None
) -> None:
    """Check the other files of a run folder against the progress in final.keras.

    Args:
        record: The run.
        progress: The progress in final.keras.
        metrics: The content of metrics.json, read before final.keras, since both change while
            the run trains. None for an unfinished run.

    Raises:
        RunError: They differ; the message names both values.
    """
    planned = record.spec.recipe.epochs
    if progress.epochs > planned:
        raise _difference(record.path, "epochs", planned, CONFIG, progress.epochs)
    if metrics is None:
        return
    expected: dict[str, float] = {"epochs": progress.epochs, "best_epoch": progress.best + 1}
    if progress.epochs:
        expected["best_val_accuracy"] = progress.rows[progress.best]["val_accuracy"]
    for name, value in expected.items():
        if not math.isclose(metrics[name], value, rel_tol=1e-6):
            raise _difference(record.path, name, metrics[name], METRICS, value)
    rows = read_history(record.path)
    if rows is not None and len(rows) != progress.epochs:
        raise _difference(record.path, "the number of epochs", len(rows), HISTORY, progress.epochs)
    for number, (row, own) in enumerate(zip(rows or (), progress.rows, strict=False)):
        for name in row.keys() & own.keys():
            if math.isfinite(own[name]) and not math.isclose(row[name], own[name], rel_tol=1e-6):
                field = f"{name} of epoch {number}"
                raise _difference(record.path, field, row[name], HISTORY, own[name])


def read_history(folder: Path) -> list[dict[str, float]] | None:
    """Read history.csv.

    Args:
        folder: The run folder.

    Returns:
        The metrics of each epoch by name, without empty cells. None if there is no such file.

    Raises:
        RunError: The file is damaged.
    """
    path = folder / HISTORY
    if not os.path.lexists(path):
        return None
    try:
        content = read_bounded(path, MAX_PROGRESS_BYTES, follow_links=False)
        check_count(content, b",\n\r", MAX_PROGRESS_VALUES)
        reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names = next(reader, [])
        return [_parse_line(names, cells, number) for number, cells in enumerate(reader) if cells]
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path} is not usable: {error}") from error


def _parse_line(names: Sequence[str], cells: Sequence[str], number: int) -> dict[str, float]:
    if len(cells) > len(names):
        raise ValueError(f"epoch {number} has {len(cells)} values for {len(names)} names")
    pairs = zip(names, cells, strict=False)
    row = {name: float(value) for name, value in pairs if value and name != "epoch"}
    check_values(row, schema.Epoch)
    return row


def _difference(folder: Path, field: str, one: Any, file: str, other: Any) -> RunError:
    return RunError(
        f"{folder} contradicts itself: {field} is {_show(one)} in {file} and {_show(other)} in"
        f" {FINAL}. Use an unchanged copy of the run folder."
    )


def _show(value: Any) -> str:
    if value is _MISSING:
        return "missing"
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _differences(one: Any, other: Any, field: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each field whose values differ, as its name and both values."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in dict.fromkeys([*one, *other]):
            ours, theirs = one.get(name, _MISSING), other.get(name, _MISSING)
            yield from _differences(ours, theirs, f"{field}.{name}" if field else str(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (ours, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differences(ours, theirs, f"{field}[{number}]")
    elif one != other:
        # Rows of different numbers are named, not printed in full.
        sizes = isinstance(one, list) and isinstance(other, list)
        yield (f"the number of {field}", len(one), len(other)) if sizes else (field, one, other)
