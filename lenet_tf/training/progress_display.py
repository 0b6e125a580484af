"""The progress of a training: a bar and a line per epoch, or Keras' lines in a file."""

from __future__ import annotations

import contextlib
import importlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras

from lenet_tf.data.dataset import Split
from lenet_tf.runtime.output import print_line
from lenet_tf.runtime.signals import ShutdownRequest
from lenet_tf.runtime.terminal import STATUS, get_size, is_terminal
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.progress_text import ProgressClock, format_epoch, render_bar

_SECONDS_BETWEEN_DRAWINGS = 0.1
_NOTEBOOK_WIDTH = 90


class EpochLines(keras.callbacks.ProgbarLogger):
    """Prints Keras' line for each epoch. A closed or broken stdout does not stop the training.

    Args:
        steps: Training steps of an epoch, of which Keras may take many at once.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the number of epochs."""
        super().set_params(params | {"verbose": 2, "steps": self._steps})

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the number of the epoch."""
        with _ignore_broken_stdout():
            super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the metrics."""
        with _ignore_broken_stdout():
            super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the metrics of the epoch. The line begins with its seconds."""
        metrics = {name: value for name, value in (logs or {}).items() if name != "seconds"}
        with _ignore_broken_stdout():
            super().on_epoch_end(epoch, metrics)


@contextlib.contextmanager
def _ignore_broken_stdout() -> Iterator[None]:
    # Keras looks for methods that a program's own stream, or none, may lack.
    with contextlib.suppress(Exception):
        yield


class EpochBar(keras.callbacks.Callback):
    """Shows a bar for the running epoch, and a line for each finished one.

    Args:
        steps: Training steps of an epoch.
        steps_per_execution: Steps that Keras counts as one batch.
        is_stopping: Returns whether the run stops after this epoch.
        prints_lines: Whether finished epochs are printed on stdout.
    """

    def __init__(
        self,
        steps: int,
        steps_per_execution: int,
        is_stopping: Callable[[], bool],
        prints_lines: bool = True,
    ) -> None:
        super().__init__()
        self._steps, self._steps_per_execution = steps, steps_per_execution
        self._is_stopping, self._prints_lines = is_stopping, prints_lines
        self._logs: dict[str, Any] = {}
        self._note, self._last_drawing = "", 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Take the number of epochs."""
        self._clock = ProgressClock(self.params["epochs"], self._steps)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the bar of the epoch."""
        self._clock.start_epoch(epoch, time.perf_counter())
        self._logs, self._note = {}, ""
        self._draw()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        now = time.perf_counter()
        self._clock.finish_steps(min((batch + 1) * self._steps_per_execution, self._steps), now)
        self._logs = logs or {}
        is_last = self._clock.done == self._steps
        if is_last or now - self._last_drawing >= _SECONDS_BETWEEN_DRAWINGS:
            self._last_drawing = now
            self._draw()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Say that the steps are followed by the validation."""
        self._note = "validating"
        self._draw()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the line of the epoch."""
        if self._prints_lines:
            width = get_size(sys.stdout)[0] - 1
            print_line(format_epoch(epoch, self._clock.epochs, logs or {}, width))

    def _draw(self) -> None:
        STATUS.draw(self._render)

    def _render(self, width: int, color: bool = True) -> str:
        return render_bar(
            self._clock,
            self._logs,
            width,
            note=self._note,
            is_last=self._is_stopping(),
            color=color,
        )


class NotebookBar(EpochBar):
    """Shows the same in the output of a notebook's cell, which it replaces in place."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Add the display to the cell."""
        super().on_train_begin(logs)
        self._lines: list[str] = []
        self._handle: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the line of the epoch."""
        self._lines.append(format_epoch(epoch, self._clock.epochs, logs or {}, _NOTEBOOK_WIDTH))
        self._display(*self._lines)

    def _draw(self) -> None:
        self._display(*self._lines, self._render(_NOTEBOOK_WIDTH, color=False))

    def _display(self, *lines: str) -> None:
        # A notebook brings it; nothing else needs it.
        display = importlib.import_module("IPython.display").display
        content = {"text/plain": "\n".join(lines)}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def create_progress_display(
    config: TrainConfig, split: Split, steps_per_execution: int, shutdown: ShutdownRequest
) -> list[keras.callbacks.Callback]:
    """Create what shows the progress of a training, for the streams of this process.

    Args:
        config: The settings of the run.
        split: The data set, split.
        steps_per_execution: Steps that Keras counts as one batch.
        shutdown: Tells whether the run stops after this epoch.

    Returns:
        Callbacks: a bar for a terminal or notebook, and Keras' lines if stdout is neither. None
        for a run that is quiet.
    """
    if config.quiet:
        return []
    steps = math.ceil(len(split.train_indices) / config.spec.recipe.batch_size)
    arguments = (steps, steps_per_execution, lambda: bool(shutdown.signal))
    if _is_in_notebook():
        return [NotebookBar(*arguments)]
    prints_lines = is_terminal(sys.stdout)
    bar = EpochBar(*arguments, prints_lines=prints_lines)
    return [bar] if prints_lines else [EpochLines(steps), bar]


def _is_in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config
