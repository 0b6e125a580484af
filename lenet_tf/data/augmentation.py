"""Random distortions of training images, as TensorFlow functions of images and a seed.

Affine distortions follow LeCun et al. 1998, section III.B; elastic ones follow Simard, Steinkraus
and Platt 2003.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from lenet_tf.specs import Augmentation


def distort(images: Any, seed: Any, augmentation: Augmentation, background: float = 0.0) -> Any:
    """Distort each image at random.

    Args:
        images: Prepared float32 images (N, height, width, channels).
        seed: Two integers, as for TensorFlow's stateless random functions. The same seed gives the
            same distortions.
        augmentation: The kinds and amounts of distortion.
        background: Value of pixels that come from outside an image: a raw 0 after preparation.

    Returns:
        float32 images of the same shape, within the range of the image and `background`.
    """
    images = tf.convert_to_tensor(images)
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    if augmentation == Augmentation(flip=True):
        # Equal to resampling, and several times faster.
        is_mirrored = _draw_affine(count, seed)[5] < 0
        return tf.where(is_mirrored[..., None], tf.reverse(images, [2]), images)
    return resample(images, draw_coordinates(count, height, width, seed, augmentation), background)


def _draw_affine(count: Any, seed: Any) -> list[Any]:
    """Draw six numbers in [-1, 1) for each image: float32 (`count`, 1, 1) each."""
    # Draw all numbers, so that changing one amount leaves the other distortions as they were.
    affine_seed = tf.unstack(tf.random.split(seed, 2))[0]
    return tf.unstack(tf.random.stateless_uniform((6, count, 1, 1), affine_seed, -1, 1))


def draw_coordinates(
    count: Any, height: int, width: int, seed: Any, augmentation: Augmentation
) -> Any:
    """Draw random distortions as coordinates in the original images.

    Args:
        count: Number of images.
        height: Height of an image, in pixels.
        width: Width of an image, in pixels.
        seed: Two integers.
        augmentation: The kinds and amounts of distortion.

    Returns:
        float32 (`count`, `height`, `width`, 2): for each pixel of a distorted image, the (row,
        column) in the original from which its value comes.
    """
    uniform = _draw_affine(count, seed)
    down, right = (augmentation.translation * number for number in uniform[:2])
    scale = 1 + augmentation.scaling * uniform[2]
    squeeze = 1 + augmentation.squeezing * uniform[3]
    shear = augmentation.shear * uniform[4]
    # From the middle, x' = scale·squeeze·x + shear·y' + right and y' = scale/squeeze·y + down.
    # These lines solve for x and y.
    y = tf.range(height, dtype=tf.float32)[None, :, None] - (height - 1) / 2 - down
    x = tf.range(width, dtype=tf.float32)[None, None, :] - (width - 1) / 2 - right
    rows = y * squeeze / scale + (height - 1) / 2
    columns = (x - shear * y) / (scale * squeeze)
    if augmentation.flip:
        columns *= tf.where(uniform[5] < 0, -1.0, 1.0)
    columns += (width - 1) / 2
    coordinates = tf.stack([tf.broadcast_to(rows, (count, height, width)), columns], axis=-1)
    if not augmentation.elastic:
        return coordinates
    elastic_seed = tf.unstack(tf.random.split(seed, 2))[1]
    noise = tf.random.stateless_uniform((2, count, height, width), elastic_seed, -1, 1)
    sigma = augmentation.elastic_sigma
    smooth = _build_gaussian_matrix(height, sigma) @ noise @ _build_gaussian_matrix(width, sigma)
    return coordinates + augmentation.elastic * tf.stack(tf.unstack(smooth), axis=-1)


def _build_gaussian_matrix(size: int, sigma: float) -> Any:
    """Build the matrix that convolves an axis of `size` with a Gaussian, zeros outside."""
    distances = tf.range(size, dtype=tf.float32)[:, None] - tf.range(size, dtype=tf.float32)
    return tf.exp(-((distances / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def resample(images: Any, coordinates: Any, background: float) -> Any:
    """Sample images with bilinear interpolation.

    Args:
        images: float32 (N, height, width, channels).
        coordinates: float32 (N, height, width, 2): (row, column) in pixels.
        background: Value outside the images.

    Returns:
        float32 images of the same shape.
    """
    height, width, channels = images.shape[1:]
    framed = tf.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=background)
    # Coordinates outside an image are moved onto the frame of background around it.
    coordinates = tf.clip_by_value(
        coordinates + 1, 0.0, tf.constant([height + 1, width + 1], tf.float32)
    )
    corner = tf.minimum(tf.floor(coordinates), tf.constant([height, width], tf.float32))
    row_share, column_share = tf.unstack(coordinates - corner, axis=-1)
    row, column = tf.unstack(tf.cast(corner, tf.int32), axis=-1)
    upper_left = (
        tf.range(tf.shape(images)[0])[:, None, None] * ((height + 2) * (width + 2))
        + row * (width + 2)
        + column
    )
    flat = tf.reshape(framed, (-1, channels))

    def interpolate_row(start: Any) -> Any:
        left, right = tf.gather(flat, start), tf.gather(flat, start + 1)
        return left + column_share[..., None] * (right - left)

    upper, lower = interpolate_row(upper_left), interpolate_row(upper_left + width + 2)
    return upper + row_share[..., None] * (lower - upper)
