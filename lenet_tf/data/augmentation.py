"""Distorted images for training, as functions of images and a seed: planar affine ones (LeCun et al. 1998, section III.B) and elastic ones
(Simard, Steinkraus and Platt 2003). In TensorFlow, for the input pipeline.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from lenet_tf.specs import Augmentation


def distort(images: Any, seed: Any, how: Augmentation, background: float = 0.0) -> Any:
    """Prepared images (N, height, width, channels) of float32, each distorted in its own way; the same `seed` distorts the same way.

    `seed` is two whole numbers, as TensorFlow's stateless random functions take them. What comes in from outside an image is
    `background`, the value that a raw 0 has after preparation. Values stay between the least and the greatest of the image and it.
    """
    images = tf.convert_to_tensor(images)
    count, height, width = tf.shape(images)[0], images.shape[1], images.shape[2]
    return resample(images, source_coordinates(count, height, width, seed, how), background)


def source_coordinates(count: Any, height: int, width: int, seed: Any, how: Augmentation) -> Any:
    """(count, height, width, 2): the place, (row, column) in pixels, in an original at which each pixel of a distorted image is found."""
    affine_seed, elastic_seed = tf.unstack(tf.random.split(seed, 2))
    # Every image draws all its numbers, used or not, so that one amount can be changed and the others stay.
    drawn = tf.unstack(tf.random.stateless_uniform((6, count, 1, 1), affine_seed, -1, 1))
    down, right = (how.translation * number for number in drawn[:2])
    scale, squeeze, shear = (
        1 + how.scaling * drawn[2],
        1 + how.squeezing * drawn[3],
        how.shear * drawn[4],
    )
    # Out of the middle, forward: x' = scale·squeeze·x + shear·y' + right and y' = scale/squeeze·y + down; here solved for x and y.
    y = tf.range(height, dtype=tf.float32)[None, :, None] - (height - 1) / 2 - down
    x = tf.range(width, dtype=tf.float32)[None, None, :] - (width - 1) / 2 - right
    rows = y * squeeze / scale + (height - 1) / 2
    columns = (x - shear * y) / (scale * squeeze) + (width - 1) / 2
    places = tf.stack([tf.broadcast_to(rows, (count, height, width)), columns], axis=-1)
    if not how.elastic:
        return places
    fields = tf.random.stateless_uniform((2, count, height, width), elastic_seed, -1, 1)
    smooth = _gaussian(height, how.elastic_sigma) @ fields @ _gaussian(width, how.elastic_sigma)
    return places + how.elastic * tf.stack(tf.unstack(smooth), axis=-1)


def _gaussian(size: int, sigma: float) -> Any:
    """The convolution with a Gaussian along an axis of `size` as a symmetric matrix; outside there are zeros."""
    apart = tf.range(size, dtype=tf.float32)[:, None] - tf.range(size, dtype=tf.float32)
    return tf.exp(-((apart / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))


def resample(images: Any, places: Any, background: float) -> Any:
    """The images' values at `places` (N, height, width, 2), linear between the four pixels around; `background` outside."""
    height, width, channels = images.shape[1:]
    framed = tf.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=background)
    # In the framed image everything outside lies on the frame.
    places = tf.clip_by_value(places + 1, 0.0, tf.constant([height + 1, width + 1], tf.float32))
    corner = tf.minimum(tf.floor(places), tf.constant([height, width], tf.float32))
    (row_share, column_share), (row, column) = (
        tf.unstack(places - corner, axis=-1),
        tf.unstack(tf.cast(corner, tf.int32), axis=-1),
    )
    first = (
        tf.range(tf.shape(images)[0])[:, None, None] * ((height + 2) * (width + 2))
        + row * (width + 2)
        + column
    )
    flat = tf.reshape(framed, (-1, channels))

    def along_row(start: Any) -> Any:
        left, right = tf.gather(flat, start), tf.gather(flat, start + 1)
        return left + column_share[..., None] * (right - left)

    upper, lower = along_row(first), along_row(first + width + 2)
    return upper + row_share[..., None] * (lower - upper)
