"""A person's own images in one NumPy file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from lenet_tf.data import RawData
from lenet_tf.errors import DataError

_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_arrays(path: Path) -> RawData:
    """Reads `.npz` with x_train, y_train, x_test, y_test (the layout of Keras' mnist.npz); nothing pickled is ever loaded."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in _NAMES if name not in archive.files]
            if missing:
                raise DataError(f"{path}: no array named {', '.join(missing)}; it holds {', '.join(archive.files) or 'nothing'}")
            arrays = [archive[name] for name in _NAMES]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable .npz file of plain arrays ({error})") from error
    return RawData(*arrays, name=str(path), source="file")
