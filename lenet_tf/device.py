"""Which processor trains: a choice that is said aloud, and never a silent fall back from one that was asked for."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from lenet_tf.errors import DeviceError

CHOICES = "auto, cpu, gpu or gpu:N"


@dataclass(frozen=True)
class Device:
    """`name` is TensorFlow's (`/GPU:0`), `label` is for people."""

    name: str
    label: str

    def scope(self) -> contextlib.AbstractContextManager:
        """Models built and trained inside live on this device."""
        import tensorflow as tf

        return tf.device(self.name)


_CHATTER = re.compile(
    r"I0000 |WARNING: All log messages before absl::InitializeLog|To enable the following instructions|E0000 .* failed call to cuInit"
)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Holds back what TensorFlow's C++ side writes to stderr while it starts, then passes on all but the known chatter.

    Most of these lines come before TF_CPP_MIN_LOG_LEVEL has any say. That no GPU was found is told by `choose`, with the reason.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            lines = caught.read().decode(errors="replace").splitlines(keepends=True)
            sys.stderr.write("".join(line for line in lines if not _CHATTER.match(line)))


def start_tensorflow() -> None:
    """Imports TensorFlow without its start-up chatter and lets GPUs give memory as it is needed instead of all at once.

    To be called before TensorFlow's first operation; later it changes nothing.
    """
    with contextlib.nullcontext() if "tensorflow" in sys.modules else _without_chatter():
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)


def choose(wanted: str = "auto") -> Device:
    """`auto` takes the first GPU or else the CPU; `gpu` and `gpu:N` raise `DeviceError` with the reason when that GPU cannot be used."""
    match = re.fullmatch(r"auto|cpu|gpu(?::(\d+))?", wanted)
    if not match:
        raise DeviceError(f"unknown device {wanted!r}: choose {CHOICES}")
    start_tensorflow()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return Device("/CPU:0", f"CPU, {cores} cores")
    index = int(match[1] or 0)
    if index >= len(gpus):
        raise DeviceError(
            f"device {wanted!r} cannot be used: {why_no_gpu() if not gpus else f'TensorFlow sees only {len(gpus)}'}; --device cpu works"
        )
    details = tf.config.experimental.get_device_details(gpus[index])
    return Device(f"/GPU:{index}", details.get("device_name", f"GPU {index}"))


def why_no_gpu() -> str:
    """The likely reason, with what mends it, that TensorFlow sees no GPU."""
    import tensorflow as tf

    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every GPU"
    if not tf.test.is_built_with_gpu_support():
        return "this TensorFlow is built without GPU support"
    if shutil.which("nvidia-smi") is None:
        return "no NVIDIA driver was found (no nvidia-smi)"
    return "TensorFlow found no CUDA libraries: pip install 'lenet_tf[gpu]'"
