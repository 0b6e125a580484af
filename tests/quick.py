"""Training without images, histograms and reports, which most tests don't look at.

Images and reports take a second in each of hundreds of runs.
"""

from __future__ import annotations

from typing import Any

import lenet_tf

OPTIONS: dict[str, Any] = {
    "board": lenet_tf.Board(images_every=0, histograms=()),
    "report": False,
}
# The same for `lenet-tf train`.
ARGUMENTS = ("--no-report", "--images-every", "0", "--histograms", "none")


def fit(model: Any, data: lenet_tf.RawData, **options: Any) -> lenet_tf.Run:
    """`lenet_tf.fit` with `OPTIONS`, unless others are given."""
    return lenet_tf.fit(model, data, **OPTIONS | options)


def resume(run: Any, data: lenet_tf.RawData, **options: Any) -> lenet_tf.Run:
    """`lenet_tf.resume` without a report, unless one is asked for."""
    return lenet_tf.resume(run, data, **{"report": False} | options)
