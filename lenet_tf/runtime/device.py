"""Which processor trains: a choice that is said aloud, and never a silent fall back from one that was asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from lenet_tf.errors import DeviceError
from lenet_tf.runtime.environment import usable_cores

_CHOICE = re.compile(r"auto|cpu|gpu(?::(\d+))?")


@dataclass(frozen=True)
class Device:
    """`name` is TensorFlow's (`/GPU:0`), `label` is for people."""

    name: str
    label: str

    def scope(self) -> contextlib.AbstractContextManager:
        """Models built and trained inside live on this device."""
        import tensorflow as tf

        return tf.device(self.name)


# Runs as a process of its own, so that nothing is lost when TensorFlow's start aborts this one: passes stderr on line by line, and gives
# the known chatter back on stdout instead.
_FILTER = """
import os, re, sys
held = []
chatter = re.compile(rb'I0000 |WARNING: All log messages before absl|To enable the following instructions|E0000 .* failed call to cuInit')
for line in sys.stdin.buffer:
    held.append(line) if chatter.match(line) else os.write(2, line)
try:
    os.write(1, b"".join(held))
except OSError:
    pass  # nobody is left to read it
"""
_held_back: list[str] = []


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Holds back what TensorFlow's C++ side always writes to stderr while it starts, most of it before TF_CPP_MIN_LOG_LEVEL has a say."""
    sys.stderr.flush()
    kept = os.dup(2)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _FILTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        os.dup2(process.stdin.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            _held_back.extend(process.communicate()[0].decode(errors="replace").splitlines())


# TensorFlow's variables for its threads, each operation in one thread and so many operations side by side, and for oneDNN.
_SIDE_BY_SIDE, _WITHIN, _ONEDNN = (
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
)
# oneDNN's own: the newest instructions that it may use.
_ISA = "ONEDNN_MAX_CPU_ISA"
ONE_THREAD = {_SIDE_BY_SIDE: "1", _WITHIN: "1", _ONEDNN: "0"}
# `use_halves` on one or two cores.
ONE_CORE = {_SIDE_BY_SIDE: "2", _WITHIN: "1", _ONEDNN: "1"}


def use_one_thread() -> None:
    """Has TensorFlow work in one thread and without oneDNN, in which a step on a single image takes a fraction of the time.

    To be called before TensorFlow's first operation, and for oneDNN before it is imported; later it changes nothing. What the environment
    already says is left alone.
    """
    _set(ONE_THREAD)


def use_halves() -> None:
    """Has TensorFlow run two operations side by side, each on half the cores, as the graph engine's halves of a batch want it, with oneDNN,
    which TensorFlow by itself uses on some processors only and without which convolutions take three times as long.

    As `use_one_thread`: before TensorFlow's first operation, and behind what the environment says.
    """
    _set({_SIDE_BY_SIDE: "2", _WITHIN: str(max(1, usable_cores() // 2)), _ONEDNN: "1"})


_set_here: dict[str, str] = {}


def _set(variables: dict[str, str]) -> None:
    # TensorFlow reads that of oneDNN when it is imported, the others when its first operation makes it start its threads.
    late = "tensorflow" in sys.modules
    if not _runs():
        for name, value in variables.items():
            # What was set here before may be set anew.
            if (name != _ONEDNN or not late) and os.environ.get(name) in (
                None,
                _set_here.get(name),
            ):
                os.environ[name] = _set_here[name] = value


def _runs() -> bool:
    """Whether TensorFlow has started its threads."""
    if "tensorflow" not in sys.modules:
        return False
    import tensorflow as tf

    threads = tf.config.threading
    kept = threads.get_inter_op_parallelism_threads()
    try:
        # There is no question for it, but from then on this is refused.
        threads.set_inter_op_parallelism_threads(kept + 1)
    except RuntimeError:
        return True
    threads.set_inter_op_parallelism_threads(kept)
    return False


def uses_one_thread() -> bool:
    """Whether the environment asked TensorFlow for one thread."""
    return [os.environ.get(name) for name in (_SIDE_BY_SIDE, _WITHIN)] == ["1", "1"]


def thread_settings() -> dict[str, str | None]:
    """What the environment asks of TensorFlow's threads and of oneDNN, on which the last bits of a result depend; None: nothing."""
    return {name: os.environ.get(name) or None for name in (_SIDE_BY_SIDE, _WITHIN, _ONEDNN, _ISA)}


def keep_user_onednn(variables: dict[str, str]) -> dict[str, str]:
    """The variables, but oneDNN on or off as the user's environment says, where it says so."""
    said = os.environ.get(_ONEDNN)
    return variables if said is None or _ONEDNN in _set_here else variables | {_ONEDNN: said}


def start_tensorflow(tf32: bool = True) -> None:
    """Imports TensorFlow without its chatter and lets GPUs give memory as it is needed instead of all at once.

    Its threads are set for the graph engine, unless the environment or `use_one_thread` says otherwise. To be called before TensorFlow's
    first operation; later it changes nothing. Without `tf32` a GPU does not round what it multiplies to 10 bits, as newer ones do in
    convolutions and matrix products: for comparisons with results of a CPU. It holds for the whole process.
    """
    if not uses_one_thread():
        use_halves()
    # Nor later on: warnings stay, and what the user has set.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    with contextlib.nullcontext() if "tensorflow" in sys.modules else _without_chatter():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    if not tf32:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    for gpu in gpus:
        with contextlib.suppress(
            RuntimeError, ValueError
        ):  # already running, or split by the user into virtual devices
            tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def hide_retracing_advice() -> Iterator[None]:
    """Holds back TensorFlow's advice to trace less, where it is about functions that Keras and `predict` make anew for every model."""
    ours = re.compile(r"<function (TensorFlowTrainer\.|predict\.<locals>)")

    def is_other(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return "triggered tf.function retracing" not in message or not ours.search(message)

    log = logging.getLogger("tensorflow")
    log.addFilter(is_other)
    try:
        yield
    finally:
        log.removeFilter(is_other)


def enable_determinism() -> None:
    """TensorFlow's deterministic operations, from here on to the end of the process."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()


def check_device(wanted: str) -> None:
    """Raises `DeviceError` for a device that is not one or, where a GPU is asked for by name, that cannot be used."""
    if not _CHOICE.fullmatch(wanted):
        raise DeviceError(f"unknown device {wanted!r}: choose auto, cpu, gpu or gpu:N")
    if wanted.startswith("gpu"):
        choose_device(wanted)


def choose_device(wanted: str = "auto") -> Device:
    """`auto` takes the first GPU or else the CPU; `gpu` and `gpu:N` raise `DeviceError` with the reason when that GPU cannot be used."""
    match = _CHOICE.fullmatch(wanted)
    if not match:
        check_device(wanted)
    gpus = gpu_names()
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        count = usable_cores()
        # A machine with an NVIDIA card is owed the reason why it is not used.
        why = f"; no GPU: {why_no_gpu()}" if wanted == "auto" and shutil.which("nvidia-smi") else ""
        return Device("/CPU:0", f"CPU, {count} cores{why}")
    index = int(match[1] or 0)
    if index >= len(gpus):
        reason = f"TensorFlow sees only {len(gpus)}" if gpus else why_no_gpu()
        raise DeviceError(f"device {wanted!r} cannot be used: {reason}. --device cpu works.")
    return Device(f"/GPU:{index}", gpus[index])


def device_option(name: str) -> str:
    """What to ask for to get the device of TensorFlow's name (`/CPU:0`, `/GPU:1`) again."""
    return name.strip("/").lower().replace("cpu:0", "cpu")


def gpu_names() -> list[str]:
    """The GPUs that TensorFlow can use, in its order."""
    start_tensorflow()
    import tensorflow as tf

    details = [
        tf.config.experimental.get_device_details(gpu)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return [detail.get("device_name", f"GPU {index}") for index, detail in enumerate(details)]


def why_no_gpu() -> str:
    """The likely reason, with what mends it, that TensorFlow sees no GPU."""
    import tensorflow as tf

    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    if not tf.test.is_built_with_gpu_support():
        return "this TensorFlow is built without GPU support"
    if shutil.which("nvidia-smi") is None:
        return "no NVIDIA driver was found (no nvidia-smi)"
    said = [line.split("] ", 1)[-1] for line in _held_back if "cuInit" in line]
    if said:
        return f"CUDA does not start ({said[-1]})"
    return "TensorFlow found no CUDA libraries: make install EXTRAS=dev,gpu or pip install 'lenet_tf[gpu]'"
