"""Writes TensorBoard's event files while a model trains, and at the end of a run."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from numbers import Real
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.histogram.summary_v2 import histogram_pb

from lenet_tf.data.dataset import Split
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.io.atomic import WriteError
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs.event_files import FINAL_SUFFIX
from lenet_tf.runs.folder_checks import check_event_folders
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.training.tensorboard import run_summary
from lenet_tf.training.tensorboard.options import Board
from lenet_tf.training.tensorboard.sampling import evenly_spaced, validation_images

# Histograms of activations and gradients show this many validation images, and at most this many
# activations of a layer, and of its weights: TensorBoard takes 240 bytes to count each value.
_HISTOGRAM_IMAGES, _MAX_ACTIVATIONS, _MAX_WEIGHTS = 256, 100_000, 1_000_000


@contextlib.contextmanager
def translate_io_errors() -> Iterator[None]:
    """Raise `WriteError` for errors of TensorFlow and the system while events are written."""
    try:
        yield
    except tf.errors.OpError as error:
        reason = f"{error.message}\n".splitlines()[0].rpartition("; ")[2]
        raise WriteError(f"TensorBoard's events: {reason}") from error
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(f"TensorBoard's events: {error.strerror or error}") from error


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras' TensorBoard callback, with the images and histograms that a `Board` selects.

    Each histogram is tagged by its layer's name (`layer C1/kernel`), so that runs of different
    variants share tags in every version of Keras. TensorBoard sorts tags by name and opens on the
    first, which is `epoch_accuracy`: no other tag may sort before it.

    Args:
        record: The run.
        board: What TensorBoard shows.
        split: The run's data.

    Raises:
        WriteError: The events don't arrive on disk, of which TensorFlow itself does not tell.
    """

    def __init__(self, record: RunRecord, board: Board, split: Split) -> None:
        super().__init__(record.path, histogram_freq=1, write_graph=False)
        self._record, self._board, self._split = record, board, split
        self._bytes_written = 0
        self._train_seconds: float | None = None

    @translate_io_errors()
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Write texts, graph and hyperparameters of the run."""
        check_event_folders(self._record.path)
        run_summary.log_run_start(self._record, self.model)
        super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock of the epoch."""
        self._start, self._train_seconds = time.perf_counter(), None

    @translate_io_errors()
    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop the clock of the epoch: validation does not count."""
        self._train_seconds = time.perf_counter() - self._start
        super().on_test_begin(logs)

    on_test_end = translate_io_errors()(keras.callbacks.TensorBoard.on_test_end)

    @translate_io_errors()
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write scalars, histograms and images, and check that they arrived on disk."""
        scalars = dict(logs or {})
        if self._train_seconds:
            scalars["images_per_second"] = len(self._split.train_indices) / self._train_seconds
        super().on_epoch_end(epoch, scalars)
        # Weights that are NaN have nothing to show.
        is_finite = all(
            math.isfinite(value) for value in (logs or {}).values() if isinstance(value, Real)
        )
        if is_finite and self._board.shows(epoch, self._record.spec.recipe.epochs):
            _write_images(
                self.model,
                self._split,
                epoch,
                self._train_writer.as_default(),
                self._val_writer.as_default(),
            )
            self._train_writer.flush()
            self._val_writer.flush()
        folder = self._record.path
        size = sum(file.stat().st_size for file in folder.glob("*/*tfevents*"))
        if size <= self._bytes_written:
            raise WriteError(f"TensorBoard's events do not arrive in {folder}")
        self._bytes_written = size

    def _log_weights(self, epoch: int) -> None:
        histograms = self._board.histograms
        with self._train_writer.as_default():
            if "weights" in histograms:
                for layer in self.model.layers:
                    for weight in layer.weights:
                        tag = f"{_tag_layer(layer.name)}/{weight.name}/histogram"
                        values = _sample(weight.numpy(), _MAX_WEIGHTS)
                        _write_histogram(tag, values, epoch)
            if {"activations", "gradients"} & set(histograms):
                _write_flow_histograms(self.model, self._split, epoch, histograms)
            self._train_writer.flush()


def log_run_end(
    record: RunRecord,
    board: Board,
    model: LeNet,
    split: Split,
    test: Mapping[str, float],
    epochs: int,
) -> None:
    """Write the test result, the projector, and the images of a last epoch that ended early.

    Args:
        record: The run.
        board: What TensorBoard shows.
        model: The trained model.
        split: The run's data.
        test: Metric name to value on the test images. Empty for a run without a test, which then
            gets no projector.
        epochs: Number of finished epochs.

    Raises:
        WriteError: The events cannot be written.
    """
    with translate_io_errors(), STATUS.show("writing TensorBoard's files"):
        check_event_folders(record.path)
        run_summary.log_test_result(record.path, test, epochs)
        if board.images_every == 0:
            return
        if not board.shows(epochs - 1, record.spec.recipe.epochs):
            writers = (
                run_summary.event_writer(record.path / part, FINAL_SUFFIX)
                for part in ("train", "validation")
            )
            _write_images(model, split, epochs - 1, *writers)
        if not test:
            return
        with run_summary.warn_on_error("TensorBoard has no projector of this run"):
            from lenet_tf.training.tensorboard.projector import write_projector

            write_projector(record.path, model, split.data)


def _write_images(
    model: LeNet,
    split: Split,
    epoch: int,
    train_writer: AbstractContextManager[None],
    validation_writer: AbstractContextManager[None],
) -> None:
    # Imported late: matplotlib takes a second to start.
    from lenet_tf.training.tensorboard.images import write_filters, write_predictions

    with run_summary.warn_on_error(f"TensorBoard lacks the images of epoch {epoch + 1}"):
        with train_writer:
            write_filters(model, epoch)
        with validation_writer:
            write_predictions(model, split, epoch)


def _write_flow_histograms(
    model: LeNet, split: Split, epoch: int, histograms: tuple[str, ...]
) -> None:
    """Write histograms of activations and gradients on validation images, without dropout."""
    images, labels = validation_images(split, _HISTOGRAM_IMAGES)
    preparation = split.validation_preparation
    if "activations" in histograms:
        for name, values in feature_maps(model, images, preparation).items():
            sample = _sample(values, _MAX_ACTIVATIONS)
            _write_histogram(f"{_tag_layer(name)}/activations/histogram", sample, epoch)
    if "gradients" in histograms:
        x, y = prepare_images(images, preparation), one_hot(labels, split.data.num_classes)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=False))
        weights = [
            (layer.name, weight) for layer in model.layers for weight in layer.trainable_weights
        ]
        gradients = tape.gradient(loss, [weight.value for _, weight in weights])
        for (layer_name, weight), gradient in zip(weights, gradients, strict=True):
            tag = f"{_tag_layer(layer_name)}/{weight.name}/gradient/histogram"
            sample = _sample(tf.convert_to_tensor(gradient).numpy(), _MAX_WEIGHTS)
            _write_histogram(tag, sample, epoch)


def _write_histogram(tag: str, values: np.ndarray, epoch: int) -> None:
    """Write what `tf.summary.histogram` writes, in a fifth of the time or less."""
    # Values that are NaN or infinite fall into no bucket.
    with np.errstate(invalid="ignore"):
        summary = histogram_pb(tag, values)
    tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step=epoch)


def _tag_layer(name: str) -> str:
    """Return the first part of a layer's tags, which sorts behind the accuracy of the epochs."""
    return f"layer {name}"


def _sample(values: np.ndarray, limit: int) -> np.ndarray:
    """Return up to `limit` of the values, evenly spaced."""
    return values.ravel()[evenly_spaced(values.size, limit)]
