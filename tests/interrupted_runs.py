"""Interrupted runs, and the comparison of a resumed run with an uninterrupted one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from quick import fit, resume
from tensorboard_events import read_steps

import lenet_tf
from lenet_tf.errors import Interrupted


class Interrupt(keras.callbacks.Callback):
    """Stop the run in the middle of an epoch, counted from 1, as a second Ctrl-C does."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_due = epoch + 1 == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_due:
            raise KeyboardInterrupt


def fit_with_interruptions(
    model: Any, data: lenet_tf.RawData, logs: Path, interruptions: tuple[int, ...], **options: Any
) -> lenet_tf.Run:
    """Train with an interruption in each of these epochs, and resume after each."""
    first, *others = interruptions
    with pytest.raises(
        Interrupted, match=rf"after {first - 1} of \d+ epochs. Resume with:\n.* train --resume "
    ):
        fit(model, data, logs=logs, quiet=True, callbacks=[Interrupt(first)], **options)
    (folder,) = (logs / "fit").iterdir()
    for epoch in others:
        with pytest.raises(Interrupted):
            resume(folder, data, quiet=True, callbacks=[Interrupt(epoch)])
    return resume(folder, data, quiet=True)


def assert_equal_states(first: keras.Model, second: keras.Model) -> None:
    """Compare weights and optimizer state bit for bit."""
    for a, b in zip(_variables(first), _variables(second), strict=True):
        np.testing.assert_array_equal(a, b)


def assert_equal_runs(complete: lenet_tf.Run, resumed: lenet_tf.Run) -> None:
    """Compare two runs bit for bit, in memory and on disk, apart from times."""
    assert_equal_states(complete.model, resumed.model)
    for name in complete.history.keys() | resumed.history.keys():
        assert name == "seconds" or complete.history[name] == resumed.history[name], name
    varying = {"seconds", "seconds_per_epoch", "finished", "resumed"}
    first, second = (
        {name: value for name, value in run.metrics.items() if name not in varying}
        for run in (complete, resumed)
    )
    assert first == second
    for file in ("best.keras", "final.keras"):
        assert_equal_states(*(lenet_tf.load_model(run.path / file) for run in (complete, resumed)))
    for part in ("train", "validation"):
        assert read_steps(complete.path / part) == read_steps(resumed.path / part)
    assert list_files(resumed.path) == list_files(complete.path)
    first, second = (run.path / "kernels.npz" for run in (complete, resumed))
    assert not first.exists() or first.read_bytes() == second.read_bytes()


def list_files(folder: Path) -> set[str]:
    """Return the names in a run folder, but only the suffixes of TensorBoard's event files.

    Their names also contain time, machine and process.
    """
    return {path.suffix[1:] if "tfevents" in path.name else path.name for path in folder.iterdir()}


def _variables(model: keras.Model) -> list[np.ndarray]:
    variables = [*model.weights, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]
