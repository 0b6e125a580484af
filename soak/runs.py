"""Training processes, and checks that run folders are readable and equal."""

from __future__ import annotations

import functools
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from lenet_tf.runs import checkpoints

ROOT = Path(__file__).parent.parent
# What differs between equal runs.
TIME_KEYS = ("seconds", "seconds_per_epoch", "finished", "resumed")


def start_command(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    """Starts `lenet-tf` in the folder, with its output in the files stdout and stderr there.

    Args:
        folder: The working directory.
        *arguments: The arguments of the command.
        **variables: Additional environment variables.

    Returns:
        The running process.
    """
    command = [sys.executable, "-m", "lenet_tf", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        # A shell's background job ignores Ctrl-C, and its children inherit that.
        reset = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=err, preexec_fn=reset
        )


def train(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Runs `lenet-tf train` and returns its exit code and stderr."""
    process = start_command(folder, "train", *arguments, **variables)
    process.wait()
    return process.returncode, (folder / "stderr").read_text()


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns every array of a .keras file: the weights and the optimizer's state."""
    arrays = {}

    def add_array(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with zipfile.ZipFile(path) as archive:
        content = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(content)) as weights:
        weights.visititems(add_array)
    return arrays


def check_file(path: Path) -> None:
    """Reads a file of a run folder as what its name says. Raises any exception if it cannot."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
        load_arrays(path)
        checkpoints.read_progress(path)
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".csv":
        widths = {len(line.split(",")) for line in path.read_text().splitlines()}
        assert len(widths) == 1
    else:
        read_tags(path.parent)


def find_unreadable_files(run: Path) -> list[str]:
    """Returns the names of the unreadable files of a run folder, with the errors."""
    errors = []
    for path in sorted(run.rglob("*")):
        if path.is_dir() or path.name == ".lock" or ".partial" in path.name:
            continue
        try:
            check_file(path)
        except Exception as error:
            errors.append(f"{path.name}: {type(error).__name__} {error}")
    return errors


def read_tags(folder: Path) -> dict[str, list[int]]:
    """Returns the steps of each tag as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {tag: [event.step for event in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


def compare_runs(expected: Path, actual: Path) -> list[str]:
    """Returns the differences of two finished runs, except for times."""
    differences = []
    for file in ("final.keras", "best.keras"):
        differences += [
            f"{file}: {name}" for name in compare_arrays(expected / file, actual / file)
        ]
        first, second = (
            drop_times(checkpoints.read_progress(run / file).history) for run in (expected, actual)
        )
        differences += [f"{file}: history"] * (first != second)
    for part in ("train", "validation"):
        if read_tags(expected / part) != read_tags(actual / part):
            differences.append(f"{part}: TensorBoard's tags")
    first, second = (
        drop_times(json.loads((run / "metrics.json").read_text())) for run in (expected, actual)
    )
    return differences + ["metrics.json"] * (first != second)


def compare_arrays(expected: Path, actual: Path) -> list[str]:
    """Returns the names of arrays that differ between two .keras files."""
    first, second = load_arrays(expected), load_arrays(actual)
    return [
        name
        for name in sorted(first.keys() | second.keys())
        if name not in first or name not in second or not np.array_equal(first[name], second[name])
    ]


def drop_times(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in TIME_KEYS}
