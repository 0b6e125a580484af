"""Run the search, the repeats and the test of a sweep, and write its page."""

from __future__ import annotations

import functools
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
# Seconds between the pages of a sweep that runs, and between two looks for new workers.
_PAGE_SECONDS, _POLL_SECONDS = 60, 1.0
# More jobs at a time than any cluster here has threads.
_MAX_JOBS = 10_000


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
                search = self._search(request)
                self._repeat(request)
                search.end()
                sweep = self.summarize()
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

    def _search(self, request: ShutdownRequest) -> Search:
        search = Search(
            self.study,
            self.space,
            self.jobs,
            self._pool,
            lambda number: self.progress.print_trial(self.summarize(), number),
        )
        self.progress.start(self.summarize(), self._pool.slots, self._pool.is_elastic)
        if not search.is_complete:
            self._work(search)
        if not search.is_complete:
            self._check_interrupt(request)
        return search

    def _repeat(self, request: ShutdownRequest) -> None:
        repeats = Repeats(
            self.study,
            self.summarize(),
            self.jobs,
            self._pool,
            functools.partial(self.progress.print_repeat, self.space),
        )
        if repeats.missing:
            self.progress.start_repeats(len(repeats.missing))
            self._work(repeats)
            if repeats.missing:
                self._check_interrupt(request)

    def _work(self, work: _Work) -> None:
        """Run a part of the sweep in a thread for each job, and write the page now and then.

        Workers of a cluster may join later. A thread for each of their slots starts then and not
        before, since the sampler chooses a trial by the results that there are.
        """
        self._current = work
        waiting: set[Future[None]] = set()
        is_ending, page_time = False, time.monotonic()
        with ThreadPoolExecutor(_MAX_JOBS) as threads:
            while not is_ending or waiting:
                # A thread returns when no job is left to start.
                missing = 0 if is_ending else max(1, self._pool.slots) - len(waiting)
                waiting |= {threads.submit(work.work) for _ in range(missing)}
                done, waiting = wait(waiting, _POLL_SECONDS, FIRST_COMPLETED)
                is_ending |= bool(done)
                for each in done:
                    each.result()
                if time.monotonic() - page_time > _PAGE_SECONDS:
                    page_time = time.monotonic()
                    self._write_page()

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
