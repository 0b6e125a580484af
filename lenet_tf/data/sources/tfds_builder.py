"""Finds TFDS' builder of a data set and checks that the data set can be used."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from pathlib import Path
from typing import Any

from lenet_tf.errors import DataError, suggest_name
from lenet_tf.specs.validators import are_class_names

_MAX_BYTES = 8 << 30
_MAX_FILES = 1_000
OWN_DATA = (
    "Your own data can be a folder, .zip or .tar.gz of class folders of pictures"
    " (photos/cat/1.jpg), a .npz file or a folder of .npy files with x_train, y_train, x_test,"
    " y_test, a .csv table of labels and pixels, or a folder of four IDX files with MNIST's or"
    " EMNIST's names"
)


def is_known(name: str) -> bool:
    """Return whether TFDS has a data set of this name, with or without a configuration."""
    import tensorflow_datasets as tfds

    base = name.partition(":")[0].partition("/")[0]
    return base in tfds.list_builders(with_community_datasets=False)


def find_builder(name: str, data_dir: Path | None = None) -> Any:
    """Find TFDS' builder of a data set.

    Args:
        name: Name of the data set, with `/configuration` and `:version` if wanted.
        data_dir: Folder of all prepared data sets. None takes TFDS_DATA_DIR, or TFDS' own.

    Raises:
        DataError: If there is no such data set, or it is not image classification with images of
            one size.
    """
    import tensorflow_datasets as tfds

    base, _, config = name.partition(":")[0].partition("/")
    _check_name(name, base, tfds.list_builders(with_community_datasets=False))
    configs = list(tfds.builder_cls(base).builder_configs)
    if config and config not in configs:
        known = f"known are {', '.join(configs)}" if configs else f"{base} has no configurations"
        raise DataError(
            f"{base} has no configuration {config!r}: {suggest_name(config, configs, known)}"
        )
    try:
        # TFDS itself reads the variable only when it is imported.
        builder = tfds.builder(name, data_dir=data_dir or os.environ.get("TFDS_DATA_DIR"))
    except Exception as error:  # a builder can raise anything, TFDS an AssertionError
        raise DataError(f"data set {name!r} cannot be opened: {get_first_line(error)}") from error
    features = builder.info.features
    if not isinstance(features, tfds.features.FeaturesDict) or not (
        {"image", "label"} <= set(features.keys())
    ):
        raise DataError(f"{name} is not an image-classification set: it has no image and label")
    if None in features["image"].shape or not isinstance(
        features["label"], tfds.features.ClassLabel
    ):
        raise DataError(
            f"{name} cannot be used: its images vary in size or its labels are not classes"
        )
    return builder


def _check_name(name: str, base: str, known: list[str]) -> None:
    if base in known:
        return
    # `os.path` has an answer for names that are too long, too.
    is_path = os.path.exists(name) or os.path.exists(f"{name}.npz") or Path(name).suffix != ""
    if name and is_path:
        raise DataError(f"{name!r} is not a TFDS data set. {OWN_DATA}")
    if name.startswith((".", "/", "~", "\\")) or name.endswith(("/", "\\")):
        raise DataError(f"{name}: there is no such file or folder")
    names = [*known, *_list_files()]
    hint = suggest_name(name, names, "lenet-tf train --help says what can be named")
    raise DataError(f"unknown data set {name!r}: {hint}")


def _list_files() -> list[str]:
    """Return names of files and folders in the working folder, which a user may have mistyped."""
    with contextlib.suppress(OSError), os.scandir() as entries:
        names = [entry.name for entry in itertools.islice(entries, _MAX_FILES)]
        return [name for name in names if name.isprintable() and name[0] != "."]
    return []


def get_class_names(builder: Any) -> tuple[str, ...]:
    """Return TFDS' names of a data set's classes; none if it only numbers them."""
    label = builder.info.features["label"]
    names = tuple(label.names)
    is_numbered = names == tuple(map(str, range(label.num_classes)))
    return () if is_numbered or not are_class_names(names, label.num_classes) else names


def check_size(builder: Any) -> None:
    """Raise `DataError` for a data set that is too large for memory.

    Its decoded size counts or, if that is unknown before the download, that of its files.
    """
    count = sum(split.num_examples for split in builder.info.splits.values())
    size = count * math.prod(builder.info.features["image"].shape) or sum(
        int(info.size) for info in builder.url_infos.values()
    )
    if size > _MAX_BYTES:
        raise DataError(
            f"{builder.name} has {size / (1 << 30):.0f} GiB of images. "
            f"They must fit in memory, and the limit is {_MAX_BYTES >> 30} GiB."
        )


def get_first_line(error: Exception) -> str:
    """Return the first line of an error's text, or its type's name if it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
