"""Measure the `fast` recipe on seeds it was not chosen on, into results/fast.json.

Each seed is a `lenet-tf train` process. Before every third seed, the tutorial's code trains ten
epochs in a fresh process (`candidates.py`) for comparison, and then predicts the test images once,
as `lenet-tf train` tests them once. A loaded machine is refused.

With --before, each seed is trained by another revision too, in turns, and both are printed; no file
is written. Usage: fast.py [--seeds N] [--before REVISION].
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import common

RESULT = common.RESULTS / "fast.json"
ROOT = common.HERE.parent
EPOCHS = 10
# The first argument is the folder of the package.
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from lenet_tf.cli import main; main()"
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


def train_fast(seed: int, source: Path = ROOT) -> dict[str, float]:
    """Accuracy, seconds of training with validation, files and test, and of the whole process."""
    with tempfile.TemporaryDirectory() as logs:
        command = [*COMMAND, "--seed", str(seed), "--logs", logs]
        start, cpu_start = time.monotonic(), measure_children()
        subprocess.run(
            [sys.executable, "-c", START, str(source), *command],
            env=common.child_environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        process, cpu = time.monotonic() - start, measure_children() - cpu_start
        (metrics,) = Path(logs).glob("fit/*/metrics.json")
        run = json.loads(metrics.read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "test_accuracy": run["test_accuracy"],
        "training": run["seconds"],
        "process": process,
        "cpu": cpu,
    }


def measure_children() -> float:
    """Seconds of processor time that finished child processes have taken."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def check_out(revision: str) -> Iterator[Path]:
    """The files of a revision in a temporary folder."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "before"
        subprocess.run([*git, "add", "--quiet", "--detach", str(source), revision], check=True)
        try:
            yield source
        finally:
            subprocess.run([*git, "remove", "--force", str(source)], check=True)


def compare(revision: str, seeds: int, max_load: float) -> None:
    """Trains with a revision and with the present code in turns, and prints both."""
    runs: dict[str, list[dict]] = {"before": [], "after": []}
    with check_out(revision) as before:
        sources = {"before": before, "after": ROOT}
        for source in sources.values():
            train_fast(0, source)
        for seed in range(seeds):
            # The first of two processes may find a warmer or a cooler machine.
            for name in sorted(sources, reverse=bool(seed % 2)):
                common.refuse_load(max_load)
                runs[name].append(train_fast(seed, sources[name]))
                print(name, runs[name][-1], flush=True)
    print(f"{'median of ' + str(seeds):<16}{'before':>8}{'after':>8}{'ratio':>8}")
    for part in ("training", "process", "cpu", "test_accuracy"):
        old, new = (statistics.median(run[part] for run in runs[name]) for name in runs)
        print(f"{part:<16}{old:>8.4g}{new:>8.4g}{old / new:>8.2f}")


def train_tutorial(data: Path) -> dict[str, float]:
    """The same of the tutorial's code, with its evaluations and files in the training."""
    measured = common.run_candidate(sys.executable, "tutorial", 32, EPOCHS, data)
    return {
        "test_accuracy": measured["accuracy"],
        "training": measured["first_epoch"] + sum(measured["epoch"]),
        "process": measured["process"],
    }


def render_markdown(result: dict) -> str:
    """Returns the README's sentences."""

    def median(runs: str, part: str) -> float:
        return statistics.median(run[part] for run in result[runs])

    accuracies = [100 * run["test_accuracy"] for run in result["runs"]]
    training, process = (median("runs", part) for part in ("training", "process"))
    slow_training, slow_process = (median("tutorial", part) for part in ("training", "process"))
    return (
        f"Over seeds {result['runs'][0]['seed']} to {result['runs'][-1]['seed']}, test accuracy is"
        f" {statistics.mean(accuracies):.2f} ± {statistics.stdev(accuracies):.2f}%"
        f" ({min(accuracies):.2f}–{max(accuracies):.2f}). Training takes {training:.1f} s (median,"
        f" with validation, files and the test) and the whole process {process:.1f} s, without"
        f" images and report (`--images-every 0 --no-report`). The tutorial's code, {EPOCHS}"
        f" epochs in a fresh process before every third seed, takes {slow_training:.0f} s to"
        f" train ({slow_training / training:.1f} times as long) and {slow_process:.0f} s in total"
        f" ({slow_process / process:.1f} times)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--max-load", type=float, default=common.MAX_LOAD)
    parser.add_argument("--before", metavar="REVISION")
    options = parser.parse_args()
    common.refuse_load(options.max_load)
    if options.before is not None:
        compare(options.before, options.seeds, options.max_load)
        return
    command = f"lenet-tf {' '.join(COMMAND)} --seed N"
    result = common.describe_session() | {"command": command, "runs": [], "tutorial": []}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "mnist.npz"
        common.save_mnist(data)
        # The first process on a machine also reads its libraries from the disk.
        train_fast(0)
        for seed in range(options.seeds):
            if seed % 3 == 0:
                common.refuse_load(options.max_load)
                result["tutorial"].append(train_tutorial(data))
                print("tutorial", result["tutorial"][-1], flush=True)
            common.refuse_load(options.max_load)
            result["runs"].append(train_fast(seed))
            print(result["runs"][-1], flush=True)
    common.write_result(RESULT, result)
    print(render_markdown(result))


if __name__ == "__main__":
    main()
