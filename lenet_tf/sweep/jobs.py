"""The jobs of a sweep: trials, repeats with fresh seeds, and the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.runtime import threads
from lenet_tf.scheduling.job import Job
from lenet_tf.specs.validators import is_number
from lenet_tf.sweep import trial_job
from lenet_tf.sweep.space import Space

# Fresh seeds start so far above those of the trials.
_FIRST_FRESH_SEED = 1_000_000
_SETTINGS = ("seed", "split_seed", "test", "device", "deterministic", "precision")
_MORE_SETTINGS = ("early_stopping", "engine", "hparams")


@dataclass(frozen=True)
class JobMaker:
    """Makes the jobs of a sweep.

    Args:
        space: What is searched.
        folder: The sweep's folder.
        device: The device that trains.
        data: The data set: `data`, `originals`, `read` and `sha256`.
    """

    space: Space
    folder: Path
    device: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def make_trial(self, number: int, params: Mapping[str, Any]) -> Job:
        """Make the job of a trial.

        Args:
            number: The trial.
            params: Its fields, as the study knows them.

        Raises:
            SpecError, TrainingError: The values don't fit together.
        """
        home = self.folder.absolute() / "trials" / f"{number:04}"
        return self._make_run(f"trial {number}", home, params, get_trial_seed(self.space, number))

    def make_repeat(self, number: int, params: Mapping[str, Any], seed: int) -> Job:
        """Make the job that repeats a trial's setting with a fresh seed."""
        home = self.folder.absolute() / "repeats" / f"{number:04}-seed-{seed}"
        return self._make_run(f"setting of trial {number}, seed {seed}", home, params, seed)

    def make_test(self, runs: Sequence[Path]) -> Job:
        """Make the job that tests trained networks."""
        arguments = {"runs": [str(run.absolute()) for run in runs], **self.data}
        home = self.folder.absolute() / "test"
        return Job("test", trial_job.test_networks, arguments, home, _build_environment(False))

    def _make_run(self, name: str, home: Path, params: Mapping[str, Any], seed: int) -> Job:
        values = self.space.decode(params)
        # TensorBoard's columns are numbers and texts; a field that this trial lacks stays empty.
        columns: dict[str, str | float | None] = dict.fromkeys(
            each.name for each in self.space.fields
        )
        columns |= {
            name: values[name] if is_number(values[name]) else label
            for name, label in params.items()
        }
        config = self.space.build_config(values, seed, device=self.device, hparams=columns)
        settings = {name: getattr(config, name) for name in (*_SETTINGS, *_MORE_SETTINGS)}
        arguments = {"spec": config.spec.to_dict(), "settings": settings, **self.data}
        is_online = config.spec.recipe.optimizer.name == "sdlm"
        return Job(name, trial_job.train_trial, arguments, home, _build_environment(is_online))


def get_trial_seed(space: Space, number: int) -> int:
    """Return the seed of a trial's weights and order."""
    return space.seed + number


def list_fresh_seeds(space: Space) -> list[int]:
    """Return the seeds of the repeats, which no trial used."""
    return [space.seed + _FIRST_FRESH_SEED + number for number in range(space.seeds)]


def _build_environment(is_online: bool) -> dict[str, str]:
    """Set the threads of a process on one core, so that results don't depend on the machine."""
    return threads.keep_user_onednn(threads.ONE_THREAD if is_online else threads.ONE_CORE)
