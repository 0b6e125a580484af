"""Settings that change the last bits of a result: threads, oneDNN, XLA, TF32, the processor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lenet_tf.runtime import environment, tensorflow_start, threads

# Read by TensorFlow, oneDNN, XLA and cuDNN, besides those for threads.
_VARIABLES = (
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TF_SET_ONEDNN_FPMATH_MODE",
    "TF_DETERMINISTIC_OPS",
    "TF_CUDNN_DETERMINISTIC",
    "NVIDIA_TF32_OVERRIDE",
    "XLA_FLAGS",
    "TF_XLA_FLAGS",
)
_MACHINE = ("architecture", "processor", "features")
_MAX_SHOWN = 60


def read_numerics() -> dict[str, str | bool | None]:
    """Read what config.json records besides the thread variables.

    Call it after TensorFlow's start.

    Returns:
        Setting → value; None where a variable isn't set.
    """
    import tensorflow as tf

    # A number that the user's program has set takes the place of the variable; 0 is the default.
    inter_op = tf.config.threading.get_inter_op_parallelism_threads()
    intra_op = tf.config.threading.get_intra_op_parallelism_threads()
    return {name: (os.environ.get(name) or None) for name in _VARIABLES} | {
        "inter_op_threads": str(inter_op) if inter_op else None,
        "intra_op_threads": str(intra_op) if intra_op else None,
        "usable_cores": str(environment.usable_cores()),
        "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
        "deterministic_operations": tensorflow_start.is_deterministic(),
    }


def describe_differences(config: Mapping[str, Any]) -> str | None:
    """Compare what a run's config.json records with this process.

    Args:
        config: The content of config.json. Settings that it doesn't record are not compared.

    Returns:
        One line, or None if nothing is known to differ.
    """
    device, machine = config["device"], config.get("machine") or {}
    recorded = {name: machine[name] for name in _MACHINE if name in machine}
    recorded |= (device.get("threads") or {}) | (device.get("numerics") or {})
    here = environment.describe_machine() | threads.read_thread_settings() | read_numerics()
    if all(values.get("TF_NUM_INTRAOP_THREADS") for values in (recorded, here)):
        # The cores decide the number of threads only where no variable does.
        here.pop("usable_cores")
    differences = [
        f"{name} is {_show(here[name])} here and was {_show(value)}"
        for name, value in recorded.items()
        if name in here and here[name] != value
    ]
    if not differences:
        return None
    return (
        "The last bits of the results may differ from a run without the interruption: "
        f"{'; '.join(differences)}."
    )


def _show(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
