"""Stands for `lenet_tf.classical.methods`: quick methods, of which one can wait."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

NAMES = ("linear", "knn", "rbf", "svm-poly-4-deskewed")
METHODS = {
    name: SimpleNamespace(
        name=name, title=f"title of {name}", reading=f"We read {name}\nso.", is_random=name == "rbf"
    )
    for name in NAMES
}
# A file that gets a line for each call, and the name of a method that waits.
CALLS, WAITS = "FAKE_CALLS", "FAKE_WAITS"


def run_method(name, data, seed=0, limit=None):
    """The nearest mean image of a class; a seed chooses the training images."""
    with Path(os.environ[CALLS]).open("a") as file:
        file.write(f"{name} {seed}\n")
    if os.environ.get(WAITS) == name:
        time.sleep(60)
    chosen = np.random.default_rng(seed).permutation(len(data.x_train))[: 500 + len(name)]
    images, labels = data.x_train[chosen].reshape(len(chosen), -1) / 255, data.y_train[chosen]
    means = np.stack([images[labels == label].mean(axis=0) for label in range(10)])
    tested = data.x_test.reshape(len(data.x_test), -1) / 255
    distances = ((means**2).sum(axis=1) - 2 * tested @ means.T)[:limit]
    predictions = distances.argmin(axis=1).astype(np.uint8)
    return {
        "errors": int((predictions != data.y_test[:limit]).sum()),
        "images": len(predictions),
        "predictions": predictions,
        "train_seconds": 1.5,
        "test_seconds": 0.25,
        "peak_mib": 123.4,
        "multiply_adds": 7_840,
        "memory_values": 7_850,
    }
