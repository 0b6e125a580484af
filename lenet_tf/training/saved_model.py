"""What a run saves of a model: refused before it starts, compared with the model when it ends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lenet_tf.data.dataset import Split
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.engine.selection import describe_own_methods
from lenet_tf.errors import RunError, TrainingError
from lenet_tf.models.config_allowlist import check_config
from lenet_tf.models.lenet import LeNet, find_own_methods
from lenet_tf.models.own_compilation import describe_own_compilation
from lenet_tf.models.saving import load_model
from lenet_tf.runs import checkpoints
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runs.run_folder import FINAL
from lenet_tf.training.model_setup import check_optimizer_weights
from lenet_tf.training.run_errors import translate_write_errors

# Images whose outputs are compared.
_COMPARED_IMAGES = 8
_TOLERANCE = 1e-3
# A file holds the layers, so these can't be a subclass's own.
_COMPUTATION = ("__call__", "call", "predict_step", "layers")


@contextlib.contextmanager
def saved_as_lenet(model: LeNet) -> Iterator[None]:
    """Save a subclass of `LeNet` as a plain one inside the block: files hold no code."""
    own_class = type(model)
    object.__setattr__(model, "__class__", LeNet)
    try:
        yield
    finally:
        object.__setattr__(model, "__class__", own_class)


def check_can_be_saved(model: LeNet) -> None:
    """Check that `load_model` would open what a run saves of a model.

    Args:
        model: A compiled model.

    Raises:
        TrainingError: A method, loss, metric or optimizer is code that no file can hold.
        RunError: Its layers are not those of its spec.
    """
    own = [name for name in find_own_methods(model) if name in _COMPUTATION]
    if own:
        raise TrainingError(
            f"{model.name} can't be saved, since {type(model).__name__} has its own {own[0]}:"
            " train it with its own fit"
        )
    try:
        with saved_as_lenet(model):
            config = keras.saving.serialize_keras_object(model)
        check_config(json.loads(json.dumps(config)))
    except RunError:
        raise
    except Exception as error:  # Keras raises anything, such as for a lambda without source code.
        raise TrainingError(
            f"{model.name} can't be saved ({error}): compile it with parts of Keras, or train it"
            " with its own fit"
        ) from error


def describe_given_model(model: LeNet) -> dict[str, str | dict[str, Any]]:
    """Describe for config.json what a trained model has that its spec and recipe don't say.

    Args:
        model: A compiled model.

    Returns:
        `own_methods`, code that no file holds and `resume` would miss, and `compiled`, its own
        optimizer and loss. What is empty is left out.
    """
    described: dict[str, str | dict[str, Any]] = {
        "own_methods": describe_own_methods(model),
        "compiled": describe_own_compilation(model, model.spec.recipe),
    }
    return {name: value for name, value in described.items() if value}


def add_epoch(progress: Progress, model: LeNet, logs: Mapping[str, Any]) -> Progress:
    """Return the progress of a run with an epoch that has just ended.

    Args:
        progress: The finished epochs before it.
        model: The model as it is now.
        logs: The epoch's logs, which custom callbacks may have changed.

    Raises:
        TrainingError: A checkpoint could not record the epoch.
    """
    check_optimizer_weights(model)
    try:
        row = checkpoints.build_row(logs)
    except ValueError as error:
        raise TrainingError(
            f"a callback has changed the logs of epoch {progress.epochs + 1}: {error}"
        ) from error
    return replace(progress, rows=[*progress.rows, row])


def write_checkpoint(path: Path, model: LeNet, progress: Progress) -> None:
    """Save a model with the progress of its run, whole or not at all.

    Args:
        path: A `.keras` file.
        model: The model; a subclass of `LeNet` is saved as a plain one.
        progress: The finished epochs.

    Raises:
        OSError: The file cannot be written.
    """
    with saved_as_lenet(model):
        checkpoints.write_checkpoint(path, model, progress)


def confirm_saved_model(folder: Path, model: LeNet, split: Split, progress: Progress) -> None:
    """Make sure that a run's final.keras holds the model that is tested.

    Args:
        folder: The run folder.
        model: The trained model.
        split: The run's images.
        progress: The finished epochs.

    Raises:
        RunError: The file holds another model.
        WriteError: The file cannot be written.
    """
    if not progress.epochs:
        return
    path = folder / FINAL
    images = prepare_images(split.data.x_train[:_COMPARED_IMAGES], split.preparation)
    difference = _find_saved_difference(path, model, images)
    if difference == "weights":
        # Callbacks and averaging optimizers change them when Keras' fit has ended.
        with translate_write_errors():
            write_checkpoint(path, model, progress)
        difference = _find_saved_difference(path, model, images)
    if difference:
        raise RunError(
            f"{path} doesn't hold the trained model: its {difference} differ from those in memory."
            " Something that no file holds changed the model."
        )


def _find_saved_difference(path: Path, model: LeNet, images: Any) -> str:
    """Return what differs between a file and a model: `weights`, `outputs` or nothing."""
    saved = load_model(path)
    pairs = list(zip(saved.get_weights(), model.get_weights(), strict=False))
    are_equal = all(np.array_equal(ours, theirs, equal_nan=True) for ours, theirs in pairs)
    if len(saved.weights) != len(model.weights) or not are_equal:
        return "weights"
    ours, theirs = (
        keras.ops.convert_to_numpy(each(images, training=False)) for each in (saved, model)
    )
    is_close = np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    return "" if is_close else "outputs"
