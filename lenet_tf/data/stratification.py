"""A split of indices that takes the same fraction of each class."""

from __future__ import annotations

import numpy as np

from lenet_tf.errors import DataError


def stratified_split(
    labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split indices such that each class gives the same fraction.

    Args:
        labels: Whole numbers (N,).
        fraction: Fraction to hold out, above 0 and below 1.
        seed: Chooses the held-out indices.

    Returns:
        Two sorted, disjoint arrays of indices: to train on, and held out.

    Raises:
        DataError: A class has too few images for the fraction.
    """
    # scikit-learn has the reference implementation of a stratified split.
    from sklearn.model_selection import train_test_split

    try:
        train, held_out = train_test_split(
            np.arange(len(labels)), test_size=fraction, random_state=seed, stratify=labels
        )
    except ValueError as error:
        raise DataError(
            f"cannot hold out {fraction:g} of {len(labels):,} images for validation: {error}"
        ) from error
    return np.sort(train), np.sort(held_out)
