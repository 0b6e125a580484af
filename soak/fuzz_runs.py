"""Feed hostile run folders to what reads and writes them: `python soak/fuzz_runs.py --runs N`.

Four kinds: "links" puts links, pipes, devices and sockets at the paths that the package reads or
writes, and looks at files outside afterwards; "event files" feeds records to the truncation of a
resumed run; "run folders" damages and mixes the files of runs; "compile_config" compiles and tests
models as a `.keras` file says. Each input is made from the seed, its kind and its number: repeat
one with `--kind NAME --only NUMBER`. A crash is any exception but a LenetError, a changed file
outside, or the end of the process. Prints one line of JSON for each kind, and exits with 1 after a
crash, a hang or too much memory.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FrameType
from typing import TYPE_CHECKING, Any

from memory import measure_peak_mib

from lenet_tf.errors import LenetError

if TYPE_CHECKING:
    from run_kinds import Kind

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The keys of `run_kinds.KINDS`, which starts TensorFlow when it is imported.
KINDS = ("links", "event files", "run folders", "compile_config")
# Seconds of processor time, and of any time, after which an input hangs.
HANG_SECONDS, BLOCKED_SECONDS = 20.0, 60.0
# Beyond the memory after the first inputs.
MAX_MIB = 1_024
_WARM_UP = 20
# A LenetError has one or two lines and at most this many letters.
_MAX_MESSAGE = 1_100
ROOT = Path(__file__).parent.parent


class Blocked(BaseException):
    """An input took too long. It is no `Exception`, which readers may catch."""


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Raises `Blocked` inside the block, and ends the process where Python cannot be reached."""

    def stop(_: int, __: FrameType | None) -> None:
        raise Blocked

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, BLOCKED_SECONDS)
    faulthandler.dump_traceback_later(5 * BLOCKED_SECONDS, exit=True)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        faulthandler.cancel_dump_traceback_later()


class KindSoak:
    """Feeds inputs of one kind and counts the outcomes."""

    def __init__(self, name: str, kind: Kind, seed: int, folder: Path) -> None:
        self.name, self.kind, self.seed, self.folder = name, kind, seed, folder
        self.inputs = self.accepted = self.refused = 0
        self.slowest, self.base_mib = 0.0, measure_peak_mib()
        self.crashes: list[str] = []
        self.hangs: list[str] = []

    def feed(self, number: int) -> None:
        """Makes and uses one input."""
        random = Random(f"{self.seed} {self.name} {number}")
        start, description = time.process_time(), ""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            try:
                description = self.kind.make(Path(folder), random)
                with time_limit():
                    self.kind.use(Path(folder), random)
                self.accepted += 1
            except Blocked:
                self.hangs.append(f"{number} ({description}): blocked")
            except LenetError as error:
                self.refused += 1
                text = str(error)
                if len(text.splitlines()) > 2 or len(text) > _MAX_MESSAGE:
                    self._add_crash(number, description, f"{len(text):,} letters: {text[:80]!r}")
            except AssertionError as error:
                self._add_crash(number, description, str(error))
            except BaseException as error:
                frames = traceback.extract_tb(error.__traceback__)[-3:]
                place = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[::-1])
                what = f"{type(error).__name__} at {place}: {str(error)[:200]}"
                self._add_crash(number, description, what)
        self.inputs += 1
        seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        if seconds > HANG_SECONDS:
            self.hangs.append(f"{number} ({description}): {seconds:.1f} s")
        if self.inputs == _WARM_UP:
            self.base_mib = measure_peak_mib()

    def _add_crash(self, number: int, description: str, what: str) -> None:
        self.crashes.append(f"{number} ({description}): {what}")

    def summarize(self) -> dict[str, Any]:
        return {
            "kind": self.name,
            "seed": self.seed,
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": self.refused,
            "crashes": self.crashes,
            "hangs": self.hangs,
            "slowest_s": round(self.slowest, 2),
            "peak_mib_over_base": round(max(0.0, measure_peak_mib() - self.base_mib), 1),
        }


def fuzz_kind(options: argparse.Namespace) -> dict[str, Any]:
    """Feeds the inputs of one kind in this process, and returns the outcomes."""
    import run_kinds

    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        (Path(folder) / "inputs").mkdir()
        kind = run_kinds.KINDS[options.kind](Path(folder))
        soak = KindSoak(options.kind, kind, options.seed, Path(folder) / "inputs")
        numbers = range(options.start, options.runs) if options.only is None else [options.only]
        start = time.monotonic()
        for number in numbers:
            # The parent reads it where the process ends.
            options.progress.write_text(str(number))
            soak.feed(number)
            if time.monotonic() - start > options.seconds:
                break
        return soak.summarize()


def fuzz_all_kinds(options: argparse.Namespace) -> int:
    """Runs a process for each kind, and another one after each that ended early."""
    lines = []
    for name in KINDS if options.kind is None else [options.kind]:
        lines.append(_run_processes(name, options))
        print(json.dumps(lines[-1]), flush=True)
    options.result.write_text(json.dumps(lines, indent=2) + "\n")
    return int(any(map(_has_failed, lines)))


def _has_failed(line: dict[str, Any]) -> bool:
    return bool(line["crashes"] or line["hangs"] or line["peak_mib_over_base"] > MAX_MIB)


def _run_processes(name: str, options: argparse.Namespace) -> dict[str, Any]:
    start, lost, parts, deaths = 0, 0, [], []
    with tempfile.TemporaryDirectory() as folder:
        progress = Path(folder) / "progress"
        while start < options.runs and len(deaths) < 10:
            flags = ["--kind", name, "--seed", str(options.seed), "--runs", str(options.runs)]
            flags += ["--start", str(start), "--progress", str(progress)]
            flags += ["--seconds", str(options.seconds)]
            command = [sys.executable, __file__, *flags]
            process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if process.returncode in (0, 1) and process.stdout.strip():
                parts.append(json.loads(process.stdout.splitlines()[-1]))
                break
            number = int(progress.read_text()) if progress.exists() else start
            deaths.append(f"{number}: the process ended with {process.returncode}")
            lost, start = lost + number + 1 - start, number + 1
    sums = {key: sum(part[key] for part in parts) for key in ("inputs", "accepted", "refused")}
    sums["inputs"] += lost
    peaks = [(part["slowest_s"], part["peak_mib_over_base"]) for part in parts] or [(0.0, 0.0)]
    return {
        "kind": name,
        "seed": options.seed,
        **sums,
        "crashes": deaths + [text for part in parts for text in part["crashes"]],
        "hangs": [text for part in parts for text in part["hangs"]],
        "slowest_s": max(seconds for seconds, _ in peaks),
        "peak_mib_over_base": max(mib for _, mib in peaks),
        "memory_bound_mib": MAX_MIB,
        "hang_bound_s": HANG_SECONDS,
    }


def parse_options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--runs", type=int, default=2_000, help="inputs of each kind")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="the longest time for each kind"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, help="default: all")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="repeat one input of the kind")
    result = ROOT / "results" / "fuzz_runs.json"
    parser.add_argument("--result", type=Path, default=result)
    parser.add_argument("--start", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    if options.only is not None:
        options.progress = Path(os.devnull)
    if options.progress is None:
        return fuzz_all_kinds(options)
    line = fuzz_kind(options)
    print(json.dumps(line))
    return int(_has_failed(line))


if __name__ == "__main__":
    sys.exit(main())
