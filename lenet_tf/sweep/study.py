"""The study of a sweep: Optuna's journal in a file, which survives the death of its process."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.atomic import file_lock, write_text
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.runtime.optional_packages import import_optional
from lenet_tf.sweep.space import Space
from lenet_tf.sweep.space_changes import describe_changes, refuse_changes
from lenet_tf.text import quote_word

JOURNAL = "journal.log"
_SPACE = "space"
# The first epoch says little, most of all with a schedule.
_FIRST_PRUNED = 2
# Trials that TPE draws at random before it looks at results.
_STARTUP_TRIALS = 10


@functools.cache
def import_optuna() -> Any:
    """Import Optuna, which only the extra `sweep` installs, without its messages.

    Raises:
        LenetError: It is missing.
    """
    optuna = import_optional("optuna", "a sweep", "sweep")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class _ProcessLock:
    """Optuna's lock of the journal, which the study's own lock makes superfluous.

    Optuna's file locks outlive a process that is killed, and stop the next one for half a minute.
    """

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


@contextlib.contextmanager
def lock_study(folder: Path, journal: Path) -> Iterator[None]:
    """Lock a study against other processes; the system releases the lock of a killed process.

    Args:
        folder: The sweep's folder.
        journal: The study's file, which several sweeps may share, one after the other.

    Raises:
        RunError: Another process runs the sweep, or another sweep with the same file.
    """
    with contextlib.ExitStack() as locks:
        _lock(locks, folder / ".lock", f"the sweep in {folder}", "--name")
        if journal.parent.resolve() != folder.resolve():
            name = f".{journal.name}.lock"
            _lock(locks, journal.with_name(name), f"a sweep with {journal}", "--storage")
        yield


def _lock(locks: contextlib.ExitStack, path: Path, what: str, option: str) -> None:
    from filelock import Timeout

    try:
        locks.enter_context(file_lock(path))
    except Timeout as error:
        raise RunError(
            f"another process runs {what}: wait for it, stop it first, or choose another {option}"
        ) from error
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def open_study(space: Space, journal: Path, name: str, accept_changes: bool = False) -> Any:
    """Open a study, or start it. The caller holds the lock of the study.

    Args:
        space: What is searched.
        journal: The file of the study.
        name: The study's name.
        accept_changes: Whether the ranges of an existing study may change.

    Returns:
        Optuna's study.

    Raises:
        RunError: The journal is damaged or can't be written.
        SpecError: The study searches another space; the message names the first difference.
    """
    optuna = import_optuna()
    journals = optuna.storages.journal
    try:
        _cut_last_line(journal)
        backend = journals.JournalFileBackend(str(journal), lock_obj=_ProcessLock())
        storage = optuna.storages.JournalStorage(backend)
        study = optuna.create_study(
            study_name=name,
            storage=storage,
            direction="maximize" if space.is_maximized else "minimize",
            pruner=_create_pruner(optuna, space),
            load_if_exists=True,
        )
    except RunError:
        raise
    except OSError as error:
        raise RunError(f"cannot open {journal}: {error.strerror or error}") from error
    except Exception as error:  # A damaged journal raises anything.
        raise RunError(
            f"{journal} is damaged ({type(error).__name__}: {error}): move it away, or choose"
            " another --name"
        ) from error
    _check_space(study, space, accept_changes)
    return study


def read_study(journal: Path, name: str | None = None) -> Any:
    """Open a study that exists, only to read it.

    Args:
        journal: The file of the study.
        name: The study's name. None: the only one.

    Raises:
        RunError: There is no such study.
    """
    optuna = import_optuna()
    if not journal.is_file():
        raise RunError(f"{journal.parent} has no sweep: there is no {journal.name}")
    backend = optuna.storages.journal.JournalFileBackend(str(journal), lock_obj=_ProcessLock())
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name=name, storage=storage)


def ask(study: Any, space: Space) -> Any:
    """Start the next trial of a study.

    Its values depend on the space's seed, its number and the trials before, not on what this
    process did before: a sweep that was killed goes on as without it.
    """
    number = len(study.get_trials(deepcopy=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.sampler = _create_sampler(space, number)
        return _suggest(study.ask(), space)


def reopen(study: Any, space: Space, number: int) -> Any:
    """Return a trial that was running when its process ended, to continue it."""
    optuna = import_optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.sampler = _create_sampler(space, number)
        trial_id = study._storage.get_trial_id_from_study_id_trial_number(study._study_id, number)
        return _suggest(optuna.trial.Trial(study, trial_id), space)


def _suggest(trial: Any, space: Space) -> Any:
    labels: dict[str, Any] = {}
    for field in space.fields:
        if field.is_active(labels):
            labels[field.name] = field.suggest(trial)
    return trial


def _create_sampler(space: Space, number: int) -> Any:
    optuna = import_optuna()
    seed = int(np.random.SeedSequence([space.seed, number]).generate_state(1)[0])
    if space.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    startup = min(_STARTUP_TRIALS, max(1, space.trials // 4))
    # Trials of fields that only some have are modelled group by group.
    has_conditions = any(field.when for field in space.fields)
    return optuna.samplers.TPESampler(n_startup_trials=startup, seed=seed, group=has_conditions)


def _create_pruner(optuna: Any, space: Space) -> Any:
    if space.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=_FIRST_PRUNED)
    if space.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner()
    return optuna.pruners.NopPruner()


def _check_space(study: Any, space: Space, accept_changes: bool) -> None:
    recorded, own = study.user_attrs.get(_SPACE), space.to_dict()
    if recorded is not None and recorded != own:
        differences = describe_changes(recorded, own)
        if not accept_changes:
            raise SpecError(
                f"{space.path} has changed since the sweep {study.study_name} started:"
                f" {differences}. Choose another --name, or continue with --accept-changes"
            )
        refuse_changes(study.study_name, recorded, own)
    if recorded != own:
        study.set_user_attr(_SPACE, own)


def _cut_last_line(journal: Path) -> None:
    """Cut the end of a journal that a full disk or a crash left without a newline.

    Optuna would append to it, and could never read the file again.
    """
    if not journal.exists():
        write_text(journal, "")
        return
    try:
        with open_regular_file(journal) as file:
            content = file.read()
    except ValueError as error:
        raise RunError(f"cannot open {journal}: {error}") from error
    if content and not content.endswith(b"\n"):
        write_text(journal, content[: content.rfind(b"\n") + 1].decode("utf-8"))


def check_data(study: Any, identity: Mapping[str, Any]) -> None:
    """Record the data set of a study, or compare it.

    Raises:
        RunError: The study was started with other data.
    """
    recorded = study.user_attrs.get("data")
    if recorded is None:
        study.set_user_attr("data", dict(identity))
    elif recorded["sha256"] != identity["sha256"]:
        raise RunError(
            f"the sweep {quote_word(study.study_name)} was started with other {recorded['name']}"
            f" data (SHA-256 {recorded['sha256'][:12]}…, here {identity['sha256'][:12]}…): choose"
            " another --name"
        )
