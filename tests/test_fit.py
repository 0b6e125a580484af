"""`lenet_tf.fit`: the same arithmetic as Keras, the networks it accepts, and when it stops."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import psutil
import pytest
from interrupted_runs import assert_equal_states
from processes import python
from quick import fit

import lenet_tf
from lenet_tf.data.pipeline import training_batches
from lenet_tf.errors import DataError, DeviceError, RunError, SpecError, TrainingError
from lenet_tf.runs import run_record
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.specs import VARIANTS, Optimizer, Preparation, cost, get_spec
from lenet_tf.training.saved_model import add_epoch


def test_one_epoch_equals_keras_bit_for_bit(digits, tmp_path):
    """Keras' own `fit` on the same batches gives the same weights and optimizer state."""
    run = fit(
        "lenet5", digits, epochs=1, seed=3, engine="keras", device="cpu", logs=tmp_path, quiet=True
    )
    with keras.device("cpu"):
        keras.utils.set_random_seed(3)
        model = lenet_tf.LeNet("lenet5", seed=3)
        model.jit_compile = False
        batches = training_batches(digits.x_train, digits.y_train, 10, Preparation(), 32, 3)
        x, y = (
            np.concatenate(part) for part in zip(*batches.take(10).as_numpy_iterator(), strict=True)
        )
        assert sorted(y.argmax(1)) == sorted(digits.y_train)
        np.testing.assert_array_equal(
            np.sort(x.sum((1, 2, 3))), np.sort((digits.x_train / np.float32(255)).sum((1, 2, 3)))
        )
        model.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    assert_equal_states(run.model, model)


def test_training_continues_from_a_trained_model(tiny_run, digits, tmp_path):
    model = lenet_tf.load_model(tiny_run.path)
    steps = int(model.optimizer.iterations)
    run = fit(model, digits, epochs=1, batch_size=30, logs=tmp_path, quiet=True)
    assert int(model.optimizer.iterations) == steps + 9
    assert run.model is model
    assert run_record.read_config(run.path)["initial_weights"] == "given"
    with pytest.raises(RunError, match="started from the weights of a trained model"):
        run_record.read_repeatable_run(run.path)


def test_a_network_is_built_for_the_images(arrays, tmp_path):
    color = {
        name: np.stack([array] * 3, -1) if name.startswith("x") else array % 4
        for name, array in arrays.items()
    }
    data = lenet_tf.RawData(**color)
    run = fit("lenet5-32", data, epochs=1, validation=0.2, logs=tmp_path, quiet=True)
    assert run.model.input_shape == (None, 32, 32, 3)
    assert run.model.output_shape == (None, 4)


def test_images_that_do_not_fit_are_refused(arrays, tmp_path):
    logs = tmp_path / "logs"
    color = {
        name: np.stack([array] * 3, -1) if name.startswith("x") else array % 4
        for name, array in arrays.items()
    }
    with pytest.raises(
        DataError,
        match=r"lenet5 takes images of 28×28×1 and 10 classes, but arrays gives 28×28×3 and 4",
    ):
        fit(lenet_tf.LeNet(), lenet_tf.RawData(**color), logs=logs, quiet=True)
    small = {
        name: array[:, :6, :6] if name.startswith("x") else array for name, array in arrays.items()
    }
    with pytest.raises(SpecError, match="kernel 5×5 is larger than its input"):
        fit("cnn-38k", lenet_tf.RawData(**small), validation="test", logs=logs, quiet=True)
    assert not logs.exists()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, SpecError, "epochs must be a whole number of at least 1, not 0"),
        ({"batch_size": -3}, SpecError, "batch_size must be"),
        ({"validation": 2.0}, SpecError, "validation must be"),
        ({"seed": -1}, TrainingError, "the seed must be a whole number from 0"),
        ({"early_stopping": 0}, TrainingError, "early stopping needs at least 1 epoch"),
        (
            {"early_stopping": keras.callbacks.EarlyStopping()},
            TrainingError,
            "early_stopping must be a whole number of epochs, not an EarlyStopping: pass its pat",
        ),
        ({"device": "tpu"}, DeviceError, "unknown device 'tpu': choose auto, cpu, gpu, gpu:N or"),
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
        ({"callbacks": [None]}, TrainingError, "callbacks must be keras.*objects, not None"),
        ({"callbacks": "abc"}, TrainingError, "callbacks must be keras.*objects, not 'a'"),
        (
            {"callbacks": keras.callbacks.History},
            TrainingError,
            r"callbacks must be .*: call the class, History\(\)",
        ),
        ({"callbacks": [print]}, TrainingError, "wrap it, keras.callbacks.LambdaCallback"),
        (
            {"callbacks": keras.callbacks.BackupAndRestore("backup")},
            TrainingError,
            "BackupAndRestore restores what a run folder doesn't record: .*lenet_tf.resume",
        ),
        ({"board": {}}, TrainingError, "board must be a Board, not dict"),
        ({"engine": []}, TrainingError, r"unknown engine \[\]"),
        ({"device": 3}, DeviceError, "unknown device 3"),
        ({"logs": "x" * 300}, RunError, "logs can't be 'xxx.*: File name too long"),
        ({"logs": "a\0b"}, RunError, "logs can't be .*: embedded null"),
        ({"logs": 5}, RunError, "logs must be a path as text or a Path, not int"),
        (
            {"early_stopping": 10**7},
            TrainingError,
            "this run could not be read again: settings.early_stopping must be .* <= 1000000",
        ),
        (
            {"board": lenet_tf.Board(images_every=10**7)},
            TrainingError,
            "this run could not be read again: tensorboard.images_every must be",
        ),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_written(
    digits, tmp_path, options, error, message
):
    logs = tmp_path / "logs"
    with pytest.raises(error, match=message):
        fit(**{"model": "tiny", "data": digits, "logs": logs, "quiet": True} | options)
    assert not logs.exists()


def test_accuracy_is_the_packages_whatever_a_model_is_compiled_with(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=1)
    always_one = keras.metrics.TopKCategoricalAccuracy(k=10, name="accuracy")
    model.compile("adam", "categorical_crossentropy", metrics=["mse", always_one])
    for engine in ("graph", "keras"):
        run = fit(model, digits, epochs=1, engine=engine, logs=tmp_path, quiet=True)
        outputs = lenet_tf.predict_outputs(run.model, digits.x_test)
        accuracy = np.mean(outputs.argmax(axis=1) == digits.y_test)
        assert run.metrics["test_accuracy"] == pytest.approx(accuracy)
        assert run.metrics["best_val_accuracy"] == run.history["val_accuracy"][0] < 1
        assert run.history["val_compiled_accuracy"] == [1.0]
        assert run.history["accuracy"][0] < 1 and run.history["val_mse"][0] < 1


def test_metrics_that_do_not_fit_are_refused_before_anything_is_written(digits, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=1)
    model.compile("adam", "categorical_crossentropy", metrics=["sparse_categorical_crossentropy"])
    with pytest.raises(TrainingError, match="metrics that one-hot labels don't fit") as caught:
        fit(model, digits, logs=tmp_path / "logs", quiet=True)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "logs").exists()


def compile_tiny(**options):
    model = lenet_tf.LeNet("tiny", seed=1)
    model.compile(**{"loss": model.loss, "metrics": ["accuracy"]} | options)
    return model


def squared_error(labels, outputs):
    return keras.ops.mean(keras.ops.square(labels - outputs))


def build_without_layer():
    model = lenet_tf.LeNet("tiny", seed=1)
    model.layers[-1].activation = keras.activations.sigmoid
    return model


class OwnCall(lenet_tf.LeNet):
    """A model that computes something else than its layers."""

    def call(self, inputs, training=None):
        return 1 - super().call(inputs, training=training)


def freeze(model):
    model.trainable = False
    return model


def freeze_layer_of_started_optimizer():
    model = lenet_tf.LeNet("tiny")
    model.optimizer.build(model.trainable_variables)
    model.layers[0].trainable = False
    return model


def replace_optimizer():
    model = lenet_tf.LeNet("tiny")
    model.optimizer = keras.optimizers.SGD(0.1)
    return model


def exclude_biases_from_decay():
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return compile_tiny(optimizer=optimizer)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: compile_tiny(loss="sparse_categorical_crossentropy"),
            TrainingError,
            "the loss sparse_categorical_crossentropy doesn't accept one-hot labels",
        ),
        (
            lambda: compile_tiny(loss=squared_error),
            TrainingError,
            "tiny can't be saved .compile_config names .*squared_error",
        ),
        (lambda: freeze(lenet_tf.LeNet("tiny")), TrainingError, "tiny has nothing to train"),
        (build_without_layer, RunError, "OUTPUT has the activation sigmoid, not softmax"),
        (lambda: OwnCall("tiny"), TrainingError, "since OwnCall has its own call"),
        (freeze_layer_of_started_optimizer, TrainingError, "frozen or unfrozen after its optim"),
        (replace_optimizer, RunError, "its optimizer was replaced or changed after compile"),
        (exclude_biases_from_decay, RunError, "excludes weights from weight decay"),
        (
            lambda: compile_tiny(loss=["categorical_crossentropy"]),
            TrainingError,
            "tiny is compiled with a list or dictionary of losses",
        ),
        (lambda: compile_tiny(loss="circle"), TrainingError, "loss circle doesn't accept one-hot"),
        (
            # A function without source code, as in Python's own prompt.
            lambda: compile_tiny(loss=eval("lambda labels, outputs: 1.0")),
            TrainingError,
            r"tiny can't be saved \(could not get source code\)",
        ),
    ],
    ids=[
        "sparse loss",
        "own loss",
        "frozen",
        "changed layer",
        "own call",
        "frozen later",
        "other optimizer",
        "weight decay",
        "list of losses",
        "loss of pairs",
        "lambda",
    ],
)
def test_a_model_that_cannot_be_trained_or_saved_is_refused_at_the_start(
    digits, tmp_path, build, error, message
):
    with pytest.raises(error, match=message):
        fit(build(), digits, logs=tmp_path / "logs", quiet=True)
    assert not (tmp_path / "logs").exists()


def test_a_distribution_strategy_is_refused(digits, tmp_path):
    import tensorflow as tf

    options = {"device": "cpu", "logs": tmp_path / "logs", "quiet": True}
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = lenet_tf.LeNet("tiny", seed=1)
        with pytest.raises(DeviceError, match="leave its scope, and pass device='cpu'"):
            fit("tiny", digits, **options)
    with pytest.raises(DeviceError, match="build the model outside of its scope, and pass device"):
        fit(model, digits, **options)
    assert not (tmp_path / "logs").exists()


class DoubledLoss(lenet_tf.LeNet):
    """A model with its own training step and loss."""

    was_called = False

    def train_step(self, data):
        self.was_called = True
        return super().train_step(data)

    def compute_loss(self, *arguments, **options):
        return 2 * super().compute_loss(*arguments, **options)


def test_own_training_methods_are_used_and_said(digits, tmp_path, capfd):
    """The files hold the network, which is the table's; they don't hold the methods."""
    options = {"epochs": 1, "device": "cpu", "logs": tmp_path}
    model = DoubledLoss("tiny", seed=1)
    run = fit(model, digits, **options)
    assert "engine  keras, since DoubledLoss has its own compute_loss and train_step\n" in (
        capfd.readouterr().out
    )
    assert model.was_called
    plain = fit("tiny", digits, seed=0, quiet=True, **options)
    assert 1.8 < run.history["loss"][0] / plain.history["loss"][0] < 2.2
    loaded = lenet_tf.load_model(run.path)
    for weight, expected in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert type(model) is DoubledLoss
    (run.path / "metrics.json").unlink()
    with pytest.raises(RunError, match="can't be resumed: DoubledLoss has its own compute_loss"):
        lenet_tf.resume(run.path, digits, quiet=True)


class OwnTest(lenet_tf.LeNet):
    """A model that calls every test perfect."""

    def test_step(self, data):
        return {"loss": 0.0, "accuracy": 1.0}

    def get_metrics_result(self):
        return {"loss": 0.0, "accuracy": 1.0}


def test_own_test_steps_do_not_name_the_packages_accuracy(digits, tmp_path):
    model = OwnTest("tiny", seed=1)
    run = fit(model, digits, epochs=1, logs=tmp_path, quiet=True)
    expected = lenet_tf.evaluate(run.path, digits)
    assert lenet_tf.evaluate(model, digits) == pytest.approx(expected)
    assert run.metrics["test_accuracy"] == pytest.approx(expected["accuracy"])
    assert run.history["val_accuracy"][0] == run.metrics["best_val_accuracy"] < 1
    assert run.history["val_loss"][0] > 0 and run.history["accuracy"][0] < 1
    assert model.test_step(None)["accuracy"] == 1.0, "it is the model's own again"


class OwnLogs(lenet_tf.LeNet):
    """A model whose training step calls everything right."""

    def train_step(self, data):
        return super().train_step(data) | {"accuracy": 1.0}


class OwnLoop(lenet_tf.LeNet):
    """A model whose training step knows no accuracy."""

    def train_step(self, data):
        return {"loss": keras.ops.zeros(())}


def test_own_training_steps_do_not_name_the_packages_accuracy(digits, tmp_path):
    options = {"epochs": 1, "logs": tmp_path, "quiet": True}
    run = fit(OwnLogs("tiny", seed=1), digits, **options)
    assert 0 < run.history["accuracy"][0] < 1
    with pytest.raises(TrainingError, match="of OwnLoop doesn't call self.compute_metrics"):
        fit(OwnLoop("tiny", seed=1), digits, **options)


def test_memory_is_counted_for_the_engine_that_trains(digits, tmp_path, monkeypatch):
    spec, batch = get_spec("lenet5"), 100
    memory = cost.count_training_bytes(spec, batch, makes_patches=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory))
    options = {"epochs": 1, "batch_size": batch, "logs": tmp_path, "device": "cpu", "quiet": True}
    fit("lenet5", digits, engine="keras", **options)
    with pytest.raises(SpecError, match="training on batches of 100 images needs about"):
        fit("lenet5", digits, engine="graph", **options)


def test_regularizers_count_and_are_resumed(digits, tmp_path):
    losses = []
    for factor in (0.0, 0.5):
        model = lenet_tf.LeNet("tiny", seed=1)
        for layer in model.layers:
            for weight in layer.trainable_weights:
                weight.regularizer = keras.regularizers.L2(factor) if factor else None
        run = fit(model, digits, epochs=1, device="cpu", logs=tmp_path, quiet=True)
        losses.append(run.history["loss"][0])
    assert losses[1] > losses[0] + 1
    assert lenet_tf.load_model(run.path).layers[0].kernel.regularizer.l2 == 0.5


class Halve(keras.callbacks.Callback):
    """Changes the weights when Keras' fit has ended, as averaging callbacks do."""

    def on_train_end(self, logs=None):
        self.model.set_weights([weight / 2 for weight in self.model.get_weights()])


@pytest.mark.parametrize("kind", ["callback", "average"])
def test_the_saved_model_is_the_one_in_memory(digits, tmp_path, kind):
    options = {"epochs": 1, "device": "cpu", "logs": tmp_path, "quiet": True}
    if kind == "callback":
        run = fit("tiny", digits, callbacks=Halve(), **options)
    else:
        run = fit(compile_tiny(optimizer=keras.optimizers.Adam(use_ema=True)), digits, **options)
    loaded = lenet_tf.load_model(run.path)
    for weight, expected in zip(loaded.get_weights(), run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_model_that_no_file_holds_is_told_at_the_end(digits, tmp_path):
    """A method that is replaced during the training changes what the model computes."""

    class Replace(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.call = lambda inputs, **options: keras.ops.zeros((len(inputs), 10))

    with pytest.raises(RunError, match=r"final\.keras doesn't hold the trained model: its outputs"):
        fit("tiny", digits, epochs=1, callbacks=[Replace()], logs=tmp_path, quiet=True)


def test_numbers_of_numpy_are_accepted(digits, tmp_path):
    numbers = {
        "epochs": np.int64(1),
        "batch_size": np.int32(30),
        "validation": np.float32(0.25),
        "early_stopping": np.int16(1),
    }
    run = fit("tiny", digits, logs=tmp_path, quiet=True, **numbers)
    config = run_record.read_config(run.path)
    assert config["recipe"]["epochs"] == config["settings"]["early_stopping"] == 1
    assert config["recipe"]["batch_size"] == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda logs: logs.pop("seconds"), "it has no 'seconds'"),
        (lambda logs: logs.update(val_accuracy=float("nan")), "val_accuracy must be a number"),
        (lambda logs: logs.update(val_loss=float("inf")), "val_loss must be a number <= 3.4e"),
        (lambda logs: logs.update(mine=1e39), r"mine must be a number of at most 3.4e\+38"),
        (lambda logs: logs.update(mine=10**400), r"mine must be a number of at most 3.4e\+38"),
        (lambda logs: logs.update(seconds=-1), "seconds must be a number >= 0"),
        (lambda logs: logs.update({"x" * 201: 1.0}), "a name in .* must be .* <= 200"),
        (lambda logs: logs.update({"": 1.0}), "a name in .* must be a text of length >= 1"),
        (lambda logs: logs.update(epoch=7), "'epoch' can't be the name of a metric"),
        (lambda logs: logs.update({5: 1.0}), "5 can't be the name of a metric"),
    ],
)
def test_logs_that_a_checkpoint_cannot_record_end_the_run(change, message):
    logs = {"loss": 1, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 1.0}
    model = lenet_tf.LeNet("tiny", seed=0)
    model.optimizer.build(model.trainable_variables)
    mine = {"mine": np.float32("nan"), "rate": model.optimizer.learning_rate, "zero": np.array(0)}
    row = add_epoch(Progress(), model, logs | mine).rows[0]
    assert row["loss"] == 1.0 and np.isnan(row["mine"])
    assert (row["rate"], row["zero"]) == (pytest.approx(0.001), 0)
    progress = Progress([row])
    change(logs)
    with pytest.raises(TrainingError, match=f"changed the logs of epoch 2: .*{message}"):
        add_epoch(progress, model, logs)


@pytest.mark.parametrize(
    ("moment", "change", "part"),
    [
        ("on_train_begin", lambda model: model.compile("sgd", "mse"), "optimizer"),
        (
            "on_epoch_end",
            lambda model: setattr(model.layers[-1].kernel, "regularizer", keras.regularizers.L2(1)),
            "regularizers",
        ),
        ("on_train_end", lambda model: setattr(model, "loss", "mse"), "loss"),
    ],
)
def test_what_a_callback_changes_is_not_trained_in_silence(digits, tmp_path, moment, change, part):
    callback = keras.callbacks.Callback()
    setattr(callback, moment, lambda *_: change(callback.model))
    message = f"a callback has changed the {part} of tiny during its training"
    with pytest.raises(TrainingError, match=message):
        fit("tiny", digits, epochs=1, callbacks=callback, logs=tmp_path, quiet=True)


def test_a_layer_that_a_callback_freezes_ends_the_run(digits, tmp_path):
    """Its checkpoint would open with a new optimizer state."""

    def freeze(epoch, logs):
        run_model = freezer.model
        run_model.layers[0].trainable = epoch < 1

    freezer = keras.callbacks.LambdaCallback(on_epoch_end=freeze)
    with pytest.raises(TrainingError, match="were frozen or unfrozen after its optimizer had star"):
        fit("tiny", digits, epochs=3, callbacks=freezer, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    assert run_record.read_run(folder) and lenet_tf.load_model(folder).layers[0].trainable


def test_early_stopping_ends_after_epochs_without_improvement(digits, tmp_path):
    """The third epoch is the best, so a patience of 2 ends the run after the fifth."""

    class ValidationLoss(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 2.0, 1.0, 1.5, 1.0, 0.5][epoch]

    options = {"epochs": 30, "early_stopping": 2, "quiet": True, "callbacks": [ValidationLoss()]}
    run = fit("tiny", digits, logs=tmp_path, **options)
    assert run.metrics["epochs"] == 5


def test_a_nan_loss_stops_the_run_and_keeps_the_last_good_epoch(digits, tmp_path):
    class Explode(keras.callbacks.Callback):
        weights = None

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.weights = self.model.get_weights()

        def on_train_batch_begin(self, batch, logs=None):
            if batch == 3 and self.weights is not None:
                self.model.set_weights([weight * np.nan for weight in self.weights])

    explode = Explode()
    options = {"epochs": 5, "batch_size": 30, "engine": "keras", "quiet": True}
    with pytest.raises(
        TrainingError,
        match=r"NaN or infinite in epoch 2, batch 4: is the learning rate 0.001 too high\?\n"
        ".* keeps the last finished",
    ):
        fit("tiny", digits, logs=tmp_path, callbacks=[explode], **options)
    (folder,) = (tmp_path / "fit").iterdir()
    saved = lenet_tf.load_model(folder).get_weights()
    for weight, expected in zip(saved, explode.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert not (folder / "metrics.json").exists()


def test_a_last_update_that_ruins_the_weights_is_an_error(digits, tmp_path):
    """A batch's loss is computed before its update, so only validation or test can show it."""
    recipe = replace(get_spec("tiny").recipe, optimizer=Optimizer("sgd", 1e38))
    with pytest.raises(
        TrainingError, match=r"NaN or infinite (in the validation of epoch 1|on the test images)"
    ):
        fit("tiny", digits, recipe=recipe, batch_size=300, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    assert not (folder / "metrics.json").exists()


def test_mixed_precision_trains_by_keras_loop(digits, tmp_path, capfd):
    """This is not a test of engines: some settings of oneDNN disable bfloat16."""
    fit("tiny", digits, epochs=1, precision="mixed_bfloat16", device="cpu", logs=tmp_path)
    assert "engine  keras, since the precision is mixed_bfloat16\n" in capfd.readouterr().out


def test_a_model_of_mixed_precision_reloads(digits, tmp_path):
    run = fit("tiny", digits, epochs=2, precision="mixed_bfloat16", logs=tmp_path, quiet=True)
    loaded = lenet_tf.load_model(run.path)
    recorded = run_record.read_config(run.path)["settings"]["precision"]
    assert loaded.precision == recorded == "mixed_bfloat16"
    images = digits.x_test / np.float32(255)
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), run.model.predict(images, verbose=0)
    )


def test_a_float16_model_continues_with_the_same_optimizer_state(digits, tmp_path):
    options = {"epochs": 1, "device": "cpu", "logs": tmp_path, "quiet": True}
    run = fit("tiny", digits, precision="mixed_float16", **options)
    variables = len(run.model.optimizer.variables)
    continued = fit(run.model, digits, **options)
    assert len(continued.model.optimizer.variables) == variables
    assert len(lenet_tf.load_model(continued.path).optimizer.variables) == variables


@pytest.mark.slow
def test_every_variant_learns_and_reloads_in_a_new_process(tmp_path):
    sample = lenet_tf.load_data("sample")
    predictions = {}
    for variant, spec in VARIANTS.items():
        run = fit(variant, sample, epochs=1, seed=0, logs=tmp_path, quiet=True)
        assert run.metrics["test_accuracy"] > (0.2 if variant == "tiny" else 0.6), variant
        assert np.isfinite(run.history["loss"][0]), variant
        images = lenet_tf.prepare_images(sample.x_test[:100], spec.preparation)
        predictions[run.path] = run.model.predict(images, verbose=0)
        np.save(run.path / "images.npy", images)
    script = (
        "import sys, lenet_tf, keras, numpy as np\nfrom pathlib import Path\n"
        "for folder in map(Path, sys.argv[1:]):\n"
        "    model = keras.saving.load_model(folder / 'final.keras')\n"
        "    predictions = model.predict(np.load(folder / 'images.npy'), verbose=0)\n"
        "    np.save(folder / 'predictions.npy', predictions)"
    )
    process = python("-c", script, *map(str, predictions))
    assert process.returncode == 0, process.stderr[-2000:]
    for folder, expected in predictions.items():
        reloaded = np.load(Path(folder) / "predictions.npy")
        np.testing.assert_array_equal(reloaded, expected, err_msg=folder.name)


@pytest.mark.slow
def test_four_threads_of_a_fresh_process_train_at_once(tmp_path):
    """`soak/fit_in_threads.py` starts a hundred."""
    script, result = (
        Path(__file__).parent.parent / "soak" / "fit_in_threads.py",
        tmp_path / "result",
    )
    done = python(str(script), "--starts", "1", "--result", str(result))
    assert done.returncode == 0, done.stderr
    assert json.loads(result.read_text())["ends"] == {"finished": 1}
