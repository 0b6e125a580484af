"""Loads the usual data sets without TFDS, which takes half a second to import."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import NamedTuple

from lenet_tf.data import image_order
from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.cache import load_cached
from lenet_tf.data.sources.idx import FILES, load_idx_files
from lenet_tf.data.sources.originals import verify_file
from lenet_tf.errors import DataError

_NUM_CLASSES = 10
# Lines of url, bytes, SHA-256 and file name.
_CHECKSUMS = "url_checksums"


class KnownSet(NamedTuple):
    """A data set of TFDS whose content is known.

    Attributes:
        version: TFDS' version.
        sha256: `RawData.sha256` in the published order.
        class_names: As TFDS names the classes, or none for digits.
    """

    version: str
    sha256: str
    class_names: tuple[str, ...] = ()


# TFDS trusts its cache, where MNIST, Fashion-MNIST and KMNIST can be mixed up, because they publish
# files of the same names.
KNOWN_SETS = {
    "mnist": KnownSet("3.0.1", "81b5b7068b487449d7b931d1a017285f103d3a0a4db56f3de6ac0bd9b268bdb3"),
    "fashion_mnist": KnownSet(
        "3.0.1",
        "abf4cdc7be0d9c228398ac0cf5e497a09c7e922e721564006ac1a5942474e36e",
        (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
}


def load_known(name: str, originals: Path | None) -> RawData | None:
    """Load a data set of `KNOWN_SETS` from its published files, or from the copy beside TFDS'.

    Args:
        name: Name of any data set.
        originals: Folder of folders of published files; None means none.

    Returns:
        The data set as `load_tfds` returns it. None if something is missing or unexpected, which
        `load_tfds` then prepares or explains.
    """
    known = KNOWN_SETS.get(name)
    if known is None:
        return None
    data = (
        _load_prepared_copy(name, known)
        if originals is None
        else _load_originals(name, known, originals / name)
    )
    return data if data is not None and data.sha256 == known.sha256 else None


def _load_prepared_copy(name: str, known: KnownSet) -> RawData | None:
    root = os.environ.get("TFDS_DATA_DIR") or os.path.join("~", "tensorflow_datasets")
    folder = Path(root).expanduser() / name / known.version
    if not (folder / "dataset_info.json").is_file():
        return None
    return load_cached(
        folder, name, known.version, "cache", image_order.PUBLISHED, known.class_names
    )


def _load_originals(name: str, known: KnownSet, folder: Path) -> RawData | None:
    paths = {part: folder / f"{FILES[part]}.gz" for part in FILES}
    checksums = read_checksums(name)
    try:
        for path in paths.values():
            verify_file(path, *checksums[path.name])
        arrays = load_idx_files(paths)
    except (DataError, KeyError, OSError):
        return None
    return RawData(
        **arrays,
        name=name,
        version=known.version,
        source="originals",
        num_classes=_NUM_CLASSES,
        class_names=known.class_names,
    )


def read_checksums(name: str) -> dict[str, tuple[int, str]]:
    """Read what TFDS registers of a data set's published files, without importing TFDS.

    Args:
        name: Name of the data set.

    Returns:
        File name -> bytes, SHA-256. Empty if TFDS keeps them elsewhere.
    """
    spec = importlib.util.find_spec("tensorflow_datasets")
    if spec is None or spec.origin is None:
        return {}
    file = Path(spec.origin).parent / _CHECKSUMS / f"{name}.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        fields = [line.split("\t") for line in lines]
        return {filename: (int(size), checksum) for _, size, checksum, filename in fields}
    except (OSError, ValueError):
        return {}
