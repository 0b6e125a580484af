"""What is printed before, during and after a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from quick import fit

import lenet_tf
from lenet_tf.training import messages
from lenet_tf.training.messages import next_steps_message, resume_command, run_end_message


@pytest.mark.parametrize("engine", ["graph", "keras"])
def test_output_without_a_terminal_is_that_of_keras(digits, tmp_path, capfd, engine):
    """With the steps of the recipe: 270 images in batches of 50."""
    fit("tiny", digits, epochs=2, batch_size=50, engine=engine, device="cpu", logs=tmp_path)
    out = capfd.readouterr().out
    assert "tiny  782 parameters, epochs 2, batch size 50, seed 0" in out
    assert "device  " in out
    line = r"^Epoch \d/2\n6/6 - \d+s - .*accuracy: 0\.\d+ - .*val_accuracy: 0\.\d+.*\n"
    assert len(re.findall(line, out, re.MULTILINE)) == 2
    assert "seconds" not in out
    assert "\r" not in out
    assert "\x08" not in out


def test_quiet_prints_nothing(digits, tmp_path, capfd):
    fit("tiny", digits, logs=tmp_path, quiet=True)
    assert capfd.readouterr().out == ""


def test_the_result_names_the_data(tiny_run, digits):
    data = digits.identity()
    metrics = tiny_run.metrics | {"test_accuracy": 0.5, "test_loss": 1.5, "best_epoch": 2}
    sample = run_end_message(metrics, data)
    assert sample.startswith(
        "test accuracy 50.00% on 100 digits of the embedded sample, NOT of MNIST\n"
        "test loss 1.5000, after epoch 2; best on validation: epoch 2 with "
    )
    assert " on 100 images of mnist\n" in run_end_message(metrics, data | {"name": "mnist"})


def test_next_steps_are_commands_for_this_run(tmp_path):
    folder = tmp_path / "my logs" / "fit" / "tiny-20260102-030405"
    folder.mkdir(parents=True)
    config = {"initial_weights": "seed", "data": {"name": "sample", "source": "TFDS"}}
    run = lenet_tf.Run(folder, {}, {}, config)
    message = next_steps_message(run, folder.parent.parent)
    first = message.splitlines()[2]
    assert first.endswith(f"predict PICTURE.png --model '{folder}'"), "not the newest in ./logs"
    assert f"--logdir '{tmp_path}/my logs'" in message
    assert f"evaluate '{folder}'" in message
    assert f"train --from-run '{folder}'" in message
    assert f"lenet_tf.load_model('{folder}/final.keras')" in message
    assert "report" not in message
    (folder / "report.html").touch()
    assert f"report    '{folder}/report.html'" in next_steps_message(run, folder)


def test_the_next_steps_of_the_newest_run_fit_into_80_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(messages, "program_name", lambda name: f".venv/bin/{name}")
    folder = Path("logs/fit/lenet5-20260102-030405")
    folder.mkdir(parents=True)
    config = {"initial_weights": "seed", "data": {"name": "mnist", "source": "TFDS"}}
    lines = next_steps_message(lenet_tf.Run(folder, {}, {}, config), Path("logs")).splitlines()
    assert lines[2] == "  predict   .venv/bin/lenet-tf predict PICTURE.png --model latest"
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize(
    "changes",
    [{"initial_weights": "given"}, {"data": {"name": "x", "source": "arrays"}}],
    ids=["a trained model", "arrays"],
)
def test_a_run_that_from_run_refuses_is_not_said_to_be_repeatable(tmp_path, changes):
    config = {"initial_weights": "seed", "data": {"name": "sample", "source": "TFDS"}}
    for each, is_said in ((config, True), (config | changes, False)):
        run = lenet_tf.Run(tmp_path, {}, {}, each)
        assert ("--from-run" in next_steps_message(run, tmp_path)) is is_said


def test_the_command_to_resume_quotes_the_folder():
    assert resume_command(Path("my logs/fit/a")).endswith(" train --resume 'my logs/fit/a'")
