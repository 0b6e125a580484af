"""Measure the engine's choices on kinds of processor, into results/choices.json.

Two choices are made for speed: which convolutions are lowered to a matrix product (by their number
of kernels, `lenet_tf.engine.im2col.MAX_KERNELS`), and how many threads TensorFlow takes. Each network is
one fresh process for each kind of processor, in which the choices take turns, since a machine's
speed changes; each number of threads is a process of its own. The kinds are this processor with
all its instructions, and with oneDNN limited to AVX2. Usage: choices.py; it needs about six quiet
minutes.
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

    plain = {"board": lenet_tf.Board(images_every=0, histograms=()), "report": False}
    options = {"epochs": EPOCHS, "validation": 0.1, "engine": "graph", "device": "cpu"}
    with tempfile.TemporaryDirectory() as logs:
        data, callbacks = lenet_tf.load_data("sample"), [Clock()]
        options |= {"logs": logs, "callbacks": callbacks, "quiet": True}
        lenet_tf.fit(network, data, **plain, **options)
    return min(seconds[1:]) / IMAGES * 1e6


def measure_lowering(network: str) -> dict[str, list[float]]:
    from lenet_tf.engine import im2col
    from lenet_tf.runtime.tensorflow_start import start_tensorflow

    start_tensorflow()
    chosen, found = im2col.MAX_KERNELS, {name: [] for name in LOWERED}
    for _ in range(TURNS):
        for name, most in LOWERED.items():
            im2col.MAX_KERNELS = chosen if most is None else most
            found[name].append(train(network))
    return found


def run_child(what: str, environment: dict[str, str]) -> dict | float:
    command = [sys.executable, __file__, "--child", what]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    done = subprocess.run(command, env=os.environ | environment, check=True, **options)
    return json.loads(done.stdout.splitlines()[-1])


def measure(max_load: float) -> dict:
    result = common.describe_session() | {"lowering": {}, "threads": {}}
    for network in NETWORKS:
        for kind, environment in KINDS.items():
            common.refuse_load(max_load)
            found = run_child(f"lowering {network}", environment)
            result["lowering"].setdefault(network, {})[kind] = found
            print(network, kind, found, flush=True)
    for kind, environment in KINDS.items():
        found = {name: [] for name in THREADS}
        for _ in range(TURNS):
            for name, (side, within) in THREADS.items():
                common.refuse_load(max_load)
                threads = {"TF_NUM_INTEROP_THREADS": side, "TF_NUM_INTRAOP_THREADS": within}
                found[name].append(run_child("threads", environment | threads))
        result["threads"][kind] = found
        print(kind, found, flush=True)
    return result


def tabulate(heading: list[str], lines: list[tuple[str, ...]], columns: list[str]) -> str:
    head = [*heading, *columns]
    rows = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *rows])


def show(found: dict[str, list[float]]) -> list[str]:
    return [f"{statistics.median(values):.1f}" for values in found.values()]


def render_markdown(result: dict) -> str:
    """The README's tables: medians in microseconds an image."""
    lowering = [
        (f"`{network}`", kind, *show(found))
        for network, kinds in result["lowering"].items()
        for kind, found in kinds.items()
    ]
    threads = [(kind, *show(found)) for kind, found in result["threads"].items()]
    return "\n\n".join(
        [
            tabulate(["network", "instructions"], lowering, list(LOWERED_TITLES)),
            tabulate(
                ["instructions (operations in parallel × threads each)"],
                threads,
                list(THREADS_TITLES),
            ),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--max-load", type=float, default=common.MAX_LOAD)
    options = parser.parse_args()
    if options.child:
        what, _, network = options.child.partition(" ")
        print(json.dumps(measure_lowering(network) if what == "lowering" else train("lenet5")))
        return
    result = measure(options.max_load)
    common.write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
