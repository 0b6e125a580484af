"""What watches a training run: the clock, the progress display, and what writes its files."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np


class EpochClock(keras.callbacks.Callback):
    """Adds `seconds`, an epoch's wall time with its validation, to the epoch's logs; first in the list, so that the others see it."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is not None:
            logs["seconds"] = time.perf_counter() - self._start


class StopAtNaN(keras.callbacks.TerminateOnNaN):
    """Keras' own, for the validation loss too, and it remembers where: `failed_at` is "" or the place, counted from 1.

    `steps`: how many training steps Keras takes for one of its batches.
    """

    failed_at = ""

    def __init__(self, steps: int = 1) -> None:
        super().__init__()
        self._steps = steps

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch + 1

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        place = (
            f"batch {batch + 1}"
            if self._steps == 1
            else f"steps {batch * self._steps + 1:,} to {(batch + 1) * self._steps:,}"
        )
        self._check("loss", logs, f"epoch {self._epoch}, {place}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # The loss of a batch is taken before its update: only validation sees what the last update did.
        self._check("val_loss", logs, f"the validation of epoch {self._epoch}")

    def _check(self, name: str, logs: dict[str, Any] | None, place: str) -> None:
        loss = (logs or {}).get(name)
        if loss is not None and not math.isfinite(loss) and not self.failed_at:
            self.failed_at = place
            self.model.stop_training = True


class EpochEnd(keras.callbacks.Callback):
    """Hands each finished epoch to `finish(logs)`, which says whether training is to stop there.

    To be the last of all callbacks: what the others change at an epoch's end belongs to it.
    """

    def __init__(self, finish: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__()
        self._finish = finish

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._finish(logs or {}):
            self.model.stop_training = True


class ReseedLayers(keras.callbacks.Callback):
    """Has the random numbers that layers draw (dropout, stochastic pooling) depend on the seed and the epoch alone.

    Keras does not save the state of its generators, and without this a run that goes on would draw others.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for number, layer in enumerate(self.model.layers):
            generator = getattr(layer, "seed_generator", None)
            if generator is not None:
                (drawn,) = (
                    np.random.SeedSequence([self._seed, epoch, number]).generate_state(1) >> 1
                )
                generator.state.assign(np.array([drawn, 0], generator.state.dtype))


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def progress_bar() -> keras.callbacks.Callback | None:
    """A tqdm bar in a terminal or a notebook; None elsewhere, where Keras' one line per epoch serves."""
    if not (_in_notebook() or sys.stderr.isatty()):
        return None
    from tqdm.keras import TqdmCallback

    # Some terminals, such as a container's, give their width as 0.
    narrow = not _in_notebook() and os.get_terminal_size(sys.stderr.fileno()).columns == 0
    display = TqdmCallback(ncols=80) if narrow else TqdmCallback(dynamic_ncols=True)
    # What fits into 80 columns and still leaves a bar; the rest is in history.csv and TensorBoard.
    display.epoch_bar.bar_format = (
        "{n_fmt}/{total_fmt} epochs |{bar}| {elapsed}<{remaining}{postfix}"
    )
    display.on_epoch_end = display.bar2callback(display.epoch_bar, pop=["val_loss", "seconds"])
    return display
