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
from lenet_tf.errors import SourceUnreachable

ORIGINALS_VARIABLE = "LENET_TF_ORIGINALS"
DEFAULT_DATA = "mnist"


def _is_folder(name: str) -> bool:
    # A slash tells a folder from a data set of the same name.
    return os.sep in name and Path(name).is_dir()


# Sources by what they recognize in a name, in the order of trial; TFDS takes every other name.
# To add a source, write a module with a function that returns `RawData`, and add a row here.
_SOURCES: tuple[tuple[Callable[[str], bool], Callable[[str], RawData]], ...] = (
    (lambda name: name == SAMPLE, lambda name: load_sample()),
    (lambda name: name.endswith(".npz"), lambda name: load_npz(Path(name))),
    (
        lambda name: _is_folder(name) and any(Path(name).glob("*.npy")),
        lambda name: load_npy_folder(Path(name)),
    ),
    (
        lambda name: _is_folder(name) and has_idx_files(Path(name)),
        lambda name: load_idx_folder(Path(name)),
    ),
)


def load_data(
    name: str | None = None,
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
            - a folder of four IDX files with MNIST's names, plain or gzipped
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
    if name is not None:
        for recognizes, load in _SOURCES:
            if recognizes(name):
                return load(name)
    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    return _load_from_tfds(name, Path(folder).expanduser() if folder else None, notify)


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
