"""A folder or archive of class folders of pictures as a data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.sources.class_folders import (
    ClassFolders,
    find_class_folders,
    is_picture,
    list_names,
)
from lenet_tf.data.sources.picture_decoding import PictureSettings, decode_pictures
from lenet_tf.errors import DataError
from lenet_tf.io.file_trees import FileTree, is_archive, open_tree

# The options of `ReadOptions` that pictures take.
OPTIONS = ("image_size", "color")
TEST_FRACTION, _SPLIT_SEED = 0.2, 0


def has_pictures(path: Path) -> bool:
    """Return whether a path is an archive, or a folder with pictures in it."""
    if not os.path.isdir(path):
        return is_archive(path)
    try:
        with open_tree(path) as tree:
            return any(is_picture(name) for name in tree.names())
    except (OSError, ValueError):
        return False


def load_pictures(
    path: Path, settings: PictureSettings, notify: Callable[[str], None], **identity: Any
) -> RawData:
    """Load a data set of pictures.

    Args:
        path: The folder or archive.
        settings: What the pictures become.
        notify: Called with a message that says what was guessed.
        **identity: Fields of the result that differ.

    Raises:
        DataError: A picture is unreadable, a class has too few, or their sizes differ and
            `settings` names none.
    """
    try:
        with open_tree(path) as tree:
            folders = find_class_folders(str(path), tree.names())
            return _load(path, tree, folders, settings, notify, identity)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{path} can't be read: {reason or error}") from error


def _load(
    path: Path,
    tree: FileTree,
    folders: ClassFolders,
    settings: PictureSettings,
    notify: Callable[[str], None],
    identity: dict[str, Any],
) -> RawData:
    """Load the pictures that `find_class_folders` has sorted."""
    decoded = decode_pictures(
        str(path),
        tree,
        [
            name
            for part in (folders.train, folders.test or {})
            for names in part.values()
            for name in names
        ],
        settings,
    )
    notes = folders.notes + decoded.notes
    train = _drop_unreadable(folders.train, decoded.images)
    test = None if folders.test is None else _drop_unreadable(folders.test, decoded.images)
    if test is None:
        train, test = _hold_out(str(path), train)
        count = sum(map(len, test.values()))
        notes.append(
            f"No test folder: {TEST_FRACTION:.0%} of each class, {count:,} pictures, are the test"
            " images."
        )
    arrays: dict[str, Any] = {}
    for part, classes in (("train", train), ("test", test)):
        names, labels = _interleave(classes)
        arrays |= {f"x_{part}": decoded.take(names), f"y_{part}": labels}
    if notes:
        total = len(arrays["y_train"]) + len(arrays["y_test"])
        title = f"{path}: {total:,} pictures of {len(train):,} classes ({list_names(train)})."
        notify("\n".join([title, *notes]))
    fields = {"name": str(path.resolve()), "source": "pictures"} | identity
    if not identity:
        # With them the same images are made again, whatever network asks for them.
        size, color = decoded.shape[:2], decoded.shape[2] == 3
        fields["options"] = ReadOptions(image_size=size, color=color).to_dict()
    return RawData(**arrays, **fields, num_classes=len(train), class_names=tuple(train))


def _drop_unreadable(
    classes: dict[str, list[str]], images: dict[str, np.ndarray]
) -> dict[str, list[str]]:
    return {label: [name for name in names if name in images] for label, names in classes.items()}


def _hold_out(
    path: str, classes: dict[str, list[str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Hold out a fifth of each class, at least one picture, always the same ones."""
    random = np.random.default_rng(_SPLIT_SEED)
    train, test = {}, {}
    for label, names in classes.items():
        if len(names) < 2:
            raise DataError(
                f"{path}: {label} has {len(names)} picture, and a class needs at least 2: one to"
                " train on and one to test"
            )
        count = max(1, round(TEST_FRACTION * len(names)))
        chosen = set(random.permutation(len(names))[:count].tolist())
        test[label] = [name for number, name in enumerate(names) if number in chosen]
        train[label] = [name for number, name in enumerate(names) if number not in chosen]
    return train, test


def _interleave(classes: dict[str, list[str]]) -> tuple[list[str], np.ndarray]:
    """Order pictures: the first of each class, then the second ones, so that a part has them all.

    Returns:
        Names and labels, int64 (N,).
    """
    numbered = sorted(
        (number, label, name)
        for label, names in enumerate(classes.values())
        for number, name in enumerate(names)
    )
    labels = np.array([label for _, label, _ in numbered], np.int64)
    return [name for *_, name in numbered], labels
