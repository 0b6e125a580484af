"""Sources of raw images: the only package that opens data files or uses the network."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.sources import own_arrays
from lenet_tf.data.sources.arrays import load_npy_folder, load_npz
from lenet_tf.data.sources.cifar10_jpeg import CIFAR10_JPEG, load_cifar10_jpeg
from lenet_tf.data.sources.idx import has_idx_files, load_idx_folder
from lenet_tf.data.sources.known_sets import KNOWN_SETS
from lenet_tf.data.sources.picture_decoding import PictureSettings
from lenet_tf.data.sources.pictures import OPTIONS as PICTURE_OPTIONS
from lenet_tf.data.sources.pictures import has_pictures, load_pictures
from lenet_tf.data.sources.sample import SAMPLE, load_sample
from lenet_tf.data.sources.tables import is_table, load_table
from lenet_tf.data.sources.tfds_builder import OWN_DATA, is_known
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.io.file_trees import is_archive
from lenet_tf.specs import Spec

ORIGINALS_VARIABLE = "LENET_TF_ORIGINALS"
DEFAULT_DATA = "mnist"

_PACKAGE = "lenet_tf."
# What separates folders in a name; Windows takes either.
_SEPARATORS = "/\\"

_Load = Callable[[Path, ReadOptions, Callable[[str], None]], RawData]
# Sources of arrays by what they recognize, in the order of trial; TFDS takes every other name. To
# add a source, write a module with a function that returns `RawData`, and add a row here.
_SOURCES: tuple[tuple[Callable[[Path], bool], _Load], ...] = (
    (lambda path: path.suffix.lower() == ".npz", load_npz),
    (lambda path: os.path.isdir(path) and any(path.glob("*.npy")), load_npy_folder),
    (lambda path: os.path.isdir(path) and has_idx_files(path), load_idx_folder),
    (is_table, load_table),
)


def load_data(
    name: str | Path | None = None,
    originals: str | Path | None = None,
    notify: Callable[[str], None] | None = None,
    *,
    image_size: int | tuple[int, int] | None = None,
    color: bool | None = None,
    network: Spec | None = None,
    layout: str | None = None,
    values: Any = None,
    labels: Any = None,
) -> RawData:
    """Load a data set as raw images and labels.

    A data set of TFDS comes from the first of these that has it: `originals`, TFDS' cache, a
    download.

    Args:
        name: One of these; None means MNIST, or the sample if MNIST is unavailable.

            - an image-classification data set of TFDS, such as `mnist`, `fashion_mnist`, `kmnist`,
              `emnist/letters` or `cifar10`
            - `sample`, 5,000 digits of MNIST that need no download
            - a folder of pictures in class folders, `photos/cat/1.jpg`, with or without folders
              `train` and `test` above the classes, or a `.zip`, `.tar`, `.tar.gz` or `.tgz` of them
            - a `.npz` file with x_train, y_train, x_test, y_test and optionally num_classes and
              class_names, or with other usual names
            - a folder (`./mine`) of these arrays as `.npy` files, whose images stay on the disk
            - a folder of four IDX files with MNIST's or EMNIST's names, plain or gzipped
            - a `.csv` table of a label and pixels in each row, such as `mnist_train.csv`, whose
              `mnist_test.csv` is the test part, or a folder with one such table
            - `cifar10_jpeg`, CIFAR-10 as JPEG files, from `originals`

            Without a test part, 20% of the images of each class are held out for the test.

            A `Path` is a file or folder. Text without a slash names a data set of TFDS, where
            there is one of this name.
        originals: Folder laid out as `<folder>/<data set>/<published files>`; None means that of
            the environment variable LENET_TF_ORIGINALS.
        notify: Function that is called with a message if the sample stands in for MNIST, or
            something about your own data was guessed. None warns.
        image_size: Side, or height and width, of the images that pictures are cropped and resized
            to. None keeps the size of pictures that all have one of up to 64×64.
        color: Whether pictures get three channels (True) or one (False). None: three if one of
            them has color.
        network: Pictures that can't keep their size get that of this network's images.
        layout: Order of the axes of your own images: `channels_last`, `channels_first`, or
            `images_last` as in MATLAB's files. None: as their shape says.
        values: The values that stand for black and white in your own images, as a pair or a text
            such as `0..1` or `-1..1`. None: as the pixels say.
        labels: The first and the last of your own labels, as a pair or a text such as `1..10`, or
            `distinct` to make a class of each different label. None: as the labels say.

    Returns:
        Raw images (N, height, width[, channels]), integers 0…255 (uint8, except in your own
        files), and integer labels (N,).

    Raises:
        DataError: If the data set is unknown or is not image classification, a file is damaged or
            not the published one, pictures differ in size and nothing names one, or arrays can be
            read in several ways.
        SourceUnreachable: If no source has the data set; the message says which files to put where.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> data.x_train.shape, data.x_train.dtype
        ((4000, 28, 28, 1), dtype('uint8'))
        >>> data.y_train.shape, data.num_classes
        ((4000,), 10)
    """
    notify = notify or warn_caller
    options = ReadOptions(
        image_size=image_size, color=color, layout=layout, values=values, labels=labels
    )
    if isinstance(name, str | Path) and name != "" and name not in (SAMPLE, CIFAR10_JPEG):
        path = Path(name).expanduser()
        if not _is_tfds_name(name):
            for recognizes, load in _SOURCES:
                if recognizes(path):
                    options.check_applicable(own_arrays.OPTIONS, str(name))
                    return load(path, options, notify)
            if has_pictures(path):
                options.check_applicable(PICTURE_OPTIONS, str(name))
                settings = PictureSettings(options.image_size, options.color, network)
                return load_pictures(path, settings, notify)
    options.check_applicable((), DEFAULT_DATA if name is None else str(name))
    if name == SAMPLE:
        return load_sample()
    if isinstance(name, Path):
        problem = OWN_DATA if os.path.exists(name) else "there is no such file or folder"
        raise DataError(f"{name}: {problem}")
    if name is not None and not isinstance(name, str):
        raise DataError(f"a data set is named by text or a Path, not by {type(name).__name__}")
    folder = originals or os.environ.get(ORIGINALS_VARIABLE)
    root = Path(folder).expanduser() if folder else None
    if name == CIFAR10_JPEG:
        return load_cifar10_jpeg(root, notify)
    return _load_from_tfds(name, root, notify)


def warn_caller(message: str) -> None:
    """Warn with the place outside of this package that asked for the data."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _is_tfds_name(name: str | Path) -> bool:
    """Return whether a name means a data set of TFDS, though a file or folder has it too."""
    # A slash tells a folder from a data set of the same name.
    is_path = not isinstance(name, str) or any(separator in name for separator in _SEPARATORS)
    return (
        not is_path
        and not is_archive(Path(name))
        and Path(name).suffix.lower() not in (".npz", ".csv")
        and (name in KNOWN_SETS or is_known(str(name)))
    )


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
