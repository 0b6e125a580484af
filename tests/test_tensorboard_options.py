"""`lenet_tf.Board`: what TensorBoard shows of a run."""

from __future__ import annotations

import json

import pytest

import lenet_tf
from lenet_tf.errors import SpecError


def test_a_run_records_its_board(lenet5_run):
    config = json.loads((lenet5_run.path / "config.json").read_text())
    assert config["tensorboard"] == {
        "images_every": None,
        "histograms": ["weights", "activations", "gradients"],
    }
    board = lenet_tf.Board.from_config(config)
    assert board == lenet_tf.Board(histograms=("weights", "activations", "gradients"))
    assert board.to_dict() == config["tensorboard"]


@pytest.mark.slow
def test_a_repeated_run_keeps_the_board_unless_options_change_it(cli, tmp_path):
    options = ("--epochs", 1, "--images-every", 0, "--histograms", "gradients", "-q")
    result = cli.train("tiny", "--data", "sample", *options)
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "work" / "logs" / "fit").iterdir()
    result = cli(
        "train",
        "--from-run",
        folder,
        "--histograms",
        "none",
        "--no-report",
        "--logs",
        "again",
        "-q",
    )
    assert result.exit_code == 0, result.output
    (repeated,) = (tmp_path / "work" / "again" / "fit").iterdir()
    config = json.loads((repeated / "config.json").read_text())
    assert config["tensorboard"] == {"images_every": 0, "histograms": []}


@pytest.mark.parametrize("images_every", [-1, 1.5, True, "2"])
def test_images_every_is_a_number_of_epochs(images_every):
    with pytest.raises(
        SpecError,
        match="images_every must be a number of epochs, 0 for never, or None,"
        f" not {images_every!r}",
    ):
        lenet_tf.Board(images_every=images_every)


@pytest.mark.parametrize("histograms", ["weights", None, ("weights", "bias")])
def test_histograms_are_a_list_of_known_names(histograms):
    with pytest.raises(
        SpecError, match="histograms must be of weights, activations, gradients, not "
    ):
        lenet_tf.Board(histograms=histograms)


def test_the_command_reports_unknown_histograms(cli, tmp_path):
    result = cli("train", "tiny", "--data", "sample", "--histograms", "weights,activation")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "Error: histograms must be of weights, activations, gradients, not 'activation'"
    ]
    assert not (tmp_path / "work" / "logs").exists()


def test_entries_of_other_versions_are_ignored():
    values = {"images_every": 3, "histograms": ["gradients"], "videos": True}
    board = lenet_tf.Board.from_config({"tensorboard": values})
    assert board == lenet_tf.Board(images_every=3, histograms=("gradients",))
    assert lenet_tf.Board.from_config({}) == lenet_tf.Board()


def test_images_of_every_second_epoch_and_the_last():
    def list_epochs(images_every):
        board = lenet_tf.Board(images_every=images_every)
        return [epoch for epoch in range(5) if board.shows(epoch, epochs=5)]

    assert list_epochs(2) == [1, 3, 4]
    assert list_epochs(None) == [0, 4]
    assert list_epochs(0) == []
