"""The runs of the plan, side by side, each in a process of its own on a core of its own; finished ones are only read."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.reproduce import verdicts
from lenet_tf.reproduce.plan import TableRow
from lenet_tf.reproduce.records import RecordStore, name_predictions_apart
from lenet_tf.reproduce.verdicts import Verdict
from lenet_tf.reproduce.worker import process_environment, run_home
from lenet_tf.runtime import environment
from lenet_tf.runtime.signals import ShutdownRequest, handle_signals

# This package, and not what lies in the folder that the command is called in.
_START = "import sys; sys.path[:] = [place for place in sys.path if place]; from lenet_tf.reproduce.worker import main; main()"
_SHUTDOWN_NOTICE = (
    "Stopping after the epochs in progress. Send the signal again to stop at once; "
    "the same command resumes."
)
# Of TensorFlow with MNIST in memory.
_BYTES_A_RUN = 1_500_000_000


@dataclass
class Task:
    """One run of the plan. `epoch`: how many are done; `seconds`: what they took; `state`: waiting, starting, running, stopped, done, or
    why it failed."""

    row: TableRow
    seed: int
    epoch: int = 0
    state: str = "waiting"
    seconds: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.row.name}, seed {self.seed}"

    @property
    def left(self) -> int:
        going = self.state in ("waiting", "starting", "running")
        return self.row.spec.recipe.epochs - self.epoch if going else 0


@dataclass(frozen=True)
class Outcome:
    """A finished run: its record, and how it compares with the one that was there before; `text` says that and how the run came about."""

    task: Task
    record: dict[str, Any]
    verdict: Verdict
    text: str


def free_cores() -> int:
    """How many runs this machine can take side by side: by the cores that nobody keeps busy now, and by memory. psutil: the standard."""
    import psutil

    idle = round(environment.usable_cores() * (1 - psutil.cpu_percent(interval=1) / 100))
    return max(1, min(idle, psutil.virtual_memory().available // _BYTES_A_RUN))


class Runner:
    """Makes the runs of `rows`, `jobs` at a time, and compares them with the records in `store`, which takes those that it lacks.

    `finished` is called with each outcome, `failed` with each task that failed. When two fail for the same reason, no other is begun.
    """

    def __init__(
        self,
        rows: Sequence[TableRow],
        seeds: int | None,
        jobs: int,
        logs: Path,
        store: RecordStore,
        originals: str | None = None,
        finished: Callable[[Outcome], None] = lambda outcome: None,
        failed: Callable[[Task], None] = lambda task: None,
    ) -> None:
        self.tasks = [
            Task(row, seed) for row in rows for seed in range(row.seeds if seeds is None else seeds)
        ]
        self.jobs = min(jobs, len(self.tasks))
        self.logs, self.store, self.originals, self.finished, self.failed = (
            logs,
            store,
            originals,
            finished,
            failed,
        )
        # Before anything runs: what is there must be readable.
        self._known = {row.name: store.read(row) for row in rows}
        self._running: dict[subprocess.Popen, Task] = {}
        self._lock = threading.Lock()
        # `recorded`: whether a record was added.
        self._stopping = self.recorded = False

    def run(self) -> list[Outcome]:
        """All runs' outcomes. Raises `Interrupted`, and `RunError` when a run fails; in both cases what is finished is kept."""
        available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
        cores: queue.SimpleQueue = queue.SimpleQueue()
        for number in range(self.jobs):
            cores.put(available[number % len(available)])
        signals = handle_signals(_SHUTDOWN_NOTICE, self._forward_signal)
        with signals as request, ThreadPoolExecutor(self.jobs) as pool:
            # The longest first, so that the last ones end together.
            order = sorted(self.tasks, key=self._expected, reverse=True)
            futures = [pool.submit(self._one, task, cores) for task in order]
            outcomes = [
                outcome
                for outcome in (future.result() for future in futures)
                if outcome is not None
            ]
        failed = [task for task in self.tasks if task.state not in ("done", "waiting")]
        if request.signal and len(outcomes) < len(self.tasks):
            told = f"interrupted: {len(outcomes)} of {len(self.tasks)} runs are finished. The same command goes on where this one stopped."
            raise Interrupted(told, request.exit_code)
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            raise RunError(f"{failed[0].name}: {failed[0].state}{more}")
        return outcomes

    def seconds_left(self) -> float | None:
        """An estimate from the epochs seen so far, the records, and for a row that has neither the other rows; None where no row has."""
        ratios = [
            statistics.median(task.seconds) / pace
            for task in self.tasks
            if task.seconds and (pace := self._pace(task.row))
        ]
        ratio, paces = statistics.median(ratios) if ratios else 1.0, {}
        for row in {task.row for task in self.tasks}:
            seen = [second for task in self.tasks if task.row is row for second in task.seconds]
            recorded = self._pace(row)
            paces[row.name] = statistics.median(seen) if seen else recorded and recorded * ratio
        known = [pace for pace in paces.values() if pace]
        if not known:
            return None
        total = sum(
            task.left * (paces[task.row.name] or statistics.median(known)) for task in self.tasks
        )
        return total / min(self.jobs, max(1, sum(task.left > 0 for task in self.tasks)))

    def _pace(self, row: TableRow) -> float | None:
        """Seconds an epoch, as recorded."""
        known = [record.get("seconds_per_epoch", 0) for record in self._known[row.name]]
        return statistics.median(known) if known else None

    def _expected(self, task: Task) -> float:
        return (self._pace(task.row) or 10) * task.row.spec.recipe.epochs

    def _one(self, task: Task, cores: queue.SimpleQueue) -> Outcome | None:
        core = cores.get()
        try:
            record, before = (None, False) if self._stopping else self._process(task, core)
            if record is None:
                return None
            self.recorded |= self.store.pages is not None and all(
                old["seed"] != task.seed for old in self._known[task.row.name]
            )
            verdict = verdicts.check_new_record(self.store, task.row, record)
            task.state = "done"
            text = "finished before and not repeated; " * before + verdict.text
            outcome = Outcome(task, name_predictions_apart(record), verdict, text)
            self.finished(outcome)
            return outcome
        except (RunError, OSError) as error:
            task.state = str(error)
            return None
        finally:
            cores.put(core)
            if task.state not in ("done", "waiting", "stopped"):
                self.failed(task)
                self._stopping |= any(
                    other.state == task.state for other in self.tasks if other is not task
                )

    def row_verdicts(self, outcomes: Sequence[Outcome]) -> list[Verdict]:
        """For each row with runs that are other draws than its records: whether they agree with these, taken together."""
        draws = [outcome for outcome in outcomes if not outcome.verdict.exact]
        rows = dict.fromkeys(outcome.task.row for outcome in draws)
        return verdicts.compare_rows(
            self.store,
            self._known,
            {row: [o.record for o in draws if o.task.row == row] for row in rows},
        )

    def _process(self, task: Task, core: int | None) -> tuple[dict[str, Any] | None, bool]:
        """(The record that a run's process gives, whether the run was finished before), None where it was stopped; `task.state` says why it
        failed."""
        home = run_home(self.logs, task.row, task.seed)
        home.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", _START, str(task.seed), "--logs", str(self.logs)]
        command += [] if core is None else ["--core", str(core)]
        command += [] if self.originals is None else ["--originals", self.originals]
        with (home / "output.log").open("ab") as log:
            # Its own session, so that Ctrl-C reaches it once, through here.
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=process_environment(task.row),
                start_new_session=True,
            )
        with self._lock:
            self._running[process] = task
            if self._stopping:
                process.terminate()
        task.state, last = "starting", {}
        # A process that is gone already takes nothing, and has said why in its log.
        with contextlib.suppress(BrokenPipeError), process:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(task.row.to_dict()) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                last = self._heard(task, line) or last
        process.wait()
        with self._lock:
            del self._running[process]
        # The log matters only if the process ended without saying why.
        with contextlib.suppress(OSError):
            if last.keys() & {"record", "error", "interrupted"}:
                Path(log.name).unlink()
            home.rmdir()
        if "record" not in last and task.state in ("starting", "running"):
            task.state = (
                "stopped"
                if self._stopping
                else f"its process ended with {process.returncode}, see {home / 'output.log'}"
            )
        return last.get("record"), bool(last.get("before"))

    @staticmethod
    def _heard(task: Task, line: str) -> dict[str, Any]:
        try:
            said = json.loads(line)
        except ValueError:
            return {}
        if "epoch" in said:
            task.state, task.epoch = "running", said["epoch"]
            # The first one has the graph to make.
            if said.get("seconds") and not (said["epoch"] == 1 and task.row.spec.recipe.epochs > 1):
                task.seconds.append(said["seconds"])
        elif "interrupted" in said:
            task.state = "stopped"
        elif "error" in said:
            task.state = said["error"]
        return said

    def _forward_signal(self, request: ShutdownRequest) -> None:
        self._stopping = True
        for process in list(self._running):
            # A process ends its epoch after the first signal and stops at the second.
            process.send_signal(signal.SIGTERM) if request.count < 3 else process.kill()
