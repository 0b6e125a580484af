"""A person's own images in NumPy's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.io import npy
from lenet_tf.io.bounded import open_regular_file

ARRAY_NAMES = ("x_train", "y_train", "x_test", "y_test")
_MAX_CLASSES = 1_000_000


def load_npz(path: Path) -> RawData:
    """Reads `.npz` with x_train, y_train, x_test, y_test (the layout of Keras' mnist.npz) and, if it is there, num_classes.

    Nothing pickled is ever loaded. Raises `DataError` for a file that is missing, unreadable or holds other arrays.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with open_regular_file(path) as file:
            alone = file.read(len(npy.MAGIC)) == npy.MAGIC
        arrays, held = ({}, []) if alone else npy.read_npz(path, (*ARRAY_NAMES, "num_classes"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays ({error})") from error
    if alone:
        raise DataError(
            f"{path} holds one array without a name: save it with numpy.savez(file, {', '.join(f'{n}=…' for n in ARRAY_NAMES)})"
        )
    missing = [name for name in ARRAY_NAMES if name not in arrays]
    if missing:
        holds = (
            ", ".join(name[:80] if name.isprintable() else repr(name[:80]) for name in held[:8])
            or "nothing"
        )
        raise DataError(f"{path}: no array named {', '.join(missing)}; it holds {holds}")
    classes = arrays.pop("num_classes", np.array(0))
    return RawData(
        **arrays, name=str(path.resolve()), source="file", num_classes=_count(path, classes)
    )


def load_npy_folder(path: Path) -> RawData:
    """Reads a folder with x_train.npy, y_train.npy, x_test.npy, y_test.npy and, if it is there, num_classes.npy; images stay on the disk.

    Raises `DataError` for a file that is missing, unreadable or holds something else.
    """
    missing = [f"{name}.npy" for name in ARRAY_NAMES if not (path / f"{name}.npy").is_file()]
    if missing:
        raise DataError(
            f"{path} has no {', '.join(missing)}: a data set is a folder of {', '.join(f'{name}.npy' for name in ARRAY_NAMES)}"
        )
    labels = [_array(path / f"{name}.npy") for name in ("y_train", "y_test")]
    classes = (
        _array(path / "num_classes.npy") if (path / "num_classes.npy").is_file() else np.array(0)
    )
    images = [ImageFile(path / f"{name}.npy") for name in ("x_train", "x_test")]
    arrays = (images[0], labels[0], images[1], labels[1])
    return RawData(
        *arrays, name=str(path.resolve()), source="file", num_classes=_count(path, classes)
    )


def _array(path: Path) -> np.ndarray:
    try:
        return npy.read_npy(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable .npy file of plain numbers ({error})") from error


def _count(path: Path, classes: np.ndarray) -> int:
    if classes.shape or classes.dtype.kind not in "iu" or not 0 <= classes <= _MAX_CLASSES:
        got = f"{classes.dtype} of shape {classes.shape}" if classes.shape else str(classes)
        raise DataError(
            f"{path}: num_classes must be one whole number up to {_MAX_CLASSES:,}, not {got}"
        )
    return int(classes)
