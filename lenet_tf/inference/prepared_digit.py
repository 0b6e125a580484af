"""What a digit image like those of MNIST is; without SciPy, which takes long to import."""

from __future__ import annotations

import numpy as np

SIZE, BOX = 28, 20
# Row and column, from 0, of MNIST's centers of mass: half a pixel below and right of the middle.
CENTER = 14
_MAX_OFFSET = 0.53
_INDICES = np.arange(SIZE)


def is_prepared(picture: np.ndarray) -> bool:
    """Return whether a picture is already like those of MNIST.

    It must be 28×28 with black corners, a box whose longer side is 20, and a center of mass within
    half a pixel of `CENTER`. The box of 16 images of MNIST is 19, and two centers are slightly
    further away.

    Args:
        picture: Gray uint8 (height, width).
    """
    if picture.shape != (SIZE, SIZE) or picture[::27, ::27].any():
        return False
    sides, offsets = [], []
    for axis in (0, 1):
        sums = picture.sum(axis=axis, dtype=np.int64)
        drawn = sums.nonzero()[0]
        if not len(drawn):
            return False
        sides.append(drawn[-1] - drawn[0] + 1)
        offsets.append(abs(int(sums @ _INDICES) / int(sums.sum()) - CENTER))
    return max(sides) in (BOX - 1, BOX) and max(offsets) <= _MAX_OFFSET
