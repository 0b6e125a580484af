"""Run the trials of a study, several at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lenet_tf.errors import Interrupted, LenetError, RunError
from lenet_tf.scheduling.job import Job, Pool
from lenet_tf.sweep import study as studies
from lenet_tf.sweep.jobs import JobMaker
from lenet_tf.sweep.space import Space
from lenet_tf.sweep.summary import RESULT
from lenet_tf.text import strip_period

# Attempts of a job whose process fails, and trials that fail one after the other for reasons of
# their own before the sweep gives up.
_ATTEMPTS, _MAX_HOPELESS = 2, 5


class Search:
    """Runs the trials of a study.

    A trial whose network is invalid, too large or diverges is pruned, and the sampler avoids its
    neighborhood. A trial whose process fails twice is marked as failed, unless the next job fails
    too: then something else is wrong, and the search stops. All trials that are still running in
    the study continue from their last epoch at the next call.

    Args:
        study: Optuna's study.
        space: What is searched.
        jobs: Makes the jobs.
        pool: Runs them.
        on_finished: Called with the number of each trial that has ended.
    """

    def __init__(
        self,
        study: Any,
        space: Space,
        jobs: JobMaker,
        pool: Pool,
        on_finished: Callable[[int], None] = lambda number: None,
    ) -> None:
        self._study, self._space, self._jobs, self._pool = study, space, jobs, pool
        self._on_finished = on_finished
        self._lock = threading.Lock()
        self._stopping = False
        self._error: RunError | None = None
        # Trials whose process failed since the last trial that didn't.
        self._suspects: dict[int, str] = {}
        self._open = [each.number for each in self._list("RUNNING")]

    @property
    def is_complete(self) -> bool:
        """Whether all trials have ended, or their processes have failed."""
        running = {each.number for each in self._list("RUNNING")}
        return running <= set(self._suspects) and self.count() >= self._space.trials

    def count(self) -> int:
        """Count the trials that have started."""
        return len(self._study.get_trials(deepcopy=False))

    def stop(self) -> None:
        """Start no other trial."""
        self._stopping = True

    def work(self) -> None:
        """Run trials until none is left. Call this in a thread for each job at a time.

        Raises:
            RunError: The search gave up.
        """
        while True:
            with self._lock:
                trial = None if self._stopping or self._error else self._start_trial()
            if trial is None:
                break
            self._run_trial(trial)
        if self._error is not None:
            raise self._error

    def _list(self, state: str) -> list[Any]:
        states = (studies.import_optuna().trial.TrialState[state],)
        return self._study.get_trials(deepcopy=False, states=states)

    def _start_trial(self) -> Any:
        if self._open:
            return studies.reopen(self._study, self._space, self._open.pop(0))
        if self.count() >= self._space.trials:
            return None
        return studies.ask(self._study, self._space)

    def _run_trial(self, trial: Any) -> None:
        try:
            config = self._space.build_config(self._space.decode(trial.params), seed=0)
            job = self._jobs.make_trial(trial.number, trial.params)
        except LenetError as error:  # The values don't fit together.
            self._finish(trial, {"kind": "invalid", "problem": error.args[0]})
            return
        follower = TrialFollower(trial, self._space, config.spec.recipe.epochs)
        for _ in range(_ATTEMPTS):
            message = {} if follower.is_pruned else self._run_job(trial, job, follower)
            if follower.is_pruned:
                problem = f"pruned after epoch {follower.epoch}"
                message = {"kind": "pruned", "problem": problem, "epochs": follower.epoch}
            if self._stopping and not message:
                return
            if "error" not in message:
                self._finish(trial, message)
                return
        self._suspect(trial.number, message["error"])

    def _run_job(self, trial: Any, job: Job, follower: TrialFollower) -> dict[str, Any]:
        """Return the job's result or its `error`; nothing if the sweep is stopping."""
        try:
            return self._pool.run(job, follower.receive)
        except Interrupted as error:
            return {} if self._stopping else {"error": str(error)}
        except RunError as error:
            return {} if self._stopping else {"error": str(error)}

    def _finish(self, trial: Any, message: dict[str, Any]) -> None:
        states = studies.import_optuna().trial.TrialState
        with self._lock:
            trial.set_user_attr(RESULT, message)
            if "problem" in message:
                self._study.tell(trial, state=states.PRUNED)
            else:
                self._study.tell(trial, self._space.measure(message["accuracy"], message["loss"]))
            self._clear_suspects()
            self._check_hope()
        self._on_finished(trial.number)

    def _suspect(self, number: int, error: str) -> None:
        with self._lock:
            if self._stopping:
                return
            self._suspects[number] = error
            if len(self._suspects) > 1 and self._error is None:
                numbers = " and ".join(map(str, self._suspects))
                self._error = RunError(
                    f"trials {numbers} failed: {strip_period(error)}."
                    " Finished trials are kept; repeat the command to continue"
                )

    def end(self) -> None:
        """Mark the last trial as failed if its process did, since later jobs did not."""
        with self._lock:
            self._clear_suspects()

    def _clear_suspects(self) -> None:
        """Mark the trials as failed whose processes failed on their own account."""
        states = studies.import_optuna().trial.TrialState
        for number, error in self._suspects.items():
            trial = studies.reopen(self._study, self._space, number)
            trial.set_user_attr(RESULT, {"kind": "failed", "problem": error})
            self._study.tell(trial, state=states.FAIL)
            self._on_finished(number)
        self._suspects.clear()

    def _check_hope(self) -> None:
        trials = self._study.get_trials(deepcopy=False)
        results = [each.user_attrs[RESULT] for each in trials if each.state.is_finished()]
        kinds = [each.get("kind") for each in results]
        if len(kinds) >= _MAX_HOPELESS and set(kinds) <= {"invalid", "failed", "diverged"}:
            problem = results[-1]["problem"]
            self._error = RunError(
                f"none of the first {len(kinds)} trials could be trained: {strip_period(problem)}."
                f" Correct {self._space.path} and choose another --name"
            )


class TrialFollower:
    """Reports the epochs of a trial to the study, and prunes the trial.

    Args:
        trial: Optuna's trial.
        space: What is searched.
        epochs: The trial's planned epochs. It isn't pruned after the last one.

    Attributes:
        is_pruned: Whether the study has given the trial up.
        epoch: The last epoch that was reported.
    """

    def __init__(self, trial: Any, space: Space, epochs: int) -> None:
        self._trial, self._space, self._epochs = trial, space, epochs
        frozen = trial.study.get_trials(deepcopy=False)[trial.number]
        self.epoch = max(frozen.intermediate_values, default=0)
        # The process may have ended between the report and its consequence.
        self.is_pruned = self._should_prune()

    def receive(self, message: dict[str, Any]) -> bool:
        """Report an epoch. Returns whether the trial is to stop."""
        epoch = message.get("epoch", 0)
        # A trial that is resumed reports its first epochs again, and one that is pruned finishes
        # the epoch that had begun.
        if not self.is_pruned and epoch > self.epoch:
            value = self._space.measure(message["val_accuracy"], message["val_loss"])
            self._trial.report(value, epoch)
            self.epoch = epoch
            self.is_pruned = self._should_prune()
        return self.is_pruned

    def _should_prune(self) -> bool:
        return 0 < self.epoch < self._epochs and self._trial.should_prune()
