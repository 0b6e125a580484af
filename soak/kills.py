"""Kill training runs at random moments, resume them, and compare what they become.

    python soak/kills.py --kills 50 --seed 0

Every run is resumed until it has finished. It must then equal an uninterrupted run, and no file on
the way may be unreadable. Half of the kills come at a random moment of the first half of a run's
duration, start-up included, the others while a file is being written.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from runs import ROOT, compare_runs, find_unreadable_files, start_command, train

# The graph engine, Keras' loop with dropout and distortions, and a schedule with early stopping.
KINDS = {
    "lenet5": ("lenet5", "--epochs", "5"),
    "dropout, distortions": (
        *("keras-convnet", "--data", "sample", "--epochs", "4"),
        *("--augment", "affine+elastic"),
    ),
    "one cycle, early stopping": (
        *("lenet5-modern", "--data", "sample", "--recipe", "fast", "--epochs", "8"),
        *("--early-stopping", "5"),
    ),
}
SIGNALS = {
    "SIGKILL": [signal.SIGKILL],
    "SIGTERM": [signal.SIGTERM],
    "SIGINT": [signal.SIGINT],
    "SIGINT twice": [signal.SIGINT] * 2,
}
# A signal may take an epoch of the slowest kind to end a process.
MAX_SECONDS_TO_END = 300
MAX_KILLS_PER_RUN = 5
# 130 and 143 after an orderly stop; −2, −9 and −15 where the signal ended the process itself, as it
# does before Python has a handler.
EXIT_CODES = (0, 130, 143, -2, -9, -15)


def describe_moment(logs: Path) -> str:
    """Returns how far the only run in `logs` has come."""
    folders = list((logs / "fit").glob("*")) if (logs / "fit").exists() else []
    if not folders or not (folders[0] / "config.json").exists():
        return "before the run started"
    folder = folders[0]
    if list(folder.rglob("*.partial*")):
        return "while a file was being written"
    if (folder / "metrics.json").exists():
        return "after the last file"
    if (folder / "final.keras").exists():
        return "in a later epoch or between epochs"
    return "in the first epoch"


def wait_for_write(process: subprocess.Popen, logs: Path, number: int, seconds: float) -> None:
    """Waits until the process writes its `number`th temporary file, at most `seconds`."""
    files, end = set(), time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        files |= {
            path.name + str(path.parent.stat().st_mtime_ns)
            for path in logs.glob("fit/*/.*partial*")
        }
        if len(files) >= number:
            return
        time.sleep(0.0005)


class Killer:
    """Kills processes of runs and counts the kills by signal and by moment."""

    def __init__(self, kills: int, seed: int) -> None:
        self.kills, self.random = kills, random.Random(seed)
        self.by_signal: Counter[str] = Counter()
        self.by_moment: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.by_signal.total()

    def kill(self, process: subprocess.Popen, logs: Path, duration: float) -> None:
        """Kills a process at a random moment, unless it ends before."""
        if self.random.random() < 0.5:
            wait_for_write(process, logs, self.random.randint(1, 4), duration)
        else:
            time.sleep(self.random.uniform(0, duration / 2))
        if process.poll() is not None:
            return
        name, moment = self.random.choice(list(SIGNALS)), describe_moment(logs)
        for number in SIGNALS[name]:
            process.send_signal(number)
            time.sleep(0.05)
        self.by_signal[name] += 1
        self.by_moment[moment] += 1

    def train(self, kind: str, folder: Path, duration: float) -> tuple[Path, list[str]]:
        """Trains a run to its end through kills.

        Args:
            kind: A key of `KINDS`.
            folder: An empty folder.
            duration: The seconds that an uninterrupted run takes.

        Returns:
            The run folder, and the errors on the way.
        """
        errors: list[str] = []
        max_count = min(self.kills, self.count + MAX_KILLS_PER_RUN)
        for attempt in itertools.count():
            runs = [path for path in folder.glob("logs/fit/*") if (path / "config.json").exists()]
            if runs and (runs[0] / "metrics.json").exists():
                return runs[0], errors
            if not runs:
                # A run killed before its config.json was written cannot be resumed.
                shutil.rmtree(folder / "logs", ignore_errors=True)
            arguments = ("--resume", str(runs[0].relative_to(folder))) if runs else KINDS[kind]
            process = start_command(folder, "train", *arguments)
            if self.count < max_count:
                self.kill(process, folder / "logs", duration)
            code, message = process.wait(MAX_SECONDS_TO_END), (folder / "stderr").read_text()
            if "Traceback" in message or code not in EXIT_CODES:
                errors.append(f"exit code {code} in attempt {attempt}: {message[-500:]}")
            for run in folder.glob("logs/fit/*"):
                errors += find_unreadable_files(run)


def train_uninterrupted(folder: Path, kind: str) -> tuple[Path, float]:
    """Returns the run folder and the seconds of an uninterrupted run."""
    folder.mkdir(parents=True)
    start = time.monotonic()
    code, message = train(folder, *KINDS[kind])
    assert code == 0, message
    (run,) = folder.glob("logs/fit/*")
    return run, time.monotonic() - start


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--result", type=Path, default=ROOT / "results" / "kills.json")
    options = parser.parse_args()
    killer = Killer(options.kills, options.seed)
    result: dict[str, Any] = {"seed": options.seed, "runs": 0, "differing": [], "unreadable": []}
    with tempfile.TemporaryDirectory() as name:
        references = {
            kind: train_uninterrupted(Path(name, f"reference-{number}"), kind)
            for number, kind in enumerate(KINDS)
        }
        for number, kind in enumerate(itertools.cycle(KINDS)):
            if killer.count >= options.kills:
                break
            expected, duration = references[kind]
            folder = Path(name, f"run-{number}")
            folder.mkdir()
            run, errors = killer.train(kind, folder, duration)
            result["runs"] += 1
            result["unreadable"] += errors
            differences = compare_runs(expected, run)
            result["differing"] += [f"{kind}: {difference}" for difference in differences]
            result["kills"] = killer.count
            result["by signal"], result["by moment"] = killer.by_signal, killer.by_moment
            print(json.dumps(result), flush=True)
    options.result.write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(bool(result["differing"] or result["unreadable"]))


if __name__ == "__main__":
    main()
