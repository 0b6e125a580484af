"""`lenet-tf train`: runs that succeed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused, get_only_run
from processes import NO_NETWORK, python

import lenet_tf
from lenet_tf.runs import run_record


@pytest.mark.slow
def test_augment_on_the_command_line(cli):
    result = cli.train("tiny", "--data", "sample", "--augment", "affine+elastic", "-q")
    assert result.exit_code == 0, result.output
    assert run_record.read_config(get_only_run())["recipe"]["augmentation"]["elastic"] == 34
    again = cli.train("--from-run", get_only_run(), "--augment", "none", "--logs", "again", "-q")
    assert again.exit_code == 0, again.output
    (second,) = Path("again/fit").iterdir()
    assert run_record.read_config(second)["recipe"]["augmentation"] is None


def test_a_network_is_trained_on_its_own_data_set(cli, offline):
    """A CIFAR-10 network takes gray images only if they are named."""
    check_refused(cli.train("lenet5-color"), "cifar10 is unavailable", "cifar-10-binary.tar.gz")
    result = cli.train("lenet5-color", "--data", "sample", "--epochs", 1, "--logs", "gray", "-q")
    assert result.exit_code == 0, result.output
    (run,) = Path("gray/fit").iterdir()
    assert lenet_tf.load_model(run).input_shape == (None, 32, 32, 3)
    lenet_tf.load_model(run).save("bare.keras")
    result = cli("evaluate", "bare.keras")
    assert result.exit_code != 0
    assert "cifar10 is unavailable" in result.stderr


def test_online_training_sets_one_thread_before_tensorflow_starts(tmp_path):
    """In a new process without such variables in its environment."""
    script = (
        "import os, sys; from lenet_tf import cli\n"
        "sys.argv = ['lenet-tf', 'train', 'lenet1', '--data', 'none']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "names = 'TF_NUM_INTEROP_THREADS', 'TF_NUM_INTRAOP_THREADS', 'TF_ENABLE_ONEDNN_OPTS'\n"
        "print(*(os.environ.get(name) for name in names))"
    )

    def get_variables(script: str, **variables: str) -> list[str]:
        done = python("-c", script, cwd=tmp_path, env=environment | variables)
        return done.stdout.split()

    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    assert get_variables(script) == ["1", "1", "0"]
    assert get_variables(script, TF_NUM_INTEROP_THREADS="2") == ["2", "1", "0"]
    assert get_variables(script.replace("'lenet1'", "'lenet5'")) == ["None"] * 3


def test_train_evaluate_and_repeat(cli):
    """A test has the same result again, and the repeated run the same weights."""
    result = cli.train(
        "tiny",
        "--data",
        "sample",
        "--epochs",
        2,
        "--seed",
        5,
        "--validation",
        0.25,
        "--device",
        "cpu",
    )
    assert result.exit_code == 0, result.output
    run = get_only_run()
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"test accuracy {metrics['test_accuracy']:.2%}" in result.output
    assert f"{metrics['seconds_per_epoch']:.1f} s per epoch" in result.output
    assert "on 1,000 digits of the embedded sample, NOT of MNIST" in result.output
    for following in (
        "tensorboard --logdir logs",
        f"lenet-tf evaluate {run}",
        f"lenet-tf train --from-run {run}",
    ):
        (line,) = [line for line in result.output.splitlines() if following in line]
        command = shlex.split(line)
        program = next(word for word in command if word.endswith(following.split()[0]))
        assert shutil.which(program), "a command that a person can type here"

    tested = json.loads(cli("evaluate", run, "--json").output.splitlines()[-1])
    assert (tested["data"], tested["images"]) == ("sample", 1_000)
    assert tested["accuracy"] == pytest.approx(metrics["test_accuracy"])
    assert tested["loss"] == pytest.approx(metrics["test_loss"])
    assert (
        f"accuracy {metrics['test_accuracy']:.2%}"
        in cli("evaluate", run / "final.keras", "--data", "sample").output
    )

    again = cli.train("--from-run", run, "--logs", "again", "--device", "cpu", "--quiet")
    assert again.exit_code == 0, again.output
    (second,) = Path("again/fit").iterdir()
    first_config, second_config = (run_record.read_config(folder) for folder in (run, second))
    for part in ("spec", "recipe", "seed", "settings", "data"):
        assert first_config[part] == second_config[part]
    weights = zip(
        *(lenet_tf.load_model(folder).get_weights() for folder in (run, second)), strict=True
    )
    assert all(np.array_equal(a, b) for a, b in weights)

    assert "Next:" not in again.output
    assert again.output.startswith("test accuracy")
    assert json.loads(cli("summary", run, "--json").output)["parameters"] == 782

    changed = cli.train("--from-run", run, "--logs", "changed", "--epochs", 1, "--seed", 6, "-q")
    assert changed.exit_code == 0, changed.output
    (third,) = Path("changed/fit").iterdir()
    config = run_record.read_config(third)
    assert (config["recipe"]["epochs"], config["seed"], config["recipe"]["validation"]) == (
        1,
        6,
        0.25,
    )


@pytest.mark.slow
def test_a_fresh_machine_without_mnist_trains_on_the_sample(tmp_path):
    """In a new process: notice, exit code 0, data source in config.json, accuracy of 94.5%."""
    environment = {
        name: value for name, value in os.environ.items() if name != "LENET_TF_ORIGINALS"
    }
    environment |= NO_NETWORK | {"TFDS_DATA_DIR": str(tmp_path / "tfds"), "LC_ALL": "C.UTF-8"}
    done = python("-m", "lenet_tf", "train", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert "NOTICE" in done.stderr
    assert "THIS IS NOT MNIST" in done.stderr
    assert "NOT of MNIST" in done.stdout
    run = get_only_run(tmp_path)
    assert run_record.read_config(run)["data"]["source"] == "sample"
    assert json.loads((run / "metrics.json").read_text())["test_accuracy"] >= 0.945


def test_the_notice_comes_before_anything_heavy(offline):
    script = (
        "import sys; from lenet_tf.data import sources\n"
        "def notify(text): print('tensorflow' in sys.modules, 'keras' in sys.modules)\n"
        "sources.load_data(notify=notify)"
    )
    assert python("-c", script, env=os.environ).stdout.split() == ["False", "False"]


def test_own_arrays(cli, arrays):
    np.savez("mine.npz", **arrays)
    result = cli.train("tiny", "--data", "mine.npz", "--validation", "test", "-q")
    assert result.exit_code == 0, result.output
    assert f"on 20 images of {Path('mine.npz').resolve()}\n" in result.output


@pytest.mark.slow
def test_full_mnist_one_epoch(cli, monkeypatch, tfds_folder, originals):
    """The tutorial's recipe on the published files: one epoch reaches 95%."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    result = cli.train("--originals", originals, "--epochs", 1)
    assert result.exit_code == 0, result.output
    metrics = json.loads((get_only_run() / "metrics.json").read_text())
    config = run_record.read_config(get_only_run())
    assert config["data"]["images"] == {"train": 60_000, "test": 10_000}
    assert config["data"]["source"] == "originals"
    assert 0.95 <= metrics["test_accuracy"] < 1


@pytest.mark.slow
def test_full_mnist_ten_epochs(cli, monkeypatch, tfds_folder, originals):
    """`make train` with originals: the whole recipe reaches 98%."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    result = cli.train("--originals", originals)
    assert result.exit_code == 0, result.output
    metrics = json.loads((get_only_run() / "metrics.json").read_text())
    assert metrics["epochs"] == 10
    assert metrics["test_accuracy"] >= 0.98
