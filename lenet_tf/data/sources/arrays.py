"""The user's own images in NumPy's files: one `.npz`, or a folder of `.npy`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.labels import MAX_CLASSES
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.io import npy
from lenet_tf.io.bounded import MAX_ARRAY_BYTES, open_regular_file

# Bytes of an index, an int64, and of the one number in num_classes.npy with its header.
_INDEX_BYTES, _MAX_COUNT_BYTES = 8, 1 << 14
ARRAY_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path: Path) -> RawData:
    """Load a data set from a `.npz` file with the layout of Keras' mnist.npz.

    Args:
        path: File with the arrays x_train, y_train, x_test, y_test and optionally num_classes.

    Raises:
        DataError: If the file is missing or unreadable, lacks an array, or holds wrong ones.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if _is_npy(path):
        keywords = ", ".join(f"{name}=…" for name in ARRAY_NAMES)
        raise DataError(
            f"{path} holds one array without a name. Save it with numpy.savez(file, {keywords})."
        )
    try:
        arrays, names = npy.read_npz(path, (*ARRAY_NAMES, "num_classes"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable .npz file of numbers ({error})") from error
    _check_label_count(path, arrays)
    missing = [name for name in ARRAY_NAMES if name not in arrays]
    if missing:
        raise DataError(
            f"{path}: no array named {', '.join(missing)}; it holds {_format_names(names)}"
        )
    return RawData(
        x_train=arrays["x_train"],
        y_train=arrays["y_train"],
        x_test=arrays["x_test"],
        y_test=arrays["y_test"],
        name=str(path.resolve()),
        source="file",
        num_classes=_check_num_classes(path, arrays.get("num_classes", np.array(0))),
    )


def _is_npy(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError), open_regular_file(path) as file:
        return file.read(len(npy.MAGIC)) == npy.MAGIC
    return False


def load_npy_folder(folder: Path) -> RawData:
    """Load a data set from a folder of `.npy` files, and leave its images on the disk.

    Args:
        folder: Folder with x_train.npy, y_train.npy, x_test.npy, y_test.npy and optionally
            num_classes.npy.

    Raises:
        DataError: If a file is missing, unreadable or holds something else.
    """
    paths = {name: folder / f"{name}.npy" for name in ARRAY_NAMES}
    missing = [path.name for path in paths.values() if not path.is_file()]
    if missing:
        names = ", ".join(path.name for path in paths.values())
        raise DataError(f"{folder} has no {', '.join(missing)}: a data set is a folder of {names}")
    classes = folder / "num_classes.npy"
    # Labels first: they are small, and their errors come at once.
    arrays: dict[str, Any] = {}
    remaining = MAX_ARRAY_BYTES
    for name in ("y_train", "y_test"):
        arrays[name] = _load_npy(paths[name], remaining)
        remaining -= arrays[name].nbytes
    _check_label_count(folder, arrays)
    num_classes = _load_npy(classes) if classes.is_file() else np.array(0)
    arrays |= {name: ImageFile(paths[name]) for name in ("x_train", "x_test")}
    return RawData(
        **arrays,
        name=str(folder.resolve()),
        source="file",
        num_classes=_check_num_classes(folder, num_classes),
    )


def _load_npy(path: Path, max_bytes: int = _MAX_COUNT_BYTES) -> np.ndarray:
    try:
        return npy.read_npy(path, max_bytes)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable .npy file of numbers ({error})") from error


def _check_label_count(path: Path, arrays: dict[str, Any]) -> None:
    # Attack: labels of one byte, with as many indices of eight bytes when they are split.
    count = sum(arrays[name].size for name in ("y_train", "y_test") if name in arrays)
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
