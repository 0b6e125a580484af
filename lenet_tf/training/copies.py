"""The copy of a model that several devices train, and what goes back from it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

from lenet_tf.engine.graph_loop import GraphLoop, use_engine
from lenet_tf.engine.mirrored_loop import MirroredLoop, use_mirrored_loop
from lenet_tf.errors import TrainingError
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.own_metrics import build_metrics, use_own_metrics


@contextlib.contextmanager
def use_loop(model: LeNet, loop: GraphLoop | MirroredLoop | None) -> Iterator[LeNet]:
    """Let Keras' `fit` take its steps by a training loop inside the block.

    Args:
        model: A model that is built for training.
        loop: The loop; None for Keras' own.

    Yields:
        The model to train: this one, or its copy on several devices. In the end the model gets the
        copy's state.
    """
    if not isinstance(loop, MirroredLoop):
        with use_own_metrics(model, trains=True), use_engine(model, loop):
            yield model
        return
    # The strategy places what is made inside, not the device of the caller.
    with tf.device(None), loop.strategy.scope():
        copy = _copy_model(model)
        with use_own_metrics(copy, trains=True), use_mirrored_loop(copy, loop):
            yield copy
    copy_state(copy, model)


def _copy_model(model: LeNet) -> LeNet:
    """Return a copy with the same layers, compilation and state, in the scope of a strategy."""
    copy = LeNet.from_config(LeNet.get_config(model))
    try:
        copy.compile_from_config(model.get_compile_config())
    except Exception as error:  # Keras raises anything.
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"{model.name} can't be copied to several devices ({reason}): compile it with parts of"
            " Keras, or choose one device"
        ) from error
    copy.jit_compile, copy.steps_per_execution = False, 1
    if not copy.optimizer.built:
        copy.optimizer.build(copy.trainable_variables)
    build_metrics(copy)
    copy_state(model, copy)
    return copy


def copy_state(source: LeNet, target: LeNet) -> None:
    """Copy weights and the optimizer's state. Copying a model to itself does nothing.

    Args:
        source: A model that is built for training.
        target: Its copy.
    """
    if source is target:
        return
    pairs = [
        *zip(source.weights, target.weights, strict=True),
        *zip(source.optimizer.variables, target.optimizer.variables, strict=True),
    ]
    for ours, theirs in pairs:
        theirs.assign(keras.ops.convert_to_numpy(ours))
