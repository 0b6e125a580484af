"""What a training run makes of a full disk, a folder that is shut or deleted under it, a clock that jumps, and of many others beside it.

    python soak/disasters.py

Each is done to real processes; the table says how each ended and whether what was finished is whole. Linux; a full disk needs the right to
mount (root), and the clock a C compiler: what cannot be done here is said to be skipped.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from runs import ROOT, differences, start, train, unreadable

# Half an epoch a second: time enough to do something to it.
SLOW = ("keras-convnet", "--data", "sample", "--epochs", "4", "--engine", "keras", "--quiet")
PROGRAMS = ("mount", "umount", "chattr", "chmod", "cc")
FAST = ("lenet5", "--data", "sample", "--epochs", "3", "--quiet")


def finished(folder: Path) -> Path | None:
    (run,) = folder.glob("logs/fit/*")
    return run if (run / "metrics.json").exists() else None


def wait_for(folder: Path, pattern: str) -> Path:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        for found in folder.glob(pattern):
            return found
        time.sleep(0.01)
    raise SystemExit(f"{pattern} never came in {folder}: {(folder / 'stderr').read_text()[-1000:]}")


def said(error: str) -> str:
    """The message, and a mark where it is none for people."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    text = " ".join(lines[-3:]).replace(f"{Path(sys.executable).parent}/", "")
    return ("TRACEBACK " if "Traceback" in error else "") + re.sub(
        r"(\.\./)?logs/fit/[\w-]{10,}", "RUN", text
    )


def goes_on(folder: Path, whole: Path) -> str:
    (run,) = folder.glob("logs/fit/*")
    bad = unreadable(run)
    if bad:
        return f"UNREADABLE {bad}"
    code, error = train(folder, "--resume", str(run.relative_to(folder)), "--quiet")
    if code:
        return f"NOT RESUMED {said(error)}"
    found = differences(whole, run)
    return f"DIFFERENT {found}" if found else "resumed, equal to the whole run bit for bit"


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """A file system of `size` KiB at `folder`/logs, and what makes it another size."""
    (folder / "logs").mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", folder / "logs"], check=True
    )
    try:
        yield lambda size: subprocess.run(
            ["mount", "-o", f"remount,size={size}k", folder / "logs"], check=True
        )
    finally:
        subprocess.run(["umount", folder / "logs"], check=True)


def full_disk(folder: Path, whole: Path, size: int) -> tuple[str, str]:
    with small_disk(folder, size) as resize:
        code, error = train(folder, *FAST)
        outcome = f"exit {code}: {said(error)}"
        resize(100_000)
        left = list(folder.glob("logs/fit/*"))
        return outcome, goes_on(folder, whole) if left else "nothing was left behind"


def shut(folder: Path, whole: Path) -> tuple[str, str]:
    process = start(folder, "train", *SLOW)
    run = wait_for(folder, "logs/fit/*/final.keras").parent
    # Root may write anywhere but here.
    close, reopen = (
        (["chattr", f"{sign}i", run] for sign in "+-")
        if os.geteuid() == 0
        else (["chmod", mode, run] for mode in ("555", "755"))
    )
    subprocess.run(close, check=True)
    try:
        process.wait()
    finally:
        subprocess.run(reopen, check=True)
    return f"exit {process.returncode}: {said((folder / 'stderr').read_text())}", goes_on(
        folder, whole
    )


def shut_from_the_start(folder: Path, _: Path) -> tuple[str, str]:
    logs = folder / "logs"
    logs.mkdir()
    close, reopen = (
        (["chattr", f"{sign}i", logs] for sign in "+-")
        if os.geteuid() == 0
        else (["chmod", mode, logs] for mode in ("555", "755"))
    )
    subprocess.run(close, check=True)
    try:
        code, error = train(folder, *FAST)
    finally:
        subprocess.run(reopen, check=True)
    return f"exit {code}: {said(error)}", "LEFT BEHIND" if list(
        logs.iterdir()
    ) else "nothing was left behind"


def deleted(folder: Path, _: Path) -> tuple[str, str]:
    process = start(folder, "train", *SLOW)
    run = wait_for(folder, "logs/fit/*/final.keras").parent
    shutil.rmtree(run, ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)
    process.wait()
    return (
        f"exit {process.returncode}: {said((folder / 'stderr').read_text())}",
        "made anew" if run.exists() else "the folder stays deleted",
    )


def clock_back(folder: Path, whole: Path) -> tuple[str, str]:
    library, mark = folder / "clock.so", folder / "back"
    subprocess.run(
        [
            "cc",
            "-shared",
            "-fPIC",
            "-O1",
            "-o",
            library,
            Path(__file__).with_name("clock.c"),
            "-ldl",
        ],
        check=True,
    )
    process = start(folder, "train", *SLOW, LD_PRELOAD=str(library), CLOCK_BACK=str(mark))
    run = wait_for(folder, "logs/fit/*/final.keras").parent
    mark.touch()
    wait_for(folder, "logs/fit/*/history.csv")
    process.terminate()
    process.wait()
    code, error = train(
        folder,
        "--resume",
        str(run.relative_to(folder)),
        "--quiet",
        LD_PRELOAD=str(library),
        CLOCK_BACK=str(mark),
    )
    seconds = [
        float(line.split(",")[3]) for line in (run / "history.csv").read_text().splitlines()[1:]
    ]
    assert (run / "history.csv").read_text().split(",")[3] == "seconds"
    found = differences(whole, run)
    ended = said(error) or "resumed an hour before it began"
    outcome = (
        f"exit {code}: {ended}; seconds of the epochs {min(seconds):.1f} to {max(seconds):.1f}"
    )
    return (
        outcome,
        f"DIFFERENT {found}"
        if found
        else "equal to the whole run bit for bit, TensorBoard's steps in order",
    )


def eight(folder: Path, whole: Path) -> tuple[str, str]:
    def one(number: int) -> subprocess.Popen:
        own = folder / f"out-{number}"
        own.mkdir()
        return start(own, "train", *FAST, "--logs", "../logs")

    processes = [one(number) for number in range(8)]
    codes = [process.wait() for process in processes]
    runs = sorted(folder.glob("logs/fit/*"))
    found = [difference for run in runs for difference in unreadable(run) + differences(whole, run)]
    found += [f"exit codes {codes}"] * any(codes) + [f"{len(runs)} folders"] * (len(runs) != 8)
    ended = f"exit codes {sorted(set(codes))}, {len(runs)} run folders"
    return ended, f"DIFFERENT {found}" if found else "each equal to a run alone bit for bit"


def two_resume(folder: Path, whole: Path) -> tuple[str, str]:
    process = start(folder, "train", *SLOW)
    run = wait_for(folder, "logs/fit/*/final.keras").parent
    process.kill()
    process.wait()
    others = []
    for number in range(2):
        own = folder / f"out-{number}"
        own.mkdir()
        others.append((own, start(own, "train", "--resume", f"../logs/fit/{run.name}", "--quiet")))
    codes = sorted(process.wait() for _, process in others)
    errors = [text for own, _ in others if (text := said((own / "stderr").read_text()))]
    found = differences(whole, run) + [f"exit codes {codes}"] * (codes != [0, 1])
    return (
        f"exit codes {codes}: {' / '.join(errors)}",
        f"DIFFERENT {found}" if found else "equal to the whole run bit for bit",
    )


def four_prepare(folder: Path, _: Path) -> tuple[str, str]:
    if not os.environ.get("LENET_TF_ORIGINALS"):
        return "skipped: LENET_TF_ORIGINALS names no originals", ""
    script = "import lenet_tf; print(lenet_tf.load_data('mnist').sha256)"
    environment = os.environ | {"TFDS_DATA_DIR": str(folder / "tfds"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    processes = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    outputs = [process.communicate() for process in processes]
    hashes = {out.split()[-1] if out else said(err) for out, err in outputs}
    waited = sum("waiting for it" in err for _, err in outputs)
    left = [
        path.name
        for path in (folder / "tfds").rglob("*")
        if "incomplete" in path.name or path.name.endswith(".lock") or ".partial" in path.name
    ]
    codes = sorted({process.returncode for process in processes})
    return (
        f"exit codes {codes}, {waited} waited",
        f"one SHA-256 {min(hashes)[:12]}…, left behind {left}"
        if len(hashes) == 1
        else f"DIFFERENT {hashes}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--result", type=Path, default=ROOT / "results" / "disasters.json")
    parser.add_argument("--only", default="", help="part of the names of those to do")
    options = parser.parse_args()
    disasters: dict[str, Callable[[Path, Path], tuple[str, str]]] = {
        f"disk of {size} KiB": lambda folder, whole, size=size: full_disk(folder, whole, size)
        for size in (4, 12, 200, 800, 1000, 1600, 1900, 2200)
    }
    disasters |= {
        "run folder becomes read-only": shut,
        "logs folder is read-only": shut_from_the_start,
        "run folder is deleted": deleted,
        "clock goes back an hour": clock_back,
        "eight runs at once in one logs folder": eight,
        "two go on with one run at once": two_resume,
        "four prepare one data set at once": four_prepare,
    }
    rows = []
    with tempfile.TemporaryDirectory() as name:
        whole = {}
        for arguments in (SLOW, FAST):
            folder = Path(name, f"whole-{arguments[0]}")
            folder.mkdir()
            code, error = train(folder, *arguments)
            assert code == 0, error
            whole[arguments] = finished(folder)
        for number, (disaster, happens) in enumerate(disasters.items()):
            if options.only not in disaster:
                continue
            folder = Path(name, str(number))
            folder.mkdir()
            try:
                outcome, left = happens(
                    folder, whole[FAST if "disk" in disaster or "eight" in disaster else SLOW]
                )
            except (FileNotFoundError, subprocess.CalledProcessError) as error:
                # A program or a right that this machine lacks; a file that a run should have left is no excuse.
                if isinstance(error, FileNotFoundError) and error.filename not in PROGRAMS:
                    raise
                outcome, left = f"skipped: {error}", ""
            outcome = outcome.replace(str(folder), "…")
            rows.append(
                {
                    "disaster": disaster,
                    "outcome": outcome,
                    "what is left": left.replace(str(folder), "…"),
                }
            )
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    options.result.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    marks = ("TRACEBACK", "UNREADABLE", "DIFFERENT", "NOT RESUMED", "LEFT BEHIND")
    raise SystemExit(
        any(mark in row["outcome"] + row["what is left"] for row in rows for mark in marks)
    )


if __name__ == "__main__":
    main()
