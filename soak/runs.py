"""What the soak scripts share: training processes, and whether what they leave is readable and the same."""

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


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    """`lenet-tf` with these arguments, in `folder`, its output into files there."""
    command = [sys.executable, "-m", "lenet_tf", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    with (folder / "stdout").open("w") as out, (folder / "stderr").open("w") as err:
        # A shell's job in the background ignores Ctrl-C, and so would its children.
        reset = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        return subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=err, preexec_fn=reset
        )


def train(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """(Exit code, stderr) of `lenet-tf train`."""
    process = start(folder, "train", *arguments, **variables)
    process.wait()
    return process.returncode, (folder / "stderr").read_text()


def arrays(file: Path) -> dict[str, np.ndarray]:
    """Every array of a .keras file: weights and the optimizer's state."""
    found = {}
    with (
        zipfile.ZipFile(file) as archive,
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights,
    ):
        weights.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
    return found


def unreadable(run: Path) -> list[str]:
    """The files of a run folder, finished or not, that a reader could not read; each is tried as what it is."""
    bad = []
    for path in sorted(run.rglob("*")):
        if path.is_dir() or path.name == ".lock" or ".partial" in path.name:
            continue
        try:
            if path.suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None
                arrays(path)
                checkpoints.read_progress(path)
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".csv":
                widths = {len(line.split(",")) for line in path.read_text().splitlines()}
                assert len(widths) == 1
            else:
                tags(path.parent)
        except Exception as error:
            bad.append(f"{path.name}: {type(error).__name__} {error}")
    return bad


def tags(folder: Path) -> dict[str, list[int]]:
    """TensorBoard's tags with their steps, as TensorBoard itself reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {tag: [event.step for event in events.Tensors(tag)] for tag in events.Tags()["tensors"]}


def differences(whole: Path, other: Path) -> list[str]:
    """What two finished runs do not have in common, times and names apart."""
    found = []
    for file in ("final.keras", "best.keras"):
        a, b = arrays(whole / file), arrays(other / file)
        found += [
            f"{file}: {name}"
            for name in a.keys() | b.keys()
            if name not in a or name not in b or not np.array_equal(a[name], b[name])
        ]
        histories = [
            _timeless(checkpoints.read_progress(run / file).history) for run in (whole, other)
        ]
        found += [f"{file}: history"] if histories[0] != histories[1] else []
    found += [
        f"{part}: TensorBoard's tags"
        for part in ("train", "validation")
        if tags(whole / part) != tags(other / part)
    ]
    metrics = [_timeless(json.loads((run / "metrics.json").read_text())) for run in (whole, other)]
    return found + (["metrics.json"] if metrics[0] != metrics[1] else [])


def _timeless(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name not in ("seconds", "seconds_per_epoch", "finished", "resumed")
    }
