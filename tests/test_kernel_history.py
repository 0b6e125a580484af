"""The kernels that a run records are the model's, bounded, and the same after a resume."""

from __future__ import annotations

import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from interrupted_runs import Interrupt, assert_equal_runs, fit_with_interruptions
from quick import fit, resume

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.evaluation.run_report import write_report
from lenet_tf.pretrained.presets import list_presets
from lenet_tf.runs import kernel_history
from lenet_tf.runs.kernel_history import KernelHistory, read_kernel_history
from lenet_tf.specs import (
    Convolution,
    Dense,
    Flatten,
    Input,
    Spec,
    TableConvolution,
    get_spec,
)

FILE = "kernels.npz"
KERNEL = (5, 5, 1, 2)
WITH_HISTORY = {"lenet5-1998-mnist", "lenet5-mnist", "lenet5-modern-mnist"}


class RecordKernels(keras.callbacks.Callback):
    """Keeps the kernels that Keras gives, before training and after each epoch."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.layer, self.kernels = layer, []

    def on_train_begin(self, logs=None):
        self.on_epoch_end(-1)

    def on_epoch_end(self, epoch, logs=None):
        self.kernels.append(self.model.get_layer(self.layer).get_weights()[0])


def make_table_network() -> Spec:
    """Return a network whose first convolution connects some of its maps."""
    rows = (
        Input(shape=(28, 28, 3)),
        TableConvolution("C1", table=((0,), (0, 1, 2), (1, 2)), kernel=3),
        Flatten(),
        Dense("OUTPUT", activation="softmax"),
    )
    return replace(get_spec("tiny"), name="table", rows=rows)


@pytest.mark.parametrize("engine", ["graph", "keras"])
def test_the_kernels_are_those_of_the_model_after_each_epoch(engine, digits, tmp_path):
    reference = RecordKernels("C1")
    options = {"epochs": 3, "engine": engine, "logs": tmp_path, "device": "cpu", "quiet": True}
    run = fit("tiny", digits, callbacks=reference, **options)
    history = read_kernel_history(run)
    assert (history.layer, history.epochs) == ("C1", (0, 1, 2, 3))
    assert history.kernels.dtype == np.float32
    np.testing.assert_array_equal(history.kernels, np.array(reference.kernels))
    np.testing.assert_array_equal(history.kernels[-1], run.model.get_layer("C1").get_weights()[0])
    initial = lenet_tf.LeNet("tiny", input_shape=(28, 28, 1), num_classes=10, seed=0)
    np.testing.assert_array_equal(history.kernels[0], initial.get_layer("C1").get_weights()[0])
    with np.load(run.path / FILE) as file:  # As a user without this package reads it.
        np.testing.assert_array_equal(file["epochs"], [0, 1, 2, 3])
        np.testing.assert_array_equal(file["kernels"], history.kernels)
    for each in (run.path, str(run.path), lenet_tf.runs.run_record.read_run(run.path)):
        np.testing.assert_array_equal(read_kernel_history(each).kernels, history.kernels)


def test_a_table_of_connections_leaves_zeros(digits, tmp_path):
    data = replace(
        digits, **{name: np.repeat(getattr(digits, name), 3, -1) for name in ("x_train", "x_test")}
    )
    reference = RecordKernels("C1")
    run = fit(make_table_network(), data, epochs=1, logs=tmp_path, quiet=True, callbacks=reference)
    history = read_kernel_history(run)
    assert history.kernels.shape == (2, 3, 3, 3, 3)
    pairs = [(0, 0), (0, 1), (1, 1), (2, 1), (1, 2), (2, 2)]
    for number, (source, target) in enumerate(pairs):
        expected = np.array(reference.kernels)[:, number]
        np.testing.assert_array_equal(history.kernels[..., source, target], expected)
    missing = {(source, target) for source in range(3) for target in range(3)} - set(pairs)
    assert all(not history.kernels[..., source, target].any() for source, target in missing)


@pytest.mark.slow
@pytest.mark.parametrize("interruptions", [(1,), (2, 3)])
def test_a_resumed_run_records_the_same_file(interruptions, digits, tmp_path):
    options = {"epochs": 3, "seed": 3, "device": "cpu"}
    complete = fit("tiny", digits, logs=tmp_path / "a", quiet=True, **options)
    resumed = fit_with_interruptions("tiny", digits, tmp_path / "b", interruptions, **options)
    assert_equal_runs(complete, resumed)
    assert (complete.path / FILE).read_bytes() == (resumed.path / FILE).read_bytes()


@pytest.mark.parametrize("state", ["an epoch behind", "an epoch ahead"])
def test_a_killed_process_may_leave_the_file_of_another_epoch(
    state, interrupted_run, digits, tmp_path
):
    complete = fit(
        "tiny", digits, epochs=4, seed=3, device="cpu", logs=tmp_path / "complete", quiet=True
    )
    history = read_kernel_history(complete)
    count = 2 if state == "an epoch behind" else 4
    kernel_history.write_kernel_file(
        interrupted_run / FILE, KernelHistory("C1", (0, 1, 2, 3)[:count], history.kernels[:count])
    )
    resumed = resume(interrupted_run, digits, quiet=True)
    assert (resumed.path / FILE).read_bytes() == (complete.path / FILE).read_bytes()


def test_the_record_ends_with_the_averaged_weights(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=1)
    model.compile(keras.optimizers.Adam(use_ema=True), "categorical_crossentropy")
    run = fit(model, digits, epochs=2, device="cpu", logs=tmp_path, quiet=True)
    final = lenet_tf.load_model(run.path).get_layer("C1").get_weights()[0]
    np.testing.assert_array_equal(read_kernel_history(run).kernels[-1], final)


def test_the_record_changes_no_result(digits, tmp_path, monkeypatch):
    options = {"epochs": 2, "device": "cpu", "quiet": True}
    with_record = fit("tiny", digits, logs=tmp_path / "a", **options)
    monkeypatch.setattr(kernel_history, "MAX_EPOCH_VALUES", 0)
    without = fit("tiny", digits, logs=tmp_path / "b", **options)
    assert (with_record.path / FILE).exists()
    assert not (without.path / FILE).exists()
    (with_record.path / FILE).unlink()
    assert_equal_runs(with_record, without)


def test_networks_without_few_kernels_record_none(digits, tmp_path):
    rows = (Input(), Flatten(), Dense("OUTPUT", activation="softmax"))
    for name, network in (
        ("dense", rows),
        ("large", (rows[0], Convolution("C1", filters=801, kernel=5, stride=28), *rows[1:])),
    ):
        spec = replace(get_spec("tiny"), name=name, rows=network)
        run = fit(spec, digits, epochs=1, logs=tmp_path, quiet=True)
        assert not (run.path / FILE).exists()
        assert read_kernel_history(run) is None
    spec = replace(spec, rows=(rows[0], replace(network[1], filters=800), *rows[1:]))
    assert read_kernel_history(fit(spec, digits, epochs=1, logs=tmp_path, quiet=True)) is not None


@pytest.mark.parametrize(("values", "limit"), [(100, 200), (20_000, 50)])
def test_long_runs_thin_out_their_epochs(values, limit):
    history = KernelHistory("C1", (0,), np.zeros((1, values, 1, 1, 1), np.float32))
    for epoch in range(1, 1_101):
        kernels = np.full((values, 1, 1, 1), epoch, np.float32)
        history = history.add(epoch, kernels)
        assert len(history.epochs) <= limit
        if epoch in (1, limit - 1, limit, 2 * limit, 1_100):
            assert (history.epochs[0], history.epochs[-1]) == (0, epoch)
            np.testing.assert_array_equal(history.kernels[:, 0, 0, 0, 0], history.epochs)
            gaps = set(np.diff(history.epochs[:-1]).tolist())
            assert len(gaps) <= 1, "evenly spread"
            assert len(history.epochs) > min(epoch, limit // 2), "no more than needed"


@pytest.mark.slow
def test_a_run_that_thins_out_its_epochs_resumes_alike(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_history, "MAX_RECORDED_EPOCHS", 3)
    options = {"epochs": 5, "seed": 3, "device": "cpu"}
    complete = fit("tiny", digits, logs=tmp_path / "a", quiet=True, **options)
    assert read_kernel_history(complete).epochs == (0, 4, 5)
    resumed = fit_with_interruptions("tiny", digits, tmp_path / "b", (4,), **options)
    assert_equal_runs(complete, resumed)


def test_select_keeps_the_first_and_the_last_epoch():
    history = KernelHistory("C1", tuple(range(41)), np.arange(41.0).reshape(41, 1, 1, 1, 1))
    chosen = history.select(16)
    assert len(chosen.epochs) == 16
    assert (chosen.epochs[0], chosen.epochs[-1]) == (0, 40)
    assert set(np.diff(chosen.epochs)) == {2, 3}
    np.testing.assert_array_equal(chosen.kernels.ravel(), chosen.epochs)
    assert history.select(100).epochs == history.epochs


def test_a_callback_may_make_kernels_infinite_for_an_epoch(digits, tmp_path):
    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            layer = self.model.get_layer("C1")
            kernel, bias = layer.get_weights()
            if epoch == 0:
                self.kernel = kernel
                layer.set_weights([np.full_like(kernel, np.inf), bias])

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                layer = self.model.get_layer("C1")
                layer.set_weights([self.kernel, layer.get_weights()[1]])

    run = fit("tiny", digits, epochs=2, logs=tmp_path, quiet=True, callbacks=Break())
    assert read_kernel_history(run).epochs == (0, 2)


def test_a_run_of_an_older_version_resumes_without_a_record(interrupted_run, digits, capsys):
    (interrupted_run / FILE).unlink()
    run = resume(interrupted_run, digits)
    assert not (run.path / FILE).exists()
    assert read_kernel_history(run) is None
    assert "kernels" not in capsys.readouterr().out


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    np.savez(path, **arrays)


EPOCHS, KERNELS = np.arange(3), np.zeros((3, *KERNEL), np.float32)
RISE = r"epochs must rise from 0 to 4"
# Each with the reason that is given.
DAMAGE = {
    "no archive": (lambda path: path.write_bytes(b"PK\3\4"), "not a zip file"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:-100]), "not a zip file"),
    "no epochs": (lambda path: write_arrays(path, kernels=KERNELS), "it must hold the arrays"),
    "another array": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=KERNELS, x=EPOCHS),
        "it must hold the arrays epochs and kernels",
    ),
    "objects": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=np.array([{}], object)),
        "kernels: it holds Python objects",
    ),
    "another shape": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=KERNELS[..., :1]),
        "kernels must be float32 of shape 3×5×5×1×2",
    ),
    "too few": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=KERNELS[:2]),
        "kernels must be float32 of shape 3×5×5×1×2",
    ),
    "float64": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=KERNELS.astype(float)),
        "kernels must be float32 of shape 3×5×5×1×2",
    ),
    "NaN": (
        lambda path: write_arrays(path, epochs=EPOCHS, kernels=KERNELS * np.float32("nan")),
        "kernels must be finite",
    ),
    "epochs that fall": (
        lambda path: write_arrays(path, epochs=EPOCHS[::-1], kernels=KERNELS),
        RISE,
    ),
    "an epoch twice": (
        lambda path: write_arrays(path, epochs=EPOCHS * 0, kernels=KERNELS),
        RISE,
    ),
    "epochs beyond the run": (
        lambda path: write_arrays(path, epochs=EPOCHS + 3, kernels=KERNELS),
        RISE,
    ),
    "negative epochs": (lambda path: write_arrays(path, epochs=EPOCHS - 1, kernels=KERNELS), RISE),
    "fractions": (
        lambda path: write_arrays(path, epochs=EPOCHS / 2, kernels=KERNELS),
        "epochs must be at most 200 whole numbers",
    ),
    "one number": (
        lambda path: write_arrays(path, epochs=np.int64(0), kernels=KERNELS),
        "epochs must be at most 200 whole numbers",
    ),
    "many epochs": (
        lambda path: write_arrays(path, epochs=np.arange(201), kernels=KERNELS),
        "epochs must be at most 200 whole numbers",
    ),
    "a bomb": (
        lambda path: np.savez_compressed(path, epochs=EPOCHS, kernels=np.zeros(1_100_000)),
        r"it is larger than 4,005,696 bytes",
    ),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "it is not a regular file"),
}
if os.name != "nt":
    DAMAGE |= {
        "a link": (
            lambda path: (path.rename(path.parent / "x"), path.symlink_to(path.parent / "x")),
            "it is a link to another file",
        ),
        "a link to nowhere": (
            lambda path: (path.unlink(), path.symlink_to("nowhere")),
            "it is a link to another file",
        ),
        "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "it is not a regular file"),
    }


def test_a_file_without_damage_is_read(interrupted_run):
    write_arrays(interrupted_run / FILE, epochs=EPOCHS, kernels=KERNELS)
    assert read_kernel_history(interrupted_run).epochs == (0, 1, 2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_in_one_line(damage, interrupted_run):
    make, reason = DAMAGE[damage]
    make(interrupted_run / FILE)
    with pytest.raises(RunError, match=rf"kernels\.npz is not usable: .*{reason}") as refused:
        read_kernel_history(interrupted_run)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("damage", ["cut", "another shape", "NaN"])
def test_a_run_with_a_damaged_file_resumes_without_a_record(
    damage, interrupted_run, digits, capsys
):
    DAMAGE[damage][0](interrupted_run / FILE)
    content = (interrupted_run / FILE).read_bytes()
    run = resume(interrupted_run, digits)
    assert run.metrics["epochs"] == 4
    assert (run.path / FILE).read_bytes() == content
    output = " ".join(capsys.readouterr().out.split())
    assert "kernels.npz is not usable: " in output
    assert "kernels are not recorded any more" in output


def test_reports_and_models_need_no_intact_file(tiny_run, digits, tmp_path):
    folder = Path(shutil.copytree(tiny_run.path, tmp_path / tiny_run.path.name))
    DAMAGE["cut"][0](folder / FILE)
    write_report(folder, digits)
    assert lenet_tf.resume(folder, digits, quiet=True).metrics == tiny_run.metrics
    assert len(lenet_tf.predict_outputs(folder, digits.x_test)) == len(digits.x_test)


def test_a_failed_write_stops_the_run_as_any_other(digits, tmp_path, monkeypatch):
    from lenet_tf.training import kernel_recorder

    def fail(path, history):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_recorder, "write_kernel_file", fail)
    with pytest.raises(RunError, match=r"No space left on device; stopped after 0 of 2 epochs"):
        fit("tiny", digits, epochs=2, logs=tmp_path, quiet=True)


def test_an_interrupted_first_epoch_leaves_the_initial_kernels(digits, tmp_path):
    with pytest.raises(Interrupted):
        fit("tiny", digits, epochs=2, logs=tmp_path, quiet=True, callbacks=[Interrupt(1)])
    (folder,) = (tmp_path / "fit").iterdir()
    assert read_kernel_history(folder).epochs == (0,)


@pytest.mark.parametrize("preset", list_presets(), ids=lambda preset: preset.name)
def test_a_presets_kernels_end_with_its_own(preset):
    history = preset.read_kernel_history()
    assert (history is not None) == (preset.name in WITH_HISTORY)
    if history is None:
        return
    network = preset.read()
    epochs = network.spec.recipe.epochs
    assert (history.epochs[0], history.epochs[-1]) == (0, epochs)
    assert len(history.epochs) == min(16, epochs + 1)
    np.testing.assert_array_equal(history.kernels[-1], network.weights[history.layer][0])
    assert len({kernels.tobytes() for kernels in history.kernels}) == len(history.epochs)
    assert preset.path.with_suffix(".kernels.npz").stat().st_size < 16_384


def test_equal_histories_give_equal_bytes(tmp_path):
    history = KernelHistory("C1", (0, 1), np.ones((2, *KERNEL), np.float32))
    for name in ("a", "b"):
        kernel_history.write_kernel_file(tmp_path / name, history)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
