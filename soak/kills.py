"""Kills training runs at random moments and goes on with them until they are finished: nothing may be lost, and nothing differ.

    python soak/kills.py --kills 50 --seed 0

Half of the moments are drawn from the first half of the time that a whole run takes, start-up included, the others are those at which a
file is being written.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

from runs import ROOT, differences, start, train, unreadable

# Full training by batches, one with dropout and distortions in Keras' own steps, and one whose learning rate follows a cycle.
KINDS = {
    "lenet5": ("lenet5", "--epochs", "5"),
    "dropout, distortions": (
        "keras-convnet",
        "--data",
        "sample",
        "--epochs",
        "4",
        "--augment",
        "affine+elastic",
    ),
    "one cycle, early stopping": (
        "lenet5-modern",
        "--data",
        "sample",
        "--recipe",
        "fast",
        "--epochs",
        "8",
        "--early-stopping",
        "5",
    ),
}
SIGNALS = {
    "SIGKILL": [signal.SIGKILL],
    "SIGTERM": [signal.SIGTERM],
    "SIGINT": [signal.SIGINT],
    "SIGINT twice": [signal.SIGINT] * 2,
}
# How long a signal may take to end a process: an epoch of the slowest kind.
PATIENCE = 300
# Kills of one run: more runs say more.
MAX = 5


def where(logs: Path) -> str:
    """How far the only run in `logs` has come, for the table of moments."""
    folders = list((logs / "fit").glob("*")) if (logs / "fit").exists() else []
    if not folders or not (folders[0] / "config.json").exists():
        return "before the run started"
    folder = folders[0]
    if list(folder.rglob("*.partial*")):
        return "while a file was being written"
    if (folder / "metrics.json").exists():
        return "after the last file"
    return (
        "in a later epoch or between epochs"
        if (folder / "final.keras").exists()
        else "in the first epoch"
    )


def wait_for_a_file(process: object, logs: Path, number: int, seconds: float) -> None:
    """Until the process writes its `number`th file under a temporary name, or so many seconds have passed."""
    seen, end = set(), time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        seen |= {
            path.name + str(path.parent.stat().st_mtime_ns)
            for path in logs.glob("fit/*/.*partial*")
        }
        if len(seen) >= number:
            return
        time.sleep(0.0005)


def one_run(
    kind: str,
    folder: Path,
    chance: random.Random,
    duration: float,
    count: collections.Counter,
    most: int,
) -> tuple[Path, list[str]]:
    """(The finished run's folder, the files that could not be read on the way)."""
    bad: list[str] = []
    most = min(most, sum(count[name] for name in SIGNALS) + MAX)
    for attempt in itertools.count():
        runs = [path for path in folder.glob("logs/fit/*") if (path / "config.json").exists()]
        if runs and (runs[0] / "metrics.json").exists():
            return runs[0], bad
        if not runs:
            # Killed before its config.json was there, a run has not begun.
            shutil.rmtree(folder / "logs", ignore_errors=True)
        arguments = ("--resume", str(runs[0].relative_to(folder))) if runs else KINDS[kind]
        process = start(folder, "train", *arguments)
        if sum(count[name] for name in SIGNALS) < most:
            if chance.random() < 0.5:
                wait_for_a_file(process, folder / "logs", chance.randint(1, 4), duration)
            else:
                time.sleep(chance.uniform(0, duration / 2))
        if process.poll() is None and sum(count[name] for name in SIGNALS) < most:
            name = chance.choice(list(SIGNALS))
            moment = where(folder / "logs")
            for number in SIGNALS[name]:
                process.send_signal(number)
                time.sleep(0.05)
            count[name] += 1
            count[moment] += 1
        code = process.wait(PATIENCE)
        error = (folder / "stderr").read_text()
        # A signal in Python's own start or end has no handler; a shell says 130 for −2, too.
        if "Traceback" in error or code not in (0, 130, 143, -2, -9, -15):
            bad.append(f"exit code {code} in attempt {attempt}: {error[-500:]}")
        for run in folder.glob("logs/fit/*"):
            bad += unreadable(run)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--result", type=Path, default=ROOT / "results" / "kills.json")
    options = parser.parse_args()
    chance, count = random.Random(options.seed), collections.Counter()
    result: dict[str, object] = {"seed": options.seed, "runs": 0, "differing": [], "unreadable": []}
    with tempfile.TemporaryDirectory() as name:
        whole, durations = {}, {}
        for kind, arguments in KINDS.items():
            folder = Path(name, "whole", kind.split(",")[0])
            folder.mkdir(parents=True)
            begin = time.monotonic()
            code, error = train(folder, *arguments)
            assert code == 0, error
            durations[kind] = time.monotonic() - begin
            (whole[kind],) = folder.glob("logs/fit/*")
        for number in itertools.count():
            if sum(count[signal_name] for signal_name in SIGNALS) >= options.kills:
                break
            kind = list(KINDS)[number % len(KINDS)]
            folder = Path(name, f"run-{number}")
            folder.mkdir()
            run, bad = one_run(kind, folder, chance, durations[kind], count, options.kills)
            result["runs"] += 1
            result["unreadable"] += bad
            result["differing"] += [
                f"{kind}: {difference}" for difference in differences(whole[kind], run)
            ]
            by_signal, by_moment = (
                {n: k for n, k in count.items() if (n in SIGNALS) == of_signals}
                for of_signals in (True, False)
            )
            result |= {
                "kills": sum(by_signal.values()),
                "by signal": by_signal,
                "by moment": by_moment,
            }
            print(json.dumps(result), flush=True)
    options.result.write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(bool(result["differing"] or result["unreadable"]))


if __name__ == "__main__":
    main()
