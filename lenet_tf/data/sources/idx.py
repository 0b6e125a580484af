"""A folder of the user's own images in IDX files, with the file names of MNIST or EMNIST."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.emnist import CLASS_NAMES, convert_emnist
from lenet_tf.errors import DataError
from lenet_tf.io.bounded import MAX_ARRAY_BYTES
from lenet_tf.io.idx import read_idx

FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
# Bytes of a label in memory, an int64.
_LABEL_BYTES = 8
# Some archives unpack to names with a dot: train-images.idx3-ubyte.
_NAME = re.compile(
    rf"(?:emnist-(?P<subset>{'|'.join(CLASS_NAMES)})-)?(?P<split>train|t10k|test)"
    r"-(?P<kind>images[-.]idx3|labels[-.]idx1)-ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)


def has_idx_files(folder: Path) -> bool:
    """Return whether a folder holds at least one file with the name of one of the four."""
    return bool(_find_sets(folder))


def load_idx_folder(folder: Path) -> RawData:
    """Load a data set from four IDX files, each plain or gzipped.

    Args:
        folder: Folder with the file names of MNIST, or those of one subset of EMNIST.

    Returns:
        uint8 images (N, height, width, 1) in 0…255 and int64 labels (N,). EMNIST's images are
        turned upright, and its classes have names.

    Raises:
        DataError: If a file is missing, damaged or of another kind, or there are several sets.
    """
    sets = _find_sets(folder)
    if len(sets) > 1:
        names = ", ".join(f"EMNIST's {subset}" if subset else "MNIST" for subset in sorted(sets))
        raise DataError(
            f"{folder} holds files of several data sets ({names}): move the four files of one of"
            " them into a folder of their own"
        )
    subset, paths = next(iter(sets.items()), ("", {}))
    files = FILES if not subset else _name_emnist_files(subset)
    missing = [files[part] for part in FILES if part not in paths]
    if missing:
        raise DataError(
            f"{folder} has no {', '.join(missing)} (or with .gz). "
            f"A data set is a folder of {', '.join(files.values())}."
        )
    name = str(folder.resolve())
    arrays = load_idx_files(paths)
    arrays = convert_emnist(arrays, subset, name) if subset else arrays
    return RawData(**arrays, name=name, source="file")


def _find_sets(folder: Path) -> dict[str, dict[str, Path]]:
    """Return the IDX files of each data set in a folder: subset of EMNIST or "" -> part -> path."""
    sets: dict[str, dict[str, Path]] = {}
    # Plain files win over gzipped ones, and hyphens over dots.
    for path in sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name)):
        if match := _NAME.fullmatch(path.name):
            axis = "x" if match["kind"][0] in "iI" else "y"
            part = "train" if match["split"].lower() == "train" else "test"
            files = sets.setdefault((match["subset"] or "").lower(), {})
            files.setdefault(f"{axis}_{part}", path)
    return sets


def _name_emnist_files(subset: str) -> dict[str, str]:
    return {part: f"emnist-{subset}-{name.replace('t10k', 'test')}" for part, name in FILES.items()}


def load_idx_files(paths: dict[str, Path]) -> dict[str, Any]:
    """Load `x_train`, `y_train`, `x_test` and `y_test` from IDX files.

    Args:
        paths: Maps each of the four names to its file.

    Returns:
        uint8 images (N, height, width, 1) and int64 labels (N,), by name.

    Raises:
        DataError: If a file is damaged or of another kind, or all of them are too large together.
    """
    arrays: dict[str, Any] = {}
    # Attack: four files that each fill the memory, and labels that become eight times as large.
    remaining = MAX_ARRAY_BYTES
    for part in ("y_train", "y_test"):
        labels = load_idx_file(paths[part], 1, remaining // _LABEL_BYTES)
        arrays[part] = labels.astype(np.int64)
        remaining -= arrays[part].nbytes
    for part in ("x_train", "x_test"):
        arrays[part] = load_idx_file(paths[part], 3, remaining)[..., None]
        remaining -= arrays[part].nbytes
    return arrays


def load_idx_file(path: Path, dimensions: int, max_bytes: int = MAX_ARRAY_BYTES) -> np.ndarray:
    """Load an IDX file of unsigned bytes as a uint8 array of rank `dimensions`.

    Raises:
        DataError: If the file is missing, damaged, of another kind or larger than `max_bytes`.
    """
    try:
        return read_idx(path, dimensions, max_bytes)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a readable IDX file ({error}). Download or save it again."
        ) from error
