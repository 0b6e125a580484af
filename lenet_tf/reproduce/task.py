"""A planned run with its progress, and the outcome of a finished one."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lenet_tf.reproduce.classical_row import Row
from lenet_tf.reproduce.records import Record
from lenet_tf.reproduce.verdicts import Verdict


class TaskState(enum.Enum):
    """The progress of a run."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


_UNFINISHED = (TaskState.WAITING, TaskState.STARTING, TaskState.RUNNING)


@dataclass
class Task:
    """One run of the plan and its progress.

    Attributes:
        row: The row of the run.
        seed: Its seed.
        state: Its progress.
        error: Why it failed.
        finished_epochs: The number of finished epochs.
        epoch_seconds: The duration of each epoch that tells how long others will take.
    """

    row: Row
    seed: int
    state: TaskState = TaskState.WAITING
    error: str = ""
    finished_epochs: int = 0
    epoch_seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The row and the seed in words."""
        return f"{self.row.name}, seed {self.seed}"

    @property
    def is_running(self) -> bool:
        """Whether the run has a process."""
        return self.state in (TaskState.STARTING, TaskState.RUNNING)

    @property
    def remaining_epochs(self) -> int:
        """The number of epochs left to train; 0 for a run that has ended."""
        if self.state not in _UNFINISHED:
            return 0
        return self.row.epochs - self.finished_epochs

    def update(self, message: Mapping[str, Any]) -> None:
        """Note a finished epoch.

        Args:
            message: Its number as `epoch`, and its `seconds`.
        """
        self.state, self.finished_epochs = TaskState.RUNNING, message["epoch"]
        # The first epoch also compiles the graph.
        is_typical = message["epoch"] > 1 or self.row.epochs == 1
        if message.get("seconds") and is_typical:
            self.epoch_seconds.append(message["seconds"])

    def fail(self, error: str) -> None:
        """Mark the run as failed.

        Args:
            error: Why it failed.
        """
        self.state, self.error = TaskState.FAILED, error


@dataclass(frozen=True)
class Outcome:
    """A finished run and how it compares with its record.

    Attributes:
        task: The run.
        record: Its record, as it is stored.
        verdict: Whether it agrees with the record that existed before.
        message: The verdict in words, and whether the run was finished by an earlier call.
    """

    task: Task
    record: Record
    verdict: Verdict
    message: str
