"""Decoded arrays kept beside what TFDS prepared, since it decodes every PNG anew each time, which takes seconds."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.arrays import ARRAY_NAMES
from lenet_tf.io.atomic import atomic_write
from lenet_tf.io.npy import read_npz

CACHE_FILE = "lenet_tf.npz"


def load_cached(folder: Path, name: str, version: str, source: str, order: str) -> RawData | None:
    """The data set that `keep` left in the folder in this order of images.

    None where there is none, where it is in another order, or where its SHA-256 says that it is not whole.
    """
    try:
        arrays, _ = read_npz(
            folder / CACHE_FILE, (*ARRAY_NAMES, "num_classes", "sha256", "order"), "biuU"
        )
        classes, digest = int(arrays.pop("num_classes")), str(arrays.pop("sha256"))
        # Copies made before 0.3.0 don't say their order.
        if str(arrays.pop("order", "tfds")) != order:
            return None
        data = RawData(**arrays, name=name, version=version, source=source, num_classes=classes)
    except Exception:  # whatever a damaged archive makes its parsers raise
        return None
    return data if data.sha256 == digest else None


def save_cached(folder: Path, data: RawData, order: str) -> None:
    """Leaves the data set in the folder, whole or not at all; a folder that cannot be written to is left alone."""
    arrays = {part: getattr(data, part) for part in ARRAY_NAMES}
    with contextlib.suppress(OSError):
        for other in folder.glob(f".{Path(CACHE_FILE).stem}*"):
            # Of a process that was killed; one that still writes is younger.
            if time.time() - other.stat().st_mtime > 3600:
                other.unlink()
        with atomic_write(folder / CACHE_FILE) as partial, partial.open("wb") as file:
            np.savez(file, **arrays, num_classes=data.num_classes, sha256=data.sha256, order=order)
