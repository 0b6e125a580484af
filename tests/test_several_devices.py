"""Training on several devices: equal to one device, resumed exactly, or refused in one line."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from processes import python
from quick import OPTIONS

import lenet_tf
from lenet_tf.engine.mirrored_checks import check_several_devices
from lenet_tf.engine.mirrored_loop import MirroredLoop
from lenet_tf.errors import DeviceError, TrainingError
from lenet_tf.runtime import device, several_devices
from lenet_tf.specs import BatchNormalization
from lenet_tf.specs.spec import Spec

# Two parts of this processor stand for two devices. TensorFlow makes them when it starts.
_START = """
    import json, sys
    from dataclasses import replace
    from pathlib import Path

    import numpy as np

    import lenet_tf
    from lenet_tf import specs
    from lenet_tf.errors import Interrupted, LenetError

    sample = lenet_tf.load_data("sample")

    def take(count):
        x, y = sample.x_train[:count], sample.y_train[:count]
        return lenet_tf.RawData(x, y, sample.x_test[:77], sample.y_test[:77], num_classes=10)

    options = {
        "logs": Path(sys.argv[1]), "quiet": True, "report": False, "validation": "test",
        "board": lenet_tf.Board(images_every=0, histograms=()), "seed": 3,
    }

    def compare(model, data, **changes):
        # The largest difference of the weights and the optimizer's state, and of the results.
        # A function builds a model of the user's, which fit trains in place.
        build = model if isinstance(model, type(compare)) else lambda: model
        several = lenet_tf.fit(build(), data, device="cpu:0,cpu:1", **options | changes)
        one = lenet_tf.fit(build(), data, device="cpu", **options | changes)
        weights = [
            float(np.abs(ours.numpy() - theirs.numpy()).max())
            for ours, theirs in zip(
                [*several.model.weights, *several.model.optimizer.variables],
                [*one.model.weights, *one.model.optimizer.variables],
                strict=True,
            )
        ]
        names = [name for name in one.history if name != "seconds"]
        results = [
            abs(ours - theirs)
            for name in names
            for ours, theirs in zip(several.history[name], one.history[name], strict=True)
        ]
        results += [
            abs(several.metrics[name] - one.metrics[name])
            for name in ("test_loss", "test_accuracy")
        ]
        assert several.config["device"]["name"] == "/CPU:0,/CPU:1"
        return {"weights": max(weights), "results": max(results), "names": names}
"""


def run_script(tmp_path, script: str) -> Any:
    """Run a script after `_START`, and return the JSON that it prints last."""
    done = python("-c", textwrap.dedent(_START) + textwrap.dedent(script), str(tmp_path / "logs"))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("cpu:0,cpu:0", "device 'cpu:0,cpu:0' names cpu:0 twice"),
        ("gpu:1,gpu:0,gpu:1", "names gpu:1 twice"),
        ("cpu:0,gpu:0", "mixes CPUs and GPUs"),
        ("cpu,cpu:1", "unknown device 'cpu' in 'cpu,cpu:1': name several devices like cpu:0,cpu:1"),
        ("gpu:all,gpu:0", "unknown device 'gpu:all'"),
        ("cpu:0,", "unknown device ''"),
        ("tpu:0,tpu:1", "unknown device 'tpu:0'"),
        ("cpu:0,cpu:00", "unknown device 'cpu:00'"),
        ("cpu:0,cpu:9999", "it needs 10000 cores, and this process may use"),
        ("gpu:0,gpu:9", "device 'gpu:0,gpu:9' is unavailable: "),
        ("gpu:all", "device 'gpu:all' is unavailable: "),
    ],
)
def test_unusable_devices_are_refused(option, message):
    with pytest.raises(DeviceError) as caught:
        device.choose_device(option)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_gpus_and_a_choice_of_them(monkeypatch):
    monkeypatch.setattr(device, "list_gpus", lambda: ["A100", "A100", "T4"])
    every = device.choose_device("gpu:all")
    assert every == device.Device("/GPU:0,/GPU:1,/GPU:2", "3 GPUs: A100, T4")
    assert device.to_device_option(every.name) == "gpu:0,gpu:1,gpu:2"
    # The order in which they are named is no property of a run.
    assert device.choose_device("gpu:2, gpu:0").names == ("/GPU:0", "/GPU:2")
    assert not every.is_cpu and every.count == 3
    with pytest.raises(DeviceError, match="'gpu:1,gpu:3' is unavailable: TensorFlow finds only 3"):
        device.choose_device("gpu:1,gpu:3")
    monkeypatch.setattr(device, "list_gpus", lambda: ["T4"])
    assert device.choose_device("gpu:all") == device.Device("/GPU:0", "T4")


def test_a_worker_of_a_cluster_is_refused(monkeypatch, digits, tmp_path):
    cluster = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(DeviceError, match="cluster of 2 workers.*keras/issues/20585.*unset TF_CON"):
        lenet_tf.fit("tiny", digits, logs=tmp_path / "logs", **OPTIONS)
    assert not (tmp_path / "logs").exists()
    # A platform may set it for one machine too.
    for text in (json.dumps({"cluster": {"worker": ["a:1"]}}), "{}", "[", "[1]", '{"cluster": 1}'):
        monkeypatch.setenv("TF_CONFIG", text)
        assert device.choose_device("cpu").name == "/CPU:0"


def test_a_broken_cluster_is_named(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "[")
    with pytest.raises(DeviceError) as caught:
        several_devices.create_strategy(("/CPU:0",))
    assert "TensorFlow can't use /CPU:0 together: " in str(caught.value)
    assert str(caught.value).endswith("(TF_CONFIG is set: unset it)")


def test_strategies_of_the_user_are_refused():
    class Fake:
        pass

    fakes = {
        "MultiWorkerMirroredStrategy": "Keras' fit fails under it (https://github.com/keras-team/ke",
        "CollectiveAllReduceStrategy": "20585",
        "TPUStrategy": "fit trains on a CPU, a GPU or several of one machine",
        "ParameterServerStrategyV2": "fit trains on a CPU, a GPU or several of one machine",
    }
    for name, message in fakes.items():
        model = Fake()
        model._distribute_strategy = type(name, (), {})()
        with pytest.raises(DeviceError) as caught:
            several_devices.check_no_strategy(model)
        assert f"fit can't use a {name}" in str(caught.value)
        assert message in str(caught.value)
    model._distribute_strategy = None
    several_devices.check_no_strategy(model)


def with_batch_normalization() -> Spec:
    spec = lenet_tf.LeNet("tiny").spec
    rows = list(spec.rows)
    rows.insert(2, BatchNormalization("N1"))
    recipe = replace(spec.recipe, batch_size=32)
    return Spec(name="normalized", rows=tuple(rows), recipe=recipe)


class OwnStep(lenet_tf.LeNet):
    """A model with a training step of its own."""

    def train_step(self, data):
        """Take Keras' step."""
        return super().train_step(data)


@pytest.mark.parametrize(
    ("build", "images", "message"),
    [
        (lambda: lenet_tf.LeNet("lenet5-1998"), 100, "sdlm takes second derivatives"),
        (lambda: lenet_tf.LeNet("tiny"), 1, "a batch of 1 has fewer images than there are devices"),
        (
            lambda: lenet_tf.LeNet(with_batch_normalization()),
            129,
            "the last batch of an epoch has 1",
        ),
        (lambda: OwnStep("tiny"), 100, "OwnStep has its own train_step"),
    ],
)
def test_what_several_devices_cannot_train(build, images, message):
    model = build()
    with pytest.raises(TrainingError) as caught:
        check_several_devices(model.spec, model, 2, images)
    assert message in str(caught.value)
    assert "choose one device, such as --device cpu" in str(caught.value)


@pytest.mark.parametrize(
    ("compiled", "message"),
    [
        ({"jit_compile": True}, "jit_compile, which MirroredStrategy doesn't support"),
        ({"run_eagerly": True}, "compiled with run_eagerly"),
        ({"optimizer": tf.keras.optimizers.SGD(clipnorm=1.0)}, "its optimizer has clipnorm"),
        (
            {"optimizer": tf.keras.optimizers.Adam(gradient_accumulation_steps=2)},
            "its optimizer has gradient_accumulation_steps, which Keras doesn't support under Mirr",
        ),
        (
            {"optimizer": tf.keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=3)},
            "its optimizer has ema_overwrite_frequency, which Keras doesn't support under Mirrored",
        ),
        (
            {"loss": tf.keras.losses.CategoricalCrossentropy(reduction="sum")},
            "its loss isn't the mean over the images",
        ),
    ],
)
def test_compilations_that_several_devices_cannot_train(compiled, message):
    model = lenet_tf.LeNet("tiny")
    model.compile(**{"optimizer": "adam", "loss": "categorical_crossentropy"} | compiled)
    with pytest.raises(TrainingError) as caught:
        check_several_devices(model.spec, model, 2, 100)
    assert message in str(caught.value)


@pytest.mark.parametrize(("images", "batch_size", "devices"), [(23, 8, 3), (9, 4, 2), (5, 4, 3)])
def test_every_image_goes_to_one_device_in_the_order_of_the_steps(images, batch_size, devices):
    """Two executions; a device without images gets one that doesn't count."""

    class Strategy:
        num_replicas_in_sync = devices

        def distribute_datasets_from_function(self, make):
            return make(None)

    loop = MirroredLoop(Strategy(), batch_size)
    numbers = np.arange(2 * images)
    batches = tf.data.Dataset.from_tensor_slices((numbers, -numbers)).batch(images)
    elements = list(loop.distribute(batches, batch_size).as_numpy_iterator())
    assert len(elements) == 2 * devices
    for execution in range(2):
        parts = elements[execution * devices :][:devices]
        assert all(total == images for _, _, total in parts)
        assert all(np.array_equal(x, -y) for x, y, _ in parts)
        positions = [0] * devices
        for start in range(0, images, batch_size):
            size = min(batch_size, images - start)
            taken = []
            for number, (x, _, _) in enumerate(parts):
                first, end = (int(edge) for edge in loop._find_edges(tf.constant(size), number))
                count = size * (number + 1) // devices - first
                rows = x[positions[number] :][: end - first]
                positions[number] += end - first
                assert len(rows) == max(count, 1)
                assert abs(count - size / devices) < 1
                taken.extend(rows[:count])
            assert taken == list(execution * images + start + np.arange(size))
        assert positions == [len(x) for x, _, _ in parts]


@pytest.mark.slow
def test_two_devices_train_as_one_does(tmp_path):
    """The last batch has 5 images, 2 of them on one device and 3 on the other."""
    found = run_script(
        tmp_path, 'print(json.dumps(compare("tiny", take(101), batch_size=32, epochs=2)))'
    )
    assert found["weights"] < 1e-5
    assert found["results"] < 1e-5
    assert found["names"] == ["accuracy", "loss", "val_accuracy", "val_loss"]


@pytest.mark.slow
def test_networks_and_optimizers_train_as_on_one_device(tmp_path):
    """The last batches have fewer images than there are devices, or an odd number."""
    found = run_script(
        tmp_path,
        """
        rows = list(specs.get_spec("tiny").rows)
        rows.insert(2, specs.BatchNormalization("N1"))
        normalized = replace(specs.get_spec("tiny"), rows=tuple(rows), name="normalized")
        gentle = {"optimizer": "sgd", "momentum": 0.9, "lr": 0.01}
        print(json.dumps({
            "lenet5": compare("lenet5", take(321), epochs=2),
            "augmented": compare(
                "lenet5-modern", take(257), epochs=2, augmentation="affine+elastic", **gentle
            ),
            "fast": compare("lenet5-modern", take(300), recipe="fast", epochs=2),
            "odd batches": compare(
                "lenet1", take(201), batch_size=25, epochs=2, optimizer="adamw", weight_decay=0.01
            ),
            "normalized": compare(normalized, take(203), epochs=2, **gentle),
        }))
        """,
    )
    for name, difference in found.items():
        assert difference["weights"] < 1e-4, name
        assert difference["results"] < 1e-4, name


@pytest.mark.slow
def test_compilations_of_the_user_train_as_on_one_device(tmp_path):
    """Metrics, averaged weights, a schedule and a frozen layer."""
    found = run_script(
        tmp_path,
        """
        import keras

        from lenet_tf.runtime.several_devices import create_logical_cpus

        create_logical_cpus("cpu:0,cpu:1", 2)

        def compile_with(optimizer, freeze=False, **arguments):
            def build():
                model = lenet_tf.LeNet("tiny", seed=1)
                model.layers[0].trainable = not freeze
                model.compile(optimizer(), "categorical_crossentropy", **arguments)
                return model

            return compare(build, take(101), epochs=2, batch_size=32)

        def schedule():
            return keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 8))

        top = keras.metrics.TopKCategoricalAccuracy(3, name="top")
        print(json.dumps({
            "metrics": compile_with(keras.optimizers.Adam, metrics=[top]),
            "averaged": compile_with(lambda: keras.optimizers.SGD(0.1, use_ema=True)),
            "schedule": compile_with(schedule, freeze=True),
        }))
        """,
    )
    assert found["metrics"]["names"] == [
        "accuracy",
        "loss",
        "top",
        "val_accuracy",
        "val_loss",
        "val_top",
    ]
    for name, difference in found.items():
        assert difference["weights"] < 1e-5, name
        assert difference["results"] < 1e-5, name


@pytest.mark.slow
def test_a_smooth_network_stays_equal_over_many_steps(tmp_path):
    """250 steps, in which ReLU and max pooling let differences of rounding grow to 0.03 and more.

    Without their kinks a difference stays as small as it begins, unless a step is wrong.
    """
    found = run_script(
        tmp_path,
        """
        def smooth(row):
            if isinstance(row, specs.Pooling):
                return replace(row, pool="average")
            is_relu = getattr(row, "activation", None) == "relu"
            return replace(row, activation="tanh") if is_relu else row

        spec = specs.get_spec("lenet5-modern")
        network = replace(spec, rows=tuple(map(smooth, spec.rows)), name="smooth")
        print(json.dumps(compare(
            network, take(3999), epochs=2, augmentation="affine", optimizer="sgd", momentum=0.9,
            lr=0.05,
        )))
        """,
    )
    assert found["weights"] < 1e-5
    assert found["results"] < 1e-5


@pytest.mark.slow
def test_a_run_on_two_devices_resumes_exactly(tmp_path):
    """Dropout draws numbers of its own on each device, and after a resume the same ones."""
    found = run_script(
        tmp_path,
        """
        rows = list(specs.get_spec("tiny").rows)
        rows.insert(-1, specs.Dropout("D1", rate=0.4))
        network = replace(specs.get_spec("tiny"), rows=tuple(rows), name="dropped")

        class Stop(__import__("keras").callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    variable = self.model.get_layer("D1").seed_generator.state.value
                    seeds.append([copy.numpy().tolist() for copy in variable.values])
                    raise KeyboardInterrupt

        seeds, data = [], take(101)
        options |= {"device": "cpu:0,cpu:1", "epochs": 3, "augmentation": "affine"}
        whole = lenet_tf.fit(network, data, **options)
        try:
            lenet_tf.fit(network, data, callbacks=Stop(), **options)
        except Interrupted:
            pass
        folder = max(Path(options["logs"], "fit").iterdir(), key=lambda each: each.name)
        resumed = lenet_tf.resume(folder, data, quiet=True, report=False)
        state = [
            [each.numpy().tolist() for each in (*model.weights, *model.optimizer.variables)]
            for model in (whole.model, resumed.model)
        ]
        history = [
            {name: values for name, values in run.history.items() if name != "seconds"}
            for run in (whole, resumed)
        ]
        print(json.dumps({
            "state": state[0] == state[1], "history": history[0] == history[1],
            "resumed": resumed.metrics["resumed"], "device": resumed.config["device"]["name"],
            "seeds": seeds[0][0] != seeds[0][1],
        }))
        """,
    )
    assert found == {
        "state": True,
        "history": True,
        "resumed": [1],
        "device": "/CPU:0,/CPU:1",
        "seeds": True,
    }


@pytest.mark.slow
def test_given_models_mixed_precision_and_late_devices(tmp_path):
    found = run_script(
        tmp_path,
        """
        import keras

        data, found = take(101), {}
        two = {"device": "cpu:0,cpu:1", "epochs": 1}
        lenet_tf.fit("tiny", data, **options | two)
        # A LeNet of the user's, whose training continues in place.
        model = lenet_tf.LeNet("tiny", seed=1)
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        twin = lenet_tf.LeNet("tiny", seed=1)
        twin.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        before = model.get_weights()
        run = lenet_tf.fit(model, data, **options | two)
        lenet_tf.fit(twin, data, **options | {"epochs": 1, "device": "cpu"})
        found["is_same_object"] = run.model is model
        found["difference"] = float(max(
            np.abs(ours - theirs).max()
            for ours, theirs in zip(model.get_weights(), twin.get_weights())
        ))
        found["changed"] = any(
            not np.array_equal(ours, theirs)
            for ours, theirs in zip(before, model.get_weights())
        )
        # float16 needs its loss scaled: the scale is a part of the optimizer's state.
        half = lenet_tf.fit("lenet5", data, precision="mixed_float16", **options | two)
        found["scaled"] = type(half.model.optimizer).__name__
        found["steps"] = int(half.model.optimizer.inner_optimizer.iterations)
        found["half_loss"] = half.metrics["test_loss"]
        for name, change in (
            ("engine", {"engine": "graph"}), ("batch", {"batch_size": 1}), ("many", {
                "device": ",".join(f"cpu:{number}" for number in range(99))
            }),
        ):
            try:
                lenet_tf.fit("tiny", data, **options | two | change)
            except LenetError as error:
                found[name] = str(error)
        print(json.dumps(found))
        """,
    )
    assert found["is_same_object"] and found["changed"]
    assert found["difference"] < 1e-6
    assert found["scaled"] == "LossScaleOptimizer" and found["steps"] == 4
    assert np.isfinite(found["half_loss"])
    assert "the engine graph trains on one device" in found["engine"]
    assert "a batch of 1 has fewer images than there are devices" in found["batch"]
    assert "it needs 99 cores" in found["many"]


def test_devices_that_come_too_late_are_named(digits, tmp_path):
    """TensorFlow runs in this process with one CPU device."""
    tf.constant(1)
    with pytest.raises(DeviceError) as caught:
        lenet_tf.fit("tiny", digits, device="cpu:0,cpu:1", logs=tmp_path / "logs", **OPTIONS)
    assert "TensorFlow has started with 1 CPU device. Start Python anew" in str(caught.value)
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_keras_own_fit_in_a_scope_of_the_user(tmp_path):
    found = run_script(
        tmp_path,
        """
        from lenet_tf.data.preprocessing import prepare_images
        from lenet_tf.runtime.several_devices import create_logical_cpus
        import tensorflow as tf

        create_logical_cpus("cpu:0,cpu:1", 2)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            model = lenet_tf.LeNet("tiny", seed=0)
        data = take(96)
        x, y = prepare_images(data.x_train, model.spec.preparation), np.eye(10)[data.y_train]
        history = model.fit(np.array(x), y, epochs=3, verbose=0).history["loss"]
        try:
            lenet_tf.fit(model, data, **options)
        except LenetError as error:
            print(json.dumps([history, str(error)]))
        """,
    )
    losses, refusal = found
    assert losses[-1] < losses[0]
    assert "fit can't use a MirroredStrategy: fit makes its own: build the model" in refusal
    assert "device='cpu:0,cpu:1'" in refusal


@pytest.mark.slow
def test_the_command_trains_resumes_and_refuses(cli, tmp_path):
    """Each command is a process of its own."""
    logs = tmp_path / "logs"
    command = ("-m", "lenet_tf", "train", "tiny", "--data", "sample", "--logs", str(logs))
    done = python(*command, "--epochs", "1", "--device", "cpu:0,cpu:1", "--no-report")
    assert done.returncode == 0, done.stderr
    assert "as 2 devices" in done.stdout
    assert "mirrored, " in done.stdout
    (folder,) = (logs / "fit").iterdir()
    assert json.loads((folder / "config.json").read_text())["device"]["name"] == "/CPU:0,/CPU:1"
    # A run of a machine with two GPUs, resumed on one without.
    (folder / "metrics.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    config["device"]["name"] = "/GPU:0,/GPU:1"
    (folder / "config.json").write_text(json.dumps(config))
    result = cli("train", "--resume", folder)
    assert result.exit_code != 0
    assert "device 'gpu:0,gpu:1' is unavailable: " in result.output
    assert "Use --device cpu instead" in result.output
    for option, message in (("cpu:0,cpu:0", "names cpu:0 twice"), ("cpu:0,gpu:0", "mixes CPUs")):
        result = cli("train", "tiny", "--data", "sample", "--logs", logs, "--device", option)
        assert result.exit_code != 0 and message in result.output
    assert len(list((logs / "fit").iterdir())) == 1
