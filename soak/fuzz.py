"""Feed hostile files to every reader: `python soak/fuzz.py --runs N --seed S [--reader NAME]`.

Coverage guides the inputs where atheris is installed (`pip install -e .[soak]`, Python 3.11).
Otherwise they are the files of `hostile.py`, some of them damaged. A crash is any exception but a
LenetError. A hang takes more than 5 seconds of processor time; an input that blocks for 5 minutes
ends the process. Memory may rise by 256 MiB. Prints one line of JSON for each reader, saves bad
inputs in `soak/found`, and exits with 1 where there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

try:
    import atheris
except ImportError:
    atheris = None

HANG_SECONDS, BLOCKED_SECONDS, MAX_MIB = 5.0, 300, 256
# A LenetError has one or two lines and at most this many letters.
MAX_MESSAGE = 1_100
ROOT = Path(__file__).parent.parent
FOUND = ROOT / "soak" / "found"
_INSTRUMENTED = ["lenet_tf", "zipfile", "tomllib", "PIL"]
with (
    atheris.instrument_imports(include=_INSTRUMENTED)
    if "--plain" not in sys.argv and atheris
    else contextlib.nullcontext()
):
    import hostile
    from memory import measure_peak_mib
    from mutations import mutate_bytes

    from lenet_tf.errors import LenetError


class Soak:
    """Feeds inputs to one reader and counts the outcomes."""

    def __init__(self, reader: str, runs: int, seconds: float, path: Path) -> None:
        self.reader, self.runs, self.seconds, self.path = reader, runs, seconds, path
        self.make, self.read = hostile.READERS[reader].make, hostile.READERS[reader].read
        self.accepted = self.refused = self.hangs = self.slowest = 0
        self.crashes: dict[str, int] = {}
        # Load every module before the memory is measured.
        for seed in range(200):
            self.path.write_bytes(self.make(Random(seed)))
            with contextlib.suppress(Exception):
                self.read(self.path)
        self.base_mib, self.start = measure_peak_mib(), time.monotonic()

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused

    @property
    def is_finished(self) -> bool:
        return self.inputs >= self.runs or time.monotonic() - self.start > self.seconds

    def feed(self, content: bytes) -> None:
        """Lets the reader read one input."""
        if self.inputs % 1000 == 0:
            faulthandler.dump_traceback_later(BLOCKED_SECONDS, exit=True)
        self.path.write_bytes(content)
        start = time.process_time()
        try:
            self.read(self.path)
            self.accepted += 1
        except LenetError as error:
            self.refused += 1
            message = str(error)
            if len(message.splitlines()) > 2 or len(message) > MAX_MESSAGE:
                kind = f"{type(error).__name__} of {len(message):,} letters"
                self._record_crash(content, f"{kind}: {message[:60]}")
        except BaseException as error:
            self.refused += 1
            frame = traceback.extract_tb(error.__traceback__)[-1]
            line = f"{Path(frame.filename).name}:{frame.lineno}"
            self._record_crash(content, f"{type(error).__name__} at {line}: {str(error)[:100]}")
        seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        if seconds > HANG_SECONDS:
            self.hangs += 1
            self._save(content)

    def _record_crash(self, content: bytes, description: str) -> None:
        if description not in self.crashes:
            self._save(content)
        self.crashes[description] = self.crashes.get(description, 0) + 1

    def _save(self, content: bytes) -> None:
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"{self.reader}-{hashlib.sha256(content).hexdigest()[:12]}").write_bytes(content)

    def report(self, method: str) -> int:
        """Prints the outcomes as JSON and returns the exit code."""
        added_mib = round(measure_peak_mib() - self.base_mib, 1)
        line = {
            "reader": self.reader,
            "way": method,
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": self.refused,
            "crashes": sum(self.crashes.values()),
            "hangs": self.hangs,
            "seconds": round(time.monotonic() - self.start, 1),
            "slowest_s": round(self.slowest, 3),
            "peak_mib_over_base": added_mib,
            "what": self.crashes,
        }
        print(json.dumps(line), flush=True)
        return int(bool(self.crashes or self.hangs or added_mib > MAX_MIB))


def fuzz_randomly(soak: Soak, seed: int) -> int:
    """Feeds random files and returns the exit code."""
    random = Random(seed)
    while not soak.is_finished:
        content = soak.make(random)
        soak.feed(mutate_bytes(content, random) if random.random() < 0.25 else content)
    return soak.report("seeded mutator")


def fuzz_guided(soak: Soak, seed: int, corpus: Path) -> None:
    """Feeds files guided by coverage. libFuzzer ends the process."""
    corpus.mkdir()
    for number in range(200):
        (corpus / str(number)).write_bytes(soak.make(Random(number)))

    def mutate(content: bytes, max_size: int, mutation_seed: int) -> bytes:
        random = Random(mutation_seed)
        choice = random.random()
        if choice < 0.4:
            mutated = soak.make(random)
        elif choice < 0.7:
            mutated = mutate_bytes(content, random)
        else:
            mutated = atheris.Mutate(content, len(content) or 1)
        return mutated[:max_size]

    def feed(content: bytes) -> None:
        soak.feed(content)
        if soak.is_finished:
            code = soak.report("atheris")
            sys.stdout.flush()
            os._exit(code)

    flags = [
        f"-seed={seed + 1}",
        "-max_len=100000",
        "-rss_limit_mb=0",
        "-timeout=3600",
        "-verbosity=0",
        "-close_fd_mask=0",
        "-handle_segv=1",
    ]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], feed, custom_mutator=mutate)
    atheris.Fuzz()


def fuzz_all_readers(result: Path) -> int:
    """Runs one process for each reader and returns the worst exit code."""
    codes, lines = [], []
    for reader in hostile.READERS:
        command = [sys.executable, *sys.argv, "--reader", reader]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        print(process.stdout, end="", flush=True)
        codes.append(process.returncode)
        lines += [json.loads(line) for line in process.stdout.splitlines()]
    result.write_text(json.dumps(lines, indent=2) + "\n")
    return max(codes)


def parse_options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for each reader")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="the longest time for each reader"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reader", choices=hostile.READERS, help="default: all, each in a process of its own"
    )
    parser.add_argument(
        "--result",
        type=Path,
        default=ROOT / "results" / "fuzz.json",
        help="where to write the lines of all readers",
    )
    parser.add_argument(
        "--plain", action="store_true", help="don't use coverage, even if atheris is installed"
    )
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    if options.reader is None:
        return fuzz_all_readers(options.result)
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        files = Path(folder) / "files"
        files.mkdir()
        path = hostile.prepare_path(options.reader, files)
        soak = Soak(options.reader, options.runs, options.seconds, path)
        if atheris and not options.plain:
            fuzz_guided(soak, options.seed, Path(folder) / "corpus")
        return fuzz_randomly(soak, options.seed)


if __name__ == "__main__":
    sys.exit(main())
