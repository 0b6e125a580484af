"""The SHA-256 of a data set, which identifies its images and labels."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.kept_facts import keep_fact
from lenet_tf.data.label_files import LabelFile
from lenet_tf.data.streaming import ArrayFile, ImageFile
from lenet_tf.runtime.terminal import STATUS

# Seconds after which a terminal shows how far it is.
_SHOW_AFTER = 2
_DIGEST = re.compile("[0-9a-f]{64}")


def compute_digest(arrays: Sequence[Any]) -> tuple[str, Path | None]:
    """Compute the SHA-256 of shapes and content of images and labels, or take a kept one.

    Args:
        arrays: NumPy arrays, or arrays in files.

    Returns:
        The digest in hexadecimal, and the file that keeps it, or None.
    """
    files = [each for each in arrays if isinstance(each, ArrayFile)]
    if not files:
        return _hash(arrays), None
    details = [
        getattr(each, "details", "images") if isinstance(each, ArrayFile) else _hash([each])
        for each in arrays
    ]
    return keep_fact(
        files,
        "sha256",
        details,
        lambda: _hash(arrays),
        lambda value: isinstance(value, str) and _DIGEST.fullmatch(value) is not None,
    )


def _hash(arrays: Sequence[Any]) -> str:
    digest, start, done = hashlib.sha256(), time.monotonic(), 0
    files = [each for each in arrays if isinstance(each, ArrayFile)]
    total, is_shown = (
        sum(each.size * (1 if isinstance(each, ImageFile) else 8) for each in files),
        False,
    )
    for array in arrays:
        digest.update(repr(tuple(array.shape)).encode())
        for part in _list_parts(array):
            digest.update(part.data)
            if isinstance(array, ArrayFile):
                done += part.nbytes
            if time.monotonic() - start > _SHOW_AFTER:
                is_shown = True
                STATUS.count(f"SHA-256 of {files[0].path.parent}, MB", done >> 20, total >> 20)
    if is_shown:
        STATUS.clear()
    return digest.hexdigest()


def _list_parts(array: Any) -> Iterator[np.ndarray]:
    """Iterate over an array: images as bytes, and labels as int64 whatever their type."""
    if isinstance(array, ImageFile):
        yield from array.flat_parts()
    elif isinstance(array, LabelFile):
        for part in array.parts():
            yield np.ascontiguousarray(part, np.int64)
    else:
        yield np.ascontiguousarray(array, np.uint8 if len(array.shape) > 1 else np.int64)
