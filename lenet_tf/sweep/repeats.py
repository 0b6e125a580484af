"""After the search: repeat the best settings with fresh seeds, and test the chosen one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.scheduling.job import Job, Pool
from lenet_tf.sweep.jobs import JobMaker, get_trial_seed, list_fresh_seeds
from lenet_tf.sweep.summary import RESULT, TEST, Sweep, read_repeats, record_repeat, summarize


class Repeats:
    """Runs the repeats of a sweep. Those that the study has are not run again.

    Args:
        study: Optuna's study.
        sweep: Its results.
        jobs: Makes the jobs.
        pool: Runs them.
        on_finished: Called after each repeat with the trial, the seed and the result.
    """

    def __init__(
        self,
        study: Any,
        sweep: Sweep,
        jobs: JobMaker,
        pool: Pool,
        on_finished: Callable[[int, int, dict[str, Any]], None],
    ) -> None:
        self._study, self._jobs, self._pool = study, jobs, pool
        self._on_finished, self._lock, self._stopping = on_finished, threading.Lock(), False
        done = read_repeats(study)
        self.missing = [
            (trial, seed)
            for trial in sweep.choose_best(sweep.space.best)
            for seed in list_fresh_seeds(sweep.space)
            if seed not in done.get(trial.number, {})
        ]

    def stop(self) -> None:
        """Start no other repeat."""
        self._stopping = True

    def work(self) -> None:
        """Run repeats until none is left. Call this in a thread for each job at a time.

        Raises:
            RunError: One failed.
        """
        while True:
            with self._lock:
                if self._stopping or not self.missing:
                    return
                trial, seed = self.missing.pop(0)
            try:
                job = self._jobs.make_repeat(trial.number, trial.params, seed)
                result = _run_twice(self._pool, job)
            except (Interrupted, RunError):
                with self._lock:
                    self.missing.append((trial, seed))
                    is_stopping, self._stopping = self._stopping, True
                if is_stopping:
                    return
                raise
            with self._lock:
                record_repeat(self._study, trial.number, seed, result)
            self._on_finished(trial.number, seed, result)


def _run_twice(pool: Pool, job: Job) -> dict[str, Any]:
    """Run a job, and once more if its process fails."""
    try:
        return pool.run(job)
    except RunError:
        return pool.run(job)


def test_best(study: Any, sweep: Sweep, jobs: JobMaker, pool: Pool) -> Sweep:
    """Test the chosen setting on the test images, unless it is tested already.

    Args:
        study: Optuna's study.
        sweep: Its results.
        jobs: Makes the jobs.
        pool: Runs them.

    Returns:
        The results with those of the test.
    """
    best = sweep.best
    if best is None or any(each["trial"] == best.number for each in sweep.test):
        return sweep
    results = read_repeats(study).get(best.number, {})
    folders = {
        seed: sweep.path / "repeats" / f"{best.number:04}-seed-{seed}" / "fit" / each["run"]
        for seed, each in results.items()
    }
    if not folders:
        run = study.get_trials(deepcopy=False)[best.number].user_attrs[RESULT]["run"]
        seed = get_trial_seed(sweep.space, best.number)
        folders = {seed: sweep.path / "trials" / f"{best.number:04}" / "fit" / run}
    missing = next((each for each in folders.values() if not each.is_dir()), None)
    if missing is not None:
        raise RunError(
            f"{missing} doesn't exist, so its network can't be tested: where workers share no"
            " folder with this machine, train the chosen setting with the command of the page"
        )
    found = _run_twice(pool, jobs.make_test(list(folders.values())))
    table = {"trial": best.number, "seeds": list(folders), **found}
    study.set_user_attr(TEST, [*sweep.test, table])
    return summarize(study, sweep.space, sweep.path)
