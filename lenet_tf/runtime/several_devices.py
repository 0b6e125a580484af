"""Several devices that train one network together, by TensorFlow's `MirroredStrategy`."""

from __future__ import annotations

import functools
import json
import os
import re
from typing import Any

from lenet_tf.errors import DeviceError
from lenet_tf.runtime.environment import usable_cores

_NAME = re.compile(r"(cpu|gpu):(0|[1-9]\d{0,3})")
# Keras' fit fails under it.
_MULTI_WORKER = "https://github.com/keras-team/keras/issues/20585"
_MAX_TEXT = 1 << 20


def split_names(option: str) -> list[str]:
    """Split the name of several devices, such as `cpu:0,cpu:1`.

    Args:
        option: The names, separated by commas.

    Returns:
        The names, such as `["cpu:0", "cpu:1"]`.

    Raises:
        DeviceError: If one is unknown or named twice, or if CPUs and GPUs are mixed.
    """
    names = [name.strip() for name in option.split(",")]
    for name in names:
        if not _NAME.fullmatch(name):
            raise DeviceError(
                f"unknown device {name!r} in {option!r}: name several devices like cpu:0,cpu:1 or"
                " gpu:0,gpu:1, or all GPUs by gpu:all"
            )
        if names.count(name) > 1:
            raise DeviceError(f"device {option!r} names {name} twice: name each device once")
    if len({name[:3] for name in names}) > 1:
        raise DeviceError(
            f"device {option!r} mixes CPUs and GPUs, and each step would wait for the slower: name"
            " devices of one kind"
        )
    return names


def check_cluster() -> None:
    """Check that this process is no worker of a TensorFlow cluster.

    Raises:
        DeviceError: If the variable TF_CONFIG names several workers, each of which would train a
            network of its own.
    """
    try:
        cluster = json.loads(os.environ.get("TF_CONFIG", "")[:_MAX_TEXT])["cluster"]
        workers = sum(len(addresses) for addresses in cluster.values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    if workers > 1:
        raise DeviceError(
            f"TF_CONFIG names a cluster of {workers} workers, and fit trains on one machine, since"
            f" Keras' fit fails under MultiWorkerMirroredStrategy ({_MULTI_WORKER}): unset"
            " TF_CONFIG"
        )


def count_logical_cpus() -> int:
    """Return as how many devices TensorFlow may see the processor."""
    # Two on a single core show that a network can be trained so.
    return max(2, usable_cores())


def create_logical_cpus(option: str, count: int) -> None:
    """Let TensorFlow see the processor as several devices.

    Args:
        option: What the user calls them.
        count: How many devices.

    Raises:
        DeviceError: If the processor has fewer cores, or TensorFlow has started with fewer.
    """
    import tensorflow as tf

    if count > count_logical_cpus():
        raise DeviceError(
            f"device {option!r} is unavailable: it needs {count} cores, and this process may use"
            f" {usable_cores()}. Use --device cpu instead."
        )
    cpu = tf.config.list_physical_devices("CPU")[0]
    if len(tf.config.get_logical_device_configuration(cpu) or ()) >= count:
        return
    try:
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError as error:
        found = len(tf.config.list_logical_devices("CPU"))
        if found < count:
            raise DeviceError(
                f"device {option!r} is unavailable: TensorFlow has started with {found} CPU device"
                f"{'s' * (found > 1)}. Start Python anew, and call fit before anything else uses"
                " TensorFlow, or first of all tf.config.set_logical_device_configuration("
                'tf.config.list_physical_devices("CPU")[0],'
                f" [tf.config.LogicalDeviceConfiguration()] * {count})"
            ) from error


@functools.lru_cache
def create_strategy(names: tuple[str, ...]) -> Any:
    """Return the `MirroredStrategy` over some devices, one for the whole process.

    Args:
        names: TensorFlow's names, such as `("/CPU:0", "/CPU:1")`.

    Raises:
        DeviceError: If TensorFlow refuses.
    """
    import tensorflow as tf

    try:
        return tf.distribute.MirroredStrategy(list(names))
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        # MirroredStrategy reads it too, and doesn't name it where it is no JSON.
        remedy = " (TF_CONFIG is set: unset it)" if "TF_CONFIG" in os.environ else ""
        raise DeviceError(
            f"TensorFlow can't use {', '.join(names)} together: {reason}{remedy}"
        ) from error


def check_no_strategy(model: Any = None) -> None:
    """Check that no strategy of the user's distributes what is trained.

    Args:
        model: A model, which may have been built in a strategy's scope; None for the scope alone.

    Raises:
        DeviceError: If one does. The message names the device to choose instead.
    """
    import tensorflow as tf

    if tf.distribute.has_strategy():
        strategy, place = tf.distribute.get_strategy(), "leave its scope"
    else:
        strategy = getattr(model, "_distribute_strategy", None)
        place = "build the model outside of its scope"
    if strategy is None:
        return
    name = type(strategy).__name__
    if name.startswith(("MultiWorkerMirrored", "CollectiveAllReduce")):
        advice = f"Keras' fit fails under it ({_MULTI_WORKER}): train on one machine"
    elif isinstance(strategy, tf.distribute.MirroredStrategy):
        devices = sorted(_to_option(device) for device in strategy.extended.worker_devices)
        option = ",".join(devices) if len(devices) > 1 else devices[0].replace("cpu:0", "cpu")
        advice = f"fit makes its own: {place}, and pass device={option!r}"
    else:
        advice = (
            f"fit trains on a CPU, a GPU or several of one machine: {place}, and pass"
            " device='auto' or 'gpu:all'"
        )
    raise DeviceError(f"fit can't use a {name}: {advice}")


def _to_option(device: str) -> str:
    """Convert TensorFlow's full name of a device to ours, such as `gpu:0`."""
    return ":".join(device.lower().split(":")[-2:])
