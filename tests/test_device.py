"""The choice of a device, with pretended GPUs, and the start of TensorFlow."""

from __future__ import annotations

import json
import os
import re
import textwrap

import pytest
import tensorflow as tf
from processes import python

from lenet_tf.errors import DeviceError
from lenet_tf.runtime import device
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.model_setup import training_context


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that TensorFlow lists some GPUs; return those with memory growth."""
    grown = []

    def pretend(count):
        listed = [f"gpu {index}" for index in range(count)]
        monkeypatch.setattr(
            tf.config,
            "list_physical_devices",
            lambda kind=None: listed if kind == "GPU" else ["cpu"],
        )
        monkeypatch.setattr(
            tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on))
        )
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: {"device_name": f"Name of {gpu}"},
        )
        return grown

    return pretend


def test_auto_takes_the_first_gpu_with_memory_growth(gpus):
    grown = gpus(2)
    assert device.choose_device("auto") == device.Device("/GPU:0", "Name of gpu 0")
    assert device.choose_device("gpu:1") == device.Device("/GPU:1", "Name of gpu 1")
    assert ("gpu 0", True) in grown
    assert ("gpu 1", True) in grown


def test_auto_without_gpu_is_the_cpu(gpus):
    gpus(0)
    assert device.choose_device("auto").name == "/CPU:0"
    assert "cores" in device.choose_device("auto").label


def test_cpu_is_chosen_even_if_there_is_a_gpu(gpus):
    gpus(2)
    assert device.choose_device("cpu").name == "/CPU:0"


def test_a_missing_gpu_is_reported(gpus):
    gpus(1)
    with pytest.raises(
        DeviceError,
        match="device 'gpu:3' is unavailable: TensorFlow finds only 1. Use --device cpu instead.",
    ):
        device.choose_device("gpu:3")


@pytest.mark.parametrize(
    ("visible", "built", "driver", "reason"),
    [
        ("-1", True, "/bin/x", "CUDA_VISIBLE_DEVICES hides every GPU"),
        (None, False, "/bin/x", "this TensorFlow is built without GPU support"),
        (None, True, None, "no NVIDIA driver is installed"),
        (
            None,
            True,
            "/bin/x",
            "TensorFlow loads no CUDA libraries; install them by make install EXTRAS=dev,gpu",
        ),
    ],
)
def test_the_reason_for_a_missing_gpu(gpus, monkeypatch, visible, built, driver, reason):
    gpus(0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(tf.test, "is_built_with_gpu_support", lambda: built)
    monkeypatch.setattr(device.shutil, "which", lambda name: driver)
    monkeypatch.setattr(device, "_find_driver_failure", lambda program: None)
    with pytest.raises(DeviceError, match=f"device 'gpu' is unavailable: {reason}"):
        device.choose_device("gpu")


@pytest.mark.parametrize("wanted", ["GPU", "gpu:", "gpu:x", "cuda", "cpu:1", "cpu:all", "", 1])
def test_unknown_devices_are_reported(wanted):
    with pytest.raises(DeviceError, match="choose auto, cpu, gpu, gpu:N or gpu:all"):
        device.choose_device(wanted)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "threads"),
    [
        ("import keras", ["2", "1", None]),
        ("import tensorflow as tf; tf.constant(1)", [None, None, None]),
        ("os.environ['TF_NUM_INTEROP_THREADS'] = '5'", ["5", "1", "1"]),
        ("import lenet_tf; lenet_tf.LeNet; lenet_tf.use_one_thread()", ["1", "1", "1"]),
    ],
)
def test_threads_are_set_until_tensorflow_uses_them(first, threads):
    """Importing TensorFlow does not start its threads; variables that are set stay."""
    names = ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS")
    script = (
        f"import json, os; {first}\n"
        "from lenet_tf.runtime import threads; threads.usable_cores = lambda: 2\n"
        "from lenet_tf.runtime.tensorflow_start import start_tensorflow; start_tensorflow()\n"
        f"print(json.dumps([os.environ.get(name) for name in {names}]))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in names}
    assert json.loads(python("-c", script, env=environment).stdout) == threads


NAMES = ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS")


@pytest.mark.parametrize(
    ("recorded", "own", "expected"),
    [
        (("1", "3", "0"), {}, ["1", "3", "0"]),
        (("1", "3", "0"), {"TF_NUM_INTRAOP_THREADS": "5"}, ["1", "5", "0"]),
        ((None, "3", None), {}, ["2", "3", "1"]),
        (("9999", "-1", "2"), {}, ["2", "1", "1"]),
    ],
)
def test_a_run_resumes_with_its_threads_where_the_user_names_none(recorded, own, expected):
    """A stranger's run folder sets no other variables, and no absurd ones."""
    variables = dict(zip(NAMES, recorded, strict=True)) | {"PATH": "/stranger", "X": "y"}
    script = (
        "import json, os; path = os.environ['PATH']\n"
        "from lenet_tf.runtime import threads; threads.usable_cores = lambda: 2\n"
        f"threads.use_recorded({variables}); threads.use_recorded(None)\n"
        "threads.use_parallel_halves()\n"
        "assert os.environ['PATH'] == path and 'X' not in os.environ\n"
        f"print(json.dumps([os.environ.get(name) for name in {NAMES}]))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | own
    assert json.loads(python("-c", script, env=environment).stdout) == expected


def test_variables_are_created_on_the_device_of_the_scope():
    with device.choose_device("cpu").scope():
        assert tf.Variable(1.0).device.endswith("CPU:0")


def test_virtual_gpus_of_the_user_stay(gpus, monkeypatch):
    gpus(1)

    def refuse(gpu, on):
        raise ValueError("Cannot set memory growth on device when virtual devices configured")

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    assert device.choose_device("gpu").name == "/GPU:0"


def test_auto_explains_why_a_gpu_is_unused(gpus, monkeypatch, tmp_path):
    gpus(0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tf.test, "is_built_with_gpu_support", lambda: True)
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'Driver/library version mismatch' >&2; exit 18\n")
    program.chmod(0o755)
    monkeypatch.setattr(device.shutil, "which", lambda name: str(program))
    assert device.choose_device("auto").label.endswith(
        "no GPU: the NVIDIA driver does not work (Driver/library version mismatch)"
    )
    program.write_text("#!/bin/sh\necho 'GPU 0: Name'\n")
    assert "TensorFlow loads no CUDA libraries" in device.choose_device("auto").label
    assert "no GPU" not in device.choose_device("cpu").label


@pytest.mark.slow
def test_only_useless_retracing_advice_is_hidden():
    """TensorFlow prints it for every fifth model, twice per function in a process."""
    script = """
        import lenet_tf, keras, numpy as np, tensorflow as tf
        from lenet_tf.data.sources.sample import load_sample
        from lenet_tf.runtime.tensorflow_start import hide_retracing_advice

        data = load_sample()
        x, y = data.x_test[:100], data.y_test[:100]
        few = lenet_tf.RawData(x, y, x, y)
        for _ in range(6):
            model = lenet_tf.LeNet("tiny")
            lenet_tf.evaluate(model, few)
            lenet_tf.predict_outputs(model, few.x_test)
        with hide_retracing_advice():
            for number in range(6):
                tf.function(lambda number: number)(number)
        for _ in range(6):
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            model.predict(np.zeros((1, 2)), verbose=0)
    """
    done = python("-c", textwrap.dedent(script))
    traced = re.findall(
        "calls to <function (.*) at .* triggered tf.function retracing", done.stderr
    )
    assert done.returncode == 0, done.stderr
    own, keras_own = dict.fromkeys(traced)
    assert own == "<lambda>" and re.match(r"TensorFlowTrainer\..*predict", keras_own)


@pytest.mark.parametrize(
    "function", ["TensorFlowTrainer.step", "MirroredLoop.make_test_function.<locals>.run"]
)
def test_training_hides_retracing_advice(caplog, function):
    advice = (
        f"5 out of the last 5 calls to <function {function} at 0x7f> "
        "triggered tf.function retracing."
    )
    config = TrainConfig.create("tiny", quiet=True)
    with training_context(device.choose_device("cpu"), config):
        tf.get_logger().warning(advice)
        assert not caplog.records
    tf.get_logger().warning(advice)
    assert [record.getMessage() for record in caplog.records] == [advice]


@pytest.mark.slow
def test_log_level_is_1_unless_the_user_sets_it(monkeypatch):
    script = (
        "import os, sys; from lenet_tf import inspection, layers; assert 'keras' in sys.modules;"
        "print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    )
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    assert python("-c", script).stdout == "1\n"
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    assert python("-c", script).stdout == "0\n"


def test_tf32_can_be_disabled():
    """TF32 affects GPUs only, so this checks TensorFlow's setting."""
    try:
        start_tensorflow()
        assert tf.config.experimental.tensor_float_32_execution_enabled()
        start_tensorflow(tf32=False)
        assert not tf.config.experimental.tensor_float_32_execution_enabled()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(True)
