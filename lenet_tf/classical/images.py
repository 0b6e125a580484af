"""Raw images as the features of classical classifiers: pixels, deslanted and reduced images."""

from __future__ import annotations

import numpy as np

SIDE, DESLANTED_SIDE, REDUCED_SIDE = 28, 20, 16
# Standard deviation, in pixels, of the Gaussian that is applied before images are reduced.
_REDUCTION_SMOOTHING = 0.4


def flatten_pixels(images: np.ndarray) -> np.ndarray:
    """Flatten images into rows of pixels.

    Args:
        images: uint8 images of shape (N, height, width).

    Returns:
        float32 of shape (N, height · width), in 0…1.
    """
    return images.reshape(len(images), -1).astype(np.float32) / 255


def measure_slant(image: np.ndarray) -> tuple[float, float, float]:
    """Measure the center of an image's foreground, and its slant from second moments.

    The paper counts "a foreground pixel as 1 and a background pixel as 0" (section III.A). Any
    pixel above 0 is foreground.

    Args:
        image: Gray values in 0…255 of shape (height, width).

    Returns:
        Row and column of the center, and the slant: columns to the right for each row downwards.
        An image without foreground has the slant 0 about its middle.
    """
    rows, columns = np.nonzero(image)
    if not len(rows):
        height, width = image.shape
        return (height - 1) / 2, (width - 1) / 2, 0.0
    row, column = rows.mean(), columns.mean()
    spread = np.square(rows - row).sum()
    slant = ((rows - row) * (columns - column)).sum() / spread if spread else 0.0
    return float(row), float(column), float(slant)


def deslant(image: np.ndarray) -> np.ndarray:
    """Shift the lines of an image horizontally so that its principal axis is vertical.

    The center of the foreground moves to the middle. Shifted lines are interpolated linearly.

    Args:
        image: Gray values in 0…255 of shape (height, width).

    Returns:
        float32 of the same shape, in 0…255.
    """
    from scipy import ndimage

    row, column, slant = measure_slant(image)
    matrix = np.array([[1.0, 0.0], [slant, 1.0]])
    middle = (np.array(image.shape) - 1) / 2
    offset = np.array([row, column]) - matrix @ middle
    return ndimage.affine_transform(image.astype(np.float32), matrix, offset, order=1)


def deslant_images(images: np.ndarray) -> np.ndarray:
    """Deslant images and crop them to their central 20×20 pixels.

    Args:
        images: uint8 images of shape (N, 28, 28).

    Returns:
        float32 of shape (N, 400), in 0…1.
    """
    cropped = [_crop_center(deslant(image), DESLANTED_SIDE) for image in images]
    return np.stack(cropped).reshape(len(images), -1) / np.float32(255)


def reduce_images(images: np.ndarray) -> np.ndarray:
    """Crop images to their central 20×20 pixels and reduce them to 16×16 pixels.

    Args:
        images: uint8 images of shape (N, 28, 28).

    Returns:
        float32 of shape (N, 256), in 0…1.
    """
    from scipy import ndimage

    cropped = _crop_center(images, DESLANTED_SIDE).astype(np.float32) / 255
    smooth = ndimage.gaussian_filter(cropped, (0, _REDUCTION_SMOOTHING, _REDUCTION_SMOOTHING))
    scale = REDUCED_SIDE / DESLANTED_SIDE
    # The grid's mode puts the edges of both images on each other, not the middles of their pixels.
    reduced = ndimage.zoom(smooth, (1, scale, scale), order=1, mode="grid-constant", grid_mode=True)
    return reduced.reshape(len(images), -1)


def normalize_pixels(images: np.ndarray) -> np.ndarray:
    """Flatten images and scale each to the Euclidean norm 1; a black one stays black."""
    return normalize(flatten_pixels(images))


def normalize_deslanted(images: np.ndarray) -> np.ndarray:
    """Deslant and crop images, and scale each to the Euclidean norm 1."""
    return normalize(deslant_images(images))


def normalize(features: np.ndarray) -> np.ndarray:
    """Scale rows to the Euclidean norm 1; rows of 0 stay.

    Args:
        features: Shape (N, d).

    Returns:
        The same shape and dtype.
    """
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1)


def _crop_center(images: np.ndarray, side: int) -> np.ndarray:
    """Return the central part of the last two axes."""
    top, left = ((length - side) // 2 for length in images.shape[-2:])
    return images[..., top : top + side, left : left + side]
