"""A person's own images in one NumPy file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from lenet_tf.data import RawData
from lenet_tf.errors import DataError

_NAMES = ("x_train", "y_train", "x_test", "y_test")


def load_arrays(path: Path) -> RawData:
    """Reads `.npz` with x_train, y_train, x_test, y_test (the layout of Keras' mnist.npz) and, if it is there, num_classes.

    Nothing pickled is ever loaded. Raises `DataError` for a file that is missing, unreadable or holds other arrays.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise DataError(f"{path} holds one array without a name: save it with numpy.savez(file, {', '.join(f'{n}=…' for n in _NAMES)})")
        with loaded as archive:
            missing = [name for name in _NAMES if name not in archive.files]
            if missing:
                raise DataError(f"{path}: no array named {', '.join(missing)}; it holds {', '.join(archive.files) or 'nothing'}")
            arrays = [archive[name] for name in _NAMES]
            classes = archive["num_classes"] if "num_classes" in archive.files else np.array(0)
    except DataError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays ({error})") from error
    if classes.shape or classes.dtype.kind not in "iu" or classes < 0:
        raise DataError(f"{path}: num_classes must be one whole number, not {classes!r}")
    return RawData(*arrays, name=str(path.resolve()), source="file", num_classes=int(classes))
