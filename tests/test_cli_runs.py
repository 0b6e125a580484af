"""Runs as arguments of `lenet-tf train --from-run` and `lenet-tf evaluate`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused, get_only_run
from quick import fit


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory) -> Path:
    """A run of `tiny`."""
    return fit("tiny", digits, logs=tmp_path_factory.mktemp("trained"), quiet=True).path


def test_evaluate_warns_about_changed_data(cli, arrays):
    np.savez("mine.npz", **arrays)
    assert cli.train("tiny", "--data", "mine.npz", "--validation", "test", "-q").exit_code == 0
    assert "Warning" not in cli("evaluate", get_only_run()).stderr
    np.savez("mine.npz", **arrays | {"y_test": arrays["y_test"][::-1].copy()})
    result = cli("evaluate", get_only_run())
    assert result.exit_code == 0
    assert "has changed since this run was trained on it" in result.stderr


def test_a_run_remembers_how_its_data_were_read(cli, digits, interrupted_run):
    """`--resume`, `--from-run` and `evaluate` need no option that `train` needed."""
    arrays = {name: getattr(digits, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    arrays |= {name: arrays[name] / 127.5 - 1 for name in ("x_train", "x_test")}
    np.savez("mine.npz", **arrays)
    check_refused(cli.train("tiny", "--data", "mine.npz"), "pass both, such as values='-1..1'")
    check_refused(cli.train("--data", "sample", "--values", "0..1"), "sample takes no values")
    config = json.loads((interrupted_run / "config.json").read_text())
    config["data"] |= {
        "name": str(Path("mine.npz").resolve()),
        "source": "file",
        "options": {"values": "-1..1", "a later one": True},
    }
    (interrupted_run / "config.json").write_text(json.dumps(config))
    resumed = cli.train("--resume", interrupted_run, "-q")
    assert resumed.exit_code == 0, resumed.output
    repeated = cli.train("--from-run", interrupted_run, "--epochs", "1", "-q")
    assert repeated.exit_code == 0, repeated.output
    config = json.loads((get_only_run() / "config.json").read_text())
    assert config["data"]["options"] == {"values": "-1..1"}
    assert config["data"]["sha256"] == digits.sha256
    evaluated = cli("evaluate", interrupted_run)
    assert evaluated.exit_code == 0 and "Warning" not in evaluated.stderr
    config["data"]["options"] = {"values": ["-1", "1"]}
    (interrupted_run / "config.json").write_text(json.dumps(config))
    refused = cli("evaluate", interrupted_run)
    assert refused.exit_code == 1 and "data.options" in refused.stderr, refused.output


def test_evaluate_never_falls_back_on_the_sample(cli, offline, trained, tmp_path):
    """Its test digits are training images of MNIST."""
    shutil.copy(trained / "final.keras", tmp_path / "bare.keras")
    check_refused(cli("evaluate", tmp_path / "bare.keras"), "mnist is unavailable")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: "{", "cannot be read"),
        (lambda c: json.dumps(c | {"format": 99}), "has format 99 of lenet_tf 0."),
        (
            lambda c: json.dumps({k: v for k, v in c.items() if k != "recipe"}),
            "config.json is not usable: it has no 'recipe'",
        ),
        (
            lambda c: json.dumps(c | {"recipe": c["recipe"] | {"epochs": 0}}),
            "epochs must be a whole number",
        ),
        (lambda c: json.dumps(c | {"settings": []}), "settings must be a table of names"),
        (
            lambda c: json.dumps(c | {"settings": c["settings"] | {"precision": 1}}),
            "config.json is not usable: settings.precision must be",
        ),
        (
            lambda c: json.dumps(c | {"settings": {}}),
            "settings has no 'deterministic'",
        ),
        (
            lambda c: json.dumps(c | {"spec": c["spec"] | {"name": "a/b"}}),
            "a network's name must be",
        ),
        (
            lambda c: json.dumps(c | {"data": c["data"] | {"name": 5}}),
            "data.name must be a text, not a whole number",
        ),
        (
            lambda c: json.dumps(c | {"data": c["data"] | {"sha256": "0" * 64}}),
            "was trained on other sample data (SHA-256 000000000000…",
        ),
    ],
)
def test_a_config_that_cannot_be_repeated(cli, trained, damage, message):
    run = shutil.copytree(trained, Path("first", trained.name))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(damage(config))
    check_refused(cli.train("--from-run", run), message)
