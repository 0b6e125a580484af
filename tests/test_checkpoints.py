"""Checkpoints and the progress that they record."""

from __future__ import annotations

import zipfile

import keras
import numpy as np
import pytest
from interrupted_runs import Interrupt
from quick import fit, resume

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.runs import checkpoints
from lenet_tf.runs.checkpoints import Progress


def make_progress(*val_losses: float, accuracies: tuple[float, ...] = ()) -> Progress:
    accuracies = accuracies or (0.5,) * len(val_losses)
    return Progress(
        [
            {"loss": 1.0, "val_loss": loss, "val_accuracy": accuracy, "seconds": 1.0}
            for loss, accuracy in zip(val_losses, accuracies, strict=True)
        ]
    )


def test_the_first_of_equally_good_epochs_is_the_best():
    assert make_progress(3, 2, 1, accuracies=(0.5, 0.75, 0.75)).best == 1
    assert Progress().best == -1


@pytest.mark.parametrize(
    ("val_losses", "patience", "is_over"),
    [
        ((), 1, False),
        ((3, 2, 1), 1, False),
        ((3, 2, 2), 1, True),
        ((3, 1, 2), 2, False),
        ((3, 1, 2, 2), 2, True),
        ((3, 4, 5, 6), None, False),
        ((3, 2, 1, 1, 1), None, True),
    ],
)
def test_training_is_over_after_all_epochs_or_without_improvement(val_losses, patience, is_over):
    assert make_progress(*val_losses).is_over(5, patience) is is_over


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "[" * 100_000,
        '{"epochs": [1], "resumed": []}',
        '{"epochs": [{"loss": "nan", "val_loss": 1, "val_accuracy": 1, "seconds": 1}],'
        ' "resumed": []}',
        '{"epochs": [{"loss": 1}], "resumed": []}',
        " " * (checkpoints.MAX_PROGRESS_BYTES + 1),
    ],
    ids=["list", "unclosed", "nested", "number", "NaN", "missing metrics", "too large"],
)
def test_invalid_progress_is_refused(interrupted_run, text):
    path = interrupted_run / "final.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {checkpoints.PROGRESS_MEMBER: text.encode()}).items():
            archive.writestr(name, content)
    with pytest.raises(RunError, match="doesn't record the run's progress"):
        checkpoints.read_progress(path)


def test_damaged_progress_is_refused(interrupted_run):
    path = interrupted_run / "final.keras"
    content = path.read_bytes()
    position = content.rindex(b'"epochs"')
    path.write_bytes(content[:position] + b"!" + content[position + 1 :])
    with pytest.raises(RunError, match="doesn't record the run's progress"):
        checkpoints.read_progress(path)


def test_progress_of_thousands_of_epochs_can_be_read(interrupted_run):
    """It is larger than any other JSON may be."""
    path = interrupted_run / "final.keras"
    progress = checkpoints.read_progress(path)
    progress.rows *= 10_000
    checkpoints.write_checkpoint(path, lenet_tf.load_model(interrupted_run), progress)
    assert checkpoints.read_progress(path).history == progress.history
    assert lenet_tf.load_model(interrupted_run).count_params() == 782


def test_a_custom_metric_may_be_nan_or_infinite(digits, tmp_path):
    class CustomMetric(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["custom"] = [float("nan"), float("-inf"), 1.5][epoch]

    callbacks = [CustomMetric(), Interrupt(3)]
    with pytest.raises(Interrupted):
        fit("tiny", digits, epochs=3, logs=tmp_path, quiet=True, callbacks=callbacks)
    (folder,) = (tmp_path / "fit").iterdir()
    run = resume(folder, digits, quiet=True, callbacks=[CustomMetric()])
    np.testing.assert_array_equal(run.history["custom"], [np.nan, -np.inf, 1.5])
