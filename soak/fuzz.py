"""Millions of hostile files for every reader: `python soak/fuzz.py --runs N --seed S [--reader NAME]`.

Guided by coverage where atheris is installed (`pip install -e .[soak]`, Python 3.11), with files made by `hostile.py` and bytes changed at
random else. A crash is any exception but a LenetError, a hang an input that takes more than 5 seconds of the processor, whatever else the
machine does (one that waits for 5 minutes ends the process), and memory may rise by 256 MiB.
Prints one line of JSON for each reader and leaves the inputs that were found in `soak/found`; exits with 1 where there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import json
import os
import resource
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

HANG_SECONDS, MAX_MIB = 5.0, 256
ROOT = Path(__file__).parent.parent
FOUND = ROOT / "soak" / "found"
_GUIDED = ["lenet_tf", "zipfile", "tomllib", "PIL"]
with (
    atheris.instrument_imports(include=_GUIDED)
    if "--plain" not in sys.argv and atheris
    else contextlib.nullcontext()
):
    import hostile

    from lenet_tf.errors import LenetError


class Soak:
    """Reads one input after another and counts what comes of it."""

    def __init__(self, reader: str, runs: int, seconds: float, path: Path) -> None:
        self.reader, self.runs, self.seconds, self.path, self.read = (
            reader,
            runs,
            seconds,
            path,
            hostile.READERS[reader][2],
        )
        self.accepted = self.refused = self.hangs = self.slowest = 0
        self.crashes: dict[str, int] = {}
        # Once each way, so that what is loaded only once does not count.
        for seed in range(200):
            self.path.write_bytes(hostile.READERS[reader][1](Random(seed)))
            with contextlib.suppress(Exception):
                self.read(self.path)
        self.base, self.began = _peak_mib(), time.monotonic()

    def take(self, content: bytes) -> None:
        if (self.accepted + self.refused) % 1000 == 0:
            faulthandler.dump_traceback_later(300, exit=True)
        self.path.write_bytes(content)
        start = time.process_time()
        try:
            self.read(self.path)
            self.accepted += 1
        except LenetError as error:
            self.refused += 1
            if len(str(error).splitlines()) > 2 or len(str(error)) > 1_100:
                self._found(
                    content,
                    f"{type(error).__name__} of {len(str(error)):,} letters: {str(error)[:60]}",
                )
        except BaseException as error:
            self.refused += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            self._found(
                content,
                f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {str(error)[:100]}",
            )
        took = time.process_time() - start
        self.slowest = max(self.slowest, took)
        if took > HANG_SECONDS:
            self.hangs += 1
            self._save(content)

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused

    @property
    def done(self) -> bool:
        return self.inputs >= self.runs or time.monotonic() - self.began > self.seconds

    def _found(self, content: bytes, what: str) -> None:
        if what not in self.crashes:
            self._save(content)
        self.crashes[what] = self.crashes.get(what, 0) + 1

    def _save(self, content: bytes) -> None:
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"{self.reader}-{hashlib.sha256(content).hexdigest()[:12]}").write_bytes(content)

    def report(self, way: str) -> int:
        """Prints the line; how the process is to exit."""
        over = round(_peak_mib() - self.base, 1)
        counts = {
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": self.refused,
            "crashes": sum(self.crashes.values()),
        }
        times = {
            "hangs": self.hangs,
            "seconds": round(time.monotonic() - self.began, 1),
            "slowest_s": round(self.slowest, 3),
        }
        line = (
            {"reader": self.reader, "way": way}
            | counts
            | times
            | {"peak_mib_over_base": over, "what": self.crashes}
        )
        print(json.dumps(line), flush=True)
        return int(bool(self.crashes or self.hangs or over > MAX_MIB))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


def mutated(soak: Soak, seed: int) -> int:
    random = Random(seed)
    make = hostile.READERS[soak.reader][1]
    while not soak.done:
        content = make(random)
        soak.take(hostile.havoc(content, random) if random.random() < 0.25 else content)
    return soak.report("seeded mutator")


def guided(soak: Soak, seed: int, corpus: Path) -> None:
    """Never returns: libFuzzer ends the process."""
    make = hostile.READERS[soak.reader][1]
    corpus.mkdir()
    for number in range(200):
        (corpus / str(number)).write_bytes(make(Random(number)))

    def mutate(content: bytes, most: int, number: int) -> bytes:
        random = Random(number)
        how = random.random()
        made = (
            make(random)
            if how < 0.4
            else hostile.havoc(content, random)
            if how < 0.7
            else atheris.Mutate(content, len(content) or 1)
        )
        return made[:most]

    def one(content: bytes) -> None:
        soak.take(content)
        if soak.done:
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
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def all_readers(result: Path) -> int:
    """Each reader in a process of its own."""
    codes, lines = [], []
    for reader in hostile.READERS:
        done = subprocess.run(
            [sys.executable, *sys.argv, "--reader", reader], stdout=subprocess.PIPE, text=True
        )
        print(done.stdout, end="", flush=True)
        codes.append(done.returncode)
        lines += [json.loads(line) for line in done.stdout.splitlines()]
    result.write_text(json.dumps(lines, indent=2) + "\n")
    return max(codes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so many, for each reader"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--reader",
        choices=hostile.READERS,
        help="one of them; all, each in a process of its own, unless given",
    )
    parser.add_argument(
        "--result",
        type=Path,
        default=ROOT / "results" / "fuzz.json",
        help="where the lines of all readers go",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="not guided by coverage, even where atheris is installed",
    )
    given = parser.parse_args()
    if given.reader is None:
        return all_readers(given.result)
    with tempfile.TemporaryDirectory(
        dir="/dev/shm" if os.path.isdir("/dev/shm") else None
    ) as folder:
        (Path(folder) / "files").mkdir()
        soak = Soak(
            given.reader,
            given.runs,
            given.seconds,
            hostile.prepare(given.reader, Path(folder) / "files"),
        )
        if atheris and not given.plain:
            guided(soak, given.seed, Path(folder) / "corpus")
        return mutated(soak, given.seed)


if __name__ == "__main__":
    sys.exit(main())
