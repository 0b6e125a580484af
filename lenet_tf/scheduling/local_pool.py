"""Run jobs in processes of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.runtime import environment
from lenet_tf.scheduling.job import Job, Watch, ignore_message, ignore_start
from lenet_tf.scheduling.job_process import JobProcess

# TensorFlow with MNIST in memory.
_BYTES_PER_JOB = 1_500_000_000


def count_free_cores() -> int:
    """Count the jobs that this machine can take at a time.

    Returns:
        The number of idle cores, fewer if memory is short, and at least 1.
    """
    import psutil

    idle = round(environment.usable_cores() * (1 - psutil.cpu_percent(interval=1) / 100))
    return max(1, min(idle, psutil.virtual_memory().available // _BYTES_PER_JOB))


class LocalPool:
    """A pool of processes of this machine, each on a core of its own.

    Args:
        slots: Number of jobs at a time. None: the idle cores.
        pinned: Whether each process keeps to one core.
    """

    is_elastic = False

    def __init__(self, slots: int | None = None, pinned: bool = True) -> None:
        self.slots = slots or count_free_cores()
        self._pinned = pinned
        self._turn = threading.Semaphore(self.slots)
        self._running: set[JobProcess] = set()
        self._lock = threading.Lock()
        # None: no one has called `stop`.
        self._stop_count: int | None = None

    def run(
        self,
        job: Job,
        notify: Watch = ignore_message,
        on_start: Callable[[str], None] = ignore_start,
    ) -> dict[str, Any]:
        """Run a job, as `Pool.run`."""
        with self._turn:
            if self._stop_count is not None:
                raise Interrupted(f"{job.name} has not started")
            try:
                process = JobProcess(job, self._pinned)
            except OSError as error:
                raise RunError(
                    f"{error.strerror or error}: {error.filename or job.home}"
                ) from error
            with self._lock:
                self._running.add(process)
                if self._stop_count:
                    process.stop(self._stop_count)
            on_start("")
            try:
                return process.follow(notify)
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self, count: int) -> None:
        """Stop all jobs, as `Pool.stop`."""
        self._stop_count = max(count, self._stop_count or 0)
        # Without the lock, which the interrupted thread may hold.
        for process in tuple(self._running) if count else ():
            process.stop(count)

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs, after an error of the caller."""
        for process in tuple(self._running):
            process.stop(3)
