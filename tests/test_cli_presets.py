"""`lenet-tf presets`, and presets and folders for model hubs where a command takes a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lenet_tf
from lenet_tf.pretrained.hub_folder import build_hub_files
from lenet_tf.pretrained.locate import read_any


def make_folder(folder: Path) -> Path:
    network = read_any("lenet5-modern-mnist")
    for name, content in build_hub_files(network, "x", "3.15.1").items():
        (folder / name).write_bytes(content)
    return folder


def test_the_table_fits_into_80_columns(cli, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = cli("presets")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert all(len(line) <= 80 for line in lines)
    for preset in lenet_tf.list_presets():
        (line,) = (line for line in lines if line.startswith(f"{preset.name} "))
        assert f"{preset.parameters:,}" in line and preset.data_title in line
        assert f"{preset.test_error:.2%}" in line


def test_json_has_every_field(cli) -> None:
    result = cli("presets", "--json")
    values = {value["name"]: value for value in json.loads(result.stdout)}
    for preset in lenet_tf.list_presets():
        assert values[preset.name]["sha256"] == preset.sha256
        assert values[preset.name]["bytes"] == len(preset.read_bytes())


def test_commands_take_presets_and_folders(cli, tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    make_folder(folder)
    for name in ("lenet5-modern-mnist", folder):
        result = cli("summary", name, "--json")
        assert json.loads(result.stdout)["name"] == "lenet5-modern-accurate"
        result = cli("evaluate", name, "--data", "sample", "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["accuracy"] > 0.98
    assert lenet_tf.load_model(folder).spec.name == "lenet5-modern-accurate"


def test_mistakes_get_a_hint(cli) -> None:
    result = cli("evaluate", "lenet5-modern-mnits")
    assert result.exit_code == 2 and "did you mean lenet5-modern-mnist" in result.stderr
    result = cli("evaluate", "logs/x")
    assert result.exit_code == 2 and "there is no run, model or preset logs/x." in result.stderr
    result = cli("report", "lenet5-modern-mnist")
    assert result.exit_code == 2 and "lenet-tf evaluate lenet5-modern-mnist" in result.stderr


def test_load_model_names_the_function_for_presets() -> None:
    with pytest.raises(lenet_tf.LenetError, match=r"LeNet.from_preset\('lenet5-modern-mnist'\)"):
        lenet_tf.load_model("lenet5-modern-mnist")
