"""Measure the graph engine's defaults on two kinds of processor, into results/choices.json.

Two defaults are chosen for speed: which convolutions are lowered to a matrix product (by their
number of kernels, `lenet_tf.engine.im2col.MAX_KERNELS`), and how many threads TensorFlow uses. Each
network is one fresh process for each kind of processor, in which the choices take turns because a
machine's speed changes. Each number of threads is a process of its own. The kinds are this
processor with all its instructions, and with oneDNN limited to AVX2. Usage: choices.py; it needs
about six quiet minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

import common

RESULT = common.RESULTS / "choices.json"
ONEDNN, ISA = "TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA"
KINDS = {
    "all instructions": {ONEDNN: "1", ISA: ""},
    "oneDNN up to AVX2": {ONEDNN: "1", ISA: "AVX2"},
}
NETWORKS = ("lenet5", "lenet5-3x3", "cnn-38k", "lenet-caffe")
# Which convolutions are lowered: the largest number of kernels, None for the package's default.
LOWERED = {"none": 0, "small (chosen)": None, "all": 10**9}
LOWERED_TITLES = ("none lowered", "small lowered (default)", "all lowered")
# Operations in parallel and threads of each operation.
THREADS = {"2 × 1 (chosen)": ("2", "1"), "1 × 2": ("1", "2"), "2 × 2": ("2", "2")}
THREADS_HEADING = "instructions (operations in parallel × threads each)"
THREADS_TITLES = ("2 × 1 (default)", "1 × 2", "2 × 2")
IMAGES, EPOCHS, TURNS = 3600, 4, 2


def train(network: str) -> float:
    """Microseconds an image takes in the fastest of the later epochs."""
    import keras

    import lenet_tf

    seconds: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_test_begin(self, logs=None):
            seconds.append(time.perf_counter() - self.start)

    data, board = lenet_tf.load_data("sample"), lenet_tf.Board(images_every=0, histograms=())
    options = {"epochs": EPOCHS, "validation": 0.1, "engine": "graph", "device": "cpu"}
    options |= {"board": board, "report": False, "quiet": True}
    with tempfile.TemporaryDirectory() as logs:
        lenet_tf.fit(network, data, logs=logs, callbacks=[Clock()], **options)
    return min(seconds[1:]) / IMAGES * 1e6


def measure_lowering(network: str) -> dict[str, list[float]]:
    from lenet_tf.engine import im2col
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    start_tensorflow()
    default, measured = im2col.MAX_KERNELS, {name: [] for name in LOWERED}
    for _ in range(TURNS):
        for name, max_kernels in LOWERED.items():
            im2col.MAX_KERNELS = default if max_kernels is None else max_kernels
            measured[name].append(train(network))
    return measured


def run_child(task: str, environment: dict[str, str]) -> dict | float:
    """Measures in a fresh process. The task is "threads" or "lowering NETWORK"."""
    command = [sys.executable, __file__, "--child", task]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.run(command, env=os.environ | environment, check=True, **options)
    return json.loads(process.stdout.splitlines()[-1])


def measure(max_load: float) -> dict:
    result = common.describe_session() | {"lowering": {}, "threads": {}}
    for network in NETWORKS:
        for kind, environment in KINDS.items():
            common.refuse_load(max_load)
            measured = run_child(f"lowering {network}", environment)
            result["lowering"].setdefault(network, {})[kind] = measured
            print(network, kind, measured, flush=True)
    for kind, environment in KINDS.items():
        measured = {name: [] for name in THREADS}
        for _ in range(TURNS):
            for name, (operations, threads_each) in THREADS.items():
                common.refuse_load(max_load)
                threads = {
                    "TF_NUM_INTEROP_THREADS": operations,
                    "TF_NUM_INTRAOP_THREADS": threads_each,
                }
                measured[name].append(run_child("threads", environment | threads))
        result["threads"][kind] = measured
        print(kind, measured, flush=True)
    return result


def tabulate(columns: Sequence[str], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *lines])


def format_medians(measured: dict[str, list[float]]) -> list[str]:
    return [f"{statistics.median(values):.1f}" for values in measured.values()]


def render_markdown(result: dict) -> str:
    """The README's tables: medians in microseconds an image."""
    lowering = [
        (f"`{network}`", kind, *format_medians(measured))
        for network, kinds in result["lowering"].items()
        for kind, measured in kinds.items()
    ]
    threads = [(kind, *format_medians(measured)) for kind, measured in result["threads"].items()]
    return "\n\n".join(
        [
            tabulate(["network", "instructions", *LOWERED_TITLES], lowering),
            tabulate([THREADS_HEADING, *THREADS_TITLES], threads),
        ]
    )


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--max-load", type=float, default=common.MAX_LOAD)
    options = parser.parse_args()
    if options.child:
        task, _, network = options.child.partition(" ")
        print(json.dumps(measure_lowering(network) if task == "lowering" else train("lenet5")))
        return
    result = measure(options.max_load)
    common.write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
