"""Run the plan: several runs at a time, each in its own process on its own core."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lenet_tf.data.sources import load_data
from lenet_tf.errors import Interrupted, LenetError, RunError
from lenet_tf.reproduce import time_left, verdicts
from lenet_tf.reproduce.classical_row import ClassicalRow, Row
from lenet_tf.reproduce.classical_worker import describe_classical_job
from lenet_tf.reproduce.records import Record, RecordStore, replace_predictions_by_digest
from lenet_tf.reproduce.task import Outcome, Task, TaskState
from lenet_tf.reproduce.verdicts import Verdict
from lenet_tf.reproduce.worker import describe_job, get_run_home
from lenet_tf.runtime.signals import ShutdownRequest, handle_signals
from lenet_tf.scheduling.job import Job, Pool

_SHUTDOWN_NOTICE = (
    "Stopping after the epochs in progress. Send the signal again to stop at once; "
    "the same command resumes."
)
_CLASSICAL_NOTICE = (
    "Stopping classical methods now, and networks after the epochs in progress. Send the signal "
    "again to stop them at once; the same command resumes."
)
# For rows without records, to order the runs.
_DEFAULT_SECONDS_PER_EPOCH = 10.0
_DEFAULT_SECONDS_PER_METHOD = 600.0


class Runner:
    """A runner of rows of the plan, which compares the results with their records.

    Finished runs are read, not repeated. Interrupted runs are resumed. After two failures with the
    same error no other run starts.

    Args:
        rows: The rows to run.
        seeds: The number of seeds of each row; classical methods have no more than their own. None:
            the row's own number.
        pool: Where the runs take place.
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
        rows: Sequence[Row],
        seeds: int | None,
        pool: Pool,
        logs: Path,
        store: RecordStore,
        originals: str | None = None,
        on_finished: Callable[[Outcome], None] = lambda outcome: None,
        on_failed: Callable[[Task], None] = lambda task: None,
    ) -> None:
        self.tasks = [Task(row, seed) for row in rows for seed in range(row.count_seeds(seeds))]
        self.has_new_records = False
        self._pool = pool
        self._logs, self._store, self._originals = logs, store, originals
        self._on_finished, self._on_failed = on_finished, on_failed
        self._recorded = {row.name: store.read(row) for row in rows}
        self._seconds_per_epoch = {
            name: statistics.median(time_left.get_epoch_seconds(record) for record in records)
            for name, records in self._recorded.items()
            if records
        }
        self._stopping = False
        self._sha256: dict[str, str] = {}
        self._data_lock = threading.Lock()

    @property
    def jobs(self) -> int:
        """The number of runs at a time now."""
        return min(self._pool.slots, len(self.tasks))

    def run(self) -> list[Outcome]:
        """Run all tasks.

        Returns:
            The outcome of every run.

        Raises:
            Interrupted: If Ctrl-C or SIGTERM stopped the runs. Finished runs keep their records.
            RunError: If a run failed. The others keep their records.
        """
        # Those of an elastic pool wait for its slots, whose number may grow.
        width = len(self.tasks) if self._pool.is_elastic else self.jobs
        has_methods = any(isinstance(task.row, ClassicalRow) for task in self.tasks)
        notice = _CLASSICAL_NOTICE if has_methods else _SHUTDOWN_NOTICE
        signals = handle_signals(notice, self._forward_signal)
        with signals as request, ThreadPoolExecutor(width) as threads:
            # The longest runs first, so that the last ones end at about the same time.
            tasks = sorted(self.tasks, key=self._expect_seconds, reverse=True)
            results = list(threads.map(self._run_task, tasks))
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
        records: dict[Row, list[Record]] = {}
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
        is_method = isinstance(task.row, ClassicalRow)
        default = _DEFAULT_SECONDS_PER_METHOD if is_method else _DEFAULT_SECONDS_PER_EPOCH
        seconds = self._seconds_per_epoch.get(task.row.name, default)
        return seconds * task.row.epochs

    def _run_task(self, task: Task) -> Outcome | None:
        try:
            if self._stopping:
                return None
            result = self._run_job(task)
            outcome = self._check_record(task, result["record"], result["before"])
            self._on_finished(outcome)
            return outcome
        except Interrupted:
            # A run that has not started goes on waiting.
            task.state = TaskState.STOPPED if task.is_running else task.state
            return None
        except (LenetError, OSError) as error:
            task.fail(str(error))
            return None
        finally:
            if task.state is TaskState.FAILED:
                self._on_failed(task)
                if any(other.error == task.error for other in self.tasks if other is not task):
                    self._stopping = True
                    self._pool.stop(0)

    def _run_job(self, task: Task) -> dict[str, Any]:
        def start(place: str) -> None:
            task.state = TaskState.STARTING

        sha256 = self._hash_data(task.row) if self._pool.is_elastic else None
        return self._pool.run(self._describe_job(task, sha256), task.update, start)

    def _describe_job(self, task: Task, sha256: str | None) -> Job:
        row, seed = task.row, task.seed
        if isinstance(row, ClassicalRow):
            home = get_run_home(self._logs, row, seed)
            return describe_classical_job(row, seed, home, self._originals, sha256)
        return describe_job(row, seed, self._logs, self._originals, sha256)

    def _hash_data(self, row: Row) -> str:
        """Return the SHA-256 of a row's data: those of its records, or those of this machine."""
        for record in self._recorded[row.name]:
            return record["data"]["sha256"]
        with self._data_lock:
            if row.data not in self._sha256:
                self._sha256[row.data] = load_data(row.data, self._originals).sha256
            return self._sha256[row.data]

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
        # A process finishes its epoch after the first signal and stops at the second.
        self._pool.stop(request.count)
