"""A folder of the user's own images in IDX files, with the file names of MNIST or EMNIST."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import DEFAULT_OPTIONS, ReadOptions
from lenet_tf.data.sources.emnist import CLASS_NAMES, convert_emnist
from lenet_tf.data.sources.own_arrays import make_data
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
    r"-(?P<kind>images[-.]idx[234]|labels[-.]idx[12])-(?:ubyte|byte|short|int|float|double)"
    r"(?P<gz>\.gz)?",
    re.IGNORECASE,
)
# Axes of images: flat, gray and color; of labels: numbers and one-hot.
_IMAGE_AXES, _LABEL_AXES = (2, 3, 4), (1, 2)


def has_idx_files(folder: Path) -> bool:
    """Return whether a folder holds at least one file with the name of one of the four."""
    return bool(_find_sets(folder))


def load_idx_folder(
    folder: Path,
    options: ReadOptions = DEFAULT_OPTIONS,
    notify: Callable[[str], None] = warnings.warn,
) -> RawData:
    """Load a data set from four IDX files, each plain or gzipped, or from two without a test part.

    Args:
        folder: Folder with the file names of MNIST, or those of one subset of EMNIST.
        options: What the user says of the arrays.
        notify: Function that is called with a message about what was guessed.

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
    absent = [part for part in FILES if part not in paths]
    if absent and absent != ["x_test", "y_test"]:
        missing = ", ".join(files[part] for part in absent)
        raise DataError(
            f"{folder} has no {missing} (or with .gz). "
            f"A data set is a folder of {', '.join(files.values())}."
        )
    name = str(folder.resolve())
    arrays = load_idx_files(paths)
    if not subset:
        return make_data(arrays, options, name, notify)
    options.check_applicable((), f"EMNIST's {subset}")
    upright = convert_emnist(arrays, subset, name)
    names = upright.pop("class_names")
    return make_data(upright, options, name, notify, upright.pop("num_classes"), names)


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
    """Load `x_train`, `y_train`, and mostly `x_test` and `y_test` from IDX files.

    Args:
        paths: Maps each of the names to its file.

    Returns:
        Images (N, height, width, 1) and labels (N,), by name: uint8 and int64, except in files of
        another type or rank.

    Raises:
        DataError: If a file is damaged or of another kind, or all of them are too large together.
    """
    arrays: dict[str, Any] = {}
    # Attack: four files that each fill the memory, and labels that become eight times as large.
    remaining = MAX_ARRAY_BYTES
    for part in ("y_train", "y_test"):
        if part in paths:
            labels = load_idx_file(paths[part], _LABEL_AXES, remaining // _LABEL_BYTES)
            arrays[part] = labels.astype(np.int64) if labels.dtype.kind in "iu" else labels
            remaining -= arrays[part].nbytes
    for part in ("x_train", "x_test"):
        if part in paths:
            images = load_idx_file(paths[part], _IMAGE_AXES, remaining)
            arrays[part] = images[..., None] if images.ndim == 3 else images
            remaining -= images.nbytes
    return arrays


def load_idx_file(
    path: Path, dimensions: int | Collection[int], max_bytes: int = MAX_ARRAY_BYTES
) -> np.ndarray:
    """Load an IDX file as an array of rank `dimensions`, or of one of several ranks.

    Raises:
        DataError: If the file is missing, damaged, of another kind or larger than `max_bytes`.
    """
    try:
        return read_idx(path, dimensions, max_bytes)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: not a readable IDX file ({error}). Download or save it again."
        ) from error
