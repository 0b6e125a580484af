"""Shared by the benchmarks: data, the machine and its load, fresh processes of a candidate."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lenet_tf.runtime import environment

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
MAX_LOAD = 0.05

# What the other libraries need to keep to the instructions that ONEDNN_MAX_CPU_ISA allows oneDNN.
CAPS = {
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # PyTorch's MKL, which obeys on Intel processors only
        "OPENBLAS_CORETYPE": "Haswell",  # NumPy
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",  # JAX
    }
}

SAVE_MNIST = """
import sys, numpy, lenet_tf
data = lenet_tf.load_data("mnist")
images = {"x_train": data.x_train[..., 0], "x_test": data.x_test[..., 0]}
numpy.savez(sys.argv[1], **images, y_train=data.y_train, y_test=data.y_test)
"""


def save_mnist(path: Path) -> None:
    """Save MNIST as .npz, in another process so that TensorFlow's threads don't run in this one."""
    subprocess.run([sys.executable, "-c", SAVE_MNIST, str(path)], check=True)


def measure_load() -> float:
    """The share of the machine that is busy over a second in which this process sleeps."""

    def read_ticks() -> tuple[int, int]:
        line = Path("/proc/stat").read_text().splitlines()[0]
        fields = [int(field) for field in line.split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    busy, total = read_ticks()
    time.sleep(1)
    busy_after, total_after = read_ticks()
    return (busy_after - busy) / max(1, total_after - total)


def refuse_load(max_load: float = MAX_LOAD, seconds: int = 10) -> None:
    """Exit unless the machine is quiet in one of the next `seconds`."""
    lowest = 1.0
    for _ in range(seconds):
        lowest = min(lowest, measure_load())
        if lowest <= max_load:
            return
    reason = f"other work takes {lowest:.0%} of the machine, more than {max_load:.0%}"
    raise SystemExit(f"Error: {reason}. Try again later.")


def describe_setting() -> str:
    """The instructions that the environment allows, in words."""
    isa = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    setting = f"capped at {isa}" if isa else "best instructions"
    return f"{setting}, TF_ENABLE_ONEDNN_OPTS={onednn}" if onednn else setting


def child_environment() -> dict[str, str]:
    """This process' environment; a cap for oneDNN also caps the other libraries."""
    caps = CAPS.get(os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper(), {})
    environment = caps | dict(os.environ)
    if caps:
        # XLA lets a later flag win, which is the caller's.
        flags = [caps["XLA_FLAGS"], os.environ.get("XLA_FLAGS", "")]
        environment["XLA_FLAGS"] = " ".join(filter(None, flags))
    return environment


def multiply_matrices() -> float:
    """Billions of float32 operations a second in a large matrix product, the best of ten."""
    matrix = np.ones((2048, 2048), np.float32)
    seconds = []
    for _ in range(10):
        start = time.monotonic()
        matrix @ matrix
        seconds.append(time.monotonic() - start)
    return 2 * 2048**3 / min(seconds) / 1e9


def measure_gflops() -> float:
    """`multiply_matrices` under the caps, which NumPy reads when it is imported."""
    command = [sys.executable, "-c", "import common; print(common.multiply_matrices())"]
    options = {"cwd": HERE, "env": child_environment(), "stdout": subprocess.PIPE}
    return float(subprocess.run(command, check=True, text=True, **options).stdout)


def describe_session() -> dict:
    """When, where and with which versions a benchmark runs."""
    speed = {"gflops": measure_gflops(), "setting": describe_setting()}
    packages = {package: version(package) for package in ("tensorflow", "keras")}
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": environment.describe_machine() | speed,
        "versions": {"python": platform.python_version()} | packages,
    }


def run_candidate(
    python: str,
    name: str,
    batch_size: int,
    epochs: int,
    data: Path,
    variables: dict[str, str] | None = None,
) -> dict:
    """Runs `candidates.py` and adds the start-up and the total time that this process measures.

    `variables` are added to the environment of the process.
    """
    settings = [name, str(batch_size), str(epochs), str(data)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    start = time.monotonic()
    done = subprocess.run(
        [python, str(HERE / "candidates.py"), *settings],
        env=child_environment() | (variables or {}),
        **options,
    )
    process = time.monotonic() - start
    if done.returncode:
        raise SystemExit(f"Error: the candidate {name} failed:\n{done.stderr}")
    measured = json.loads(done.stdout.splitlines()[-1])
    # The monotonic clock is the same in all processes of a machine.
    start_up = measured.pop("first_epoch_at") - start
    return {"start_up": start_up} | measured | {"process": process}


def write_result(path: Path, result: dict) -> None:
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
