"""Runs that never read the test images, and runs that share their held-out images."""

from __future__ import annotations

import json

import keras
import pytest
import quick
from commands import get_only_run
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard_events import read_events
from unreadable import hide_test_images

import lenet_tf
from lenet_tf.data.dataset import split_data
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.fit import train


class StopAfter(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_a_run_without_a_test_never_reads_the_test_images(digits, tmp_path):
    data = hide_test_images(digits)
    options = {"epochs": 2, "batch_size": 30, "logs": tmp_path, "quiet": True, "test": False}
    # Also what the default board and report show.
    run = lenet_tf.fit("tiny", data, **options)
    assert not any(name.startswith("test") for name in run.metrics)
    assert not (run.path / "report.html").exists()
    with pytest.raises(AssertionError, match="were read"):
        quick.fit("tiny", data, **options | {"test": True})
    interrupted = pytest.raises(KeyboardInterrupt)
    with interrupted:
        quick.fit("tiny", data, callbacks=StopAfter(), **options)
    unfinished = max((tmp_path / "fit").iterdir())
    resumed = lenet_tf.resume(unfinished, data, quiet=True)
    assert resumed.config["settings"]["test"] is False
    losses = [each.history["val_loss"] for each in (resumed, run)]
    assert losses[0] == losses[1]


def test_the_split_seed_alone_chooses_the_held_out_images(digits, tmp_path, monkeypatch):
    splits = []

    def note_split(*arguments):
        splits.append(split_data(*arguments))
        return splits[-1]

    monkeypatch.setattr("lenet_tf.training.fit.split_data", note_split)
    for seed in (1, 2):
        options = {"seed": seed, "split_seed": 5, "test": False}
        quick.fit("tiny", digits, epochs=1, logs=tmp_path, quiet=True, **options)
    ours, other = (split.validation_indices for split in splits)
    expected = split_data(digits, 0.1, 5).validation_indices
    assert ours.tolist() == other.tolist() == expected.tolist()
    assert expected.tolist() != split_data(digits, 0.1, 1).validation_indices.tolist()


def test_validation_on_the_test_images_excludes_a_run_without_them(digits):
    with pytest.raises(lenet_tf.LenetError, match="hold out a fraction"):
        lenet_tf.fit("tiny", digits, validation="test", test=False)


def test_more_columns_of_the_hparams_table(digits, tmp_path):
    columns = {"rows.C1.filters": 3, "pool": "max", "learning_rate": 0.01}
    config = TrainConfig.create(
        "tiny", epochs=1, logs=tmp_path, quiet=True, report=False, test=False, hparams=columns
    )
    run = train(config, digits)
    content = read_events(run.path).PluginTagToContent("hparams")
    parse = plugin_data_pb2.HParamsPluginData.FromString
    start = parse(content["_hparams_/session_start_info"]).session_start_info
    assert start.hparams["rows.C1.filters"].number_value == 3
    assert start.hparams["pool"].string_value == "max"
    infos = parse(content["_hparams_/experiment"]).experiment.hparam_infos
    assert {info.name for info in infos if info.differs} >= columns.keys()
    assert "_hparams_/session_end_info" in content


def test_the_command_trains_without_a_test(cli):
    arguments = ("--epochs", "1", "--data", "sample", "--no-test", "--split-seed", "3")
    output = cli("train", "tiny", *arguments, *quick.ARGUMENTS).stdout
    assert "not tested" in output
    assert "to test" not in output
    folder = get_only_run()
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["split_seed"] == 3
    assert "not tested" in cli("train", "--resume", str(folder)).stdout
