"""Reads what a page holds, as its scripts do."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

DATA = re.compile(r'<script type="application/json" id="page-data">(.*?)</script>', re.DOTALL)


def read_page_data(page: Path) -> dict[str, Any]:
    (text,) = DATA.findall(page.read_text(encoding="utf-8"))
    return json.loads(text)


def unpack_arrays(packed: dict[str, Any]) -> list[np.ndarray]:
    """The arrays that pack_arrays packed."""
    dtype = np.dtype(packed["type"]).newbyteorder("<")
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    values = planes.reshape(dtype.itemsize, -1).T.copy().view(dtype).ravel()
    arrays = []
    for shape in packed["shapes"]:
        count = int(np.prod(shape))
        arrays.append(values[:count].reshape(shape))
        values = values[count:]
    assert not len(values)
    return arrays
