"""Run the plan: several runs at a time, each in its own process on its own core."""

from __future__ import annotations

import os
import queue
import signal
import statistics
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.reproduce import time_left, verdicts
from lenet_tf.reproduce.records import Record, RecordStore, replace_predictions_by_digest
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.reproduce.task import Outcome, Task, TaskState
from lenet_tf.reproduce.verdicts import Verdict
from lenet_tf.reproduce.worker_process import (
    END_MESSAGES,
    describe_end,
    follow_worker,
    get_run_home,
    remove_log,
    start_worker,
)
from lenet_tf.runtime import environment
from lenet_tf.runtime.signals import ShutdownRequest, handle_signals

# TensorFlow with MNIST in memory.
_BYTES_PER_RUN = 1_500_000_000
_SHUTDOWN_NOTICE = (
    "Stopping after the epochs in progress. Send the signal again to stop at once; "
    "the same command resumes."
)
# On Windows SIGTERM would end a process at once.
_STOP = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM)
# For rows without records, to order the runs.
_DEFAULT_SECONDS_PER_EPOCH = 10.0


def count_free_cores() -> int:
    """Count the runs that this machine can take at a time.

    Returns:
        The number of idle cores, fewer if memory is short, and at least 1.
    """
    import psutil

    idle = round(environment.usable_cores() * (1 - psutil.cpu_percent(interval=1) / 100))
    return max(1, min(idle, psutil.virtual_memory().available // _BYTES_PER_RUN))


class Runner:
    """A runner of rows of the plan, which compares the results with their records.

    Finished runs are read, not repeated. Interrupted runs are resumed. After two failures with the
    same error no other run starts.

    Args:
        rows: The rows to run.
        seeds: The number of seeds of each row. None: the row's own number.
        jobs: The number of runs at a time.
        logs: The folder of all run folders.
        store: The records. New ones are added if the store has pages.
        originals: The folder of the published data files.
        on_finished: Called with the outcome of each finished run.
        on_failed: Called with each task that failed.

    Raises:
        RunError: If a record of these rows can't be read.
    """

    def __init__(
        self,
        rows: Sequence[TableRow],
        seeds: int | None,
        jobs: int,
        logs: Path,
        store: RecordStore,
        originals: str | None = None,
        on_finished: Callable[[Outcome], None] = lambda outcome: None,
        on_failed: Callable[[Task], None] = lambda task: None,
    ) -> None:
        self.tasks = [
            Task(row, seed) for row in rows for seed in range(row.seeds if seeds is None else seeds)
        ]
        self.jobs = min(jobs, len(self.tasks))
        self.has_new_records = False
        self._logs, self._store, self._originals = logs, store, originals
        self._on_finished, self._on_failed = on_finished, on_failed
        self._recorded = {row.name: store.read(row) for row in rows}
        self._seconds_per_epoch = {
            name: statistics.median(record["seconds_per_epoch"] for record in records)
            for name, records in self._recorded.items()
            if records
        }
        self._running: dict[subprocess.Popen[str], Task] = {}
        self._lock = threading.Lock()
        self._stopping = False

    def run(self) -> list[Outcome]:
        """Run all tasks.

        Returns:
            The outcome of every run.

        Raises:
            Interrupted: If Ctrl-C or SIGTERM stopped the runs. Finished runs keep their records.
            RunError: If a run failed. The others keep their records.
        """
        available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
        cores: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        for number in range(self.jobs):
            cores.put(available[number % len(available)])
        signals = handle_signals(_SHUTDOWN_NOTICE, self._forward_signal)
        with signals as request, ThreadPoolExecutor(self.jobs) as pool:
            # The longest runs first, so that the last ones end at about the same time.
            tasks = sorted(self.tasks, key=self._expect_seconds, reverse=True)
            futures = [pool.submit(self._run_task, task, cores) for task in tasks]
            results = [future.result() for future in futures]
        outcomes = [outcome for outcome in results if outcome is not None]
        if request.signal and len(outcomes) < len(self.tasks):
            raise Interrupted(
                f"interrupted: {len(outcomes)} of {len(self.tasks)} runs are finished. Repeat the"
                " command to resume the others.",
                request.exit_code,
            )
        self._raise_failures()
        return outcomes

    def estimate_seconds_left(self) -> float | None:
        """Estimate the time until all runs are finished; None if no epoch is known."""
        return time_left.estimate_seconds_left(self.tasks, self._seconds_per_epoch, self.jobs)

    def compare_rows(self, outcomes: Sequence[Outcome]) -> list[Verdict]:
        """Compare the means of rows whose runs can't be compared exactly with their records.

        Args:
            outcomes: The outcomes from `run`.

        Returns:
            A verdict for each such row that has records.
        """
        records: dict[TableRow, list[Record]] = {}
        for outcome in outcomes:
            if not outcome.verdict.is_exact:
                records.setdefault(outcome.task.row, []).append(outcome.record)
        return verdicts.compare_rows(self._store, self._recorded, records)

    def _raise_failures(self) -> None:
        failed = [
            task for task in self.tasks if task.state not in (TaskState.DONE, TaskState.WAITING)
        ]
        if failed:
            reason = failed[0].error or failed[0].state.value
            others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            raise RunError(f"{failed[0].name}: {reason}{others}")

    def _expect_seconds(self, task: Task) -> float:
        seconds = self._seconds_per_epoch.get(task.row.name, _DEFAULT_SECONDS_PER_EPOCH)
        return seconds * task.row.spec.recipe.epochs

    def _run_task(self, task: Task, cores: queue.SimpleQueue[int | None]) -> Outcome | None:
        core = cores.get()
        try:
            message = {} if self._stopping else self._run_worker(task, core)
            if "record" not in message:
                return None
            outcome = self._check_record(task, message["record"], bool(message.get("before")))
            self._on_finished(outcome)
            return outcome
        except (RunError, OSError) as error:
            task.fail(str(error))
            return None
        finally:
            cores.put(core)
            if task.state is TaskState.FAILED:
                self._on_failed(task)
                self._stopping |= any(
                    other.error == task.error for other in self.tasks if other is not task
                )

    def _run_worker(self, task: Task, core: int | None) -> dict[str, Any]:
        home = get_run_home(self._logs, task.row, task.seed)
        process = start_worker(task, self._logs, self._originals, core)
        with self._lock:
            self._running[process] = task
            if self._stopping:
                process.terminate()
        message = follow_worker(process, task)
        with self._lock:
            del self._running[process]
        # The log matters only if the process ended without a reason.
        if message.keys() & END_MESSAGES:
            remove_log(home)
        if "record" not in message and task.is_running:
            if self._stopping:
                task.state = TaskState.STOPPED
            else:
                task.fail(describe_end(process, home))
        return message

    def _check_record(self, task: Task, record: Record, was_finished: bool) -> Outcome:
        self.has_new_records |= self._store.pages is not None and all(
            recorded["seed"] != task.seed for recorded in self._recorded[task.row.name]
        )
        verdict = verdicts.check_new_record(self._store, task.row, record)
        task.state = TaskState.DONE
        origin = "finished before, not repeated; " if was_finished else ""
        stored = replace_predictions_by_digest(record)
        return Outcome(task, stored, verdict, origin + verdict.message)

    def _forward_signal(self, request: ShutdownRequest) -> None:
        self._stopping = True
        for process in list(self._running):
            # A process finishes its epoch after the first signal and stops at the second.
            process.send_signal(_STOP) if request.count < 3 else process.kill()
