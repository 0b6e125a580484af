"""What TensorBoard is told while a network trains, and at its end."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from numbers import Real
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from lenet_tf.data.dataset import Split
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.io.atomic import WriteError
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import run_folder
from lenet_tf.runs.event_files import FINAL_SUFFIX
from lenet_tf.specs import Spec
from lenet_tf.training.tensorboard import run_summary
from lenet_tf.training.tensorboard.options import Board

# Validation images whose activations and gradients are in a histogram, and of one layer's activations how many.
_LOOKED_AT, _COUNTED = 256, 100_000


@contextlib.contextmanager
def translate_io_errors() -> Iterator[None]:
    """Raises `WriteError` for what TensorFlow and the system say when events cannot be written."""
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
    """Keras' own, and what its run's config.json asks for beside: see `lenet_tf.training.tensorboard.options.Board`.

    Each histogram stands under its layer's name (`C1/kernel`), so that runs of different variants share their tags: Keras before 3.13 gives
    every layer's kernel the one tag `kernel`, later ones put the model's name in front. Raises `WriteError` where events are not written:
    TensorFlow says nothing of a full disk or of a folder that was deleted.
    """

    _written = 0

    def __init__(self, folder: Path, spec: Spec, divided: Split) -> None:
        super().__init__(folder, histogram_freq=1, write_graph=False)
        self._folder, self._spec, self._divided = folder, spec, divided
        self._config = run_folder.read_config(folder)
        self._board = Board.from_config(self._config)

    @translate_io_errors()
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        run_summary.log_run_start(self._folder, self.model, self._spec, self._config)
        super().on_train_begin(logs)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start, self._seconds = time.perf_counter(), None

    @translate_io_errors()
    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        # An epoch's own time ends where its validation begins.
        self._seconds = time.perf_counter() - self._start
        super().on_test_begin(logs)

    on_test_end = translate_io_errors()(keras.callbacks.TensorBoard.on_test_end)

    @translate_io_errors()
    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        rate = (
            {"images_per_second": len(self._divided.kept) / self._seconds} if self._seconds else {}
        )
        super().on_epoch_end(epoch, dict(logs or {}) | rate)
        # Of weights that are NaN there is nothing to be seen.
        sound = all(
            math.isfinite(value) for value in (logs or {}).values() if isinstance(value, Real)
        )
        if sound and self._board.shows(epoch, self._spec.recipe.epochs):
            _write_pictures(
                self.model,
                self._divided,
                epoch,
                self._train_writer.as_default(),
                self._val_writer.as_default(),
            )
            self._train_writer.flush()
            self._val_writer.flush()
        size = sum(file.stat().st_size for file in self._folder.glob("*/*tfevents*"))
        if size <= self._written:
            raise WriteError(f"TensorBoard's events do not arrive in {self._folder}")
        self._written = size

    def _log_weights(self, epoch: int) -> None:
        wanted = self._board.histograms
        with self._train_writer.as_default():
            if "weights" in wanted:
                for layer in self.model.layers:
                    for weight in layer.weights:
                        self.summary.histogram(
                            f"{layer.name}/{weight.name}/histogram", weight, step=epoch
                        )
            if {"activations", "gradients"} & set(wanted):
                _write_flow(self.model, self._divided, epoch, wanted)
            self._train_writer.flush()


def log_run_end(
    folder: Path, network: LeNet, spec: Spec, divided: Split, test: Mapping[str, float], epochs: int
) -> None:
    """Writes what belongs to the end of a run of so many epochs: the test result, the last epoch's pictures where it ended early, and the
    projector's points. Raises `WriteError`."""
    board = Board.from_config(run_folder.read_config(folder))
    with translate_io_errors():
        run_summary.log_test_result(folder, test, epochs)
        if board.images_every == 0:
            return
        if not board.shows(epochs - 1, spec.recipe.epochs):
            parts = (
                run_summary.event_writer(folder / part, FINAL_SUFFIX)
                for part in ("train", "validation")
            )
            _write_pictures(network, divided, epochs - 1, *parts)
        with run_summary.warn_on_error("TensorBoard has no projector of this run"):
            from lenet_tf.training.tensorboard.projector import write_projector

            write_projector(folder, network, divided.raw)


def _write_pictures(
    network: LeNet,
    divided: Split,
    epoch: int,
    train: AbstractContextManager[None],
    validation: AbstractContextManager[None],
) -> None:
    """`train` and `validation`: what makes their writers those in use."""
    # Not before there is something to draw: matplotlib takes a second to start.
    from lenet_tf.training.tensorboard.images import write_filters, write_predictions

    with run_summary.warn_on_error(f"TensorBoard lacks pictures of epoch {epoch + 1}"):
        with train:
            write_filters(network, epoch)
        with validation:
            write_predictions(network, divided, epoch)


def _write_flow(network: LeNet, divided: Split, epoch: int, wanted: tuple[str, ...]) -> None:
    """Histograms of what flows forwards and backwards, for validation images and without dropout, so that nothing random is drawn."""
    from lenet_tf.training.tensorboard.images import (
        evenly_spaced,
        preparation_of,
        validation_images,
    )

    images, labels = validation_images(divided, _LOOKED_AT)
    preparation = preparation_of(network, divided)
    if "activations" in wanted:
        for name, values in feature_maps(network, images, preparation).items():
            # TensorBoard takes 240 bytes a value to count them.
            tf.summary.histogram(
                f"{name}/activations/histogram",
                values.ravel()[evenly_spaced(values.size, _COUNTED)],
                step=epoch,
            )
    if "gradients" in wanted:
        x, y = prepare_images(images, preparation), one_hot(labels, divided.raw.num_classes)
        with tf.GradientTape() as tape:
            loss = network.compute_loss(x, y, network(x, training=False))
        weights = [
            (layer.name, weight) for layer in network.layers for weight in layer.trainable_weights
        ]
        gradients = tape.gradient(loss, [weight.value for _, weight in weights])
        for (layer, weight), gradient in zip(weights, gradients, strict=True):
            tf.summary.histogram(f"{layer}/{weight.name}/gradient/histogram", gradient, step=epoch)
