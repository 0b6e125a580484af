"""The `fast` recipe on seeds it was not chosen on, beside ten epochs of the tutorial's code in the same minutes, into results/fast.json.

Between two seeds' runs, each a `lenet-tf train` process of its own, the tutorial's process (`candidates.py`) takes two epochs and answers
with the time of the second. Refuses a loaded machine. Usage: fast.py [--seeds N].
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed import HERE, machine, refuse_load, save_mnist

RESULT = HERE.parent / "results" / "fast.json"
COMMAND = [
    "train",
    "lenet5-modern",
    "--recipe",
    "fast",
    "--data",
    "mnist",
    "--device",
    "cpu",
    "--quiet",
    "--no-report",
    "--images-every",
    "0",
]


def train(seed: int) -> dict[str, float]:
    """One run: its test accuracy, the seconds of its training with validation and the test, and those from the start of its process."""
    with tempfile.TemporaryDirectory() as logs:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "lenet_tf", *COMMAND, "--seed", str(seed), "--logs", logs], check=True, stdout=subprocess.DEVNULL
        )
        whole = time.perf_counter() - start
        (metrics,) = Path(logs).glob("fit/*/metrics.json")
        run = json.loads(metrics.read_text())
    return {"seed": seed, "test_accuracy": run["test_accuracy"], "training": run["seconds"], "process": whole}


def readme(result: dict) -> str:
    """The README's sentence."""
    accuracies = [100 * run["test_accuracy"] for run in result["runs"]]
    training, process = (statistics.median(run[part] for run in result["runs"]) for part in ("training", "process"))
    tutorial = 10 * statistics.median(result["tutorial_epochs"])
    return (
        f"Over seeds {result['runs'][0]['seed']} to {result['runs'][-1]['seed']}: test accuracy"
        f" {statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f}% ({min(accuracies):.2f}–{max(accuracies):.2f})"
        f" after {training:.1f} s of training (median; validation, files and the test included), {process:.1f} s from the start of the"
        f" process, without pictures and report (`--images-every 0 --no-report`)."
        f" Ten epochs of the tutorial's code take {tutorial:.0f} s in the same minutes, {tutorial / training:.1f} times as long."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    refuse_load()
    result = {**machine(), "command": f"lenet-tf {' '.join(COMMAND)} --seed N", "runs": [], "tutorial_epochs": []}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        save_mnist(data)
        tutorial = subprocess.Popen(
            [sys.executable, str(HERE / "candidates.py"), "tutorial", "32", str(data)],
            **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True},
        )
        assert json.loads(tutorial.stdout.readline())["ready"]
        train(0)  # what a first run prepares and the disk then holds ready
        for seed in range(options.seeds):
            if seed % 3 == 0:
                tutorial.stdin.write("\n")
                tutorial.stdin.flush()
                result["tutorial_epochs"].append(json.loads(tutorial.stdout.readline())["epoch"])
            refuse_load()
            result["runs"].append(train(seed))
            print(result["runs"][-1], f"tutorial {result['tutorial_epochs'][-1]:.2f}", flush=True)
        tutorial.stdin.close()
        tutorial.wait(timeout=60)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(readme(result))


if __name__ == "__main__":
    main()
