"""Decoded arrays stored beside a data set of TFDS, which would decode every PNG each time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.arrays import ARRAY_NAMES
from lenet_tf.io.atomic import STALE_SECONDS, atomic_write, remove_partials
from lenet_tf.io.npy import read_npz

CACHE_FILE = "lenet_tf.npz"


def load_cached(
    folder: Path,
    name: str,
    version: str,
    source: str,
    order: str,
    class_names: tuple[str, ...] = (),
) -> RawData | None:
    """Load what `save_cached` stored.

    Args:
        folder: TFDS' folder of the prepared data set.
        name: Name of the data set, for the result.
        version: Version of the data set, for the result.
        source: Where the data came from, for the result.
        order: The order of images that is expected, one of `lenet_tf.data.image_order`.
        class_names: Names of the classes, for the result.

    Returns:
        The data set, or None if there is none, it is in another order, or it is damaged.
    """
    try:
        arrays, _ = read_npz(
            folder / CACHE_FILE, (*ARRAY_NAMES, "num_classes", "sha256", "order"), "biuU"
        )
        num_classes, sha256 = int(arrays.pop("num_classes")), str(arrays.pop("sha256"))
        # Files from before version 0.3.0 do not state their order.
        if str(arrays.pop("order", "tfds")) != order:
            return None
        data = RawData(
            **dict[str, Any](arrays),
            name=name,
            version=version,
            source=source,
            num_classes=num_classes,
            class_names=class_names,
        )
    except Exception:  # a damaged archive can make its parsers raise anything
        return None
    return data if data.sha256 == sha256 else None


def save_cached(folder: Path, data: RawData, order: str) -> None:
    """Store a data set for `load_cached`; do nothing if the folder cannot be written to.

    Args:
        folder: TFDS' folder of the prepared data set.
        data: The decoded data set.
        order: The order of its images, one of `lenet_tf.data.image_order`.
    """
    arrays = {name: getattr(data, name) for name in ARRAY_NAMES}
    with contextlib.suppress(OSError):
        remove_partials(folder, min_age=STALE_SECONDS)
        with atomic_write(folder / CACHE_FILE) as file:
            np.savez(file, **arrays, num_classes=data.num_classes, sha256=data.sha256, order=order)
