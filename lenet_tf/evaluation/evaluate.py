"""A trained model's test result and predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_tf.data.conversions import convert_pictures
from lenet_tf.data.dataset import RawData, check_raw_data
from lenet_tf.data.pipeline import evaluation_batches
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.streaming import translate_read_errors
from lenet_tf.data.validation import check_images
from lenet_tf.engine.parallel_forward import forward
from lenet_tf.errors import DataError, RunError
from lenet_tf.io.bounded import MAX_ARRAY_BYTES
from lenet_tf.models.as_built import describe_layer
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.models.own_metrics import use_own_metrics
from lenet_tf.models.saving import load_model
from lenet_tf.pretrained import probabilities
from lenet_tf.runs.run_folder import Run
from lenet_tf.runtime.keras_settings import check_keras
from lenet_tf.runtime.tensorflow_start import hide_retracing_advice
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.specs import Preparation
from lenet_tf.specs.rows import Shape, format_shape


def check_fits(model: LeNet, image_shape: Shape, data: RawData) -> None:
    """Check that a model can be trained or tested on a data set.

    Args:
        model: The network.
        image_shape: The shape of the prepared images, (height, width, channels).
        data: The data set.

    Raises:
        DataError: If the model takes images of another shape or has another number of classes.
    """
    input_shape, num_classes = tuple(model.input_shape[1:]), model.output_shape[-1]
    if input_shape != image_shape or num_classes != data.num_classes:
        raise DataError(
            f"{model.name} takes images of {format_shape(input_shape)} and {num_classes} classes,"
            f" but {data.name} gives {format_shape(image_shape)} and {data.num_classes}."
            f" LeNet(..., input_shape={image_shape}, num_classes={data.num_classes}) builds one"
            " that fits."
        )


@hide_retracing_advice()
def evaluate(model: LeNet | Run | str | Path, data: RawData) -> dict[str, float]:
    """Compute loss, accuracy and further metrics on a data set's test images.

    Loss and accuracy are computed from the network's outputs, whatever its metrics are called.
    Threads that test the same network take turns; Keras' own `evaluate` does not.

    Args:
        model: A network, a run, a run's folder or a `.keras` file.
        data: The data set, with raw images. They are prepared as the network's spec says.

    Returns:
        `loss`, `accuracy` and each metric of one number that the network is compiled with. A
        metric that has a name of these two or of a run's history gets the prefix `compiled_`.

    Raises:
        DataError: If the network does not take these images or has other classes.
        RunError: If a file or folder does not hold a usable model.
        TrainingError: If another thread trains the network.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> metrics = lenet_tf.evaluate(lenet_tf.LeNet("tiny", seed=0), data)
        >>> sorted(metrics)
        ['accuracy', 'loss']
    """
    check_raw_data(data)
    model = _load(model)
    preparation = model.spec.preparation.for_test_images
    check_fits(model, preparation.output_shape(data.image_shape), data)
    batches = evaluation_batches(
        data.x_test, data.y_test, data.num_classes, preparation, spec=model.spec
    )
    with (
        STATUS.show(f"testing on {len(data.x_test):,} images"),
        use_own_metrics(model),
        translate_read_errors(data.x_test, data.y_test),
    ):
        return model.evaluate(batches, verbose=0, return_dict=True)


@hide_retracing_advice()
def predict_outputs(
    model: LeNet | Run | str | Path,
    images: Any,
    preparation: Preparation | None = None,
    *,
    layout: str | None = None,
    values: Any = None,
) -> np.ndarray:
    """Compute a network's outputs, which are class probabilities for most networks.

    Args:
        model: A network, a run, a run's folder or a `.keras` file.
        images: Raw images, integers of 0 to 255, (N, height, width) or
            (N, height, width, channels). Floats of 0…1 or 0…255, booleans, flat rows and channels
            first are converted with a warning. Integers of 0 and 1 are taken as dark images.
        preparation: How to prepare the images; by default as the network's spec says.
        layout: As in `load_data`.
        values: As in `load_data`.

    Returns:
        Outputs, float32 (N, classes).

    Raises:
        DataError: If the network does not take these images, or they can be read in several ways.
        RunError: If a file or folder does not hold a usable model.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> outputs = lenet_tf.predict_outputs(lenet_tf.LeNet("tiny", seed=0), data.x_test[:3])
        >>> outputs.shape
        (3, 10)
    """
    model = _load(model)
    preparation = preparation or model.spec.preparation
    images = convert_pictures(images, ReadOptions(layout=layout, values=values))
    check_images(images)
    input_shape = tuple(model.input_shape[1:])
    image_shape = preparation.output_shape(images.shape[1:])
    if input_shape != image_shape:
        raise DataError(
            f"{model.name} takes images of {format_shape(input_shape)},"
            f" and these are {format_shape(image_shape)} when prepared"
        )
    labels = np.zeros(len(images), np.int64)
    batches = evaluation_batches(images, labels, 1, preparation, spec=model.spec)
    on_cpu = all("CPU" in weight.value.device for weight in model.weights)
    _check_output_size(len(images), model.output_shape[-1])
    with translate_read_errors(images):
        if model.precision != "float32" or not on_cpu or find_own_methods(model):
            return model.predict(batches, verbose=0)
        graph = _compile_forward(model)
        return np.concatenate([graph(batch).numpy() for batch, _ in batches])


def _check_output_size(images: int, classes: int) -> None:
    if 4 * images * classes > MAX_ARRAY_BYTES:
        raise DataError(
            f"the outputs for {images:,} images and {classes:,} classes would take"
            f" {4 * images * classes / 2**30:,.0f} GiB, and the limit is"
            f" {MAX_ARRAY_BYTES >> 30} GiB: predict fewer images at a time"
        )


def check_finite(model: LeNet, outputs: Any) -> None:
    """Check that a network's outputs, or its loss, are numbers.

    Args:
        model: The network.
        outputs: Outputs or a loss, float.

    Raises:
        RunError: If one is NaN or infinite.
    """
    if not np.isfinite(outputs).all():
        are_finite = all(np.isfinite(weight).all() for weight in model.get_weights())
        raise RunError(
            f"the {'outputs' if are_finite else 'weights'} of {model.name} are NaN or infinite, as"
            " after a training that diverged: choose another model, or train it again with a lower"
            " learning rate"
        )


def predict_test(model: LeNet, data: RawData) -> np.ndarray:
    """Compute a network's outputs for test images, prepared as `evaluate` prepares them.

    Args:
        model: The network.
        data: The data set.

    Returns:
        Outputs, float32 (N, classes).

    Raises:
        DataError: If the network does not take these images.
    """
    return predict_outputs(model, data.x_test, model.spec.preparation.for_test_images)


def to_probabilities(model: Any, outputs: np.ndarray) -> np.ndarray:
    """Turn a network's outputs into class probabilities.

    Args:
        model: The network.
        outputs: Its outputs, float (N, classes).

    Returns:
        The outputs of a softmax network as they are, and the softmax of any other's. For the RBF
        outputs of 1998 that is the paper's posterior (section II.C). Float (N, classes).
    """
    return probabilities.to_probabilities(model.spec, outputs)


def _load(model: LeNet | Run | str | Path) -> LeNet:
    model = model.model if isinstance(model, Run) else model
    if isinstance(model, LeNet):
        return model
    if not isinstance(model, str | Path):
        raise RunError(
            f"the model must be a LeNet, a run or a path, not {type(model).__name__}, whose images"
            " lenet_tf can't prepare: use its own predict and evaluate"
        )
    return load_model(model)


def _compile_forward(model: LeNet) -> Any:
    """Return the model's forward pass as a graph, which is kept until a layer changes."""
    # Weights are compared by identity: their values may change, and so may other variables' ids.
    weights = model.weights
    layers = [(layer, describe_layer(layer)) for layer in model.layers]
    cache = model.predict_graph
    is_same = (
        cache is not None
        and cache[0] == layers
        and len(cache[1]) == len(weights)
        and all(old is new for old, new in zip(cache[1], weights, strict=True))
    )
    if not is_same:
        check_keras()
        function = tf.function(
            lambda images: forward(model, images), autograph=False, reduce_retracing=True
        )
        # Keras wraps the lists in attributes that are set in the usual way.
        object.__setattr__(model, "predict_graph", (layers, weights, function))
    return model.predict_graph[2]
