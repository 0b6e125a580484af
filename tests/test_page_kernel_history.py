"""The kernels over the epochs of a run that a page holds are the recorded ones."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from node import run_script
from page_data import read_page_data

from lenet_tf.inference.page.kernel_history import (
    describe_kernel_histories,
    describe_kernel_history,
)
from lenet_tf.pretrained.presets import find_preset
from lenet_tf.runs.kernel_history import KernelHistory, read_kernel_history, write_kernel_file
from lenet_tf.runs.run_record import read_run


def unpack(history) -> np.ndarray:
    """Unpack the kernels as the page does."""
    numbers, shape = run_script(
        """
        import {unpackArrays} from "#page/data.js";
        const [{shape, values}] = await unpackArrays(argument.kernels);
        answer([Array.from(values), shape]);
        """,
        history,
    )
    return np.array(numbers, np.float32).reshape(shape)


@pytest.fixture
def long_run(tiny_run, tmp_path) -> Path:
    """Return a copy of a run whose recipe has 40 epochs, with the kernels of 34 epochs."""
    folder = Path(shutil.copytree(tiny_run.path, tmp_path / "long"))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(re.sub(r'("epochs": )\d+', r"\g<1>40", config))
    kernels = np.random.default_rng(0).normal(size=(34, 5, 5, 1, 2)).astype(np.float32)
    write_kernel_file(folder / "kernels.npz", KernelHistory("C1", tuple(range(34)), kernels))
    return folder


def test_a_run_is_described_by_its_recorded_kernels(tiny_run):
    history = describe_kernel_history(read_run(tiny_run.path))
    assert (history["layer"], history["epochs"]) == ("C1", [0, 1, 2])
    kernels = unpack(history)
    np.testing.assert_array_equal(kernels, read_kernel_history(tiny_run).kernels)
    np.testing.assert_array_equal(kernels[-1], tiny_run.model.get_layer("C1").get_weights()[0])


def test_a_long_run_is_described_by_sixteen_epochs(long_run):
    history = describe_kernel_history(read_run(long_run))
    epochs = history["epochs"]
    assert (len(epochs), epochs[0], epochs[-1]) == (16, 0, 33)
    with np.load(long_run / "kernels.npz") as file:
        np.testing.assert_array_equal(unpack(history), file["kernels"][epochs])


def test_a_preset_is_described_by_the_kernels_beside_it():
    preset = find_preset("lenet5-mnist")
    history = describe_kernel_history(preset)
    assert history["epochs"] == list(range(11))
    kernels = unpack(history)
    with np.load(preset.path.with_suffix(".kernels.npz")) as file:
        np.testing.assert_array_equal(kernels, file["kernels"])
    np.testing.assert_array_equal(kernels[-1], preset.read().weights["C1"][0])


def test_networks_without_a_record_are_left_out(tiny_run, long_run):
    (long_run / "kernels.npz").unlink()
    sources = {
        "run": read_run(tiny_run.path),
        "old run": read_run(long_run),
        "file": None,
        "preset": find_preset("cnn-38k-mnist"),
    }
    described, notes = describe_kernel_histories(sources)
    assert list(described) == ["run"]
    assert notes == ()
    del sources["run"]
    assert describe_kernel_histories(sources) == (None, ())


def test_a_damaged_record_is_skipped_with_a_note(tiny_run, long_run):
    (long_run / "kernels.npz").write_bytes(b"PK\3\4")
    sources = {"damaged": read_run(long_run), "run": read_run(tiny_run.path)}
    described, notes = describe_kernel_histories(sources)
    assert list(described) == ["run"]
    (note,) = notes
    assert "kernels.npz is not usable: " in note
    assert note.endswith("The page shows no kernels over the epochs of damaged.")
    assert len(note.splitlines()) == 1


def test_the_page_of_presets_holds_their_kernels(open_page, preset_page):
    page = open_page(preset_page)
    found = page.evaluate(
        """lenetPage.then(({content}) => Object.entries(content.kernelHistory).map(
          ([name, {layer, epochs}]) => [name, layer, epochs[0], epochs.at(-1)]))"""
    )
    assert found == [
        ["lenet5-1998", "C1", 0, 20],
        ["lenet5", "C1", 0, 10],
        ["lenet5-modern-accurate", "C1", 0, 40],
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_page_of_a_run_with_a_damaged_record_says_so(tiny_run, tmp_path, cli):
    folder = Path(shutil.copytree(tiny_run.path, tmp_path / "a\x1b[2Jb"))
    (folder / "kernels.npz").write_bytes(b"PK\3\4")
    result = cli("page", str(folder), "--data", "sample", "-o", str(tmp_path / "x.html"))
    assert result.exit_code == 0
    assert "\x1b[2J" not in result.output
    # In a frame, whose lines end anywhere.
    said = re.sub(r"[│\s]+", "", result.stderr)
    assert "kernels.npzisnotusable:" in said
    assert "Thepageshowsnokernelsovertheepochsofa\\x1b[2Jb." in said
    assert read_page_data(tmp_path / "x.html")["kernelHistory"] is None
