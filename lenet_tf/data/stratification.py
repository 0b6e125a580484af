"""A split of indices that takes the same fraction of each class."""

from __future__ import annotations

import math

import numpy as np

from lenet_tf.errors import DataError


def stratified_split(
    labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices such that each class gives the same fraction.

    The split is that of scikit-learn's `train_test_split`, which takes a second to import.

    Args:
        labels: Whole numbers (N,).
        fraction: Fraction to hold out, above 0 and below 1.
        seed: Chooses the held-out indices.

    Returns:
        Two sorted, disjoint arrays of indices: to train on, and held out.

    Raises:
        DataError: A class has too few images for the fraction.
    """
    classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    held_out_count = math.ceil(fraction * len(labels))
    train_count = len(labels) - held_out_count
    reason = ""
    if min(train_count, held_out_count) < len(classes) or not train_count:
        reason = f"that leaves {min(train_count, held_out_count):,} for {len(classes):,} classes"
    elif counts.min() < 2:
        reason = f"class {classes[counts.argmin()]} has 1 image only"
    if reason:
        raise DataError(
            f"cannot hold out {fraction:g} of {len(labels):,} images for validation: {reason}"
        )
    random = np.random.RandomState(seed)
    train_counts = _apportion(counts, train_count, random)
    held_out_counts = _apportion(counts - train_counts, held_out_count, random)
    members = np.split(np.argsort(places, kind="stable"), np.cumsum(counts)[:-1])
    train, held_out = [], []
    for own, first, count in zip(members, train_counts, held_out_counts, strict=True):
        order = own[random.permutation(len(own))]
        train.append(order[:first])
        held_out.append(order[first : first + count])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held_out))


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
