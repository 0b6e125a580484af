"""The choice between CPU and GPU."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from lenet_tf.errors import DeviceError
from lenet_tf.runtime.environment import install_command, usable_cores
from lenet_tf.runtime.tensorflow_start import start_tensorflow

_OPTION = re.compile(r"auto|cpu|gpu(:\d+)?")


@dataclass(frozen=True)
class Device:
    """A processor on which models train.

    Attributes:
        name: TensorFlow's name, such as `/GPU:0`.
        label: Description for people, such as the GPU's model.
    """

    name: str
    label: str

    def scope(self) -> contextlib.AbstractContextManager:
        """Return a context in which models are built and trained on this device."""
        import tensorflow as tf

        return tf.device(self.name)


def check_device_name(option: str) -> None:
    """Check the name of a device.

    Args:
        option: `auto`, `cpu`, `gpu` or `gpu:N`.

    Raises:
        DeviceError: If the name is unknown.
    """
    if not isinstance(option, str) or not _OPTION.fullmatch(option):
        raise DeviceError(f"unknown device {option!r}: choose auto, cpu, gpu or gpu:N")


def choose_device(option: str = "auto") -> Device:
    """Find the device to train on.

    Args:
        option: `auto` for the first GPU or else the CPU, `cpu`, `gpu` or `gpu:N`.

    Returns:
        The device.

    Raises:
        DeviceError: If the name is unknown, or it names a GPU that is not usable.
    """
    check_device_name(option)
    gpus = list_gpus()
    if option == "cpu" or (option == "auto" and not gpus):
        label = f"CPU, {usable_cores()} cores"
        # Without nvidia-smi there is most likely no GPU whose absence needs an explanation.
        if option == "auto" and shutil.which("nvidia-smi"):
            label += f"; no GPU: {explain_missing_gpu()}"
        return Device("/CPU:0", label)
    index = int(option.partition(":")[2] or 0)
    if index >= len(gpus):
        reason = f"TensorFlow finds only {len(gpus)}" if gpus else explain_missing_gpu()
        raise DeviceError(f"device {option!r} is unavailable: {reason}. Use --device cpu instead.")
    return Device(f"/GPU:{index}", gpus[index])


def to_device_option(name: str) -> str:
    """Convert TensorFlow's name of a device to the option that chooses it.

    Args:
        name: TensorFlow's name, such as `/CPU:0` or `/GPU:1`.

    Returns:
        The option, such as `cpu` or `gpu:1`.
    """
    return name.strip("/").lower().replace("cpu:0", "cpu")


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
