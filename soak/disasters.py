"""Train with a full disk, a read-only or deleted folder, a clock set back, and other runs nearby.

    python soak/disasters.py

Each disaster happens to real processes. The table says how each process ended and what it left
behind. Linux only. A full disk needs root to mount it, and the clock needs a C compiler; a disaster
that this machine cannot produce is skipped.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import disaster_scenarios as scenarios
from disaster_scenarios import FAST, SLOW, Outcome
from runs import ROOT, train

DISK_SIZES_KIB = (4, 12, 200, 800, 1000, 1600, 1900, 2200)
# Each scenario takes a folder and an uninterrupted run with the arguments named here.
DISASTERS: dict[str, tuple[Callable[[Path, Path], Outcome], tuple[str, ...]]] = {
    **{
        f"disk of {size} KiB": (functools.partial(scenarios.fill_disk, size=size), FAST)
        for size in DISK_SIZES_KIB
    },
    "run folder becomes read-only": (scenarios.make_run_folder_read_only, SLOW),
    "logs folder is read-only": (scenarios.make_logs_read_only, SLOW),
    "run folder is deleted": (scenarios.delete_run_folder, SLOW),
    "clock goes back an hour": (scenarios.set_clock_back, SLOW),
    "eight runs at once in one logs folder": (scenarios.train_eight_runs, FAST),
    "two processes resume one run at once": (scenarios.resume_twice, SLOW),
    "four processes prepare one dataset at once": (scenarios.prepare_dataset_four_times, SLOW),
}
PROGRAMS = ("mount", "umount", "chattr", "chmod", "cc")
FAILURES = ("TRACEBACK", "UNREADABLE", "DIFFERENT", "NOT RESUMED", "LEFT BEHIND")


def train_uninterrupted(folder: Path, arguments: tuple[str, ...]) -> Path:
    folder.mkdir()
    code, stderr = train(folder, *arguments)
    run = scenarios.find_finished_run(folder)
    assert code == 0 and run is not None, stderr
    return run


def run_scenario(disaster: str, folder: Path, expected: Path) -> Outcome:
    """Runs a scenario in a new folder, or says why this machine cannot."""
    folder.mkdir()
    scenario, _ = DISASTERS[disaster]
    try:
        return scenario(folder, expected)
    except subprocess.CalledProcessError as error:
        return Outcome(f"skipped: {error}", "")
    except FileNotFoundError as error:
        # A missing program is a reason to skip; a missing file of a run is a failure.
        if error.filename not in PROGRAMS:
            raise
        return Outcome(f"skipped: {error}", "")


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--result", type=Path, default=ROOT / "results" / "disasters.json")
    parser.add_argument("--only", default="", help="run disasters whose names contain this")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        references = {
            arguments: train_uninterrupted(Path(name, f"reference-{arguments[0]}"), arguments)
            for arguments in (SLOW, FAST)
        }
        for number, (disaster, (_, arguments)) in enumerate(DISASTERS.items()):
            if options.only not in disaster:
                continue
            folder = Path(name, str(number))
            outcome = run_scenario(disaster, folder, references[arguments])
            ending, remains = (text.replace(str(folder), "…") for text in outcome)
            rows.append({"disaster": disaster, "outcome": ending, "what is left": remains})
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    options.result.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    texts = [row["outcome"] + row["what is left"] for row in rows]
    raise SystemExit(any(failure in text for text in texts for failure in FAILURES))


if __name__ == "__main__":
    main()
