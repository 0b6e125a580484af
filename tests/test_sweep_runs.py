"""Trials that train: the process of one, and a sweep that is killed and resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sweeps import SPACE
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard_events import read_events
from unreadable import hide_test_images

from lenet_tf.errors import DivergenceError, Interrupted
from lenet_tf.sweep import trial_job
from lenet_tf.sweep.jobs import JobMaker
from lenet_tf.sweep.space_file import load_space
from lenet_tf.sweep.study import read_study

PARAMS = {"learning_rate": 0.01, "optimizer": "sgd", "momentum": 0.5, "batch_size": "32"}


@pytest.fixture
def arguments(tmp_path, digits, monkeypatch):
    """The arguments of a trial on data whose test images nothing may read."""
    data = hide_test_images(digits)
    monkeypatch.setattr("lenet_tf.data.sources.load_data", lambda *_, **__: data)
    path = tmp_path / "space.toml"
    other = '"rows.C1.filters" = { low = 4, high = 8, when = { optimizer = "adam" } }\n'
    path.write_text(SPACE.replace("epochs = 4", "epochs = 2") + other)
    space = load_space(path)
    given = {"data": "digits", "originals": None, "read": {}, "sha256": digits.sha256}
    given["network"] = space.describe_base().to_dict()
    job = JobMaker(space, tmp_path / "sweep", "cpu", given).make_trial(3, PARAMS)
    # As it arrives in the process.
    return json.loads(json.dumps(job.arguments)) | {"home": str(job.home)}


def test_a_trial_reads_no_test_image_and_resumes(arguments, tmp_path):
    def stop(message: dict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        trial_job.train_trial(arguments, stop)
    messages: list[dict] = []
    result = trial_job.train_trial(arguments, messages.append)
    whole: list[dict] = []
    other = trial_job.train_trial(arguments | {"home": str(tmp_path / "other")}, whole.append)
    assert [each["epoch"] for each in messages] == [each["epoch"] for each in whole] == [1, 2]
    for name in ("accuracy", "loss"):
        assert (
            result[name] == other[name] == messages[-1][f"val_{name}"] == whole[-1][f"val_{name}"]
        )
    run = Path(arguments["home"], "fit", result["run"])
    metrics = json.loads((run / "metrics.json").read_text())
    assert "test_accuracy" not in metrics
    assert trial_job.train_trial(arguments, lambda _: None)["run"] == result["run"]
    content = read_events(run).PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(content["_hparams_/session_start_info"])
    columns = start.session_start_info.hparams
    assert columns["momentum"].number_value == 0.5
    assert columns["optimizer"].string_value == "sgd"
    assert columns["batch_size"].number_value == 32
    # A field that this trial lacks is a column nevertheless: other trials have it.
    assert "rows.C1.filters" not in columns
    experiment = plugin_data_pb2.HParamsPluginData.FromString(content["_hparams_/experiment"])
    listed = [each.name for each in experiment.experiment.hparam_infos]
    assert "rows.C1.filters" in listed
    assert len(listed) == len(set(listed))


def test_a_network_that_does_not_fit_the_data_is_a_result(arguments):
    rows = arguments["spec"]["rows"]
    rows[0] = rows[0] | {"shape": [20, 20, 1]}
    result = trial_job.train_trial(arguments, lambda _: None)
    assert result["kind"] == "invalid"
    assert "20" in result["problem"]


def test_a_loss_that_becomes_nan_is_a_result(arguments, monkeypatch):
    def diverge(*_: object) -> None:
        raise DivergenceError("the loss became NaN or infinite in epoch 1", "where it was")

    monkeypatch.setattr(trial_job, "_train_or_resume", diverge)
    result = trial_job.train_trial(arguments, lambda _: None)
    assert result == {"kind": "diverged", "problem": "the loss became NaN or infinite in epoch 1"}


@pytest.mark.slow
def test_a_killed_command_continues_its_study(tmp_path, digits):
    parts = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "digits.npz", **{name: getattr(digits, name) for name in parts})
    space = SPACE.replace('"sample"', '"digits.npz"').replace("trials = 12", "trials = 6")
    (tmp_path / "space.toml").write_text(space.replace("best = 2", "best = 1"))
    journal = tmp_path / "logs" / "sweep" / "space" / "journal.log"
    command = [sys.executable, "-m", "lenet_tf", "sweep", "space.toml", "--jobs", "1", "--test"]
    paths = os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])
    options = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": paths}}
    process = subprocess.Popen(command, **options)
    deadline = time.monotonic() + 300
    while not journal.exists() or journal.read_bytes().count(b'"intermediate_value"') < 10:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = read_study(journal).trials
    finished = [each for each in before if each.state.is_finished()]
    assert 0 < len(finished) < 6
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, **options)
    assert done.returncode == 0, done.stderr
    after = read_study(journal)
    assert [each.number for each in after.trials] == list(range(6))
    assert {each.state.name for each in after.trials} <= {"COMPLETE", "PRUNED"}
    for old in finished:
        new = after.trials[old.number]
        assert (new.params, new.values, new.state) == (old.params, old.values, old.state)
    folders = [path.name for path in (journal.parent / "trials").iterdir()]
    assert sorted(folders) == [f"{number:04}" for number in range(6)]
    (test,) = after.user_attrs["test"]
    assert len(test["accuracy"]) == 3
    assert "test error" in done.stdout
