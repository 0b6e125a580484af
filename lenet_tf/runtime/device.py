"""The choice between CPU, GPU and several of them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import DeviceError
from lenet_tf.runtime import several_devices
from lenet_tf.runtime.environment import install_command, usable_cores
from lenet_tf.runtime.tensorflow_start import start_tensorflow

_OPTION = re.compile(r"auto|cpu(:0)?|gpu(:\d{1,4}|:all)?")


@dataclass(frozen=True)
class Device:
    """A processor on which models train, or several.

    Attributes:
        name: TensorFlow's name, such as `/GPU:0` or `/GPU:0,/GPU:1`.
        label: Description for people, such as the GPU's model.
    """

    name: str
    label: str

    @property
    def names(self) -> tuple[str, ...]:
        """TensorFlow's name of each device."""
        return tuple(self.name.split(","))

    @property
    def count(self) -> int:
        """How many devices train together."""
        return len(self.names)

    @property
    def is_cpu(self) -> bool:
        """Whether no GPU trains."""
        return self.name.startswith("/CPU")

    @property
    def strategy(self) -> Any:
        """The `MirroredStrategy` of several devices."""
        return several_devices.create_strategy(self.names)

    def scope(self) -> contextlib.AbstractContextManager:
        """Return a context in which models are built and trained on the first device."""
        import tensorflow as tf

        return tf.device(self.names[0])


def check_device_name(option: str) -> None:
    """Check the name of a device, or of several.

    Args:
        option: `auto`, `cpu`, `gpu`, `gpu:N`, `gpu:all`, or several such as `cpu:0,cpu:1`.

    Raises:
        DeviceError: If a name is unknown or named twice, or if CPUs and GPUs are mixed.
    """
    if isinstance(option, str) and "," in option:
        several_devices.split_names(option)
    elif not isinstance(option, str) or not _OPTION.fullmatch(option):
        raise DeviceError(
            f"unknown device {option!r}: choose auto, cpu, gpu, gpu:N or gpu:all, or several such"
            " as gpu:0,gpu:1"
        )


def choose_device(option: str = "auto") -> Device:
    """Find the device to train on, or several.

    Args:
        option: `auto` for the first GPU or else the CPU, `cpu`, `gpu`, `gpu:N`, `gpu:all`, or
            several such as `gpu:0,gpu:1`. `cpu:0,cpu:1` are parts of one processor, which
            TensorFlow makes before its first operation.

    Returns:
        The device.

    Raises:
        DeviceError: If the name is unknown, it names a device that is not usable, or this process
            is a worker of a cluster.
    """
    check_device_name(option)
    several_devices.check_cluster()
    gpus = list_gpus()
    if option == "gpu:all":
        _check_gpu(option, 0, gpus)
        option = ",".join(f"gpu:{index}" for index in range(len(gpus)))
    if "," in option:
        return _choose_several(option, gpus)
    if option in ("cpu", "cpu:0") or (option == "auto" and not gpus):
        label = f"CPU, {usable_cores()} cores"
        # Without nvidia-smi there is most likely no GPU whose absence needs an explanation.
        if option == "auto" and shutil.which("nvidia-smi"):
            label += f"; no GPU: {explain_missing_gpu()}"
        return Device("/CPU:0", label)
    index = int(option.partition(":")[2] or 0)
    _check_gpu(option, index, gpus)
    return Device(f"/GPU:{index}", gpus[index])


def _check_gpu(option: str, index: int, gpus: list[str]) -> None:
    if index >= len(gpus):
        reason = f"TensorFlow finds only {len(gpus)}" if gpus else explain_missing_gpu()
        raise DeviceError(f"device {option!r} is unavailable: {reason}. Use --device cpu instead.")


def _choose_several(option: str, gpus: list[str]) -> Device:
    names = several_devices.split_names(option)
    indices = [int(name[4:]) for name in names]
    # TensorFlow's own order, so that the same devices are the same run.
    tensorflow_names = ",".join(f"/{names[0][:3].upper()}:{index}" for index in sorted(indices))
    if names[0].startswith("cpu"):
        several_devices.create_logical_cpus(option, max(indices) + 1)
        label = f"CPU, {usable_cores()} cores as {len(names)} devices"
        return Device(tensorflow_names, label)
    _check_gpu(option, max(indices), gpus)
    models = list(dict.fromkeys(gpus[index] for index in sorted(indices)))
    return Device(tensorflow_names, f"{len(names)} GPUs: {', '.join(models)}")


def to_device_option(name: str) -> str:
    """Convert TensorFlow's name of a device to the option that chooses it.

    Args:
        name: TensorFlow's name, such as `/CPU:0`, `/GPU:1` or `/CPU:0,/CPU:1`.

    Returns:
        The option, such as `cpu`, `gpu:1` or `cpu:0,cpu:1`.
    """
    option = name.replace("/", "").lower()
    return "cpu" if option == "cpu:0" else option


def list_gpus() -> list[str]:
    """List the models of the GPUs that TensorFlow can use, in its order."""
    start_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    return [detail.get("device_name", f"GPU {index}") for index, detail in enumerate(details)]


def explain_missing_gpu() -> str:
    """Return the likely reason why TensorFlow finds no GPU, with a remedy where there is one."""
    import tensorflow as tf

    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    if not tf.test.is_built_with_gpu_support():
        return "this TensorFlow is built without GPU support"
    program = shutil.which("nvidia-smi")
    if program is None:
        return "no NVIDIA driver is installed (nvidia-smi is missing)"
    failure = _find_driver_failure(program)
    if failure:
        return f"the NVIDIA driver does not work ({failure})"
    return f"TensorFlow loads no CUDA libraries; install them by {install_command('gpu')}"


def _find_driver_failure(program: str) -> str | None:
    """Return what `nvidia-smi` says if it finds no GPU, or None if it finds one."""
    try:
        result = subprocess.run(
            [program, "--list-gpus"], capture_output=True, text=True, errors="replace", timeout=10
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nvidia-smi: {type(error).__name__}"
    if result.returncode == 0 and result.stdout.strip():
        return None
    lines = (result.stdout + result.stderr).strip().splitlines()
    return lines[0][:200] if lines else "nvidia-smi lists no GPU"
