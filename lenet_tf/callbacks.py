"""What watches a training run: the clock, the progress display, TensorBoard, checkpoints and the history file."""

from __future__ import annotations

import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import keras


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
        place = f"batch {batch + 1}" if self._steps == 1 else f"steps {batch * self._steps + 1:,} to {(batch + 1) * self._steps:,}"
        self._check("loss", logs, f"epoch {self._epoch}, {place}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # The loss of a batch is taken before its update: only validation sees what the last update did.
        self._check("val_loss", logs, f"the validation of epoch {self._epoch}")

    def _check(self, name: str, logs: dict[str, Any] | None, place: str) -> None:
        loss = (logs or {}).get(name)
        if loss is not None and not math.isfinite(loss) and not self.failed_at:
            self.failed_at = place
            self.model.stop_training = True


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras' own, with each histogram under its layer's name (`C1/kernel`), so that runs of different variants share their tags.

    Keras before 3.13 gives every layer's kernel the one tag `kernel`, later ones put the model's name in front.
    """

    def _log_weights(self, epoch: int) -> None:
        with self._train_writer.as_default():
            for layer in self.model.layers:
                for weight in layer.weights:
                    self.summary.histogram(f"{layer.name}/{weight.name}/histogram", weight, step=epoch)
            self._train_writer.flush()


class Checkpoint(keras.callbacks.ModelCheckpoint):
    """Keras' own, save that the old file stays until the new one is whole, and that weights with a NaN or infinite loss are never kept."""

    def __init__(self, file: Path, **options: Any) -> None:
        self._file = file
        super().__init__(file.with_name(f".{file.stem}.partial.keras"), **options)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not all(math.isfinite((logs or {}).get(name, math.nan)) for name in ("loss", "val_loss")):
            return
        partial = Path(self.filepath)
        try:
            super().on_epoch_end(epoch, logs)
            if partial.exists():
                partial.replace(self._file)
        finally:
            partial.unlink(missing_ok=True)


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
    display.epoch_bar.bar_format = "{n_fmt}/{total_fmt} epochs |{bar}| {elapsed}<{remaining}{postfix}"
    display.on_epoch_end = display.bar2callback(display.epoch_bar, pop=["val_loss", "seconds"])
    return display


def standard_callbacks(folder: Path, early_stopping: int | None = None, steps: int = 1) -> tuple[list[keras.callbacks.Callback], StopAtNaN]:
    """The callbacks of every run, in order, and the one that knows of NaN; `early_stopping` is EarlyStopping's patience in epochs,
    `steps` how many training steps Keras takes for one of its batches."""
    nan = StopAtNaN(steps)
    callbacks = [
        EpochClock(),
        nan,
        # Keras writes a graph only for its own classes.
        TensorBoard(folder, histogram_freq=1, write_graph=False),
        keras.callbacks.CSVLogger(folder / "history.csv"),
        Checkpoint(folder / "best.keras", monitor="val_accuracy", mode="max", save_best_only=True),
        Checkpoint(folder / "final.keras"),
    ]
    if early_stopping is not None:
        callbacks.append(keras.callbacks.EarlyStopping(monitor="val_loss", patience=early_stopping))
    return callbacks, nan
