"""Run the search, the repeats and the test of a sweep, and write its page."""

from __future__ import annotations

import concurrent.futures
from dataclasses import dataclass, field
from typing import Any, Protocol

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.runtime.signals import ShutdownRequest, handle_signals
from lenet_tf.scheduling.job import Pool
from lenet_tf.sweep.jobs import JobMaker
from lenet_tf.sweep.page import write_sweep_page
from lenet_tf.sweep.progress import Progress
from lenet_tf.sweep.repeats import Repeats, test_best
from lenet_tf.sweep.search import Search
from lenet_tf.sweep.space import Space
from lenet_tf.sweep.summary import Sweep, summarize

PAGE = "sweep.html"
_NOTICE = (
    "Stopping after the epochs in progress. Send the signal again to stop at once; "
    "the same command continues."
)
# Seconds between the pages of a sweep that runs.
_PAGE_SECONDS = 60


class _Work(Protocol):
    def work(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class SweepRunner:
    """Runs the search, the repeats and the test of a sweep.

    Args:
        study: Optuna's study.
        space: What is searched.
        jobs: Makes the jobs.
        progress: Prints what happens.
    """

    study: Any
    space: Space
    jobs: JobMaker
    progress: Progress
    _current: _Work | None = field(default=None, init=False)

    def run(self, pool: Pool, test: bool) -> Sweep:
        """Run what the study doesn't have yet.

        Args:
            pool: Runs the jobs.
            test: Whether the chosen setting is tested at the end.

        Returns:
            The results.

        Raises:
            RunError, Interrupted: As `run_sweep`. The page shows what is finished.
        """
        self._pool = pool
        with handle_signals(_NOTICE, self._forward_signal) as request:
            try:
                self._search(request)
                sweep = self._repeat(request)
                if test:
                    sweep = test_best(self.study, sweep, self.jobs, pool)
            except Interrupted as error:
                self._check_interrupt(request)
                raise RunError(str(error)) from error
            finally:
                self._write_page()
        self.progress.print_result(sweep)
        return sweep

    def summarize(self) -> Sweep:
        """Return the results so far."""
        return summarize(self.study, self.space, self.jobs.folder)

    def _search(self, request: ShutdownRequest) -> None:
        search = Search(
            self.study,
            self.space,
            self.jobs,
            self._pool,
            lambda number: self.progress.print_trial(self.summarize(), number),
        )
        self.progress.start(self.summarize(), self._pool.slots)
        if not search.is_complete:
            self._work(search)
        if not search.is_complete:
            self._check_interrupt(request)

    def _repeat(self, request: ShutdownRequest) -> Sweep:
        repeats = Repeats(
            self.study, self.summarize(), self.jobs, self._pool, self.progress.print_repeat
        )
        if repeats.missing:
            self.progress.start_repeats(len(repeats.missing))
            self._work(repeats)
            if repeats.missing:
                self._check_interrupt(request)
        return self.summarize()

    def _work(self, work: _Work) -> None:
        """Run a part of the sweep in a thread for each job, and write the page now and then."""
        slots = max(1, self._pool.slots)
        self._current = work
        with concurrent.futures.ThreadPoolExecutor(slots) as threads:
            waiting = {threads.submit(work.work) for _ in range(slots)}
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, _PAGE_SECONDS)
                if waiting:
                    self._write_page()
                for each in done:
                    each.result()

    def _check_interrupt(self, request: ShutdownRequest) -> None:
        if not request.signal:
            return
        finished = sum(each.state != "unfinished" for each in self.summarize().trials)
        raise Interrupted(
            f"interrupted: {finished} of {self.space.trials} trials are finished. Repeat the"
            " command to continue.",
            request.exit_code,
        )

    def _forward_signal(self, request: ShutdownRequest) -> None:
        if self._current is not None:
            self._current.stop()
        self._pool.stop(request.count)

    def _write_page(self) -> None:
        write_sweep_page(self.summarize(), self.jobs.folder / PAGE)
