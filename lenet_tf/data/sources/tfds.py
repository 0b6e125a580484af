"""Data sets by TensorFlow Datasets: from hand-placed originals, its cache, or its download, checked by its registered checksums."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout

from lenet_tf.data import image_order
from lenet_tf.data.dataset import RawData
from lenet_tf.data.sources import originals as originals_files
from lenet_tf.data.sources.cache import load_cached, save_cached
from lenet_tf.errors import DataError, SourceUnreachable, did_you_mean
from lenet_tf.io.atomic import file_lock
from lenet_tf.runtime.tensorflow_start import start_tensorflow

REACH_SECONDS = 4.0
_FALLBACK_URL = "https://storage.googleapis.com"
_LARGEST_BYTES = 8 << 30

# What `RawData.sha256` must be, in the published order. TFDS trusts its cache, and MNIST, Fashion-MNIST and KMNIST publish their files
# under the same four names.
KNOWN_SHA256 = {
    "mnist:3.0.1": "81b5b7068b487449d7b931d1a017285f103d3a0a4db56f3de6ac0bd9b268bdb3",
    "fashion_mnist:3.0.1": "abf4cdc7be0d9c228398ac0cf5e497a09c7e922e721564006ac1a5942474e36e",
}


def load_tfds(name: str, originals: Path | None) -> RawData:
    """The data set `name` as raw arrays, from the first source that has it. See `lenet_tf.load_data` for shapes and errors."""
    log = logging.getLogger("absl")
    level = log.level
    # TFDS warns of a set that is not prepared yet, which is told here in other words.
    log.setLevel(logging.ERROR)
    try:
        builder = find_builder(name)
        source = find_source(builder, originals, name)
        if source == "originals" and builder.name in image_order.REORDERED_SETS:
            return _checked(originals_files.read(builder, originals, name), builder)
        if source != "cache":
            prepare_with_lock(builder, originals, source)
            builder = find_builder(name)
        return _checked(_read(builder, name, source), builder)
    finally:
        log.setLevel(level)


def _checked(data: RawData, builder: Any) -> RawData:
    """Refuses a prepared copy that has another content than the set of its name."""
    known = KNOWN_SHA256.get(f"{builder.name}:{builder.info.version}", data.sha256)
    if data.sha256 != known:
        raise DataError(
            f"the prepared copy in {builder.data_path} is not {data.name}: SHA-256 {data.sha256[:12]}… instead of {known[:12]}….\n"
            "Delete that folder; the next run prepares it anew."
        )
    return data


def find_builder(name: str) -> Any:
    """TFDS' builder of that name; raises `DataError` if there is none, or if it is not image classification with images of one size."""
    import tensorflow_datasets as tfds

    base, _, config = name.partition(":")[0].partition("/")
    known = tfds.list_builders(with_community_datasets=False)
    if (
        base not in known
        and name
        and (Path(name).exists() or Path(f"{name}.npz").exists() or Path(name).suffix)
    ):
        raise DataError(
            f"{name!r} is no TFDS data set, and of own files only .npz or a folder of .npy (./mine) is read,"
            " with x_train, y_train, x_test, y_test"
        )
    if base not in known:
        raise DataError(
            f"unknown data set {name!r}: {did_you_mean(name, known, 'lenet-tf train --help says what can be named')}"
        )
    configs = list(tfds.builder_cls(base).builder_configs)
    if config and config not in configs:
        none = f"{base} has no configurations" if not configs else "known are " + ", ".join(configs)
        raise DataError(
            f"{base} has no configuration {config!r}: {did_you_mean(config, configs, none)}"
        )
    try:
        # TFDS itself looks at the variable only once, when it is imported.
        builder = tfds.builder(name, data_dir=os.environ.get("TFDS_DATA_DIR"))
    except Exception as error:  # TFDS raises whatever a builder's own code does, a version that it lacks as AssertionError
        raise DataError(f"data set {name!r} cannot be opened: {_first_line(error)}") from error
    features = builder.info.features
    if not isinstance(features, tfds.features.FeaturesDict) or not {"image", "label"} <= set(
        features.keys()
    ):
        raise DataError(f"{name} is not an image-classification set: it has no image and label")
    if None in features["image"].shape or not isinstance(
        features["label"], tfds.features.ClassLabel
    ):
        raise DataError(
            f"{name} cannot be used: its images vary in size or its labels are not classes"
        )
    return builder


def find_source(builder: Any, originals: Path | None, name: str) -> str:
    """`originals`, `cache` or `download`; raises `DataError` for an altered original and `SourceUnreachable` when none has the set."""
    missing = originals_files.find_missing(builder, originals)
    if originals is not None and not missing:
        return "originals"
    if builder.is_prepared():
        return "cache"
    if builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
        raise DataError(
            f"TFDS does not download {name} by itself: prepare it as the TFDS catalog says, then name it here."
        )
    host = first_url(builder).split("/")[2]
    if is_reachable(first_url(builder)):
        return "download"
    folder, files = (
        f"{originals or '<folder>'}/{builder.name}",
        list(originals_files.published(builder)) or ["its files"],
    )
    have = "no originals were given" if originals is None else f"{folder} lacks {_listed(missing)}"
    raise SourceUnreachable(
        f"{name} is not to be had: {have}, {builder.data_path.parent} holds no prepared copy, {host} does not answer.\n"
        f"Put {_listed(files)} into {folder}/ and give --originals {originals or '<folder>'}, or go online."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def first_url(builder: Any) -> str:
    return next(iter(builder.url_infos), _FALLBACK_URL)


def is_reachable(url: str, seconds: float = REACH_SECONDS) -> bool:
    """Whether `url` answers in time. TFDS gives up only after minutes of retries; a name look-up has no time limit at all."""
    import requests

    answers = []

    def ask() -> None:
        with (
            contextlib.suppress(requests.RequestException),
            requests.get(url, stream=True, timeout=seconds) as answer,
        ):
            answers.append(answer.ok)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return any(answers)


def prepare_with_lock(builder: Any, originals: Path | None, source: str) -> None:
    """Prepares the data set unless it is prepared; one process does, others wait for it."""
    if (
        builder.is_prepared()
    ):  # the originals were verified above, and the cache was made from files of the same checksums
        return
    place = Path(builder.data_path).parent
    lock = place / f".{builder.info.version}.lock"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(file_lock(lock))
            except Timeout:
                print(
                    f"Another process is preparing {builder.name} in {builder.data_path}; waiting for it.",
                    file=sys.stderr,
                    flush=True,
                )
                held.enter_context(file_lock(lock, timeout=-1))
            if not find_builder(":".join(builder.info.full_name.rsplit("/", 1))).is_prepared():
                _prepare(builder, originals, source)
    except OSError as error:
        where = f"{builder.name} cannot be prepared in {builder.data_path}"
        raise DataError(
            f"{where}: {error.strerror or error}. TFDS_DATA_DIR names another folder."
        ) from error


def _prepare(builder: Any, originals: Path | None, source: str) -> None:
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    _check_size(builder)
    start_tensorflow()
    manual = originals / builder.name if originals is not None else None
    chatter = contextlib.nullcontext()
    if source == "originals" or not sys.stderr.isatty():
        tfds.disable_progress_bar()
        chatter = contextlib.redirect_stdout(io.StringIO())
    print(
        f"Preparing {builder.name} ({source}) in {builder.data_path}, once.",
        file=sys.stderr,
        flush=True,
    )
    try:
        # A folder of its own, used once: TFDS keeps what it unpacked under the bare file name, and would take another set's for it.
        with chatter, tempfile.TemporaryDirectory(prefix="lenet-tf-") as extracted:
            config = tfds.download.DownloadConfig(
                manual_dir=manual, extract_dir=extracted, try_download_gcs=False
            )
            builder.download_and_prepare(download_config=config)
    except (
        tfds.download.DownloadError,
        NonMatchingChecksumError,
        requests.RequestException,
    ) as error:
        raise SourceUnreachable(
            f"{builder.name}: the download failed ({_first_line(error)}). Try again when online."
        ) from error
    except Exception as error:  # whatever a builder's own code raises
        if find_builder(":".join(builder.info.full_name.rsplit("/", 1))).is_prepared():
            return  # another program, which knows nothing of the lock, was quicker
        where = f"{builder.name} cannot be prepared in {builder.data_path}"
        raise DataError(
            f"{where}: {_first_line(error).rstrip('.')}. TFDS_DATA_DIR names another folder."
        ) from error


def _check_size(builder: Any) -> None:
    """Images are held in memory: refuses a giant by its decoded size or, before that is known, by its download."""
    count = sum(split.num_examples for split in builder.info.splits.values())
    size = count * math.prod(builder.info.features["image"].shape) or sum(
        int(info.size) for info in builder.url_infos.values()
    )
    if size > _LARGEST_BYTES:
        raise DataError(
            f"{builder.name} has {size / (1 << 30):.0f} GiB of images; they are held in memory, and {_LARGEST_BYTES >> 30} GiB is the limit"
        )


def _read(builder: Any, name: str, source: str) -> RawData:
    import tensorflow_datasets as tfds

    if "test" not in builder.info.splits or "train" not in builder.info.splits:
        raise DataError(
            f"{name} has the splits {', '.join(builder.info.splits)}; a train and a test split are needed"
        )
    version, folder = str(builder.info.version), Path(builder.data_path)
    kept_order = (
        image_order.PUBLISHED
        if builder.name in image_order.REORDERED_SETS
        else image_order.SHUFFLED
    )
    kept = load_cached(folder, name, version, source, kept_order)
    if kept is not None:
        return kept
    _check_size(builder)
    start_tensorflow()
    arrays = []
    for split in ("train", "test"):
        part = tfds.as_numpy(builder.as_dataset(split=split, batch_size=-1, shuffle_files=False))
        arrays += [part["image"], part["label"].astype(np.int64)]
    classes = builder.info.features["label"].num_classes
    data = RawData(*arrays, name=name, version=version, source=source, num_classes=classes)
    data = image_order.to_published_order(data) if kept_order == image_order.PUBLISHED else data
    save_cached(folder, data, kept_order)
    return data
