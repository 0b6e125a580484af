"""From the arrays of a user's own files to a data set: names, conversion, a test part."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from lenet_tf.data.conversions import convert_arrays
from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.stratification import stratified_split
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError

# The options of `ReadOptions` that arrays take.
OPTIONS = ("layout", "values", "labels")
_TEST_FRACTION, _TEST_SEED = 0.2, 1998
_PART = r"(?P<{}>training|train|tr|testing|test|te|validation|valid|val|dev)?"
_NAME = re.compile(
    _PART.format("before")
    + r"(?:set)?(?:(?P<x>x|images?|imgs?|data|features|pixels|inputs?)"
    + r"|(?P<y>y|labels?|targets?|class(?:es)?))"
    + _PART.format("after")
)


def find_arrays(names: Collection[str], source: str) -> tuple[dict[str, str], list[str]]:
    """Find out which arrays are the images and the labels of which part.

    Args:
        names: Names of arrays, such as `X_train`, `test_labels` or `images`.
        source: What error messages call the file or folder.

    Returns:
        The names of `x_train`, `y_train`, `x_test` and `y_test`, as far as there are some, and
        those of validation parts.

    Raises:
        DataError: Two names mean the same.
    """
    found: dict[str, str] = {}
    others: list[str] = []
    for name in names:
        match = _NAME.fullmatch(re.sub(r"[\W_]", "", name.lower()))
        if match is None or (match["before"] and match["after"]):
            continue
        part = match["before"] or match["after"] or "train"
        if part[0] in "vd":
            others.append(name)
            continue
        key = f"{'x' if match['x'] else 'y'}_{'train' if part[:2] == 'tr' else 'test'}"
        if key in found:
            raise DataError(
                f"{source}: both {found[key]} and {name} can be {key}: rename or remove one of them"
            )
        found[key] = name
    return found, others


def is_label_name(name: str) -> bool:
    """Return whether the name of an array or a column means labels."""
    match = _NAME.fullmatch(re.sub(r"[\W_]", "", name.lower()))
    return match is not None and match["y"] is not None


def make_data(
    arrays: Mapping[str, Any],
    options: ReadOptions,
    name: str,
    notify: Callable[[str], None],
    num_classes: int = 0,
    class_names: Collection[str] = (),
    notes: Collection[str] = (),
) -> RawData:
    """Make a data set of a user's own arrays, and say what was guessed.

    Args:
        arrays: x_train and y_train, and mostly x_test and y_test.
        options: What the user says of them.
        name: Path of the file or folder.
        notify: Function that is called with one message of a line for each guess.
        num_classes: Number of classes; 0 if it is not known.
        class_names: Names of the classes, if they have some.
        notes: What was guessed before.

    Raises:
        DataError: The arrays are invalid, or can be read in several ways.
    """
    converted = convert_arrays(arrays, options, name, num_classes, tuple(class_names))
    parts, said = converted.arrays, [*notes, *converted.notes]
    if "x_test" not in parts:
        parts, note = _hold_out_test(parts, name)
        said.append(note)
    data = RawData(
        **parts,
        name=name,
        source="file",
        num_classes=converted.num_classes,
        class_names=converted.class_names,
        options=options.to_dict(),
    )
    if said:
        notify("\n".join([f"{name} is read as follows.", *said]))
    return data


def _hold_out_test(arrays: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """Split off a test part, always the same one."""
    images, labels = arrays["x_train"], arrays["y_train"]
    if isinstance(images, ImageFile):
        raise DataError(
            f"{name} has no test images, and is too large to split in memory: save x_train.npy,"
            " y_train.npy, x_test.npy and y_test.npy"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) != len(images):
        # What the checks of RawData refuse with its reason.
        return arrays | {"x_test": images, "y_test": labels}, ""
    try:
        train, test = stratified_split(labels, _TEST_FRACTION, _TEST_SEED)
    except DataError as error:
        raise DataError(
            f"{name} has no test images, and too few images of a class to hold"
            f" {_TEST_FRACTION:.0%} of them out: add a test part"
        ) from error
    note = (
        f"no test part: {len(test):,} of {len(labels):,} images, {_TEST_FRACTION:.0%} of each"
        " class, are held out for the test"
    )
    parts = {"x_train": images[train], "y_train": labels[train]}
    return parts | {"x_test": images[test], "y_test": labels[test]}, note


def order_arrays(shapes: Mapping[str, tuple[int, ...]], source: str) -> dict[str, str]:
    """Find out which arrays without own names, `arr_0` and so on, are images and labels.

    Args:
        shapes: Shapes of two or four arrays by name, in the order of the file.
        source: What error messages call the file.

    Returns:
        The names of `x_train`, `y_train` and so on.

    Raises:
        DataError: Their shapes don't tell.
    """
    names = list(shapes)
    sizes = {name: int(np.prod(shape[1:])) for name, shape in shapes.items()}
    orders = [["x_train", "y_train"]]
    if len(names) == 4:
        orders = [
            ["x_train", "y_train", "x_test", "y_test"],
            ["x_train", "x_test", "y_train", "y_test"],
        ]
    for order in orders:
        found = dict(zip(order, names, strict=True)) if len(order) == len(names) else {}
        pairs = [
            (found[f"x_{part}"], found[f"y_{part}"])
            for part in ("train", "test")
            if f"x_{part}" in found
        ]
        if pairs and all(
            len(shapes[x]) > 1 and shapes[x][0] == max(shapes[y], default=0) and sizes[x] > sizes[y]
            for x, y in pairs
        ):
            return found
    described = ", ".join(f"{name} {shapes[name]}" for name in names[:8])
    raise DataError(
        f"{source}: the shapes of its arrays don't say what they are ({described}): save them with"
        " numpy.savez(file, x_train=…, y_train=…, x_test=…, y_test=…)"
    )
