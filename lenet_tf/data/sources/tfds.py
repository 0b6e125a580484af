"""Data sets of TensorFlow Datasets: from the user's original files, TFDS' cache or a download."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data import image_order
from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources.cache import load_cached, save_cached
from lenet_tf.data.sources.emnist import CLASS_NAMES, convert_emnist
from lenet_tf.data.sources.known_sets import KNOWN_SETS, load_known
from lenet_tf.data.sources.originals import find_missing, get_published_files, load_originals
from lenet_tf.data.sources.reachability import is_reachable
from lenet_tf.data.sources.tfds_builder import check_size, find_builder, get_class_names
from lenet_tf.data.sources.tfds_preparation import prepare_with_lock
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.runtime.tensorflow_start import start_tensorflow

_REMEDY = "Delete that folder. The next run prepares it again."
_FALLBACK_URL = "https://storage.googleapis.com"


def load_tfds(name: str, originals: Path | None) -> RawData:
    """Load a data set of TFDS from the first source that has it.

    Args:
        name: Name of the data set, with `/configuration` and `:version` if wanted.
        originals: Folder of folders of published files; None means none.

    Raises:
        DataError: If the data set is unknown or cannot be used, or a file is not the published one.
        SourceUnreachable: If no source has the data set.
    """
    data = load_known(name, originals)
    if data is not None:
        return data
    with hide_tfds_warnings():
        builder = find_builder(name)
        source = find_source(builder, originals, name)
        if (
            source == "originals"
            and originals is not None
            and builder.name in image_order.REORDERED_SETS
        ):
            return _check_content(load_originals(builder, originals, name), builder)
        if source != "cache":
            prepare_with_lock(builder, originals, source)
            builder = find_builder(name)
        return _check_content(_load_prepared(builder, name, source), builder)


@contextlib.contextmanager
def hide_tfds_warnings() -> Iterator[None]:
    """Hide what TFDS says of a data set that is not prepared yet; this package says it itself."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def find_source(builder: Any, originals: Path | None, name: str) -> str:
    """Find the first source that has a data set.

    Args:
        builder: TFDS' builder of the data set.
        originals: Folder of folders of published files; None means none.
        name: Name of the data set, for messages.

    Returns:
        `originals`, `cache` or `download`.

    Raises:
        DataError: If a file in `originals` is not the published one.
        SourceUnreachable: If no source has the data set; the message says where to put its files.
    """
    missing = find_missing(builder, originals)
    if originals is not None and not missing:
        return "originals"
    if builder.is_prepared():
        return "cache"
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        raise DataError(
            f"TFDS cannot download {name}. Prepare it as the TFDS catalog says, then name it here."
        )
    url = next(iter(builder.url_infos), _FALLBACK_URL)
    if is_reachable(url):
        return "download"
    root = originals or "<folder>"
    folder = f"{root}/{builder.name}"
    reason = (
        "no originals were given"
        if originals is None
        else f"{folder} lacks {_format_files(missing)}"
    )
    files = _format_files(list(get_published_files(builder)) or ["its files"])
    raise SourceUnreachable(
        f"{name} is unavailable: {reason}, {builder.data_path.parent} holds no prepared copy, "
        f"{url.split('/')[2]} does not answer.",
        f"Put {files} into {folder}/ and give --originals {root}, or go online.",
    )


def _format_files(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _load_prepared(builder: Any, name: str, source: str) -> RawData:
    """Load what TFDS has prepared, decoded or from the arrays that are stored beside it."""
    import tensorflow_datasets as tfds

    splits = builder.info.splits
    if "test" not in splits or "train" not in splits:
        raise DataError(
            f"{name} has the splits {', '.join(splits)}; it needs a train and a test split"
        )
    version, folder = str(builder.info.version), Path(builder.data_path)
    subset = builder.builder_config.name if builder.name == "emnist" else ""
    is_reordered = builder.name in image_order.REORDERED_SETS
    order = image_order.PUBLISHED if is_reordered else image_order.SHUFFLED
    order = image_order.UPRIGHT if subset else order
    names = CLASS_NAMES[subset] if subset else get_class_names(builder)
    cached = load_cached(folder, name, version, source, order, names)
    if cached is not None:
        return cached
    check_size(builder)
    start_tensorflow()
    arrays: dict[str, Any] = {}
    for split in ("train", "test"):
        try:
            examples = tfds.as_numpy(
                builder.as_dataset(split=split, batch_size=-1, shuffle_files=False)
            )
            arrays[f"x_{split}"] = examples["image"]
            arrays[f"y_{split}"] = examples["label"].astype(np.int64)
        except Exception as error:  # TensorFlow and TFDS raise anything for a damaged copy.
            raise DataError(
                f"the prepared copy in {folder} is damaged ({type(error).__name__}).", _REMEDY
            ) from error
    if subset:
        arrays = convert_emnist(arrays, subset, name)
    else:
        num_classes = builder.info.features["label"].num_classes
        arrays |= {"num_classes": num_classes, "class_names": names}
    data = RawData(**arrays, name=name, version=version, source=source)
    data = image_order.to_published_order(data) if is_reordered else data
    save_cached(folder, data, order)
    return data


def _check_content(data: RawData, builder: Any) -> RawData:
    """Raise `DataError` if a prepared copy holds another data set than its name says."""
    known = KNOWN_SETS.get(builder.name)
    if known is None or known.version != str(builder.info.version):
        return data
    if data.sha256 != known.sha256:
        raise DataError(
            f"the prepared copy in {builder.data_path} is not {data.name}: "
            f"SHA-256 {data.sha256[:12]}… instead of {known.sha256[:12]}….",
            _REMEDY,
        )
    return data
