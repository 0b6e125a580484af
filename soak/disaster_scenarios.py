"""Disasters that happen to real training processes. Linux only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from runs import ROOT, compare_runs, find_unreadable_files, start_command, train

# An epoch takes seconds, long enough for a disaster.
SLOW = ("keras-convnet", "--data", "sample", "--epochs", "4", "--engine", "keras", "--quiet")
FAST = ("lenet5", "--data", "sample", "--epochs", "3", "--quiet")
MAX_WAIT_SECONDS = 300
IDENTICAL = "bit-identical to an uninterrupted run"


class Outcome(NamedTuple):
    """How the process ended, and what it left behind. Words in capitals mark a failure."""

    ending: str
    remains: str


def find_finished_run(folder: Path) -> Path | None:
    (run,) = folder.glob("logs/fit/*")
    return run if (run / "metrics.json").exists() else None


def wait_for_path(folder: Path, pattern: str) -> Path:
    """Waits until a path matches the pattern and returns it. Exits if none does."""
    end = time.monotonic() + MAX_WAIT_SECONDS
    while time.monotonic() < end:
        for path in folder.glob(pattern):
            return path
        time.sleep(0.01)
    stderr = (folder / "stderr").read_text()[-1000:]
    raise SystemExit(f"Error: {pattern} did not appear in {folder}: {stderr}")


def shorten_message(stderr: str) -> str:
    """Returns the error in stderr as one line, without TensorFlow's log and absolute paths."""
    if "Traceback" in stderr:
        return f"TRACEBACK {stderr.splitlines()[-1]}"
    _, prefix, error = stderr.partition("Error: ")
    message = prefix + " ".join(error.split())
    message = message.replace(f"{Path(sys.executable).parent}/", "")
    return re.sub(r"(\.\./)?logs/fit/[\w-]{10,}", "RUN", message)


def describe_ending(code: int | None, folder: Path) -> str:
    return f"exit {code}: {shorten_message((folder / 'stderr').read_text())}"


def describe_differences(differences: list[str], identical: str = IDENTICAL) -> str:
    return f"DIFFERENT {differences}" if differences else identical


def check_resume(folder: Path, expected: Path) -> str:
    """Resumes the only run and compares it with an uninterrupted one."""
    (run,) = folder.glob("logs/fit/*")
    unreadable = find_unreadable_files(run)
    if unreadable:
        return f"UNREADABLE {unreadable}"
    code, stderr = train(folder, "--resume", str(run.relative_to(folder)), "--quiet")
    if code:
        return f"NOT RESUMED {shorten_message(stderr)}"
    return describe_differences(compare_runs(expected, run), f"resumed, {IDENTICAL}")


@contextlib.contextmanager
def mount_small_disk(folder: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Mounts a file system of `size` KiB at `folder`/logs and yields a function to resize it."""
    logs = folder / "logs"
    logs.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", logs]
    subprocess.run(mount, check=True)
    try:
        yield lambda size: subprocess.run(
            ["mount", "-o", f"remount,size={size}k", logs], check=True
        )
    finally:
        subprocess.run(["umount", logs], check=True)


@contextlib.contextmanager
def make_read_only(folder: Path) -> Iterator[None]:
    """Makes a folder read-only inside the block."""
    if os.geteuid() == 0:
        # Permissions don't stop root; the immutable attribute does.
        close, reopen = (["chattr", f"{sign}i", folder] for sign in "+-")
    else:
        close, reopen = (["chmod", mode, folder] for mode in ("555", "755"))
    subprocess.run(close, check=True)
    try:
        yield
    finally:
        subprocess.run(reopen, check=True)


def fill_disk(folder: Path, expected: Path, size: int) -> Outcome:
    with mount_small_disk(folder, size) as resize:
        code, _ = train(folder, *FAST)
        ending = describe_ending(code, folder)
        resize(100_000)
        runs = list(folder.glob("logs/fit/*"))
        return Outcome(ending, check_resume(folder, expected) if runs else "nothing")


def make_run_folder_read_only(folder: Path, expected: Path) -> Outcome:
    process = start_command(folder, "train", *SLOW)
    run = wait_for_path(folder, "logs/fit/*/final.keras").parent
    with make_read_only(run):
        process.wait()
    ending = describe_ending(process.returncode, folder)
    return Outcome(ending, check_resume(folder, expected))


def make_logs_read_only(folder: Path, _: Path) -> Outcome:
    logs = folder / "logs"
    logs.mkdir()
    with make_read_only(logs):
        code, _ = train(folder, *FAST)
    leftovers = list(logs.iterdir())
    remains = f"LEFT BEHIND {leftovers}" if leftovers else "nothing"
    return Outcome(describe_ending(code, folder), remains)


def delete_run_folder(folder: Path, _: Path) -> Outcome:
    process = start_command(folder, "train", *SLOW)
    run = wait_for_path(folder, "logs/fit/*/final.keras").parent
    # The process may write between the two calls.
    for _ in range(2):
        shutil.rmtree(run, ignore_errors=True)
    process.wait()
    remains = "a new run folder" if run.exists() else "nothing: the folder stays deleted"
    return Outcome(describe_ending(process.returncode, folder), remains)


def set_clock_back(folder: Path, expected: Path) -> Outcome:
    library, switch = folder / "clock.so", folder / "back"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
        check=True,
    )
    variables = {"LD_PRELOAD": str(library), "CLOCK_BACK": str(switch)}
    process = start_command(folder, "train", *SLOW, **variables)
    run = wait_for_path(folder, "logs/fit/*/final.keras").parent
    switch.touch()
    wait_for_path(folder, "logs/fit/*/history.csv")
    process.terminate()
    process.wait()
    arguments = ("--resume", str(run.relative_to(folder)), "--quiet")
    code, stderr = train(folder, *arguments, **variables)
    header, *lines = (line.split(",") for line in (run / "history.csv").read_text().splitlines())
    seconds = [float(line[header.index("seconds")]) for line in lines]
    message = shorten_message(stderr) or "resumed an hour before it started"
    ending = f"exit {code}: {message}; epochs took {min(seconds):.1f} to {max(seconds):.1f} s"
    identical = f"{IDENTICAL}, TensorBoard's steps in order"
    return Outcome(ending, describe_differences(compare_runs(expected, run), identical))


def start_in_subfolder(folder: Path, number: int, *arguments: str) -> subprocess.Popen:
    """Starts a training with a working directory, and thus output files, of its own."""
    subfolder = folder / f"out-{number}"
    subfolder.mkdir()
    return start_command(subfolder, "train", *arguments)


def train_eight_runs(folder: Path, expected: Path) -> Outcome:
    processes = [start_in_subfolder(folder, n, *FAST, "--logs", "../logs") for n in range(8)]
    codes = [process.wait() for process in processes]
    runs = sorted(folder.glob("logs/fit/*"))
    problems = []
    for run in runs:
        problems += find_unreadable_files(run) + compare_runs(expected, run)
    problems += [f"exit codes {codes}"] * any(codes) + [f"{len(runs)} folders"] * (len(runs) != 8)
    ending = f"exit codes {sorted(set(codes))}, {len(runs)} run folders"
    return Outcome(ending, describe_differences(problems, "each bit-identical to a run on its own"))


def resume_twice(folder: Path, expected: Path) -> Outcome:
    process = start_command(folder, "train", *SLOW)
    run = wait_for_path(folder, "logs/fit/*/final.keras").parent
    process.kill()
    process.wait()
    arguments = ("--resume", f"../logs/fit/{run.name}", "--quiet")
    processes = [start_in_subfolder(folder, number, *arguments) for number in range(2)]
    codes = sorted(process.wait() for process in processes)
    outputs = [(folder / f"out-{number}" / "stderr").read_text() for number in range(2)]
    messages = [message for output in outputs if (message := shorten_message(output))]
    problems = compare_runs(expected, run) + [f"exit codes {codes}"] * (codes != [0, 1])
    return Outcome(f"exit codes {codes}: {' / '.join(messages)}", describe_differences(problems))


def prepare_dataset_four_times(folder: Path, _: Path) -> Outcome:
    if not os.environ.get("LENET_TF_ORIGINALS"):
        return Outcome("skipped: LENET_TF_ORIGINALS names no originals", "")
    cache = folder / "tfds"
    # `load_data` reads MNIST's own files itself, and prepares what TFDS downloads.
    script = """
import os, pathlib, lenet_tf
from lenet_tf.data.sources import tfds_builder, tfds_preparation
originals = pathlib.Path(os.environ.pop("LENET_TF_ORIGINALS"))
tfds_preparation.prepare_with_lock(tfds_builder.find_builder("mnist"), originals, "originals")
print(lenet_tf.load_data("mnist").sha256)
"""
    environment = os.environ | {"TFDS_DATA_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [
        subprocess.Popen([sys.executable, "-c", script], env=environment, **options)
        for _ in range(4)
    ]
    outputs = [process.communicate() for process in processes]
    hashes = {out.split()[-1] if out else shorten_message(err) for out, err in outputs}
    waited = sum("Waiting." in err for _, err in outputs)
    leftovers = [
        path.name
        for path in cache.rglob("*")
        if "incomplete" in path.name or path.name.endswith(".lock") or ".partial" in path.name
    ]
    codes = sorted({process.returncode for process in processes})
    ending = f"exit codes {codes}, {waited} waited"
    if len(hashes) > 1:
        return Outcome(ending, f"DIFFERENT {hashes}")
    files = f"LEFT BEHIND {leftovers}" if leftovers else "no leftover files"
    return Outcome(ending, f"one SHA-256 {min(hashes)[:12]}…, {files}")
