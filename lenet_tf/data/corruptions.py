"""Changes to raw test images that measure robustness: shifts, rotations and noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from lenet_tf.data.validation import check_images


def shift(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move images by whole pixels and fill the uncovered border with 0.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255.
        down: Pixels to move down; negative moves up.
        right: Pixels to move to the right; negative moves to the left.

    Returns:
        Images of the same shape and dtype.
    """
    check_images(images)
    shifted = np.zeros_like(images)
    (rows, source_rows), (columns, source_columns) = (
        (slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by)))
        for by, size in zip((down, right), images.shape[1:3], strict=True)
    )
    shifted[:, rows, columns] = images[:, source_rows, source_columns]
    return shifted


def rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate images around their middle with linear interpolation, and fill corners with 0.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255.
        degrees: Counterclockwise angle.

    Returns:
        Images of the same shape and dtype.
    """
    check_images(images)
    # Rows grow downward, so SciPy's axis order has to be reversed to turn counterclockwise.
    rotated = ndimage.rotate(
        images.astype(np.float32), degrees, axes=(2, 1), reshape=False, order=1
    )
    return np.clip(np.rint(rotated), 0, 255).astype(images.dtype)


def add_noise(images: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    """Add Gaussian noise to every pixel and clip the result to 0…255.

    Args:
        images: Raw images (N, height, width[, channels]), integers 0…255.
        deviation: Standard deviation of the noise, in gray levels.
        seed: Seed of NumPy's random generator.

    Returns:
        Images of the same shape and dtype.
    """
    check_images(images)
    noise = np.random.default_rng(seed).normal(0, deviation, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(images.dtype)
