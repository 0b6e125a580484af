"""Checkpoints and the progress that they record."""

from __future__ import annotations

import tracemalloc
import zipfile

import keras
import numpy as np
import pytest
from interrupted_runs import Interrupt
from quick import fit, resume

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.models import run_models
from lenet_tf.runs import checkpoints, consistency
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runs.run_record import read_run


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
        '{"epochs": [], "resumed": []}',
        '{"epochs": [{"loss": "nan", "val_loss": 1, "val_accuracy": 1, "seconds": 1}],'
        ' "resumed": []}',
        '{"epochs": [{"loss": 1}], "resumed": []}',
        '{"epochs": [{"loss": 1e400}], "resumed": []}',
        '{"epochs": [{"\\ud800": 1}], "resumed": []}',
        " " * (checkpoints.MAX_PROGRESS_BYTES + 1),
    ],
    ids=[
        *("list", "unclosed", "nested", "number", "no epoch", "NaN", "missing metrics", "infinite"),
        *("half a letter", "too large"),
    ],
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


@pytest.mark.parametrize("part", ["[],", "{},", '{"loss":1},', "1,"])
def test_progress_of_millions_of_values_is_refused_before_it_is_decoded(part):
    """64 MiB of empty lists took 2 GiB and 92 seconds."""
    text = f'{{"epochs": [{part * checkpoints.MAX_PROGRESS_VALUES}], "resumed": []}}'.encode()
    tracemalloc.start()
    with pytest.raises(ValueError, match="it holds more than 1,000,000 values"):
        checkpoints._parse_progress(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("line", ["\n", "1\n", ",,,,\n"])
def test_history_of_millions_of_values_is_refused(tmp_path, line):
    text = "epoch,loss,accuracy\n" + line * checkpoints.MAX_PROGRESS_VALUES
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(RunError, match="history.csv is not usable: it holds more than 1,000,000"):
        consistency.read_history(tmp_path)


def test_a_checkpoint_that_is_replaced_while_it_is_read(interrupted_run, monkeypatch):
    """A report during training has the weights and the history of one epoch."""
    load = run_models.load_stream

    def load_and_finish_an_epoch(stream, file):
        model, progress = load(stream, file), checkpoints.read_progress(file)
        progress.rows.append(progress.rows[-1])
        checkpoints.write_checkpoint(file, model, progress)
        return model

    monkeypatch.setattr(run_models, "load_stream", load_and_finish_an_epoch)
    record = read_run(interrupted_run)
    assert [run_models.load_last_epoch(record)[1].epochs for _ in range(2)] == [2, 3]


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
