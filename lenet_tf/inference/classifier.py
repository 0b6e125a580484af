"""Trained networks that turn raw images into class probabilities, without Keras if they can."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import DataError, RunError
from lenet_tf.inference.rejection import is_digit_data
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.pretrained.presets import DEFAULT_PRESET, find_preset, list_names
from lenet_tf.pretrained.probabilities import to_probabilities
from lenet_tf.runs.run_folder import Run
from lenet_tf.runs.run_record import read_data_identity
from lenet_tf.specs import Spec
from lenet_tf.specs.rows import format_shape


@dataclass(frozen=True)
class Classifier:
    """A trained network.

    Attributes:
        spec: The network's table.
        classify: Turns raw images, uint8 (N, height, width[, channels]), into class probabilities,
            float32 (N, classes).
        class_names: Names of the classes; none if they are only numbered.
        data: What is known of the data set that it was trained on, see `RawData.identity`.
        rejects: Whether a `Rejector` says which images show no digit. It knows only the digits of
            MNIST.
        is_preset: Whether it is a preset.
    """

    spec: Spec
    classify: Callable[[np.ndarray], np.ndarray]
    class_names: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    rejects: bool = False
    is_preset: bool = False


def open_classifier(model: Any = DEFAULT_PRESET) -> Classifier:
    """Open a trained network for predictions.

    Networks that compute in float32 run in NumPy. A `LeNet` and networks of mixed precision run in
    Keras.

    Args:
        model: The name of a preset, a run or its folder, a `.keras` file, a folder for model hubs,
            or a `LeNet`.

    Raises:
        RunError: If there is no such network, or it is damaged, too large or not a LeNet.
    """
    if isinstance(model, Classifier):
        return model
    if isinstance(model, Run):
        if model.model is None:
            return open_classifier(model.path)
        data = dict(model.config.get("data", {}))
        return _open_keras(model.model, tuple(data.get("class_names") or ()), data)
    if isinstance(model, str | Path):
        if model in list_names():
            return _open_preset(str(model))
        data = read_data_identity(Path(model).expanduser())
        return _open_network(read_any(model), model, data)
    if hasattr(model, "spec") and hasattr(model, "output_shape"):
        return _open_keras(model, (), {})
    raise RunError(
        "the model must be the name of a preset, a run, a path or a LeNet, not"
        f" {type(model).__name__}"
    )


@functools.cache
def _open_preset(name: str) -> Classifier:
    preset = find_preset(name)
    data = {} if preset is None else {"name": preset.data}
    return replace(_open_network(read_any(name), name, data), is_preset=True)


def _open_network(
    network: TrainedNetwork, reference: str | Path, data: Mapping[str, Any]
) -> Classifier:
    shape = {} if network.image_shape is None else {"image_shape": list(network.image_shape)}
    data = {**shape, **data}
    if network.precision != "float32":
        return _open_keras(_load_keras(reference), network.class_names, data)
    spec, layers = network.spec, fold(network)

    def classify(images: np.ndarray) -> np.ndarray:
        check_image_shape(spec, images.shape[1:])
        outputs = compute_outputs(layers, prepare_images(images, spec.preparation))
        if not np.isfinite(outputs).all():
            raise RunError(
                f"the outputs of {spec.name} are NaN or infinite, as after a training that"
                " diverged: choose another model, or train it again with a lower learning rate"
            )
        return to_probabilities(spec, outputs)

    names = _check_names(network.class_names, spec.num_classes)
    return Classifier(spec, classify, names, data, is_digit_data(data, spec.num_classes))


def check_image_shape(spec: Spec, shape: tuple[int, ...]) -> None:
    """Check that a network takes raw images of a shape, (height, width[, channels]).

    Raises:
        DataError: If it takes others.
    """
    prepared = spec.preparation.output_shape(shape)
    if prepared != tuple(spec.input_shape):
        raise DataError(
            f"{spec.name} takes images of {format_shape(tuple(spec.input_shape))},"
            f" and these are {format_shape(prepared)} when prepared"
        )


def _load_keras(reference: str | Path) -> Any:
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    start_tensorflow()
    from lenet_tf.models.lenet import LeNet

    return LeNet.from_preset(reference)


def _open_keras(model: Any, class_names: tuple[str, ...], data: Mapping[str, Any]) -> Classifier:
    from lenet_tf.evaluation import evaluate

    def classify(images: np.ndarray) -> np.ndarray:
        outputs = evaluate.predict_outputs(model, images)
        evaluate.check_finite(model, outputs)
        return evaluate.to_probabilities(model, outputs)

    names = _check_names(class_names, model.output_shape[-1])
    rejects = is_digit_data(data, model.output_shape[-1])
    return Classifier(model.spec, classify, names, data, rejects)


def _check_names(names: tuple[str, ...], count: int) -> tuple[str, ...]:
    return tuple(names) if len(names) == count else ()
