"""Sources of raw images: the only package that opens data files or uses the network."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.arrays import load_npy_folder, load_npz
from lenet_tf.data.sources.idx import has_idx_files, load_idx_folder
from lenet_tf.data.sources.sample import SAMPLE, load_sample
from lenet_tf.data.sources.tfds_builder import OWN_DATA, is_known
from lenet_tf.errors import DataError, SourceUnreachable

ORIGINALS_VARIABLE = "LENET_TF_ORIGINALS"
DEFAULT_DATA = "mnist"


# What separates folders in a name; Windows takes either.
_SEPARATORS = "/\\"

# Sources by what they recognize, in the order of trial; TFDS takes every other name.
# To add a source, write a module with a function that returns `RawData`, and add a row here.
_SOURCES: tuple[tuple[Callable[[Path], bool], Callable[[Path], RawData]], ...] = (
    (lambda path: path.suffix.lower() == ".npz", load_npz),
    (lambda path: os.path.isdir(path) and any(path.glob("*.npy")), load_npy_folder),
    (lambda path: os.path.isdir(path) and has_idx_files(path), load_idx_folder),
)


def load_data(
    name: str | Path | None = None,
    originals: str | Path | None = None,
    notify: Callable[[str], None] = warnings.warn,
) -> RawData:
    """Load a data set as raw images and labels.

    A data set of TFDS comes from the first of these that has it: `originals`, TFDS' cache, a
    download.

    Args:
        name: One of these; None means MNIST, or the sample if MNIST is unavailable.

            - an image-classification data set of TFDS, such as `mnist`, `fashion_mnist`, `kmnist`,
              `emnist/letters` or `cifar10`
            - `sample`, 5,000 digits of MNIST that need no download
            - a `.npz` file with x_train, y_train, x_test, y_test and optionally num_classes
            - a folder (`./mine`) of these arrays as `.npy` files, whose images stay on the disk
            - a folder of four IDX files with MNIST's or EMNIST's names, plain or gzipped

            A `Path` is a file or folder. Text without a slash names a data set of TFDS, where
            there is one of this name.
        originals: Folder laid out as `<folder>/<data set>/<published files>`; None means that of
            the environment variable LENET_TF_ORIGINALS.
        notify: Function that is called with a message if the sample stands in for MNIST.

    Returns:
        Raw images (N, height, width[, channels]), integers 0…255 (uint8, except in your own
        files), and integer labels (N,).

    Raises:
        DataError: If the data set is unknown or is not image classification, or a file is damaged
            or not the published one.
        SourceUnreachable: If no source has the data set; the message says which files to put where.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> data.x_train.shape, data.x_train.dtype
        ((4000, 28, 28, 1), dtype('uint8'))
        >>> data.y_train.shape, data.num_classes
        ((4000,), 10)
    """
    if name == SAMPLE:
        return load_sample()
    if isinstance(name, str | Path) and name != "":
        path = Path(name).expanduser()
        for recognizes, load in _SOURCES:
            if recognizes(path) and not _is_tfds_name(name):
                return load(path)
    if isinstance(name, Path):
        problem = OWN_DATA if os.path.exists(name) else "there is no such file or folder"
        raise DataError(f"{name}: {problem}")
    if name is not None and not isinstance(name, str):
        raise DataError(f"a data set is named by text or a Path, not by {type(name).__name__}")
    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    return _load_from_tfds(name, Path(folder).expanduser() if folder else None, notify)


def _is_tfds_name(name: str | Path) -> bool:
    """Return whether a name means a data set of TFDS, though a file or folder has it too."""
    # A slash tells a folder from a data set of the same name.
    is_path = not isinstance(name, str) or any(separator in name for separator in _SEPARATORS)
    return not is_path and Path(name).suffix.lower() != ".npz" and is_known(str(name))


def _load_from_tfds(
    name: str | None, originals: Path | None, notify: Callable[[str], None]
) -> RawData:
    """Load a data set of TFDS; the sample stands in for MNIST if `name` is None."""
    from lenet_tf.data.sources.tfds import load_tfds

    try:
        return load_tfds(DEFAULT_DATA if name is None else name, originals)
    except SourceUnreachable as error:
        if name is not None:
            raise
        notify(
            f"THIS IS NOT MNIST. {error}\n"
            "Using the embedded sample instead: 5,000 real MNIST digits, 4,000 for training "
            "and 1,000 for testing."
        )
        return load_sample()
