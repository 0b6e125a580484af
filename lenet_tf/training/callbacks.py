"""Keras callbacks of a run: clock, NaN check, seeds, progress bar."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from lenet_tf.errors import TrainingError
from lenet_tf.runtime.output import TolerantStream, is_terminal


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
        if not float(metrics.accuracy.count):
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


class ReseedLayers(keras.callbacks.Callback):
    """Seeds the layers' random generators from the seed and the epoch alone.

    Keras does not save the state of its generators. Without this, a resumed run would draw other
    numbers for dropout and stochastic pooling.

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
                sequence = np.random.SeedSequence([self._seed, epoch, number])
                (state,) = sequence.generate_state(1) >> 1
                generator.state.assign(np.array([state, 0], generator.state.dtype))


class EpochLines(keras.callbacks.ProgbarLogger):
    """Prints Keras' line for each epoch. A closed or broken stdout does not stop the training."""

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the number of epochs and steps."""
        super().set_params(params | {"verbose": 2})

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the number of the epoch."""
        with _ignore_broken_stdout():
            super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the metrics."""
        with _ignore_broken_stdout():
            super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the metrics of the epoch."""
        with _ignore_broken_stdout():
            super().on_epoch_end(epoch, logs)


@contextlib.contextmanager
def _ignore_broken_stdout() -> Iterator[None]:
    # Keras looks for methods that a program's own stream, or none, may lack.
    with contextlib.suppress(Exception):
        yield


def progress_display() -> keras.callbacks.Callback:
    """Return a tqdm bar for a terminal or notebook, or plain lines elsewhere."""
    if not (_is_in_notebook() or is_terminal(sys.stderr)):
        return EpochLines()
    try:
        return _progress_bar()
    # tqdm reads variables such as TQDM_NCOLS when it is imported, and may not accept their values.
    except (ValueError, TypeError):
        return EpochLines()


def _progress_bar() -> keras.callbacks.Callback:
    from tqdm.keras import TqdmCallback

    if _is_in_notebook():
        bar = TqdmCallback(dynamic_ncols=True)
    else:
        stream = TolerantStream(sys.stderr)
        # Some terminals, such as a container's, report a width of 0.
        is_narrow = os.get_terminal_size(sys.stderr.fileno()).columns == 0
        width: dict[str, Any] = {"ncols": 80} if is_narrow else {"dynamic_ncols": True}
        bar = TqdmCallback(file=stream, **width)
    # Fits into 80 columns; history.csv and TensorBoard have the other metrics.
    bar.epoch_bar.bar_format = "{n_fmt}/{total_fmt} epochs |{bar}| {elapsed}<{remaining}{postfix}"
    bar.on_epoch_end = bar.bar2callback(bar.epoch_bar, pop=["val_loss", "seconds"])
    return bar


def _is_in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config
