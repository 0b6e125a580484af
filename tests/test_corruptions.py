"""Images changed on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from lenet_tf.data.corruptions import shift


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (-2, 0), (0, 4), (0, -1), (2, -3)])
def test_shifted_images(down, right):
    images = np.random.default_rng(0).integers(1, 256, (3, 9, 8), dtype=np.uint8)
    moved = shift(images, down, right)
    expected = np.roll(images, (down, right), axis=(1, 2))
    rows, columns = np.indices((9, 8))
    outside = (
        (rows - down < 0) | (rows - down >= 9) | (columns - right < 0) | (columns - right >= 8)
    )
    np.testing.assert_array_equal(moved, np.where(outside, 0, expected))
    np.testing.assert_array_equal(shift(images[..., None], down, right)[..., 0], moved)
