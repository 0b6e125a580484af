"""Resumed runs: they end like uninterrupted ones, bit for bit."""

from __future__ import annotations

import json
import os
import re
import shutil
import types
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from interrupted_runs import (
    Interrupt,
    assert_equal_runs,
    assert_equal_states,
    fit_with_interruptions,
    list_files,
)
from quick import fit, resume
from tensorboard_events import read_steps

import lenet_tf
from lenet_tf.errors import DataError, Interrupted, RunError, SpecError
from lenet_tf.evaluation import run_report
from lenet_tf.io.atomic import file_lock
from lenet_tf.specs import Optimizer, Pooling, Recipe, get_spec
from lenet_tf.training import model_setup, trainer

TINY = get_spec("tiny")
STOCHASTIC = replace(
    TINY,
    rows=tuple(
        replace(row, pool="stochastic") if isinstance(row, Pooling) else row for row in TINY.rows
    ),
)
SGD = Optimizer("sgd", (0.1, 0.05, 0.01), momentum=0.9)
CASES: dict[str, tuple] = {
    "Adam, graph engine": ("tiny", {}),
    "elastic distortions": ("tiny", {"augmentation": "affine+elastic", "engine": "keras"}),
    "dropout": ("keras-convnet", {}),
    "stochastic pooling": (STOCHASTIC, {}),
    "one cycle, AdamW": ("lenet5-modern", {"recipe": "fast"}),
    "rates by epoch": ("tiny", {"recipe": Recipe(optimizer=SGD)}),
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
def test_a_resumed_run_ends_like_an_uninterrupted_one(case, digits, tmp_path):
    model, changes = CASES[case]
    data = digits
    if case == "second order":
        data = replace(digits, x_train=digits.x_train[:120], y_train=digits.y_train[:120])
    options = {"epochs": 3, "batch_size": 30, "validation": 0.2, "seed": 3, "device": "cpu"}
    options |= changes
    complete = fit(model, data, logs=tmp_path / "complete", quiet=True, **options)
    interruptions = (1, 2, 2, 3) if case == "Adam, graph engine" else (3,)
    resumed = fit_with_interruptions(
        model, data, tmp_path / "interrupted", interruptions, **options
    )
    assert resumed.metrics["resumed"] == sorted({epoch - 1 for epoch in interruptions})
    assert_equal_runs(complete, resumed)


@pytest.mark.slow
def test_early_stopping_remembers_the_best_epoch(digits, tmp_path):
    """The best validation loss comes before the interruption, the end of the run after it."""

    class ValidationLoss(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 1.0, 2.0, 1.0, 5.0, 0.5][epoch]

    options = {"epochs": 9, "early_stopping": 3, "seed": 3, "device": "cpu", "quiet": True}
    complete = fit(
        "tiny", digits, logs=tmp_path / "complete", callbacks=[ValidationLoss()], **options
    )
    assert complete.metrics["epochs"] == 5
    logs = tmp_path / "interrupted"
    with pytest.raises(Interrupted):
        fit("tiny", digits, logs=logs, callbacks=[ValidationLoss(), Interrupt(4)], **options)
    (folder,) = (logs / "fit").iterdir()
    resumed = resume(folder, digits, quiet=True, callbacks=[ValidationLoss()])
    assert_equal_runs(complete, resumed)


@pytest.mark.slow
def test_a_run_from_a_trained_model_resumes_from_its_weights(tiny_run, digits, tmp_path):
    options = {"epochs": 2, "seed": 5, "device": "cpu"}
    complete = fit(
        lenet_tf.load_model(tiny_run.path), digits, logs=tmp_path / "a", quiet=True, **options
    )
    resumed = fit_with_interruptions(
        lenet_tf.load_model(tiny_run.path), digits, tmp_path / "b", (1,), **options
    )
    assert_equal_runs(complete, resumed)


def test_a_run_killed_after_its_last_epoch_still_averages_its_weights(
    digits, tmp_path, monkeypatch
):
    """Keras averages them when its fit has ended, after the last checkpoint."""

    def train(name):
        model = lenet_tf.LeNet("tiny", seed=1)
        model.compile(keras.optimizers.Adam(use_ema=True), "categorical_crossentropy")
        return fit(model, digits, epochs=1, device="cpu", logs=tmp_path / name, quiet=True)

    def kill(*arguments):
        raise SystemExit

    complete = train("complete")
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "confirm_saved_model", kill)
        with pytest.raises(SystemExit):
            train("killed")
    (folder,) = (tmp_path / "killed" / "fit").iterdir()
    assert_equal_runs(complete, resume(folder, digits, quiet=True))


@pytest.mark.slow
def test_frozen_layers_stay_frozen(digits, tmp_path):
    def make_model():
        model = lenet_tf.LeNet("tiny", seed=1)
        model.get_layer("C1").trainable = False
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        return model

    options = {"epochs": 2, "device": "cpu"}
    complete = fit(make_model(), digits, logs=tmp_path / "a", quiet=True, **options)
    resumed = fit_with_interruptions(make_model(), digits, tmp_path / "b", (2,), **options)
    kernel, initial = (
        model.get_layer("C1").get_weights()[0] for model in (resumed.model, make_model())
    )
    np.testing.assert_array_equal(kernel, initial)
    assert_equal_runs(complete, resumed)


@pytest.fixture(scope="module")
def complete_run(digits, tmp_path_factory):
    """Return the run that `interrupted_run` would be without its interruption."""
    logs = tmp_path_factory.mktemp("complete")
    return fit("tiny", digits, epochs=4, seed=3, device="cpu", logs=logs, quiet=True)


def test_the_files_that_a_killed_process_leaves_are_restored(interrupted_run, complete_run, digits):
    """best.keras and an event file are one epoch ahead, history.csv is one behind.

    An event file ends in the middle of a record, and a part of a checkpoint is left.
    """
    folder = interrupted_run
    shutil.copyfile(complete_run.path / "best.keras", folder / "best.keras")
    (folder / "history.csv").write_text("epoch,loss\n0,1.0\n")
    (folder / ".final-123.partial.keras").write_bytes(b"PK")
    (folder / ".lock").touch()
    for file in (folder / "train").iterdir():
        file.write_bytes(file.read_bytes()[:-7])
    (events,) = (complete_run.path / "validation").iterdir()
    shutil.copyfile(events, folder / "validation" / events.name)
    resumed = resume(folder, digits, quiet=True)
    assert_equal_states(complete_run.model, resumed.model)
    lines = (folder / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", "0", "1", "2", "3"]
    assert read_steps(folder / "validation") == read_steps(complete_run.path / "validation")
    assert list_files(folder) == list_files(complete_run.path)
    assert not any(path.name.startswith(".") for path in folder.rglob("*"))


def test_a_run_without_metrics_is_tested_but_not_trained(complete_run, digits, tmp_path):
    folder = Path(shutil.copytree(complete_run.path, tmp_path / complete_run.path.name))
    (folder / "metrics.json").unlink()
    resumed = resume(folder, digits, quiet=True)
    assert resumed.metrics["resumed"] == [4]
    assert_equal_runs(complete_run, resumed)
    content = (folder / "metrics.json").read_bytes()
    read = resume(folder, digits, quiet=True)
    assert read.metrics == resumed.metrics
    assert read.history == resumed.history
    assert (folder / "metrics.json").read_bytes() == content


def test_a_run_resumes_with_its_own_data_only(interrupted_run, digits):
    data = replace(digits, x_test=digits.x_test[::-1].copy())
    with pytest.raises(
        RunError,
        match=r"was trained on other sample data \(SHA-256 .*\)."
        " A run resumes with its own data only.",
    ):
        resume(interrupted_run, data, quiet=True)


def test_damaged_runs_are_refused(interrupted_run, digits, tmp_path):
    with pytest.raises(RunError, match="is not a run folder: it has no config.json"):
        resume(tmp_path, digits)
    checkpoint = interrupted_run / "final.keras"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    with pytest.raises(RunError, match=r"final.keras .* damaged"):
        resume(interrupted_run, digits, quiet=True)
    (interrupted_run / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="metrics.json is not usable: it has no 'epochs'"):
        resume(interrupted_run, digits, quiet=True)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            2,
            "has format 2, whose checkpoints don't record .*"
            " Repeat the run instead: lenet-tf train --from-run",
        ),
        (
            99,
            rf"format 99 of lenet_tf {lenet_tf.__version__}; this is lenet_tf .*"
            " reads formats 2 and 3",
        ),
    ],
)
def test_other_formats_are_refused(interrupted_run, digits, number, message):
    path = interrupted_run / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": number}))
    with pytest.raises(RunError, match=message):
        resume(interrupted_run, digits, quiet=True)


def test_a_run_of_an_earlier_format_is_repeated_only_if_that_is_possible(interrupted_run, digits):
    change_config(interrupted_run, lambda config: config.update(format=2, initial_weights="given"))
    with pytest.raises(RunError, match=r"needs it to resume\. Load its model and train that\.$"):
        resume(interrupted_run, digits, quiet=True)


def test_a_step_that_exceeds_this_machine_is_refused(interrupted_run, digits, monkeypatch):
    memory = types.SimpleNamespace(total=1_000)
    monkeypatch.setattr(model_setup.psutil, "virtual_memory", lambda: memory)
    with pytest.raises(SpecError, match="tiny: training on batches of .* of memory, and this"):
        resume(interrupted_run, digits, quiet=True)


def test_a_run_that_another_process_trains_is_refused(interrupted_run, digits):
    with (
        file_lock(interrupted_run / ".lock"),
        pytest.raises(
            RunError, match="another process is training in .*: wait for it, or stop it first"
        ),
    ):
        resume(interrupted_run, digits, quiet=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links")
@pytest.mark.parametrize("name", ["train", "projector", "history.csv", ".lock"])
def test_links_in_a_run_folder_are_refused(interrupted_run, digits, tmp_path, name):
    victim, path = tmp_path / "victim", interrupted_run / name
    if path.is_file() or name == ".lock":
        victim.write_text("mine")
        path.unlink(missing_ok=True)
    else:
        victim.mkdir()
        (victim / "events.out.tfevents.1").write_text("mine")
        shutil.rmtree(path, ignore_errors=True)
    path.symlink_to(victim)
    with pytest.raises(
        RunError, match=f"{re.escape(name)} is a link, not a .*Copy its plain files"
    ):
        resume(interrupted_run, digits, quiet=True)
    texts = [file.read_text() for file in (victim, *victim.glob("*")) if file.is_file()]
    assert texts == ["mine"]


class Rename(keras.callbacks.Callback):
    """Renames the run folder in an epoch."""

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self._logs = logs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            (folder,) = (self._logs / "fit").iterdir()
            folder.rename(self._logs / "moved")


def test_a_run_folder_that_is_moved_is_named(digits, tmp_path):
    with pytest.raises(RunError, match="was moved to") as refused:
        fit("tiny", digits, epochs=3, logs=tmp_path, quiet=True, callbacks=[Rename(tmp_path)])
    moved = tmp_path / "moved"
    assert f"was moved to {moved} while the run wrote to it; stopped after 1 of 3" in str(
        refused.value
    )
    assert str(refused.value).endswith(f"train --resume {moved}")
    assert resume(moved, digits, quiet=True).metrics["epochs"] == 3


def test_versions_that_differ_are_printed(interrupted_run, digits, capsys):
    path = interrupted_run / "config.json"
    config = json.loads(path.read_text())
    config["versions"] |= {"tensorflow": "2.99.0", "click": "1.0"}
    path.write_text(json.dumps(config))
    resume(interrupted_run, digits)
    out = capsys.readouterr().out
    assert re.search(
        r"^tensorflow is \S+ here, but the run started with 2.99.0: results may differ$",
        out,
        re.MULTILINE,
    )
    assert "click" not in out
    assert re.search(r"^run     .*, resumes after epoch 2$", out, re.MULTILINE)


def test_the_command_refuses_options_that_the_run_decides(interrupted_run, cli):
    os.chdir(interrupted_run.parents[2])
    folder = interrupted_run.relative_to(interrupted_run.parents[2])
    result = cli.train("--resume", folder, "--epochs", "9")
    assert result.exit_code == 2
    assert "--resume takes this from the run's config.json: remove --epochs." in result.output
    assert cli.train("lenet5", "--resume", folder).exit_code == 2
    result = cli.train("--resume", folder, "--data", "sample")
    assert result.exit_code == 1
    assert "was trained on other sample data" in result.output


def change_config(folder, change):
    """Change config.json of a run folder."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("change", "message"),
    {
        "a filter more": (
            lambda config: config["spec"]["rows"][1].update(filters=3),
            r"rows\[1\].filters is 3 in config.json and 2 in final.keras",
        ),
        "padded images": (
            lambda config: config["spec"]["preparation"].update(pad_to=32),
            "preparation.pad_to is 32 in config.json and none in final.keras",
        ),
        "a row less": (
            lambda config: config["spec"]["rows"].pop(2),
            "the number of rows is 4 in config.json and 5 in final.keras",
        ),
        "another learning rate": (
            lambda config: config["recipe"]["optimizer"].update(learning_rate=0.5),
            "recipe.optimizer.learning_rate is 0.5 in config.json and 0.001 in final.keras",
        ),
        "another precision": (
            lambda config: config["settings"].update(precision="mixed_bfloat16"),
            "precision is mixed_bfloat16 in config.json and float32 in final.keras",
        ),
        "another seed": (
            lambda config: config.update(seed=99),
            r"seed is 99 in config.json and \d+ in final.keras",
        ),
    }.values(),
)
def test_a_model_that_config_does_not_describe_is_refused(interrupted_run, digits, change, message):
    change_config(interrupted_run, change)
    before = {path: path.read_bytes() for path in interrupted_run.rglob("*") if path.is_file()}
    for use in (
        lambda: resume(interrupted_run, digits, quiet=True),
        lambda: run_report.write_report(interrupted_run, digits),
        lambda: lenet_tf.load_model(interrupted_run),
        lambda: lenet_tf.evaluate(interrupted_run, digits),
    ):
        with pytest.raises(RunError, match=message) as error:
            use()
        assert len(str(error.value).splitlines()) == 1
    after = {path: path.read_bytes() for path in interrupted_run.rglob("*") if path.is_file()}
    assert after == before


def test_a_preparation_that_does_not_fit_is_refused_before_the_first_epoch(interrupted_run, digits):
    """The network has no flat layer before its last one, so that it would accept larger images."""
    (interrupted_run / "final.keras").unlink()
    change_config(interrupted_run, lambda config: config["spec"]["preparation"].update(pad_to=32))
    with pytest.raises(DataError, match="takes images of 28×28×1 .* gives 32×32×1"):
        resume(interrupted_run, digits, quiet=True)


def test_settings_that_change_the_last_bits_are_printed(interrupted_run, digits, capsys):
    def change(config):
        config["device"]["threads"] |= {
            "TF_NUM_INTRAOP_THREADS": "77",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
        }
        config["device"]["numerics"] |= {"XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}
        config["machine"]["features"] = ["sve"]

    change_config(interrupted_run, change)
    run = resume(interrupted_run, digits)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "last bits" in line]
    assert line.startswith("The last bits of the results may differ from a run without the")
    for part in (
        r"TF_NUM_INTRAOP_THREADS is \S+( set)? here and was 77",
        "ONEDNN_MAX_CPU_ISA is not set here and was AVX2",
        "XLA_FLAGS is not set here and was --xla_cpu_enable_fast_math=true",
        "features is .* here and was sve",
    ):
        assert re.search(part, line), part
    assert run.metrics["epochs"] == 4


def test_equal_settings_are_not_mentioned(interrupted_run, digits, capsys):
    change_config(interrupted_run, lambda config: config["device"].pop("numerics"))
    resume(interrupted_run, digits)
    assert "last bits" not in capsys.readouterr().out


def test_a_run_itself_and_one_callback_are_accepted(tiny_run, digits):
    model = lenet_tf.load_model(tiny_run)
    assert np.array_equal(model.get_weights()[0], tiny_run.model.get_weights()[0])
    callback = keras.callbacks.Callback()
    for callbacks in (None, callback, [callback]):
        run = lenet_tf.resume(tiny_run, digits, quiet=True, callbacks=callbacks)
        assert run.metrics == tiny_run.metrics
