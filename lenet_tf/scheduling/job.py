"""A job, which is one function with its arguments, and what runs jobs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lenet_tf.errors import RunError

# Called with one message per epoch: its number, and values such as `val_accuracy` and `seconds`.
Notify = Callable[[dict[str, Any]], None]
JobFunction = Callable[[dict[str, Any], Notify], dict[str, Any]]
# The same on the side of the caller, who returns True to stop the job after its epoch in progress.
Watch = Callable[[dict[str, Any]], bool | None]


class UnsuitablePlace(RunError):
    """A job can't run on this machine, but may run on another one.

    Args:
        text: A part of a sentence about this machine, such as `has no MNIST: …`, with what to do.
    """


@dataclass(frozen=True)
class Job:
    """One function with its arguments, for a process of its own.

    Attributes:
        name: The job in words, such as `lenet5, seed 0`.
        function: A function at the top level of a module. It gets the arguments and a function to
            call after each epoch, and returns its result as JSON values.
        arguments: JSON values. The function also gets `home`, the job's folder as text.
        home: The job's folder. The output of its process is `output.log` there.
        environment: Variables to set before the process imports TensorFlow.
    """

    name: str
    function: JobFunction
    arguments: dict[str, Any]
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        return {
            "name": self.name,
            "function": f"{self.function.__module__}:{self.function.__qualname__}",
            "arguments": self.arguments,
            "home": str(self.home),
            "environment": self.environment,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Job:
        """Return the job that `to_dict` described."""
        module, _, name = values["function"].partition(":")
        function = getattr(importlib.import_module(module), name)
        fields = dict(values) | {"function": function, "home": Path(values["home"])}
        return cls(**fields)


def ignore_message(message: dict[str, Any]) -> None:
    """Let a job go on, whatever its message says."""


def ignore_start(place: str) -> None:
    """Do nothing when a job starts."""


class Pool(Protocol):
    """Runs jobs, several at a time. It is a context manager, which ends its processes."""

    @property
    def slots(self) -> int:
        """Number of jobs that run at a time now."""

    @property
    def is_elastic(self) -> bool:
        """Whether `slots` may change. More calls of `run` than slots wait for their turn."""

    def run(
        self,
        job: Job,
        notify: Watch = ignore_message,
        on_start: Callable[[str], None] = ignore_start,
    ) -> dict[str, Any]:
        """Run a job and wait for its end. Call this from a thread for each job.

        Args:
            job: The job.
            notify: Called with each message of the job. If it returns True, the job stops after
                its epoch in progress.
            on_start: Called with the place of the job when it has one: a worker's address, or "".

        Returns:
            What the job's function returned.

        Raises:
            RunError: If the job failed.
            Interrupted: If `stop`, `notify` or a signal stopped the job.
        """

    def stop(self, count: int) -> None:
        """Stop all jobs. A signal handler may call this.

        Args:
            count: 0 starts no other job, 1 lets each finish its epoch, 2 stops at once, 3 kills.
        """

    def __enter__(self) -> Pool: ...

    def __exit__(self, *_: object) -> None: ...
