"""What can happen to an image before a network sees it: moved, turned, with noise. Raw images in, raw images out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from lenet_tf.data.validation import check_images


def shift(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """Raw (N, height, width[, channels]) moved by whole pixels, up and left where negative; what comes in is background, 0."""
    check_images(images)
    moved = np.zeros_like(images)
    (rows, own_rows), (columns, own_columns) = (
        (slice(max(0, by), size + min(0, by)), slice(max(0, -by), size - max(0, by)))
        for by, size in zip((down, right), images.shape[1:3], strict=True)
    )
    moved[:, rows, columns] = images[:, own_rows, own_columns]
    return moved


def rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    """Raw (N, height, width[, channels]) turned around their middle, anticlockwise, linear between pixels; what comes in is 0."""
    check_images(images)
    # SciPy turns from the first axis to the second, which is clockwise where rows go down.
    turned = ndimage.rotate(images.astype(np.float32), degrees, axes=(2, 1), reshape=False, order=1)
    return np.clip(np.rint(turned), 0, 255).astype(images.dtype)


def add_noise(images: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    """Raw images with Gaussian noise of this standard deviation, in gray values, added to every pixel; what leaves 0…255 is cut off."""
    check_images(images)
    noise = np.random.default_rng(seed).normal(0, deviation, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(images.dtype)
