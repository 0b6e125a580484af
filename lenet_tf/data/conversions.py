"""The one place where arrays as people have them become raw images and whole-number labels.

What is clear is converted and said. What is ambiguous is refused with the option that settles it.
Arrays that need no conversion are returned as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lenet_tf.data.image_conversions import (
    RAW_RANGE,
    arrange_axes,
    describe_scaling,
    ends_with_count,
    find_range,
    scale_images,
)
from lenet_tf.data.label_conversions import convert_labels, flatten_labels
from lenet_tf.data.label_numbering import Labels
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.streaming import ImageFile
from lenet_tf.data.validation import ONLY_0_AND_1, to_array
from lenet_tf.errors import DataError, DataWarning
from lenet_tf.specs.validators import are_class_names


@dataclass(frozen=True)
class Converted:
    """Converted arrays.

    Attributes:
        arrays: Images and labels by name, such as `x_train`.
        num_classes: Number of classes; 0 if the labels are to be counted.
        class_names: Names of the classes.
        notes: What was guessed, one line for each guess.
    """

    arrays: dict[str, Any]
    num_classes: Any
    class_names: Any
    notes: tuple[str, ...]


def convert_arrays(
    arrays: Mapping[str, Any],
    options: ReadOptions,
    name: str,
    num_classes: Any = 0,
    class_names: Any = (),
) -> Converted:
    """Convert images and labels.

    Args:
        arrays: NumPy arrays, or those in files: x_train and y_train, and mostly x_test and
            y_test.
        options: What the user says of them.
        name: What messages call the data set.
        num_classes: Number of classes; 0 if it is not known.
        class_names: Names of the classes, if they have some.

    Returns:
        The same arrays, converted where needed. Values that no form of images or labels has are
        left for the checks of `RawData`.

    Raises:
        DataError: The arrays can be read in several ways. The message names the options.
    """
    parts = [part for part in ("train", "test") if f"x_{part}" in arrays]
    flat = [flatten_labels(arrays[f"y_{part}"]) for part in parts]
    names = class_names.tolist() if hasattr(class_names, "tolist") else class_names
    are_valid = isinstance(names, list | tuple) and are_class_names(names, len(names))
    labels = convert_labels(
        Labels(
            parts=tuple(each for each, _ in flat),
            names=tuple(f"{name}: y_{part}" for part in parts),
            num_classes=num_classes,
            class_names=tuple(names) if are_valid else (),
            notes=tuple(note for _, note in flat),
        ),
        options,
    )
    images, image_notes = convert_images(
        {f"x_{part}": arrays[f"x_{part}"] for part in parts},
        [len(each) if each.ndim else None for each in labels.parts],
        options,
        name,
    )
    label_notes = {f"y_{part}": note for part, note in zip(parts, labels.notes, strict=True)}
    converted = {f"y_{part}": each for part, each in zip(parts, labels.parts, strict=True)}
    return Converted(
        {**images, **converted},
        labels.num_classes,
        labels.class_names if are_valid else class_names,
        _join_notes(image_notes | label_notes),
    )


def convert_images(
    images: Mapping[str, Any], counts: Sequence[int | None], options: ReadOptions, name: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Convert images.

    Args:
        images: Arrays or `ImageFile`s by name. The latter are not converted.
        counts: Number of labels for each.
        options: What the user says of them.
        name: What messages call the data set.

    Returns:
        The images, and what was guessed for each in words.

    Raises:
        DataError: They can be read in several ways. The message names the options.
    """
    converted, notes = dict(images), dict.fromkeys(images, "")
    ranges: dict[str, tuple[float, float]] = {}
    is_last = any(
        ends_with_count(array.shape, count)
        for array, count in zip(images.values(), counts, strict=True)
    )
    for part, array in images.items():
        if isinstance(array, np.ndarray):
            title = f"{name}: {part}" if name else part
            converted[part], notes[part] = arrange_axes(array, options.layout, is_last, title)
            ranges[part] = options.values or find_range(converted[part], title)
        elif isinstance(array, ImageFile):
            _check_stays_raw(array, options)
            ranges[part] = RAW_RANGE
    _check_ranges(images, ranges, name)
    for part, values in ranges.items():
        array = converted[part]
        if not isinstance(array, np.ndarray):
            continue
        if options.values is None and (note := describe_scaling(array, values)):
            notes[part] = "; ".join(filter(None, (notes[part], note)))
        array = scale_images(array, values, f"{name}: {part}" if name else part)
        # Other axes are a view, whose pixels lie apart.
        is_moved = array is not images[part]
        converted[part] = np.ascontiguousarray(array) if is_moved else array
    return converted, notes


def _check_stays_raw(images: ImageFile, options: ReadOptions) -> None:
    """Refuse options that would change images in a file, which are never changed."""
    if options.values not in (None, RAW_RANGE) or options.layout not in (None, "channels_last"):
        raise DataError(
            f"{images.path} stays on the disk as it is, without layout and values: pass images[:],"
            " an array in memory, to convert it"
        )


def convert_pictures(images: Any, options: ReadOptions) -> Any:
    """Convert images that are no data set, of which one may be dark.

    Args:
        images: What NumPy makes an array of, or an `ImageFile`.
        options: What the user says of them.

    Returns:
        An array, or the `ImageFile`.

    Raises:
        DataError: They can be read in several ways. The message names the options.

    Warns:
        DataWarning: Something was guessed. The caller's caller is named, behind a decorator.
    """
    images = to_array(images, "images")
    if options.values is None and _are_dark(images):
        options = replace(options, values=RAW_RANGE)
        # A warning only: one picture may well be as dark.
        if images.max() == 1:
            warnings.warn(f"images {ONLY_0_AND_1}", DataWarning, stacklevel=4)
    converted, notes = convert_images({"images": images}, [None], options, "")
    if notes["images"]:
        warnings.warn(f"images: {notes['images']}", DataWarning, stacklevel=4)
    return converted["images"]


def _are_dark(images: Any) -> bool:
    """Return whether images are whole numbers, of which none is above 1."""
    is_integer = isinstance(images, np.ndarray) and images.dtype.kind in "iu"
    return bool(is_integer and images.size and images.min() >= 0 and images.max() <= 1)


def _check_ranges(
    images: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]], name: str
) -> None:
    """Refuse parts of one type and different ranges, such as only one that is divided by 255."""
    first, *others = [*ranges] or [""]
    for part in others:
        if ranges[part] == ranges[first] or images[part].dtype.kind != images[first].dtype.kind:
            continue
        if images[part].dtype.kind in "iu" and {ranges[part], ranges[first]} == {(0, 1), (0, 255)}:
            binary = min(part, first, key=lambda each: ranges[each][1])
            raise DataError(f"{name}: {binary} {ONLY_0_AND_1}")
        (low, high), (other_low, other_high) = ranges[first], ranges[part]
        raise DataError(
            f"{name}: {first} has values of {low:g}…{high:g}, but {part} of"
            f" {other_low:g}…{other_high:g}: bring both to the same range"
        )


def _join_notes(notes: Mapping[str, str]) -> tuple[str, ...]:
    """Return a line for each different note, with the arrays that it is about."""
    arrays: dict[str, list[str]] = {}
    for array, note in notes.items():
        if note:
            arrays.setdefault(note, []).append(array)
    return tuple(f"{', '.join(names)}: {note}" for note, names in arrays.items())
