"""Run a sweep from its space to its page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import RunError, SpecError
from lenet_tf.evaluation.page_files import check_page_path
from lenet_tf.io.paths import to_path
from lenet_tf.runs import run_folder
from lenet_tf.runtime.device import check_device_name, choose_device
from lenet_tf.scheduling.job import Pool
from lenet_tf.scheduling.job_data import locate_data
from lenet_tf.scheduling.open_pool import open_pool
from lenet_tf.specs.validators import show_value
from lenet_tf.sweep import study as studies
from lenet_tf.sweep.jobs import JobMaker
from lenet_tf.sweep.page import KIND
from lenet_tf.sweep.progress import Progress
from lenet_tf.sweep.runner import PAGE, SweepRunner
from lenet_tf.sweep.space import Space
from lenet_tf.sweep.space_file import load_space
from lenet_tf.sweep.summary import Sweep

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData


def run_sweep(
    space: str | Path,
    *,
    name: str | None = None,
    logs: str | Path = "logs",
    storage: str | Path | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    pool: Pool | None = None,
    device: str = "auto",
    test: bool = False,
    originals: str | None = None,
    read: Mapping[str, Any] | None = None,
    accept_changes: bool = False,
    quiet: bool = False,
    **options: Any,
) -> Sweep:
    """Search the fields of a network and its recipe on held-back training images.

    Trials train on the rest of the training images and never read the test images. The same
    images are held back in all trials. After the search, the best settings are repeated with
    fresh seeds on the same images. A sweep that was interrupted or killed continues where it was.

    The folder is `<logs>/sweep/<name>/`, with the study in journal.log, a run folder for each
    trial, and a page, sweep.html. Optuna is needed: `pip install 'lenet_tf[sweep]'`.

    Args:
        space: A TOML file such as `examples/sweep.toml`.
        name: The sweep's name. None takes the file's.
        logs: The folder of all sweeps.
        storage: The study's file. None: journal.log in the sweep's folder.
        jobs: Trials at a time, each on one core. None: the idle cores. With 1, the same sweep
            makes the same trials again.
        scheduler: Address of a Dask scheduler, `tcp://HOST:PORT`. None: this machine.
        pool: Runs the trials, in place of `jobs` and `scheduler`.
        device: As in `lenet_tf.fit`.
        test: Test the chosen setting on the test images at the end, once.
        originals: Folder with published data files.
        read: How to read the data, by the names of `lenet_tf.load_data`.
        accept_changes: Continue a sweep whose ranges have changed.
        quiet: Print nothing.
        **options: `data`, `trials`, `objective`, `sampler`, `pruner`, `seed`, `best` and `seeds` in
            place of the file's.

    Returns:
        The sweep with its trials, and the best settings.

    Raises:
        SpecError: The space is invalid, or another one than the sweep was started with.
        RunError: The folder can't be written, another process runs the sweep, or trials failed
            for another reason than their settings.
        DeviceError: This machine lacks the device, and the trials run on it.
        LenetError: Optuna is missing, or the data can't be loaded.
        Interrupted: Ctrl-C or SIGTERM. The first finishes the epochs in progress.

    Example:
        >>> import lenet_tf
        >>> from pathlib import Path
        >>> _ = Path("space.toml").write_text("space = {learing_rate = [0.01, 0.1]}")
        >>> try:
        ...     sweep = lenet_tf.run_sweep("space.toml")
        ... except lenet_tf.LenetError as error:
        ...     print(error)
        space.toml, line 1: unknown field 'learing_rate': did you mean learning_rate?
    """
    searched = load_space(space, **options)
    studies.import_optuna()
    pool = pool or open_pool(scheduler, jobs)
    _check_device(device, pool)
    folder = _check_folder(searched, name, to_path(logs, RunError, "logs"))
    raw, data = _load_data(searched, originals, read or {})
    _make_folder(folder)
    journal = folder / studies.JOURNAL if storage is None else to_path(storage, RunError, "storage")
    with studies.lock_study(folder, journal):
        study = studies.open_study(searched, journal, folder.name, accept_changes)
        studies.check_data(study, raw.identity())
        runner = SweepRunner(
            study,
            searched,
            JobMaker(searched, folder, device, data),
            Progress(quiet),
        )
        with pool as opened:
            return runner.run(opened, test)


def _check_device(device: str, pool: Pool) -> None:
    """Refuse a device that this machine lacks, on which each trial would fail and be used up."""
    from lenet_tf.scheduling.local_pool import LocalPool

    check_device_name(device)
    is_local = isinstance(pool, LocalPool)
    if is_local and (device.startswith("gpu") or "," in device):
        choose_device(device)


def _check_folder(space: Space, name: str | None, logs: Path) -> Path:
    name = space.path.stem if name is None else name
    if not isinstance(name, str) or not re.fullmatch(r"[\w-][\w.-]{0,99}", name):
        raise SpecError(
            f"the name of a sweep must be of letters, digits, -, _ and ., not {show_value(name)}:"
            " choose one with --name"
        )
    run_folder.check_writable(logs)
    folder = logs / "sweep" / name
    if folder.is_dir():
        check_page_path(folder / PAGE, KIND, "--name")
    return folder


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error


def _load_data(
    space: Space, originals: str | None, read: Mapping[str, Any]
) -> tuple[RawData, dict[str, Any]]:
    """Load the data set once, for its identity, and return what the jobs load."""
    from lenet_tf.data import sources

    base = space.describe_base()
    name = base.data if space.data is None else space.data
    raw = sources.load_data(name, originals, **{"network": base, **read})
    place, originals = locate_data(name, originals)
    return raw, {
        "data": place,
        "originals": originals,
        "read": dict(raw.options),
        "network": base.to_dict(),
        "sha256": raw.sha256,
    }
