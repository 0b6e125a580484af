"""Sweeps whose trials are computed by a formula instead of trained."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

# It sets environment variables when it is imported, which is here before the first test.
import sklearn  # noqa: F401
from unreadable import hide_test_images

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.scheduling.job import Job
from lenet_tf.sweep import run as sweep_run
from lenet_tf.sweep.summary import Sweep

SPACE = """
network = "tiny"
data = "sample"
epochs = 4
trials = 12
best = 2
seeds = 3

[space]
learning_rate = { low = 1e-4, high = 1e-1, log = true }
optimizer = ["adam", "sgd"]
momentum = { low = 0, high = 0.9, when = { optimizer = "sgd" } }
batch_size = [16, 32]
"""


def make_data(value: int = 255) -> lenet_tf.RawData:
    """Return small data whose test images nothing may read."""
    images, labels = np.full((40, 28, 28), value, np.uint8), np.arange(40) % 10
    return hide_test_images(lenet_tf.RawData(images, labels, images, labels, name="sample"))


DATA = make_data()


class FormulaPool:
    """A pool whose jobs have the accuracy that a formula gives for their learning rate and seed.

    Args:
        before_epoch: Called with the number of the trial and the epoch before each epoch; None
            for the repeats.
    """

    slots, is_elastic = 1, False

    def __init__(
        self, before_epoch: Callable[[int | None, int], None] = lambda trial, epoch: None
    ) -> None:
        self._before_epoch = before_epoch
        self.jobs: list[Job] = []
        self.epochs = 0
        self.stopped = 0

    def run(self, job: Job, notify: Callable[[dict[str, Any]], Any] = lambda _: None) -> dict:
        self.jobs.append(job)
        if "runs" in job.arguments:
            count = len(job.arguments["runs"])
            return {"accuracy": [0.9] * count, "loss": [0.1] * count}
        is_trial = job.home.parent.name == "trials"
        recipe = job.arguments["spec"]["recipe"]
        settings = job.arguments["settings"]
        rate = recipe["optimizer"]["learning_rate"]
        noise = random.Random(settings["seed"]).gauss(0, 0.002)
        if rate > 0.08:
            return {"kind": "diverged", "problem": "the loss became NaN or infinite in epoch 1"}
        for epoch in range(1, recipe["epochs"] + 1):
            self._before_epoch(int(job.home.name) if is_trial else None, epoch)
            self.epochs += 1
            accuracy = 0.95 - 0.1 * abs(math.log10(rate) + 2) - 0.2 / epoch + noise
            values = {"val_accuracy": accuracy, "val_loss": 1 - accuracy, "seconds": 1.0}
            if notify({"epoch": epoch, **values}):
                raise Interrupted("pruned")
            if self.stopped:
                raise Interrupted("stopped")
        (job.home / "fit" / "run").mkdir(parents=True, exist_ok=True)
        result = {"accuracy": accuracy, "loss": 1 - accuracy, "epochs": epoch, "seconds": 4.0}
        return {"run": "run", "parameters": 1, **result}

    def stop(self, count: int) -> None:
        self.stopped = max(count, self.stopped)

    def __enter__(self) -> FormulaPool:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def run_formula(
    folder: Path,
    space: str = SPACE,
    pool: FormulaPool | None = None,
    data: lenet_tf.RawData = DATA,
    page: bool = False,
    **options: Any,
) -> Sweep:
    """Run a sweep of formulas in a folder, or continue it."""
    (folder / "space.toml").write_text(space, encoding="utf-8")
    used = pool or FormulaPool()
    with contextlib.ExitStack() as patches:
        patches.enter_context(mock.patch.object(sweep_run, "open_pool", return_value=used))
        patches.enter_context(mock.patch("lenet_tf.data.sources.load_data", return_value=data))
        if not page:
            patches.enter_context(mock.patch("lenet_tf.sweep.runner.write_sweep_page"))
        # A busy disk takes a tenth of a second for each line of the journal.
        patches.enter_context(mock.patch("os.fsync"))
        options = {"logs": folder / "logs", "quiet": True} | options
        return sweep_run.run_sweep(folder / "space.toml", **options)


def kill_at(trial: int, epoch: int) -> Callable[[int | None, int], None]:
    """Kill this process, as the system does, before an epoch of a trial."""

    def before_epoch(*position: int | None) -> None:
        if position == (trial, epoch):
            os.kill(os.getpid(), signal.SIGKILL)

    return before_epoch


def fail(*_: object) -> None:
    """Fail as a process that can't start."""
    raise RunError("its process ended with exit code -9")


def list_trials(sweep: Sweep) -> list[tuple]:
    """What must be equal of two sweeps that are the same."""
    return [
        (each.number, each.state, each.params, each.value, each.epochs) for each in sweep.trials
    ]
