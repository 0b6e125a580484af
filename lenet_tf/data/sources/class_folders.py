"""Which class and split each picture of a folder of class folders belongs to, by its name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lenet_tf.data.labels import MAX_CLASSES
from lenet_tf.errors import DataError
from lenet_tf.io.picture_formats import ALL_SUFFIXES

_SET = r"(?:[-_ ]?(?:set|data|images|pictures))?"
_SPLITS = {
    "train": re.compile(rf"train(?:ing)?{_SET}", re.IGNORECASE),
    "test": re.compile(rf"test(?:ing)?{_SET}", re.IGNORECASE),
    "validation": re.compile(rf"val(?:id(?:ation)?)?{_SET}", re.IGNORECASE),
}
_MAX_NAMED = 5


@dataclass(frozen=True)
class ClassFolders:
    """The pictures of each class.

    Attributes:
        train: File names of the training pictures by class, both in natural order.
        test: File names of the test pictures likewise; None if no folder holds them.
        notes: What was guessed or left out, one sentence each.
    """

    train: dict[str, list[str]]
    test: dict[str, list[str]] | None = None
    notes: list[str] = field(default_factory=list)


def is_picture(name: str) -> bool:
    """Return whether a file name ends as a picture's, also of a format that is not read."""
    return PurePosixPath(name).suffix.lower() in ALL_SUFFIXES


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts 2 before 10.

    Example:
        >>> sorted(["10", "9", "cat"], key=natural_key)
        ['9', '10', 'cat']
    """
    parts = re.split(r"(\d+)", name.casefold())
    digits = (part.lstrip("0") if number % 2 else part for number, part in enumerate(parts))
    return [(len(part) if number % 2 else 0, part) for number, part in enumerate(digits)] + [
        (0, name)
    ]


def list_names(names: Iterable[str]) -> str:
    """Return the first names and the number of the others, for a message."""
    names = list(names)
    more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more


def find_class_folders(path: str, names: Iterable[str]) -> ClassFolders:
    """Sort the pictures of a data set by split and class.

    Args:
        path: What messages call the data set.
        names: Names of all its files, relative to it.

    Raises:
        DataError: There are no class folders, or classes of training and test differ.
    """
    others: Counter[str] = Counter()
    pictures = []
    for name in names:
        if is_picture(name):
            pictures.append(name)
        else:
            others[PurePosixPath(name).suffix.lower() or "without an ending"] += 1
    notes = []
    if others:
        kinds = ", ".join(kind for kind, _ in others.most_common(3))
        notes.append(f"Left out: {others.total():,} files that are no pictures ({kinds}).")
    if not pictures:
        raise DataError(f"{path} holds no pictures. {HOW_TO_SORT}")
    tree = _Tree(path, _skip_common_folders(pictures), notes)
    folders = tree.split() if tree.splits else ClassFolders(tree.sort(tree.pictures), notes=notes)
    _check_class_count(path, list(folders.train))
    return folders


def _check_class_count(path: str, classes: Sequence[str]) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{path} has one class folder only, {classes[0]}, which leaves nothing to tell apart."
            f" {HOW_TO_SORT}"
        )
    if len(classes) > MAX_CLASSES:
        limit = f"the limit is {MAX_CLASSES:,}"
        raise DataError(f"{path} has {len(classes):,} class folders, and {limit}")


HOW_TO_SORT = (
    "Sort pictures into a folder for each class, photos/cat/1.jpg, with or without folders train"
    " and test above the classes."
)


def _skip_common_folders(pictures: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the parts of each name behind the folders that hold everything, such as `photos/`."""
    parts = {name: tuple(name.split("/")) for name in pictures}
    while True:
        tops = {each[0] for each in parts.values()}
        is_split = any(pattern.fullmatch(next(iter(tops))) for pattern in _SPLITS.values())
        has_classes = min(map(len, parts.values())) > 2
        if len(tops) > 1 or not has_classes or is_split:
            return parts
        parts = {name: each[1:] for name, each in parts.items()}


class _Tree:
    """Pictures by the parts of their names behind the common folders."""

    def __init__(self, path: str, pictures: dict[str, tuple[str, ...]], notes: list[str]) -> None:
        self.path, self.pictures, self.notes = path, pictures, notes
        tops = dict.fromkeys(each[0] for each in pictures.values() if len(each) > 2)
        self.splits: dict[str, str] = {}
        for split, pattern in _SPLITS.items():
            found = [top for top in tops if pattern.fullmatch(top)]
            if len(found) > 1:
                raise DataError(f"{path} has several {split} folders, {' and '.join(found)}")
            self.splits.update((split, top) for top in found)

    def split(self) -> ClassFolders:
        """Return the classes of the training and test folders."""
        if "train" not in self.splits:
            found = " and ".join(self.splits.values())
            raise DataError(f"{self.path} has a folder {found} with classes, but no folder train")
        below = {top: _take(self.pictures, top) for top in self.splits.values()}
        left_out = {each[0] for each in self.pictures.values()} - set(below)
        if left_out:
            shown = list_names(sorted(left_out, key=natural_key))
            self.notes.append(f"Left out beside {self.splits['train']}: {shown}.")
        train = self.sort(below[self.splits["train"]])
        validation = self.splits.get("validation")
        test = self.splits.get("test") or validation
        if test is None:
            return ClassFolders(train, notes=self.notes)
        if test == validation:
            self.notes.append(f"The pictures in {test} are the test images.")
        elif validation is not None:
            added = self.sort(below[validation])
            self._check_classes(train, added, validation, is_complete=False)
            train = {name: train[name] + added.get(name, []) for name in train}
            self.notes.append(
                f"The pictures in {validation} join the training images, of which --validation"
                " holds out a part."
            )
        tested = self.sort(below[test])
        self._check_classes(train, tested, test, is_complete=True)
        return ClassFolders(train, tested, self.notes)

    def sort(self, pictures: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        """Return the names of pictures by class."""
        loose = [name for name, each in pictures.items() if len(each) == 1]
        if len(loose) == len(pictures):
            raise DataError(f"{self.path} holds pictures, but no class folders. {HOW_TO_SORT}")
        if loose:
            self.notes.append(f"Left out, in no class folder: {list_names(loose)}.")
        deep = [name for name, each in pictures.items() if len(each) > 2]
        if deep:
            raise DataError(
                f"{self.path}: {deep[0]} lies too deep. Pictures must lie directly in the folder of"
                " their class."
            )
        classes: dict[str, list[str]] = {}
        for name in sorted(pictures, key=natural_key):
            if len(pictures[name]) == 2:
                # Some systems compose accents, others don't.
                label = unicodedata.normalize("NFC", pictures[name][0])
                classes.setdefault(label, []).append(name)
        return {label: classes[label] for label in sorted(classes, key=natural_key)}

    def _check_classes(
        self,
        train: Collection[str],
        other: Collection[str],
        folder: str,
        is_complete: bool,
    ) -> None:
        unknown = [name for name in other if name not in train]
        missing = [name for name in train if name not in other] if is_complete else []
        for names, where in ((unknown, self.splits["train"]), (missing, folder)):
            if names:
                raise DataError(
                    f"{self.path}: {where} has no pictures of {list_names(names)}."
                    f" {self.splits['train']} and {folder} must have the same class folders."
                )


def _take(pictures: dict[str, tuple[str, ...]], top: str) -> dict[str, tuple[str, ...]]:
    """Return what is below a folder, without further folders that hold everything in it."""
    below = {name: each[1:] for name, each in pictures.items() if each[0] == top}
    while len({each[0] for each in below.values()}) == 1 and min(map(len, below.values())) > 2:
        below = {name: each[1:] for name, each in below.items()}
    return below
