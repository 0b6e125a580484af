"""Where raw images come from. The only room that touches data files or the network.

Sources are tried in this order: a folder of originals, the TFDS cache, a download by TFDS, and, only where the user named no data set, the
sample that a package on this machine carries.
"""

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


def load_data(
    name: str | None = None,
    originals: str | Path | None = None,
    notify: Callable[[str], None] = warnings.warn,
) -> RawData:
    """A data set as raw uint8 images (N, height, width, channels) in 0…255 and int64 labels (N,).

    Args:
        name: any TFDS image-classification set (`mnist`, `fashion_mnist`, `kmnist`, `emnist/letters`, `cifar10`, …), `sample`, or a
            `.npz` file with x_train, y_train, x_test, y_test and optionally num_classes, or a folder (`./mine`) with these as `.npy`
            files, whose images stay on the disk and are read as they are needed, or with the four IDX files of MNIST's names, as published
            or unpacked. None means MNIST, or the sample where MNIST cannot be had.
        originals: a folder laid out as `<folder>/<data set>/<published files>`; None takes the environment variable LENET_TF_ORIGINALS.
        notify: told, before anything slow, that the sample stands in for MNIST.

    Raises:
        DataError: unknown data set, not image classification, or a file that is not the published one.
        SourceUnreachable: the named data set is on no source that this machine can reach; the text says which files to put where.
    """
    if name == SAMPLE:
        return load_sample()
    if name is not None and name.endswith(".npz"):
        return load_npz(Path(name))
    # A folder is told from a data set's name by its slash.
    if name is not None and os.sep in name and Path(name).is_dir():
        if any(Path(name).glob("*.npy")):
            return load_npy_folder(Path(name))
        if has_idx_files(Path(name)):
            return load_idx_folder(Path(name))
    from lenet_tf.data.sources.tfds import load_tfds

    folder = originals or os.environ.get(ORIGINALS_VARIABLE) or None
    try:
        return load_tfds(
            DEFAULT_DATA if name is None else name, Path(folder).expanduser() if folder else None
        )
    except SourceUnreachable as error:
        if name is not None:
            raise
        notify(
            f"THIS IS NOT MNIST. {error}\n"
            "Training goes on with the embedded sample: 5,000 real MNIST digits, 4,000 to train, 1,000 held out."
        )
        return load_sample()
