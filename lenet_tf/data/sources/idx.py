"""A folder of the user's own images in IDX files, with the file names of MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.errors import DataError
from lenet_tf.io.idx import read_idx

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def has_idx_files(folder: Path) -> bool:
    """Return whether a folder holds at least one of the four files."""
    return any(_find_file(folder, name).is_file() for name in FILES.values())


def load_idx_folder(folder: Path) -> RawData:
    """Load a data set from four IDX files, each plain or gzipped.

    Args:
        folder: Folder with the file names of MNIST.

    Returns:
        uint8 images (N, height, width, 1) in 0…255 and int64 labels (N,).

    Raises:
        DataError: If a file is missing, damaged or of another kind.
    """
    paths = {part: _find_file(folder, name) for part, name in FILES.items()}
    missing = [FILES[part] for part, path in paths.items() if not path.exists()]
    if missing:
        raise DataError(
            f"{folder} has no {', '.join(missing)} (or with .gz). "
            f"A data set is a folder of {', '.join(FILES.values())}."
        )
    return RawData(**load_idx_files(paths), name=str(folder.resolve()), source="file")


def load_idx_files(paths: dict[str, Path]) -> dict[str, Any]:
    """Load `x_train`, `y_train`, `x_test` and `y_test` from IDX files.

    Args:
        paths: Maps each of the four names to its file.

    Returns:
        uint8 images (N, height, width, 1) and int64 labels (N,), by name.

    Raises:
        DataError: If a file is damaged or of another kind.
    """
    images: dict[str, Any] = {
        part: load_idx_file(paths[part], 3)[..., None] for part in ("x_train", "x_test")
    }
    labels = {
        part: load_idx_file(paths[part], 1).astype(np.int64) for part in ("y_train", "y_test")
    }
    return images | labels


def load_idx_file(path: Path, dimensions: int) -> np.ndarray:
    """Load an IDX file of unsigned bytes as a uint8 array of rank `dimensions`.

    Raises:
        DataError: If the file is missing, damaged or of another kind.
    """
    try:
        return read_idx(path, dimensions)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a readable IDX file ({error}). Download or save it again."
        ) from error


def _find_file(folder: Path, name: str) -> Path:
    """Return the plain file if it exists, else the gzipped one."""
    plain = folder / name
    return plain if plain.exists() else folder / f"{name}.gz"
