"""The choice of a device. GPUs are pretended: what TensorFlow would list decides, no kernel runs."""

from __future__ import annotations

import json
import os
import re
import textwrap

import pytest
import tensorflow as tf
from conftest import python
from packaging.version import Version

from lenet_tf.errors import DeviceError
from lenet_tf.runtime import device
from lenet_tf.training.fit import training_context


@pytest.fixture
def gpus(monkeypatch):
    """Pretends that TensorFlow lists so many GPUs; gives the list of those that got memory growth."""
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


def test_cpu_is_the_cpu_whatever_there_is(gpus):
    gpus(2)
    assert device.choose_device("cpu").name == "/CPU:0"


def test_a_gpu_that_is_not_there(gpus):
    gpus(1)
    with pytest.raises(
        DeviceError,
        match="device 'gpu:3' cannot be used: TensorFlow sees only 1. --device cpu works.",
    ):
        device.choose_device("gpu:3")


@pytest.mark.parametrize(
    ("visible", "built", "driver", "reason"),
    [
        ("-1", True, "/bin/x", "CUDA_VISIBLE_DEVICES hides every GPU"),
        (None, False, "/bin/x", "this TensorFlow is built without GPU support"),
        (None, True, None, "no NVIDIA driver was found"),
        (
            None,
            True,
            "/bin/x",
            r"TensorFlow found no CUDA libraries: make install EXTRAS=dev,gpu or pip install 'lenet_tf\[gpu\]'",
        ),
    ],
)
def test_why_a_gpu_cannot_be_used(gpus, monkeypatch, visible, built, driver, reason):
    gpus(0)
    monkeypatch.setattr(device, "_held_back", [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(tf.test, "is_built_with_gpu_support", lambda: built)
    monkeypatch.setattr(device.shutil, "which", lambda name: driver)
    with pytest.raises(DeviceError, match=f"device 'gpu' cannot be used: {reason}"):
        device.choose_device("gpu")


@pytest.mark.parametrize("wanted", ["GPU", "gpu:", "gpu:x", "cuda", "cpu:0", ""])
def test_unknown_devices(wanted):
    with pytest.raises(DeviceError, match="choose auto, cpu, gpu or gpu:N"):
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
def test_threads_are_set_until_tensorflow_has_begun(first, threads):
    """Importing TensorFlow is not yet using its threads; what the environment says stays."""
    names = ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_ENABLE_ONEDNN_OPTS")
    script = (
        f"import os; {first or 'pass'}; from lenet_tf import device; device.cores = lambda: 2; device.start_tensorflow()\n"
        f"import json; print(json.dumps([os.environ.get(name) for name in {names}]))"
    )
    environment = {name: value for name, value in os.environ.items() if name not in names}
    assert json.loads(python("-c", script, env=environment).stdout) == threads


def test_models_live_where_the_scope_says():
    with device.choose_device("cpu").scope():
        assert tf.Variable(1.0).device.endswith("CPU:0")


def test_a_user_who_split_a_gpu_is_left_alone(gpus, monkeypatch):
    gpus(1)

    def refuse(gpu, on):
        raise ValueError("Cannot set memory growth on device when virtual devices configured")

    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    assert device.choose_device("gpu").name == "/GPU:0"


def test_auto_says_why_a_card_is_not_used(gpus, monkeypatch):
    gpus(0)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tf.test, "is_built_with_gpu_support", lambda: True)
    monkeypatch.setattr(device.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(
        device, "_held_back", ["E0000 0:0:1.5 7 cuda.cc:9] failed call to cuInit: driver too old"]
    )
    assert device.choose_device("auto").label.endswith(
        "no GPU: CUDA does not start (failed call to cuInit: driver too old)"
    )
    assert "no GPU" not in device.choose_device("cpu").label


def test_a_message_before_an_abort_is_not_lost():
    """What a machine without AVX does to TensorFlow's import."""
    script = (
        "import os; from lenet_tf import device\n"
        "with device._without_chatter(): os.write(2, b'I0000 chatter\\nF0000 this CPU has no AVX\\n'); os.abort()"
    )
    done = python("-c", script)
    assert done.returncode != 0
    assert done.stderr == "F0000 this CPU has no AVX\n"


def test_only_known_chatter_is_held_back(capfd):
    with device._without_chatter():
        os.write(
            2,
            b"I0000 00:00:1.5 1 port.cc:153] oneDNN custom operations are on.\nlibcuda.so is broken: a real problem\n",
        )
    assert capfd.readouterr().err == "libcuda.so is broken: a real problem\n"


def test_what_was_held_back_is_told_when_the_import_fails(capfd):
    def broken_import():
        with device._without_chatter():
            os.write(2, b"undefined symbol: cublas\n")
            raise ImportError("no TensorFlow")

    with pytest.raises(ImportError):
        broken_import()
    assert "undefined symbol: cublas" in capfd.readouterr().err


def test_advice_to_trace_less_is_held_back_only_where_nobody_can_follow_it():
    """TensorFlow gives it for every fifth model, twice in a process for each function."""
    script = """
        import lenet_tf, keras, numpy as np, tensorflow as tf
        from lenet_tf.data.sources.sample import load_sample

        data = load_sample()
        few = lenet_tf.RawData(data.x_train[:200], data.y_train[:200], data.x_test[:100], data.y_test[:100])
        for _ in range(6):
            model = lenet_tf.LeNet("tiny")
            lenet_tf.evaluate(model, few)
            lenet_tf.predict(model, few.x_test)
        with lenet_tf.runtime.device.hide_retracing_advice():
            for number in range(6):
                tf.function(lambda number: number)(number)
        for _ in range(6):
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).predict(np.zeros((1, 2)), verbose=0)
    """
    done = python("-c", textwrap.dedent(script))
    traced = re.findall(
        "calls to <function (.*) at .* triggered tf.function retracing", done.stderr
    )
    assert done.returncode == 0, done.stderr
    own, keras_own = dict.fromkeys(traced)
    assert own == "<lambda>" and re.match(r"TensorFlowTrainer\..*predict", keras_own)


def test_training_holds_it_back(caplog):
    advice = "5 out of the last 5 calls to <function TensorFlowTrainer.step at 0x7f> triggered tf.function retracing."
    with training_context(device.choose_device("cpu"), 0, False):
        tf.get_logger().warning(advice)
        assert not caplog.records
    tf.get_logger().warning(advice)
    assert [record.getMessage() for record in caplog.records] == [advice]


@pytest.mark.skipif(
    Version(tf.__version__) < Version("2.21"),
    reason="the XLA of TensorFlow 2.20 says what it does, whatever it is told",
)
def test_tensorflow_is_quiet_whichever_module_is_imported_first(monkeypatch):
    """Also later, when XLA starts, as for training with second-order rates."""
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    script = "from lenet_tf import inspection, layers; import sys; assert 'keras' in sys.modules; import tensorflow as tf"
    done = python("-c", f"{script}; tf.function(lambda x: x + x, jit_compile=True)(1.0)")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_comparison_may_ask_for_all_bits():
    """TF32 has effect on GPUs only; here it is seen whether TensorFlow is told."""
    try:
        device.start_tensorflow()
        assert tf.config.experimental.tensor_float_32_execution_enabled()
        device.start_tensorflow(tf32=False)
        assert not tf.config.experimental.tensor_float_32_execution_enabled()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(True)
