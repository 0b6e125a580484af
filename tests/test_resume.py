"""Interrupted runs: they end as if nothing had happened, bit for bit."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from event_tags import scalar_tags
from quick import fit, resume

import lenet_tf
from lenet_tf.errors import Interrupted, RunError, TrainingError
from lenet_tf.io.atomic import file_lock
from lenet_tf.runs import checkpoints, run_folder
from lenet_tf.specs import Optimizer, Pooling, Recipe, get_spec


def state(model: keras.Model) -> list[np.ndarray]:
    return [
        keras.ops.convert_to_numpy(variable)
        for variable in [*model.weights, *model.optimizer.variables]
    ]


def assert_same(whole: run_folder.Run, resumed: run_folder.Run) -> None:
    for a, b in zip(state(whole.model), state(resumed.model), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in whole.history.keys() | resumed.history.keys():
        assert name == "seconds" or whole.history[name] == resumed.history[name], name
    timeless = {"seconds", "seconds_per_epoch", "finished", "resumed"}
    assert {k: v for k, v in whole.metrics.items() if k not in timeless} == {
        k: v for k, v in resumed.metrics.items() if k not in timeless
    }
    for file in ("best.keras", "final.keras"):
        for a, b in zip(
            *(state(lenet_tf.load_model(run.path / file)) for run in (whole, resumed)), strict=True
        ):
            np.testing.assert_array_equal(a, b)
    for part in ("train", "validation"):
        assert scalar_tags(whole.path / part) == scalar_tags(resumed.path / part)
    assert names(resumed.path) - {"initial.keras"} == names(whole.path) - {"initial.keras"}


def names(folder: Path) -> set[str]:
    """What lies in a run folder; of TensorBoard's files what they are: their names also have time, machine and process."""
    return {path.suffix[1:] if "tfevents" in path.name else path.name for path in folder.iterdir()}


class Break(keras.callbacks.Callback):
    """Stops the run as a second Ctrl-C does, in the middle of an epoch (counted from 1)."""

    def __init__(self, *epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch + 1 in self.epochs

    def on_train_batch_end(self, batch, logs=None):
        if self.now:
            raise KeyboardInterrupt


def broken(model, data, logs: Path, *epochs: int, **options) -> run_folder.Run:
    """The run, broken off in these epochs and gone on with each time."""
    with pytest.raises(
        Interrupted, match=rf"after {epochs[0] - 1} of \d+ epochs. Resume with:\n.* train --resume "
    ):
        fit(model, data, logs=logs, quiet=True, callbacks=[Break(epochs[0])], **options)
    (folder,) = (logs / "fit").iterdir()
    for epoch in epochs[1:]:
        with pytest.raises(Interrupted):
            resume(folder, data, quiet=True, callbacks=[Break(epoch)])
    return resume(folder, data, quiet=True)


def recipe(variant: str, **changes) -> Recipe:
    return replace(get_spec(variant).recipe, **changes)


TINY = get_spec("tiny")
STOCHASTIC = replace(
    TINY,
    rows=tuple(
        replace(row, pool="stochastic") if isinstance(row, Pooling) else row for row in TINY.rows
    ),
)
CASES = {
    "adam, halves": ("tiny", {}),
    "elastic distortions": ("tiny", {"augmentation": "affine+elastic", "engine": "keras"}),
    "dropout": ("keras-convnet", {}),
    "stochastic pooling": (STOCHASTIC, {}),
    "one cycle, AdamW": ("lenet5-modern", {"recipe": "fast"}),
    "rates by epoch": (
        "tiny",
        {"recipe": recipe("tiny", optimizer=Optimizer("sgd", (0.1, 0.05, 0.01), momentum=0.9))},
    ),
    "second order": ("lenet5-1998", {"batch_size": 1}),
    "scaled float16": ("tiny", {"precision": "mixed_float16"}),
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.slow] * (number > 0))
        for number, case in enumerate(CASES)
    ],
)
@pytest.mark.cpu
def test_a_broken_run_ends_as_the_whole_one(case, digits, tmp_path):
    model, options = CASES[case]
    data = (
        replace(digits, x_train=digits.x_train[:120], y_train=digits.y_train[:120])
        if case == "second order"
        else digits
    )
    options = {
        "epochs": 3,
        "batch_size": 30,
        "validation": 0.2,
        "seed": 3,
        "device": "cpu",
    } | options
    whole = fit(model, data, logs=tmp_path / "whole", quiet=True, **options)
    often = case == "adam, halves"
    resumed = broken(
        model, data, tmp_path / "broken", *((1, 2, 2, 3) if often else (3,)), **options
    )
    assert resumed.metrics["resumed"] == ([0, 1, 2] if often else [2])
    assert_same(whole, resumed)


@pytest.mark.slow
def test_early_stopping_remembers(digits, tmp_path):
    """The best validation loss lies before the break, the end after it."""

    class Worse(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 1.0, 2.0, 1.0, 5.0, 0.5][epoch]

    options = {"epochs": 9, "early_stopping": 3, "seed": 3, "device": "cpu", "quiet": True}
    whole = fit("tiny", digits, logs=tmp_path / "whole", callbacks=[Worse()], **options)
    assert whole.metrics["epochs"] == 5
    with pytest.raises(Interrupted):
        fit("tiny", digits, logs=tmp_path / "broken", callbacks=[Worse(), Break(4)], **options)
    (folder,) = (tmp_path / "broken" / "fit").iterdir()
    assert_same(whole, resume(folder, digits, quiet=True, callbacks=[Worse()]))


@pytest.mark.slow
def test_weights_that_were_given_are_kept_to_begin_with(digits, tmp_path):
    options = {"epochs": 2, "seed": 5, "device": "cpu"}
    first = fit("tiny", digits, logs=tmp_path / "first", quiet=True, **options)
    whole = fit(
        lenet_tf.load_model(first.path), digits, logs=tmp_path / "whole", quiet=True, **options
    )
    assert_same(
        whole, broken(lenet_tf.load_model(first.path), digits, tmp_path / "broken", 1, **options)
    )


@pytest.fixture(scope="module")
def halted(digits, tmp_path_factory) -> Path:
    """A run of 4 epochs, of which 2 are finished."""
    logs = tmp_path_factory.mktemp("halted")
    with pytest.raises(Interrupted):
        fit(
            "tiny",
            digits,
            epochs=4,
            seed=3,
            device="cpu",
            logs=logs,
            quiet=True,
            callbacks=[Break(3)],
        )
    return next((logs / "fit").iterdir())


@pytest.fixture
def copy(halted, tmp_path) -> Path:
    import shutil

    return Path(shutil.copytree(halted, tmp_path / "logs" / "fit" / halted.name))


def test_what_a_kill_leaves_between_two_files_is_put_right(copy, digits, tmp_path):
    """best.keras already of the next epoch, history.csv still of the last, half a record in an event file, half a checkpoint beside."""
    whole = fit("tiny", digits, epochs=4, seed=3, device="cpu", logs=tmp_path / "whole", quiet=True)
    (copy / "best.keras").write_bytes((whole.path / "best.keras").read_bytes())
    (copy / "history.csv").write_text("epoch,loss\n0,1.0\n")
    (copy / ".final-123.partial.keras").write_bytes(b"PK")
    (copy / ".lock").touch()
    for file in (copy / "train").iterdir():
        file.write_bytes(file.read_bytes()[:-7])
    ahead = next((whole.path / "validation").iterdir())
    (copy / "validation" / ahead.name).write_bytes(ahead.read_bytes())
    resumed = resume(copy, digits, quiet=True)
    for a, b in zip(state(whole.model), state(resumed.model), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [line.split(",")[0] for line in (copy / "history.csv").read_text().splitlines()] == [
        "epoch",
        "0",
        "1",
        "2",
        "3",
    ]
    assert scalar_tags(copy / "validation") == scalar_tags(whole.path / "validation")
    assert names(copy) == names(whole.path)
    assert not any(path.name.startswith(".") for path in copy.rglob("*"))


def test_a_run_that_only_lacks_its_last_file_is_tested_and_not_trained(digits, tmp_path):
    whole = fit("tiny", digits, epochs=2, device="cpu", logs=tmp_path, quiet=True)
    (whole.path / "metrics.json").unlink()
    resumed = resume(whole.path, digits, quiet=True)
    assert resumed.metrics["resumed"] == [2]
    assert_same(whole, resumed)
    again = resume(whole.path, digits, quiet=True)
    assert again.metrics == resumed.metrics
    assert again.history == resumed.history


def test_what_cannot_go_on_says_why(copy, digits, tmp_path):
    with pytest.raises(
        RunError,
        match=r"was trained on other sample data \(SHA-256 .*\). A run resumes with its own data only.",
    ):
        resume(copy, replace(digits, x_test=digits.x_test[::-1].copy()), quiet=True)
    with pytest.raises(RunError, match="is not a run folder: it has no config.json"):
        resume(tmp_path, digits)
    whole = (copy / "final.keras").read_bytes()
    (copy / "final.keras").write_bytes(whole[:5000])
    with pytest.raises(RunError, match=r"final.keras .* damaged"):
        resume(copy, digits, quiet=True)
    (copy / "final.keras").write_bytes(whole)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"format": 2}))
    with pytest.raises(
        RunError,
        match=r"has format 2, whose checkpoints don't record .* Repeat the run instead: lenet-tf train --from-run",
    ):
        resume(copy, digits, quiet=True)
    (copy / "config.json").write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(
        RunError,
        match=rf"format 99 of lenet_tf {lenet_tf.__version__}; this is lenet_tf .* reads formats 2 and 3",
    ):
        resume(copy, digits, quiet=True)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        "[" * 100_000,
        '{"epochs": [1], "resumed": []}',
        '{"epochs": [{"loss": "nan", "val_loss": 1, "val_accuracy": 1, "seconds": 1}], "resumed": []}',
        '{"epochs": [{"loss": 1}], "resumed": []}',
        " " * (checkpoints.MAX_PROGRESS_BYTES + 1),
    ],
)
def test_a_checkpoint_that_lies_about_its_run_is_refused(copy, text):
    with zipfile.ZipFile(copy / "final.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | {
            checkpoints.PROGRESS_MEMBER: text.encode()
        }
    with zipfile.ZipFile(copy / "final.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(RunError, match="doesn't record the run's progress"):
        checkpoints.read_progress(copy / "final.keras")


def test_a_run_of_many_thousand_epochs_stays_readable(copy):
    """Its history is longer than any other JSON that is read."""
    progress = checkpoints.read_progress(copy / "final.keras")
    progress.rows *= 10_000
    checkpoints.write_checkpoint(copy / "final.keras", lenet_tf.load_model(copy), progress)
    assert checkpoints.read_progress(copy / "final.keras").history == progress.history
    assert lenet_tf.load_model(copy).count_params() == 782


def test_a_metric_that_is_not_finite_survives(digits, tmp_path):
    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["own"] = [float("nan"), float("-inf"), 1.5][epoch]

    with pytest.raises(Interrupted):
        fit("tiny", digits, epochs=3, logs=tmp_path, quiet=True, callbacks=[Own(), Break(3)])
    run = resume(next((tmp_path / "fit").iterdir()), digits, quiet=True, callbacks=[Own()])
    np.testing.assert_array_equal(run.history["own"], [np.nan, -np.inf, 1.5])


def test_two_processes_do_not_train_in_one_folder(copy, digits):
    with (
        file_lock(copy / ".lock"),
        pytest.raises(
            RunError, match="another process is training in .*: wait for it, or stop it first"
        ),
    ):
        resume(copy, digits, quiet=True)


def test_other_versions_are_named(copy, digits, capsys):
    config = json.loads((copy / "config.json").read_text())
    config["versions"] |= {"tensorflow": "2.99.0", "click": "1.0"}
    (copy / "config.json").write_text(json.dumps(config))
    resume(copy, digits)
    out = capsys.readouterr().out
    assert re.search(
        r"^tensorflow is \S+ here, but the run started with 2.99.0: results may differ$",
        out,
        re.MULTILINE,
    )
    assert "click" not in out
    assert re.search(r"^run     .*, resumes after epoch 2$", out, re.MULTILINE)


def train(folder: Path, *arguments: str) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "lenet_tf",
        "train",
        "tiny",
        "--data",
        "sample",
        "--logs",
        "logs",
        *arguments,
    ]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's job in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(folder: Path, pattern: str) -> Path:
    begin = time.monotonic()
    while time.monotonic() - begin < 120:
        for found in folder.glob(pattern):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{pattern} never came")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_the_epoch_and_says_how_to_go_on(tmp_path, number, code):
    process = train(tmp_path, "--epochs", "100000")
    wait_for(tmp_path, "logs/fit/*/final.keras")
    process.send_signal(number)
    _, error = process.communicate(timeout=120)
    assert process.returncode == code, error
    assert "Traceback" not in error
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    done = checkpoints.read_progress(folder / "final.keras").epochs
    assert "Stopping after this epoch. Send the signal again to stop at once" in error
    assert f"interrupted after {done} of 100000 epochs. Resume with:\n" in error
    assert re.search(rf"lenet-tf train --resume logs/fit/{folder.name}$", error, re.MULTILINE)
    assert len((folder / "history.csv").read_text().splitlines()) == done + 1
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_second_signal_stops_in_the_middle_of_an_epoch(tmp_path):
    process = train(
        tmp_path, "--epochs", "2", "--batch-size", "1", "--augment", "elastic", "--engine", "keras"
    )
    wait_for(tmp_path, "logs/fit/*/config.json")
    time.sleep(1.5)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "interrupted after 0 of 2 epochs" in error
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    assert names(folder) <= {"config.json", "train", "validation", "begun"}


def test_the_command_goes_on(copy, cli):
    folder = copy.parent.parent.parent
    os.chdir(folder)
    refused = cli.train("--resume", f"logs/fit/{copy.name}", "--epochs", "9")
    assert refused.exit_code == 2
    assert "--resume takes this from the run's config.json: remove --epochs." in refused.output
    assert cli.train("lenet5", "--resume", copy).exit_code == 2
    done = cli.train("--resume", copy, "--data", "sample")
    assert done.exit_code == 1
    assert "was trained on other sample data" in done.output


@pytest.mark.slow
def test_frozen_layers_stay_frozen(digits, tmp_path):
    def frozen():
        model = lenet_tf.LeNet("tiny", seed=1)
        model.get_layer("C1").trainable = False
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        return model

    whole = fit(frozen(), digits, epochs=2, device="cpu", logs=tmp_path / "whole", quiet=True)
    resumed = broken(frozen(), digits, tmp_path / "broken", 2, epochs=2, device="cpu")
    np.testing.assert_array_equal(
        resumed.model.get_layer("C1").get_weights()[0], frozen().get_layer("C1").get_weights()[0]
    )
    assert_same(whole, resumed)


def test_an_error_of_a_callback_is_its_own(digits, tmp_path):
    class Offline(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise ConnectionError("the tracker does not answer")

    with pytest.raises(ConnectionError, match="the tracker does not answer"):
        fit("tiny", digits, epochs=2, logs=tmp_path, quiet=True, callbacks=[Offline()])


def test_a_model_without_accuracy_is_refused_before_anything_is_written(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=1)
    model.compile("adam", "categorical_crossentropy", metrics=["mse"])
    with pytest.raises(
        TrainingError,
        match="tiny is compiled without the metric accuracy, which selects the best epoch",
    ):
        fit(model, digits, logs=tmp_path / "logs", quiet=True)
    assert not (tmp_path / "logs").exists()


def test_a_damaged_history_or_result_is_told(copy, digits, tmp_path):
    content = (copy / "final.keras").read_bytes()
    place = content.rindex(b'"epochs"')
    (copy / "final.keras").write_bytes(content[:place] + b"!" + content[place + 1 :])
    with pytest.raises(RunError, match="doesn't record the run's progress"):
        checkpoints.read_progress(copy / "final.keras")
    (copy / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="metrics.json has no usable 'test_accuracy'"):
        resume(copy, digits, quiet=True)
