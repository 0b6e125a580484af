"""A split of indices that takes the same fraction of each class."""

from __future__ import annotations

import math

import numpy as np

from lenet_tf.data.label_files import PART, LabelFile
from lenet_tf.data.selections import Indices, Selection, make_bits
from lenet_tf.errors import DataError


def stratified_split(
    labels: np.ndarray | LabelFile, fraction: float, seed: int
) -> tuple[Indices, Indices]:
    """Split indices such that each class gives the same fraction.

    The split is that of scikit-learn's `train_test_split`, which takes a second to import.

    Args:
        labels: Whole numbers (N,) in memory or in a file. The split is the same.
        fraction: Fraction to hold out, above 0 and below 1.
        seed: Chooses the held-out indices.

    Returns:
        Two sorted, disjoint arrays of indices: to train on, and held out. They are `Selection`s
        for labels in a file.

    Raises:
        DataError: A class has too few images for the fraction.
    """
    if isinstance(labels, LabelFile):
        return _split_file(labels, fraction, seed)
    classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    random = np.random.RandomState(seed)
    train_counts, held_out_counts = _count_parts(classes, counts, fraction, random)
    members = np.split(np.argsort(places, kind="stable"), np.cumsum(counts)[:-1])
    train, held_out = [], []
    for own, first, count in zip(members, train_counts, held_out_counts, strict=True):
        order = own[random.permutation(len(own))]
        train.append(order[:first])
        held_out.append(order[first : first + count])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))


def _split_file(labels: LabelFile, fraction: float, seed: int) -> tuple[Selection, Selection]:
    """Split labels in a file the same way, with one bit for each image instead of some 60 bytes."""
    classes, counts = labels.counts
    random = np.random.RandomState(seed)
    train_counts, held_out_counts = _count_parts(classes, counts, fraction, random)
    chosen = [
        _choose(int(size), int(first), int(first + count), random)
        for size, first, count in zip(counts, train_counts, held_out_counts, strict=True)
    ]
    bits = _find_chosen(labels, classes, chosen)
    return Selection(len(labels), bits, value=0), Selection(len(labels), bits)


def _count_parts(
    classes: np.ndarray, counts: np.ndarray, fraction: float, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many images of each class train and are held out."""
    total = int(counts.sum())
    held_out_count = math.ceil(fraction * total)
    train_count = total - held_out_count
    reason = ""
    if min(train_count, held_out_count) < len(classes) or not train_count:
        reason = f"that leaves {min(train_count, held_out_count):,} for {len(classes):,} classes"
    elif counts.min() < 2:
        reason = f"class {classes[counts.argmin()]} has 1 image only"
    if reason:
        raise DataError(
            f"cannot hold out {fraction:g} of {total:,} images for validation: {reason}"
        )
    train_counts = _apportion(counts, train_count, random)
    return train_counts, _apportion(counts - train_counts, held_out_count, random)


def _apportion(counts: np.ndarray, total: int, random: np.random.RandomState) -> np.ndarray:
    """Return how many images of each class make up a total, as scikit-learn rounds them."""
    exact = counts / counts.sum() * total
    rounded = np.floor(exact)
    missing, rest = int(total - rounded.sum()), exact - rounded
    for value in np.unique(rest)[::-1]:
        if not missing:
            break
        (equal,) = np.where(rest == value)
        count = min(len(equal), missing)
        rounded[random.choice(equal, size=count, replace=False)] += 1
        missing -= count
    return rounded.astype(np.int64)


def _choose(size: int, first: int, end: int, random: np.random.RandomState) -> np.ndarray:
    """Return packed bits of the images of one class that a random order has in a range."""
    # The order is that of `random.permutation(size)`, in half the memory.
    order = np.arange(size, dtype=np.uint32)
    random.shuffle(order)
    is_chosen = np.zeros(size, bool)
    is_chosen[order[first:end]] = True
    return np.packbits(is_chosen)


def _find_chosen(labels: LabelFile, classes: np.ndarray, chosen: list[np.ndarray]) -> np.ndarray:
    """Return packed bits of all images from those of each class."""
    bits = make_bits(len(labels))
    done = np.zeros(len(classes), np.int64)
    are_numbered = int(classes[-1]) == len(classes) - 1
    for number, part in enumerate(labels.parts()):
        # Stable sorts of 16 bits are fast.
        places = (part if are_numbered else np.searchsorted(classes, part)).astype(np.uint16)
        counts = np.bincount(places, minlength=len(classes))
        is_chosen = np.empty(len(part), np.uint8)
        is_chosen[np.argsort(places, kind="stable")] = np.concatenate(
            [_unpack(chosen[place], done[place], counts[place]) for place in np.flatnonzero(counts)]
        )
        done += counts
        start = number * PART // 8
        packed = np.packbits(is_chosen)
        bits[start : start + len(packed)] = packed
    return bits


def _unpack(bits: np.ndarray, start: int, count: int) -> np.ndarray:
    first = start // 8
    part = np.unpackbits(bits[first : (start + count + 7) // 8])
    return part[start - first * 8 :][:count]
