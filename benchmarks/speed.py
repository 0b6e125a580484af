"""Seconds per epoch of LeNet-5 on MNIST, ours beside the tutorial's code, PyTorch and JAX, into results/speed.json.

Every candidate is a process of its own that waits for its turn (`candidates.py`), so that all are measured in the same minutes: one epoch
each, round after round, after an epoch to warm up. Refuses a loaded machine. Usage: speed.py PYTHON_WITH_TORCH_AND_JAX; `make bench` sets
that up.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lenet_tf.machine import describe
from lenet_tf.specs import get_spec

HERE = Path(__file__).parent
RESULT = HERE.parent / "results" / "speed.json"
BUSIEST = 0.05
ELSEWHERE = ("pytorch", "pytorch-channels-last", "jax")
CANDIDATES = ("tutorial", "keras-steps-50", "lenet_tf", *ELSEWHERE)


def save_mnist(path: Path) -> None:
    """In a process of its own: TensorFlow's threads have no place in this one."""
    script = (
        "import sys, numpy, lenet_tf; data = lenet_tf.load_data('mnist');"
        "numpy.savez(sys.argv[1], x_train=data.x_train[..., 0], y_train=data.y_train, x_test=data.x_test[..., 0], y_test=data.y_test)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def load() -> float:
    """The share of the machine that is busy over a second in which this process sleeps."""

    def ticks() -> tuple[int, int]:
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    busy, total = ticks()
    time.sleep(1)
    busy_after, total_after = ticks()
    return (busy_after - busy) / max(1, total_after - total)


def refuse_load() -> None:
    # What a candidate still tidies up in the background is over in a second or two.
    busy = min(load() for _ in range(3))
    if busy > BUSIEST:
        raise SystemExit(f"Error: something else takes {busy:.0%} of the machine; at most {BUSIEST:.0%} is measured. Try again later.")


def machine() -> dict:
    """What a result says of when, where and with what it was measured."""
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": describe() | {"gflops": gflops()},
        "versions": {"python": platform.python_version(), "tensorflow": version("tensorflow"), "keras": version("keras")},
    }


def gflops() -> float:
    """Billions of float32 operations a second of a large matrix product on all cores, the best of ten."""
    matrix = np.ones((2048, 2048), np.float32)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times) / 1e9


def measure(batch_size: int, data: Path, other: str, rounds: int) -> dict[str, dict]:
    children = {}
    for name in CANDIDATES:
        command = [other if name in ELSEWHERE else sys.executable, str(HERE / "candidates.py"), name, str(batch_size), str(data)]
        children[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert json.loads(children[name].stdout.readline())["ready"], name
        print(f"batch size {batch_size}: {name} has warmed up", flush=True)
    answers = {name: [] for name in CANDIDATES}
    for number in range(rounds):
        refuse_load()
        for name, child in children.items():
            child.stdin.write("\n")
            child.stdin.flush()
            answers[name].append(json.loads(child.stdout.readline()))
        print(f"round {number + 1}:", *(f"{name} {answers[name][-1]['epoch']:.2f}" for name in CANDIDATES), flush=True)
    for child in children.values():
        child.stdin.close()
        child.wait(timeout=60)
    return {name: {key: [answer[key] for answer in own] for key in own[0]} for name, own in answers.items()}


def readme(result: dict) -> str:
    """The README's table: medians, the least and the most, for each candidate and batch size."""
    lines = [
        "| batch size | candidate | s per epoch: median (least–most) | of it training | evaluation | times ours | prediction | peak MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size, candidates in result["batch_sizes"].items():
        ours = statistics.median(candidates["lenet_tf"]["epoch"])
        for name, answers in sorted(candidates.items(), key=lambda pair: statistics.median(pair[1]["epoch"])):
            epoch, *others = (statistics.median(answers[part]) for part in ("epoch", "training", "evaluation", "prediction"))
            training, evaluation, prediction = (f"{seconds:.2f}" for seconds in others)
            span = f"{min(answers['epoch']):.2f}–{max(answers['epoch']):.2f}"
            memory = f"{max(answers['peak_mib']):,.0f}"
            cells = (size, name, f"{epoch:.2f} ({span})", training, evaluation, f"{epoch / ours:.2f}", prediction, memory)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="an interpreter that has torch and jax")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128])
    options = parser.parse_args()
    refuse_load()
    script = "from importlib.metadata import version; print(version('torch'), version('jax'))"
    torch, jax = subprocess.run([options.python, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    result = machine()
    result["versions"] |= {"torch": torch, "jax": jax}
    result |= {
        # A training step is the forward pass and twice as much again for the gradients; a multiply-add is two operations.
        "gflop_an_epoch": 60_000 * get_spec("lenet5").multiply_adds * 2 * 3 / 1e9,
        "rounds": options.rounds,
    }
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        save_mnist(data)
        sizes = options.batch_sizes
        result["batch_sizes"] = {str(size): measure(size, data, options.python, options.rounds) for size in sizes}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(readme(result))


if __name__ == "__main__":
    main()
