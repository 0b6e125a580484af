"""Tables of pixels in CSV files, one image in a row: `label,pixel0,…,pixel783`."""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.sources.emnist import CLASS_NAMES, convert_emnist
from lenet_tf.data.sources.own_arrays import is_label_name, make_data
from lenet_tf.errors import DataError
from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file
from lenet_tf.specs.validators import MAX_NAME

_SUFFIX = ".csv"
# Bytes that are read at a time, and the longest line: 64×64 pixels in color with decimals.
_BLOCK, _MAX_LINE = 8 << 20, 1 << 19
# The parts are joined in the end, which takes their memory twice.
_MAX_BYTES, _FLOAT_BYTES = MAX_ARRAY_BYTES // 2, 4
_EMNIST = re.compile(rf"emnist-({'|'.join(CLASS_NAMES)})-train\.csv", re.IGNORECASE)
_TRAIN = re.compile("train", re.IGNORECASE)


@dataclass(frozen=True)
class _Layout:
    """Where a table has its labels: in the first or the last column, or nowhere."""

    columns: int
    label: int | None
    has_names: bool


def is_table(path: Path) -> bool:
    """Return whether a path is a CSV file, or a folder with one of training images."""
    if path.suffix.lower() == _SUFFIX:
        return True
    return os.path.isdir(path) and bool(_list_train_files(path))


def _list_train_files(folder: Path) -> list[Path]:
    """Return the tables of training images, unless the folder has others in it, as of pictures."""
    files = sorted(folder.iterdir())
    if any(file.is_dir() and file.name[0] != "." for file in files):
        return []
    return [file for file in files if file.suffix.lower() == _SUFFIX and _TRAIN.search(file.name)]


def load_table(path: Path, options: ReadOptions, notify: Callable[[str], None]) -> RawData:
    """Load a data set from a CSV file, and from the one of test images beside it.

    Args:
        path: The file, such as `mnist_train.csv`, or a folder with one such file.
        options: What the user says of the images.
        notify: Function that is called with a message about what was guessed.

    Raises:
        DataError: A file is missing, or holds something else.
    """
    if os.path.isdir(path):
        files = _list_train_files(path)
        if len(files) > 1:
            names = ", ".join(file.name for file in files[:8])
            raise DataError(f"{path} has several tables of training images: name one of {names}")
        path = files[0]
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    arrays: dict[str, Any] = {}
    arrays["x_train"], arrays["y_train"], notes = _read(path, _MAX_BYTES)
    if arrays["y_train"] is None:
        raise DataError(
            f"{path} has no column of labels: it must be the first or the last one, as in"
            " label,pixel0,…,pixel783"
        )
    test = path.with_name(_TRAIN.sub(_match_case, path.name))
    if test != path and test.is_file():
        images, labels, _ = _read(test, _MAX_BYTES - arrays["x_train"].nbytes)
        if labels is None:
            notes.append(f"left out: {test.name}, which has no labels")
        else:
            arrays |= {"x_test": images, "y_test": labels}
            notes.append(f"test part: {test.name}")
    name, emnist = str(path.resolve()), _EMNIST.fullmatch(path.name)
    if emnist is None:
        return make_data(arrays, options, name, notify, notes=notes)
    options.check_applicable((), f"EMNIST's {emnist[1].lower()}")
    upright = convert_emnist(_to_images(arrays), emnist[1].lower(), name)
    class_names, count = upright.pop("class_names"), upright.pop("num_classes")
    return make_data(upright, options, name, notify, count, class_names, notes)


def _match_case(match: re.Match[str]) -> str:
    word = match[0]
    return "TEST" if word.isupper() else "Test" if word[0].isupper() else "test"


def _to_images(arrays: dict[str, Any]) -> dict[str, Any]:
    return {
        name: array.reshape(-1, 28, 28, 1) if name[0] == "x" and array.shape[1] == 784 else array
        for name, array in arrays.items()
    }


def _read(path: Path, max_bytes: int) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """Read a table.

    Returns:
        Pixels (N, pixels); labels (N,), or None if there are none; and what was guessed in words.
    """
    parts: list[np.ndarray] = []
    labels: list[bytes] = []
    layout, size = None, 0
    try:
        with open_regular_file(path) as file:
            for lines in _split_lines(file):
                if layout is None:
                    layout = _find_layout(lines[0])
                    lines = lines[layout.has_names :]
                rows, own_labels = _split_labels(lines, layout)
                if not rows:
                    continue
                parts.append(_parse(rows))
                if parts[-1].shape[1] != parts[0].shape[1]:
                    raise ValueError("its lines have different numbers of columns")
                labels += own_labels
                # Attack: a file that fills the memory, as floats because of one of its numbers.
                size += _FLOAT_BYTES * parts[-1].size
                if size > max_bytes:
                    raise ValueError(f"its pixels can take more than {max_bytes:,} bytes")
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a readable table of pixels ({reason})") from error
    if layout is None or not parts:
        raise DataError(f"{path}: not a readable table of pixels (it is empty)")
    if layout.label is None:
        return np.concatenate(parts), None, []
    place = "first" if layout.label == 0 else "last"
    return np.concatenate(parts), _parse_labels(labels, path), [f"labels: the {place} column"]


def _split_lines(file: BinaryIO) -> Iterator[list[bytes]]:
    """Yield lines that are not empty, a few megabytes at a time."""
    rest = b""
    while block := file.read(_BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        # Attack: gigabytes without the end of a line.
        if any(len(line) > _MAX_LINE for line in (*lines, rest)):
            raise ValueError(f"a line is longer than {_MAX_LINE:,} bytes")
        if lines := [line for line in (each.strip() for each in lines) if line]:
            yield lines
    if rest.strip():
        yield [rest.strip()]


def _find_layout(line: bytes) -> _Layout:
    """Find the labels by the names in the first line, or by the number of columns."""
    cells = [cell.strip(b'" \r').decode("utf-8-sig", "replace") for cell in line.split(b",")]
    columns = len(cells)
    has_names = not all(map(_is_number, cells[1:-1]))
    for label in (0, columns - 1):
        if has_names and is_label_name(cells[label]):
            return _Layout(columns, label, has_names)
    # Without a name, one column more than an image has pixels.
    label_first = None if _is_image(columns) or not _is_image(columns - 1) else 0
    if label_first is None and not _is_image(columns):
        raise ValueError(
            f"its {columns:,} columns are not a label and the pixels of a square image"
        )
    return _Layout(columns, label_first, has_names)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_image(pixels: int) -> bool:
    sides = (round(pixels**0.5), round((pixels / 3) ** 0.5))
    return pixels > 3 and pixels in (sides[0] ** 2, 3 * sides[1] ** 2)


def _split_labels(lines: Sequence[bytes], layout: _Layout) -> tuple[list[bytes], list[bytes]]:
    if layout.label is None:
        return list(lines), []
    pairs = [line.split(b",", 1) if layout.label == 0 else line.rsplit(b",", 1) for line in lines]
    if not all(len(pair) == 2 for pair in pairs):
        raise ValueError("a line has one column only")
    pixels = 1 if layout.label == 0 else 0
    return [pair[pixels] for pair in pairs], [pair[1 - pixels] for pair in pairs]


def _parse(rows: list[bytes]) -> np.ndarray:
    """Parse pixels: uint8 where all of them are such numbers, and float32 elsewhere."""
    texts = [row.decode("ascii", "replace") for row in rows]
    problem: Exception | None = None
    for dtype in (np.uint8, np.float32):
        with warnings.catch_warnings():
            # Some versions of NumPy read floats as integers, with a warning.
            warnings.simplefilter("error")
            try:
                pixels = np.loadtxt(
                    texts, dtype, delimiter=",", comments=None, quotechar='"', ndmin=2
                )
            except (ValueError, OverflowError, Warning) as error:
                problem = error
                continue
        # NumPy skips empty lines, and the labels of the following ones would be wrong.
        if len(pixels) != len(rows):
            raise ValueError("a line has no pixels")
        return pixels
    raise ValueError(str(problem))


def _parse_labels(labels: list[bytes], path: Path) -> np.ndarray:
    texts = [label.strip(b'" \r').decode("utf-8", "replace") for label in labels]
    # Attack: one long text, whose length every other one would take.
    if any(len(text) > MAX_NAME for text in texts):
        raise DataError(f"{path}: a label is longer than {MAX_NAME} characters")
    array = np.array(texts, dtype=str)
    for dtype in (np.int64, np.float64):
        with contextlib.suppress(ValueError, OverflowError):
            return array.astype(dtype)
    return array
