"""Training without images, histograms and reports.

Most tests don't look at them, and they take a second of each run.
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
    """Train as `lenet_tf.fit` does, with `OPTIONS` as its defaults."""
    return lenet_tf.fit(model, data, **OPTIONS | options)


def resume(run: Any, data: lenet_tf.RawData, **options: Any) -> lenet_tf.Run:
    """Resume as `lenet_tf.resume` does, without a report by default."""
    return lenet_tf.resume(run, data, **{"report": False} | options)
