"""The published files of a data set in a folder, verified by the checksums that TFDS registers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.idx import FILES, load_idx_files
from lenet_tf.data.sources.tfds_builder import get_class_names
from lenet_tf.errors import DataError


def get_published_files(builder: Any) -> dict[str, Any]:
    """Return TFDS' registered size and checksum of each published file, by file name."""
    return {info.filename: info for info in builder.url_infos.values() if info.filename}


def find_missing(builder: Any, originals: Path | None) -> list[str]:
    """Verify the published files of a data set, and list those that are missing.

    Args:
        builder: TFDS' builder of the data set.
        originals: Folder of folders of published files; None means that there is none.

    Returns:
        Names of missing files; empty if all are there or `originals` is None.

    Raises:
        DataError: If the folder does not exist or a file is not the published one.
    """
    if originals is None:
        return []
    if not originals.is_dir():
        raise DataError(f"the originals folder {originals} does not exist or is not a folder")
    folder, infos = originals / builder.name, get_published_files(builder)
    if not infos:
        return ["its files"]
    missing = []
    for filename, info in infos.items():
        if (folder / filename).exists():
            verify_file(folder / filename, int(info.size), info.checksum)
        else:
            missing.append(filename)
    return missing


def verify_file(path: Path, registered_size: int, checksum: str) -> None:
    """Check that a file is the published one.

    Args:
        path: The file.
        registered_size: Its size in bytes.
        checksum: Its SHA-256.

    Raises:
        DataError: If it differs.
        OSError: If it cannot be read.
    """
    size = path.stat().st_size
    if size != registered_size:
        raise DataError(
            f"{path} is not the published file: {size:,} bytes instead of {registered_size:,}. "
            "Download it again."
        )
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    if digest.hexdigest() != checksum:
        raise DataError(
            f"{path} was altered: SHA-256 {digest.hexdigest()[:12]}… "
            f"instead of {checksum[:12]}…. Download it again."
        )


def load_originals(builder: Any, originals: Path, name: str) -> RawData:
    """Load MNIST, Fashion-MNIST or KMNIST from published files that `find_missing` has verified.

    Args:
        builder: TFDS' builder of the data set.
        originals: Folder of folders of published files.
        name: Name of the data set, for the result.
    """
    folder = originals / builder.name
    return RawData(
        **load_idx_files({part: folder / f"{FILES[part]}.gz" for part in FILES}),
        name=name,
        version=str(builder.info.version),
        source="originals",
        num_classes=builder.info.features["label"].num_classes,
        class_names=get_class_names(builder),
    )
