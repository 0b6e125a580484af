"""Numbers of classes for labels that are texts, or whole numbers that don't count from 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lenet_tf.data.label_files import MAX_CLASSES, LabelFile, find_labels
from lenet_tf.data.read_options import DISTINCT, ReadOptions, suggest_option
from lenet_tf.errors import DataError
from lenet_tf.specs.validators import MAX_NAME, are_class_names, is_integer, to_plain_number

# Labels that a message shows.
_MAX_SHOWN = 8


@dataclass(frozen=True)
class Labels:
    """The labels of all parts, while they are converted.

    Args:
        parts: Labels of the training part, then of the test part.
        names: What error messages call them.
        num_classes: Number of classes; 0 if it is open.
        class_names: Names of the classes.
        notes: What was done to each part, in words.
    """

    parts: tuple[Any, ...]
    names: tuple[str, ...]
    num_classes: Any
    class_names: Any
    notes: tuple[str, ...]

    def change(self, parts: Sequence[Any], notes: Sequence[str], **fields: Any) -> Labels:
        """Return the labels after a step, with its notes added."""
        added = ["; ".join(filter(None, pair)) for pair in zip(self.notes, notes, strict=True)]
        return replace(self, parts=tuple(parts), notes=tuple(added), **fields)


def number_texts(labels: Labels) -> Labels:
    """Number labels that are texts, in the order of the class names or of the alphabet."""
    texts = [_to_texts(part, name) for part, name in zip(labels.parts, labels.names, strict=True)]
    parts = [part for part in texts if part is not None]
    if len(parts) < len(texts) or not parts[0].size:
        return labels
    names = np.unique(parts[0])
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"{labels.names[0]} has {len(names):,} different texts, and the limit is"
            f" {MAX_CLASSES:,} classes"
        )
    are_numbers = all(map(_is_number, names.tolist()))
    if are_numbers and not set(names.tolist()) <= set(labels.class_names):
        numbers = [_to_numbers(part, name) for part, name in zip(parts, labels.names, strict=True)]
        return labels.change(numbers, ["text → whole numbers"] * len(numbers))
    if not are_class_names(names.tolist(), len(names)):
        raise DataError(
            f"{labels.names[0]}: texts become the names of classes, and must be printable, not"
            f" empty, and at most {MAX_NAME} characters long"
        )
    given = list(labels.class_names)
    order = np.array(given) if given else names
    ranks = np.argsort(order, kind="stable")
    numbers = []
    for part, name in zip(parts, labels.names, strict=True):
        places = np.minimum(np.searchsorted(order, part, sorter=ranks), len(order) - 1)
        found = ranks[places]
        unknown = part[order[found] != part]
        if len(unknown):
            source = "class_names" if given else labels.names[0]
            shown = str(unknown[0])[:MAX_NAME]
            raise DataError(f"{name} has the label {shown!r}, which {source} doesn't have")
        numbers.append(found.astype(np.int64))
    note = f"text → {len(order)} classes: {_show(order.tolist())}"
    return labels.change(
        numbers,
        [note] * len(numbers),
        num_classes=labels.num_classes or len(order),
        class_names=tuple(order.tolist()),
    )


def _to_numbers(texts: np.ndarray, name: str) -> np.ndarray:
    try:
        return texts.astype(np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{name} has texts that are not whole numbers: {error}") from error


def _to_texts(labels: np.ndarray, name: str) -> np.ndarray | None:
    """Return labels as an array of `str`, or None for labels that are no short texts."""
    if labels.ndim != 1 or labels.dtype.kind not in "USOT":
        return None
    if labels.dtype.kind in "OT":
        texts = labels.tolist()
        # Attack: one long text, whose length every other one would take.
        if not all(isinstance(text, str) and len(text) <= MAX_NAME for text in texts):
            return None
        return np.array(texts, dtype=str)
    if labels.dtype.kind == "S":
        try:
            return np.char.decode(labels, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{name} has texts that are not UTF-8: {error}") from error
    return labels


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 9


def number_from_0(labels: Labels, options: ReadOptions) -> Labels:
    """Number classes from 0, and keep their labels as names."""
    low = min(int(part.min()) for part in labels.parts)
    high = max(int(part.max()) for part in labels.parts)
    if isinstance(options.labels, tuple):
        first, last = options.labels
        if low < first or high > last:
            raise DataError(
                f"{' and '.join(labels.names)}: the labels {low}…{high} are not all within"
                f" labels='{first}..{last}'"
            )
        return _shift(labels, first, last - first + 1, guessed=False)
    given = to_plain_number(labels.num_classes)
    if given and options.labels is None and (low, high) != (-1, 1):
        counts_from_1 = is_integer(given) and low >= 1 and high == given
        return _shift(labels, 1, given) if counts_from_1 else labels
    values = find_labels(labels.parts[0])
    if options.labels == DISTINCT:
        return _number_distinct(labels, values, guessed=False)
    lowest, count, are_known = (
        int(values[0]),
        len(values),
        np.isin(find_labels(labels.parts[-1]), values).all(),
    )
    is_gapless = int(values[-1]) - lowest == count - 1
    if count < 2 or count > MAX_CLASSES or (is_gapless and lowest == 0):
        return labels
    if is_gapless and lowest == 1 and are_known:
        return _shift(labels, 1, count)
    if values.tolist() == [-1, 1] and are_known and given in (0, 2):
        return _number_distinct(labels, values)
    if given:
        return labels
    raise DataError(_ask_for_classes(labels.names[0], values, min(low, 0), high))


def _shift(labels: Labels, first: int, count: int, guessed: bool = True) -> Labels:
    """Number the labels from 0 that start at `first`."""
    _check_count(labels, count)
    if first == 0:
        return replace(labels, num_classes=count)
    classes = np.arange(first, first + count)
    numbers = [
        part.renumber(classes) if isinstance(part, LabelFile) else part.astype(np.int64) - first
        for part in labels.parts
    ]
    names = labels.class_names or [str(first + number) for number in range(count)]
    note = f"labels {first}…{first + count - 1} → classes 0…{count - 1}" if guessed else ""
    return labels.change(
        numbers, [note] * len(numbers), num_classes=count, class_names=tuple(names)
    )


def _number_distinct(labels: Labels, values: np.ndarray, guessed: bool = True) -> Labels:
    """Number each different label of the training part, in order."""
    count, numbers = len(values), []
    _check_count(labels, count)
    for part, name in zip(labels.parts, labels.names, strict=True):
        own = find_labels(part)
        unknown = own[~np.isin(own, values)]
        if len(unknown):
            raise DataError(
                f"{name} has the label {unknown[0]}, which {labels.names[0]} doesn't have"
            )
        is_file = isinstance(part, LabelFile)
        numbers.append(part.renumber(values) if is_file else np.searchsorted(values, part))
    names = labels.class_names or map(str, values.tolist())
    note = f"labels {_show(values.tolist())} → classes 0…{count - 1}" if guessed else ""
    return labels.change(
        numbers, [note] * len(numbers), num_classes=count, class_names=tuple(names)
    )


def _check_count(labels: Labels, count: int) -> None:
    if count > MAX_CLASSES or labels.num_classes not in (0, count):
        limit = labels.num_classes or f"at most {MAX_CLASSES:,}"
        raise DataError(f"{labels.names[0]} gives {count:,} classes, not {limit}")


def _ask_for_classes(name: str, values: np.ndarray, low: int, high: int) -> str:
    count, all_count = len(values), high - low + 1
    choices = f"{suggest_option('labels', DISTINCT)} for {count:,} classes"
    if count < all_count <= MAX_CLASSES:
        choices += f", or {suggest_option('labels', f'{low}..{high}')} for {all_count:,}"
    return (
        f"{name} has the labels {_show(values.tolist())}, but classes are numbered from 0 without"
        f" a gap: pass {choices}"
    )


def _show(values: list[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:_MAX_SHOWN])
    return f"{shown}, …" if len(values) > _MAX_SHOWN else shown
