"""Keras callbacks of a run: clock, NaN check, seeds, progress bar."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from lenet_tf.errors import TrainingError
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.training_terms import terms_to_config


def list_callbacks(
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None,
) -> list[keras.callbacks.Callback]:
    """Return custom callbacks as a list.

    Args:
        callbacks: A sequence of callbacks, one of them, or None.

    Raises:
        TrainingError: Something else is among them, or Keras' own way to resume.
    """
    given = [] if callbacks is None else callbacks
    listed = list(given) if isinstance(given, Iterable) else [given]
    for callback in listed:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise TrainingError(
                "BackupAndRestore restores what a run folder doesn't record: leave it out, and"
                " continue an interrupted run with lenet_tf.resume"
            )
        if not isinstance(callback, keras.callbacks.Callback):
            hint = ""
            if isinstance(callback, type) and issubclass(callback, keras.callbacks.Callback):
                hint = f": call the class, {callback.__name__}()"
            elif callable(callback):
                hint = ": wrap it, keras.callbacks.LambdaCallback(on_epoch_end=function)"
            raise TrainingError(
                f"callbacks must be keras.callbacks.Callback objects, not {callback!r}{hint}"
            )
    return listed


class EpochClock(keras.callbacks.Callback):
    """Adds `seconds`, an epoch's wall time with validation, to the logs of the epoch.

    It comes first in the list of callbacks, so that the others see the time.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the seconds."""
        if logs is not None:
            logs["seconds"] = time.perf_counter() - self._start


class OwnAccuracy(keras.callbacks.Callback):
    """Reports the package's own training accuracy, whatever a model's own `train_step` returns.

    It comes before the callbacks that read the logs. Models without such a step report it anyway.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the accuracy, which the validation resets."""
        metrics = self.model.own_metrics
        if metrics is None:
            return
        # Several devices count apart, and float takes no variable of theirs.
        if not keras.ops.convert_to_numpy(metrics.accuracy.count):
            raise TrainingError(
                f"the train_step of {type(self.model).__name__} doesn't call"
                " self.compute_metrics(x, y, y_pred), without which fit knows no accuracy"
            )
        self._accuracy = float(metrics.accuracy.result())
        if logs is not None:
            logs["accuracy"] = self._accuracy

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report the accuracy."""
        if logs is not None and self.model.own_metrics is not None:
            logs["accuracy"] = self._accuracy


def create_loggers() -> list[keras.callbacks.Callback]:
    """Create the callbacks that complete the logs, and so come first."""
    return [EpochClock(), OwnAccuracy()]


class StopAtNaN(keras.callbacks.TerminateOnNaN):
    """Stops at a loss that is NaN or infinite, in training or validation.

    Args:
        steps: Training steps per execution, which Keras counts as one batch.

    Attributes:
        failed_at: Where the loss failed, counted from 1, or "" where it never did.
    """

    failed_at = ""

    def __init__(self, steps: int = 1) -> None:
        super().__init__()
        self._steps = steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch + 1

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the training loss."""
        first, last = batch * self._steps + 1, (batch + 1) * self._steps
        where = f"batch {batch + 1}" if self._steps == 1 else f"steps {first:,} to {last:,}"
        self._check("loss", logs, f"epoch {self._epoch}, {where}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the validation loss: only it shows the effect of the last update."""
        self._check("val_loss", logs, f"the validation of epoch {self._epoch}")

    def _check(self, name: str, logs: dict[str, Any] | None, where: str) -> None:
        loss = (logs or {}).get(name)
        if loss is not None and not math.isfinite(loss) and not self.failed_at:
            self.failed_at = where
            self.model.stop_training = True


class EpochEnd(keras.callbacks.Callback):
    """Calls a function after each epoch, which decides whether training stops.

    It comes last in the list of callbacks, so that it sees what the others change.

    Args:
        finish: Takes the logs of the epoch, and returns True to stop.
    """

    def __init__(self, finish: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__()
        self._finish = finish

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Call the function."""
        if self._finish(logs or {}):
            self.model.stop_training = True


class ModelGuard(keras.callbacks.Callback):
    """Refuses a custom callback's change of what is trained, which the steps would not follow.

    Args:
        model: The model, before its training starts.
    """

    def __init__(self, model: LeNet) -> None:
        super().__init__()
        self._expected = _list_trained_parts(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Compare the model with what it was."""
        parts = _list_trained_parts(self.model)
        for name, expected in self._expected.items():
            if parts[name] is not expected and parts[name] != expected:
                raise TrainingError(
                    f"a callback has changed the {name} of {self.model.name} during its training:"
                    " change it before fit, or train with several calls of fit"
                )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare the model with what it was."""
        self.on_train_begin()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare the model with what it was."""
        self.on_train_begin()


def _list_trained_parts(model: LeNet) -> dict[str, Any]:
    layers = [id(layer) for layer in model.layers]
    optimizer, loss, terms = model.optimizer, model.loss, terms_to_config(model.layers)
    return {"layers": layers, "optimizer": optimizer, "loss": loss, "regularizers": terms}


class ReseedLayers(keras.callbacks.Callback):
    """Seeds the layers' random generators from the seed and the epoch alone.

    Keras does not save the state of its generators. Without this, a resumed run would draw other
    numbers for dropout and stochastic pooling. Several devices draw different numbers.

    Args:
        seed: The seed of the run.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Seed the generators of the epoch."""
        for number, layer in enumerate(self.model.layers):
            generator = getattr(layer, "seed_generator", None)
            if generator is not None:
                variable = generator.state.value
                for device, copy in enumerate(getattr(variable, "values", [variable])):
                    key = [self._seed, epoch, number, *([device] if device else [])]
                    (state,) = np.random.SeedSequence(key).generate_state(1) >> 1
                    copy.assign(np.array([state, 0], generator.state.dtype))
