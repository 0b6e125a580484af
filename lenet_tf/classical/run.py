"""One run of a classical method."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet_tf.classical.images import SIDE
from lenet_tf.classical.measurement import measure_peak_memory
from lenet_tf.errors import DataError, SpecError, suggest_name
from lenet_tf.runtime.optional_packages import check_optional

if TYPE_CHECKING:
    from lenet_tf.classical.methods import Method
    from lenet_tf.data.dataset import RawData


def run(
    methods: Mapping[str, Method], name: str, data: RawData, seed: int, limit: int | None
) -> dict[str, Any]:
    """Fit a method and let it classify, as `lenet_tf.classical.methods.run_method`."""
    if name not in methods:
        hint = suggest_name(name, methods, f"choose from {', '.join(methods)}")
        raise SpecError(f"unknown classifier {name!r}: {hint}")
    check_optional("sklearn", f"the classifier {name}", "paper")
    method = methods[name]
    x_train, x_test = (_read_gray(images, data.name) for images in (data.x_train, data.x_test))
    x_test, y_test = x_test[:limit], np.asarray(data.y_test[:limit])
    start = time.perf_counter()
    estimator = method.build(seed)
    estimator.fit(method.prepare(x_train), np.asarray(data.y_train))
    fitted = time.perf_counter()
    predictions = estimator.predict(method.prepare(x_test)).astype(np.uint8)
    finished = time.perf_counter()
    cost = method.macs(estimator)
    return {
        "errors": int((predictions != y_test).sum()),
        "images": len(y_test),
        "predictions": predictions,
        "train_seconds": fitted - start,
        "test_seconds": finished - fitted,
        "peak_mib": measure_peak_memory(),
        "multiply_adds": cost.multiply_adds,
        "memory_values": cost.memory_values,
    }


def _read_gray(images: Any, name: str) -> np.ndarray:
    """Return images in memory without a channel axis."""
    shape = tuple(images.shape[1:])
    if shape not in ((SIDE, SIDE), (SIDE, SIDE, 1)):
        size = "×".join(map(str, shape))
        raise DataError(
            f"{name} has images of {size}, and the classical classifiers need gray images of"
            f" {SIDE}×{SIDE}: choose mnist or another set of this size"
        )
    return np.asarray(images[:]).reshape(-1, SIDE, SIDE)
