"""The progress of a training: a bar in a terminal or notebook, or a line per epoch."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import keras

from lenet_tf.runtime.output import TolerantStream, is_terminal


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
        width: dict[str, Any] = {"dynamic_ncols": True} if _has_width() else {"ncols": 80}
        bar = TqdmCallback(file=stream, **width)
    # Fits into 80 columns; history.csv and TensorBoard have the other metrics.
    bar.epoch_bar.bar_format = "{n_fmt}/{total_fmt} epochs |{bar}| {elapsed}<{remaining}{postfix}"
    bar.on_epoch_end = bar.bar2callback(bar.epoch_bar, pop=["val_loss", "seconds"])
    return bar


def _has_width() -> bool:
    """Return whether stderr's terminal tells its width, unlike a container's or a program's own."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except Exception:  # A program's own stream can lack methods and raise anything.
        return False


def _is_in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "IPKernelApp" in shell.config
