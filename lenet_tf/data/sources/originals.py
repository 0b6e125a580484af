"""The published files that a person placed in a folder, compared with the checksums that TFDS has registered for them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.idx import FILES, read_idx
from lenet_tf.errors import DataError


def published(builder: Any) -> dict[str, Any]:
    """File name → TFDS' registered size and checksum."""
    return {info.filename: info for info in builder.url_infos.values() if info.filename}


def find_missing(builder: Any, originals: Path | None) -> list[str]:
    """The published files that `originals` lacks. Raises `DataError` for a file that is there but is not the published one."""
    if originals is None:
        return []
    if not originals.is_dir():
        raise DataError(f"the originals folder {originals} does not exist or is not a folder")
    folder = originals / builder.name
    infos = published(builder)
    for filename, info in infos.items():
        path = folder / filename
        if not path.exists():
            continue
        size = path.stat().st_size
        if size != info.size:
            raise DataError(
                f"{path} is not the published file: {size:,} bytes instead of {int(info.size):,}. Fetch it again."
            )
        with path.open("rb") as file:
            digest = hashlib.sha256()
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != info.checksum:
            raise DataError(
                f"{path} was altered: SHA-256 {digest.hexdigest()[:12]}… instead of {info.checksum[:12]}…. Fetch it again."
            )
    return [filename for filename in infos if not (folder / filename).exists()] or (
        [] if infos else ["its files"]
    )


def read(builder: Any, originals: Path, name: str) -> RawData:
    """The published files themselves, whose checksums `find_missing` has compared: nothing is prepared."""
    folder = originals / builder.name
    images = {
        part: read_idx(folder / f"{FILES[part]}.gz", 3)[..., None] for part in ("x_train", "x_test")
    }
    labels = {
        part: read_idx(folder / f"{FILES[part]}.gz", 1).astype(np.int64)
        for part in ("y_train", "y_test")
    }
    classes = builder.info.features["label"].num_classes
    return RawData(
        **images,
        **labels,
        name=name,
        version=str(builder.info.version),
        source="originals",
        num_classes=classes,
    )
