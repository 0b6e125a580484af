"""Arrays and scripts as text for a page: compressed, and in base64."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np


def pack_arrays(arrays: Sequence[np.ndarray]) -> dict[str, Any]:
    """Pack arrays of one kind of number for `scripts/data.js`, which unpacks them.

    The first bytes of all numbers come first, then the second ones, and so on: the exponents of
    floats then compress well.

    Args:
        arrays: All float32, or all uint8.

    Returns:
        `type`, the `shapes` in order, and `data`: base64 of zlib's format.
    """
    (dtype,) = {array.dtype for array in arrays} or {np.dtype(np.float32)}
    if dtype not in (np.float32, np.uint8):
        raise TypeError(f"arrays must be float32 or uint8, not {dtype}")
    little = np.concatenate([array.ravel() for array in arrays] or [np.zeros(0, dtype)])
    planes = little.astype(dtype.newbyteorder("<")).view(np.uint8).reshape(-1, dtype.itemsize).T
    data = np.ascontiguousarray(planes).tobytes()
    return {
        "type": dtype.name,
        "shapes": [list(array.shape) for array in arrays],
        "data": _pack(data),
    }


def pack_text(text: str) -> str:
    """Pack a text for `bootstrap.js`, which unpacks it: base64 of zlib's format of UTF-8."""
    return _pack(text.encode())


def _pack(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()
