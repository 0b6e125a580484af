"""The user's own images in NumPy's files: one `.npz`, or a folder of `.npy`."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.image_conversions import is_stored_raw
from lenet_tf.data.label_files import MAX_CLASSES, MAX_IN_MEMORY, LabelFile
from lenet_tf.data.read_options import DEFAULT_OPTIONS, ReadOptions
from lenet_tf.data.sources.own_arrays import find_arrays, make_data, order_arrays
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.io import npy
from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file

# Bytes of an index, an int64, and of the one number in num_classes.npy with its header.
_INDEX_BYTES, _MAX_COUNT_BYTES = 8, 1 << 14
ARRAY_NAMES = ("x_train", "y_train", "x_test", "y_test")
# Kinds of numbers and texts, and the names that numpy.savez gives arrays without one.
_KINDS, _UNNAMED = "biufUS", "arr_"


def load_npz(
    path: Path,
    options: ReadOptions = DEFAULT_OPTIONS,
    notify: Callable[[str], None] = warnings.warn,
) -> RawData:
    """Load a data set from a `.npz` file with the layout of Keras' mnist.npz, or a similar one.

    Args:
        path: File with the arrays x_train, y_train and mostly x_test, y_test, or other usual names
            of them, and optionally num_classes and class_names.
        options: What the user says of the arrays.
        notify: Function that is called with a message about what was guessed.

    Raises:
        DataError: If the file is missing or unreadable, lacks an array, or holds wrong ones.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    keywords = ", ".join(f"{name}=…" for name in ARRAY_NAMES)
    if _is_npy(path):
        raise DataError(
            f"{path} holds one array without a name. Save it with numpy.savez(file, {keywords})."
        )
    names = _read_npz(path, ())[1]
    found, notes = _choose_arrays(path, names)
    extras = [name for name in ("num_classes", "class_names") if name in names]
    read = _read_npz(path, [*found.values(), *extras])[0]
    arrays = {key: read.pop(name) for key, name in found.items()}
    if all(name.startswith(_UNNAMED) for name in found.values()):
        order = order_arrays({name: arrays[key].shape for key, name in found.items()}, str(path))
        arrays = {key: arrays[name] for key, name in order.items()}
        notes.append(", ".join(f"{name}: {key}" for key, name in order.items()))
    _check_label_count(path, arrays)
    return make_data(
        arrays,
        options,
        str(path.resolve()),
        notify,
        num_classes=_check_num_classes(path, read.get("num_classes", np.array(0))),
        class_names=read.get("class_names", np.array([])).tolist(),
        notes=notes,
    )


def _read_npz(path: Path, names: Collection[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    try:
        return npy.read_npz(path, names, _KINDS)
    except (OSError, ValueError) as error:
        raise _unreadable_error(path, ".npz", error) from error


def _unreadable_error(path: Path, kind: str, error: Exception) -> DataError:
    is_pickled = "Python objects" in str(error)
    advice = ": save texts with labels.astype(str)" if is_pickled else ""
    return DataError(f"{path}: not a readable {kind} file of numbers ({error}){advice}")


def _choose_arrays(path: Path, names: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the names of a file's arrays by what they are, and what to say of them."""
    unnamed = sorted(name for name in names if name.startswith(_UNNAMED))
    if unnamed and len(unnamed) == len(names) in (2, 4):
        return {name: name for name in unnamed}, []
    found, validation = find_arrays(names, str(path))
    missing = [name for name in ARRAY_NAMES if name not in found]
    if missing and missing != ["x_test", "y_test"]:
        raise DataError(
            f"{path}: no array named {', '.join(missing)}; it holds {_format_names(names)}"
        )
    renamed = {key: name for key, name in found.items() if key != name}
    notes = [", ".join(f"{name}: {key}" for key, name in renamed.items())] if renamed else []
    if validation:
        notes.append(f"left out: {', '.join(validation)}")
    return found, notes


def _is_npy(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError), open_regular_file(path) as file:
        return file.read(len(npy.MAGIC)) == npy.MAGIC
    return False


def load_npy_folder(
    folder: Path,
    options: ReadOptions = DEFAULT_OPTIONS,
    notify: Callable[[str], None] = warnings.warn,
) -> RawData:
    """Load a data set from a folder of `.npy` files, and leave its images on the disk.

    Images that need a conversion are read into memory. Labels stay on the disk too if they are many
    and whole numbers.

    Args:
        folder: Folder with x_train.npy, y_train.npy, x_test.npy, y_test.npy and optionally
            num_classes.npy, or with other usual names.
        options: What the user says of the arrays.
        notify: Function that is called with a message about what was guessed.

    Raises:
        DataError: If a file is missing, unreadable or holds something else.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.npy"))}
    found, validation = find_arrays(files, str(folder))
    missing = [f"{name}.npy" for name in ARRAY_NAMES if name not in found]
    if missing and missing != ["x_test.npy", "y_test.npy"]:
        names = ", ".join(f"{name}.npy" for name in ARRAY_NAMES)
        raise DataError(f"{folder} has no {', '.join(missing)}: a data set is a folder of {names}")
    # Labels first: they are small, and their errors come at once.
    arrays: dict[str, Any] = {}
    remaining = MAX_ARRAY_BYTES
    for key in ("y_train", "y_test"):
        if key in found:
            arrays[key] = _open_labels(files[found[key]], remaining)
            remaining -= getattr(arrays[key], "nbytes", 0)
    _check_label_count(folder, arrays)
    classes = files.get("num_classes")
    num_classes = np.array(0) if classes is None else _load_npy(classes, _MAX_COUNT_BYTES)
    count = _check_num_classes(folder, num_classes)
    notes = [f"left out: {', '.join(validation)}"] if validation else []
    for key in ("x_train", "x_test"):
        if key in found:
            arrays[key], note = _open_images(files[found[key]], options, remaining, not missing)
            remaining -= 0 if note == "" else arrays[key].nbytes
            notes += [note] if note else []
            if isinstance(arrays[key], np.ndarray):
                # Images in memory have their labels there.
                arrays[f"y{key[1:]}"] = np.asarray(arrays[f"y{key[1:]}"])
    return make_data(arrays, options, str(folder.resolve()), notify, count, notes=notes)


def _open_labels(path: Path, max_bytes: int) -> np.ndarray | LabelFile:
    """Return labels that stay in their file if they are many and can stay there."""
    try:
        labels = LabelFile(path)
    except DataError:
        labels = None
    if labels is None or len(labels) <= MAX_IN_MEMORY or labels.stamp[0] > max_bytes:
        return _load_npy(path, max_bytes)
    return labels


def _open_images(
    path: Path, options: ReadOptions, max_bytes: int, can_stay: bool
) -> tuple[Any, str]:
    """Return images that stay in their file if they can, and otherwise what to say of them."""
    try:
        images = ImageFile(path)
    except DataError:
        # Floats, Fortran order, or no images at all, which reading refuses with its reason.
        images = None
    if images is not None and can_stay and is_stored_raw(images, options):
        return images, ""
    note = f"{path.name}: read into memory (uint8 images of 0…255, channels last, stay on the disk)"
    return _load_npy(path, max_bytes), note


def _load_npy(path: Path, max_bytes: int) -> np.ndarray:
    try:
        return npy.read_npy(path, max_bytes, _KINDS)
    except (OSError, ValueError) as error:
        raise _unreadable_error(path, ".npy", error) from error


def _check_label_count(path: Path, arrays: dict[str, Any]) -> None:
    # Attack: labels of one byte, with as many indices of eight bytes when they are split.
    labels = [arrays[name] for name in ("y_train", "y_test") if name in arrays]
    # One-hot labels become one number for each image.
    count = sum(max(each.shape, default=1) for each in labels)
    if count > MAX_ARRAY_BYTES // _INDEX_BYTES:
        limit = MAX_ARRAY_BYTES // _INDEX_BYTES
        raise DataError(f"{path} has {count:,} labels, and the limit is {limit:,}")


def _format_names(names: list[str]) -> str:
    """Join the names of a file's arrays for a message."""
    # Attack: names that hold escape sequences for the terminal, or flood it.
    shown = (name[:80] if name.isprintable() else repr(name[:80]) for name in names[:8])
    return ", ".join(shown) or "nothing"


def _check_num_classes(path: Path, value: np.ndarray) -> int:
    # Attack: a number of classes whose one-hot labels fill the memory.
    if value.shape or value.dtype.kind not in "iu" or not 0 <= value <= MAX_CLASSES:
        actual = f"{value.dtype} of shape {value.shape}" if value.shape else str(value)
        raise DataError(
            f"{path}: num_classes must be one whole number up to {MAX_CLASSES:,}, not {actual}"
        )
    return int(value)
