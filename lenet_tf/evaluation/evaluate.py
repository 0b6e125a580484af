"""A trained model: tested, asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.data.dataset import RawData, check_raw_data
from lenet_tf.data.pipeline import evaluation_batches
from lenet_tf.data.validation import check_images
from lenet_tf.engine.graph_loop import forward
from lenet_tf.errors import DataError
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.saving import load_model
from lenet_tf.runs.run_folder import Run
from lenet_tf.runtime.tensorflow_start import hide_retracing_advice
from lenet_tf.specs import Preparation
from lenet_tf.specs.rows import Shape, format_shape


def check_fits(model: LeNet, image_shape: Shape, data: RawData) -> None:
    """Raises `DataError` unless the model takes prepared images of this shape and has the data set's number of classes."""
    takes, gives = tuple(model.input_shape[1:]), model.output_shape[-1]
    if takes != image_shape or gives != data.num_classes:
        raise DataError(
            f"{model.name} takes images of {format_shape(takes)} and {gives} classes, but {data.name} gives {format_shape(image_shape)} and"
            f" {data.num_classes}. LeNet(..., input_shape={image_shape}, num_classes={data.num_classes}) builds one that fits."
        )


@hide_retracing_advice()
def evaluate(model: LeNet | Run | str | Path, data: RawData) -> dict[str, float]:
    """Loss and metrics on the raw test images of `data`, prepared as its spec says; every image counts.

    `model`: also a run, its folder or a `.keras` file.
    """
    check_raw_data(data)
    model = _model(model)
    preparation = model.spec.preparation.for_test_images
    check_fits(model, preparation.output_shape(data.image_shape), data)
    test = evaluation_batches(data.x_test, data.y_test, data.num_classes, preparation)
    return model.evaluate(test, verbose=0, return_dict=True)


@hide_retracing_advice()
def predict(
    model: LeNet | Run | str | Path, images: Any, preparation: Preparation | None = None
) -> np.ndarray:
    """The network's outputs, for most networks class probabilities: float32 (N, classes), for raw images (N, height, width[, channels]) of
    whole numbers 0…255, prepared as its spec says.

    `model`: also a run, its folder or a `.keras` file. `preparation`: another than the spec's. Raises `DataError` for images that the
    network cannot take.
    """
    model = _model(model)
    preparation = preparation or model.spec.preparation
    check_images(images)
    takes, gives = (
        tuple(model.input_shape[1:]),
        preparation.output_shape(tuple(images.shape[1:])),
    )
    if takes != gives:
        raise DataError(
            f"{model.name} takes images of {format_shape(takes)}, and these are {format_shape(gives)} when prepared"
        )
    batches = evaluation_batches(images, np.zeros(len(images), np.int64), 1, preparation)
    if model.precision != "float32" or not all(
        "CPU" in weight.value.device for weight in model.weights
    ):
        return model.predict(batches, verbose=0)
    # Layers that were changed since the graph was made need another.
    layers = [(layer, layer.dtype_policy.name) for layer in model.layers]
    if model.predict_graph is None or model.predict_graph[0] != layers:
        vars(model)["predict_graph"] = (
            layers,
            tf.function(
                lambda images: forward(model, images), autograph=False, reduce_retracing=True
            ),
        )
    say = model.predict_graph[1]
    return np.concatenate([say(batch).numpy() for batch, _ in batches])


def predict_test(model: LeNet, data: RawData) -> np.ndarray:
    """`predict` for the test images of `data`, prepared as `evaluate` prepares them: as the spec says for test images."""
    return predict(model, data.x_test, model.spec.preparation.for_test_images)


def _model(model: LeNet | Run | str | Path) -> LeNet:
    model = model.model if isinstance(model, Run) else model
    return model if isinstance(model, LeNet) else load_model(model)


def to_probabilities(model: Any, outputs: np.ndarray) -> np.ndarray:
    """(N, classes) that add up to 1: a softmax network's own, and for any other the softmax of its outputs, which for the RBF of 1998 is
    the posterior that the paper reads into them (section II.C)."""
    if getattr(model.spec.rows[-1], "activation", "") == "softmax":
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
