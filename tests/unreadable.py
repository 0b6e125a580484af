"""Data whose test images nothing may read."""

from __future__ import annotations

import numpy as np

import lenet_tf


class Unreadable:
    """Test images that fail when something reads them."""

    def __init__(self, images: np.ndarray) -> None:
        self.shape, self._count = images.shape, len(images)

    def __len__(self) -> int:
        return self._count

    def __getattr__(self, name: str):
        raise AssertionError(f"the test images were read: {name}")

    def __getitem__(self, key: object):
        raise AssertionError("the test images were read")

    def __array__(self, *_: object, **__: object):
        raise AssertionError("the test images were read")


def hide_test_images(data: lenet_tf.RawData) -> lenet_tf.RawData:
    """Return a data set whose identity is known and whose test images can't be read."""
    hidden = lenet_tf.RawData(data.x_train, data.y_train, data.x_test, data.y_test, name=data.name)
    # Computed before the images become unreadable: both are of equal data.
    assert hidden.sha256 == data.sha256
    for part in ("x_test", "y_test"):
        object.__setattr__(hidden, part, Unreadable(getattr(data, part)))
    return hidden
