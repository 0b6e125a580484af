"""What every layer and every network must satisfy, as checks that tests share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

# One image can't be halved, three halve unevenly, and 33 leave one after a batch of 32.
COUNTS = (1, 2, 3, 33)


def compute_outputs(layer: keras.layers.Layer, images: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(layer(images))


def assert_close(actual: Any, expected: Any, tolerance: float = 2e-5) -> None:
    """Compare relative to the largest number, by default up to float32's rounding."""
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def assert_same_values(variables: list[Any], expected: list[Any]) -> None:
    for variable, other in zip(variables, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(other))


def check_config_round_trip(layer: keras.layers.Layer, images: np.ndarray) -> None:
    """A layer or model built from its config as JSON is the same one."""
    config = json.dumps(layer.get_config())
    expected = compute_outputs(layer, images)
    clone = type(layer).from_config(json.loads(config))
    clone(images)
    clone.set_weights(layer.get_weights())
    assert json.dumps(clone.get_config()) == config
    np.testing.assert_array_equal(compute_outputs(clone, images), expected)


def check_save_and_load(
    model: keras.Model, images: np.ndarray, path: Path, load: Callable[[Path], keras.Model]
) -> None:
    """A saved model loads with the same weights, optimizer state and outputs, bit for bit."""
    model.save(path)
    loaded = load(path)
    assert type(loaded) is type(model)
    assert_same_values(loaded.weights, model.weights)
    assert_same_values(loaded.optimizer.variables, model.optimizer.variables)
    np.testing.assert_array_equal(compute_outputs(loaded, images), compute_outputs(model, images))


def check_training_step(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    """One step has a finite loss and changes every trainable weight."""
    before = [np.array(weight) for weight in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(images, labels)).all()
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.isfinite(np.asarray(weight)).all(), weight.path
        assert not np.array_equal(np.asarray(weight), old), weight.path


def check_image_counts(layer: keras.layers.Layer, images: np.ndarray) -> None:
    """The outputs of an image don't depend on how many others there are."""
    expected = compute_outputs(layer, images)
    for count in COUNTS:
        assert_close(compute_outputs(layer, images[:count]), expected[:count])
