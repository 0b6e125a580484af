"""The run folder: what one training run leaves behind, written and read. Knows nothing of how a run is trained.

<logs>/fit/<variant>-<YYYYmmdd-HHMMSS>/
    config.json      all that is needed to run it again
    initial.keras    the weights it began with, where a trained model went on
    train/, validation/   TensorBoard event files
    best.keras       the epoch with the best validation accuracy
    final.keras      the last finished epoch, and how far the run has come (`lenet_tf.runs.checkpoints`)
    history.csv      one line per finished epoch
    metrics.json     written at the end: a folder without it is an unfinished run
    .lock            held by the process that trains; without one, left by a process that was killed
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lenet_tf import __version__
from lenet_tf.errors import RunError
from lenet_tf.io import bounded
from lenet_tf.io.atomic import atomic_write
from lenet_tf.runtime import environment
from lenet_tf.specs import Spec

# 2 is as 3, but for its checkpoints, which do not say how far the run has come.
FORMAT, READABLE_FORMATS = 3, (2, 3)
PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "tensorboard", "numpy", "scikit-learn")
# What metrics.json has at least.
REQUIRED_METRICS = (
    "test_accuracy",
    "test_loss",
    "epochs",
    "seconds",
    "seconds_per_epoch",
    "best_epoch",
    "best_val_accuracy",
)
# Of these another version can change a result.
_DECISIVE = ("lenet_tf", "tensorflow", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """A finished run.

    `history`: metric name → one value per epoch, as Keras gives it, plus `seconds`. `metrics`: what metrics.json
    holds. `model`: the trained model of the last epoch.
    """

    path: Path
    history: dict[str, list[float]]
    metrics: dict[str, Any]
    model: Any = field(default=None, repr=False)


def check_writable(logs: Path) -> None:
    """Raises `RunError` unless run folders can be made in `logs`; makes nothing."""
    place = logs / "fit"
    existing = next(
        folder for folder in (place, *place.parents) if folder.exists() or folder.is_symlink()
    )
    if not existing.is_dir():
        why = "is a link to nowhere" if existing.is_symlink() else "is not a folder"
    elif not os.access(existing, os.W_OK | os.X_OK):
        why = "is not writable"
    else:
        return
    raise RunError(
        f"cannot write runs to {place}: {existing} {why}. Choose another folder with --logs."
    )


def create_run_folder(logs: Path, variant: str, now: datetime | None = None) -> Path:
    """A new, empty run folder; a second run in the same second gets a number behind its name. Raises `RunError` if it cannot be made."""
    stem = f"{variant}-{(now or datetime.now()):%Y%m%d-%H%M%S}"
    try:
        (logs / "fit").mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            folder = logs / "fit" / (stem if number == 1 else f"{stem}-{number}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                break
    except OSError as error:
        raise unwritable_error(logs / "fit", error) from error
    return folder


def unwritable_error(place: Path, error: OSError) -> RunError:
    return RunError(
        f"cannot write runs to {place}: {error.strerror or error}. Choose another folder with --logs."
    )


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Whole or not at all. NaN, which JSON lacks, raises ValueError."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_history(folder: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """history.csv, whole or not at all: a line for each epoch, counted from 0, with its metrics; empty where an epoch lacks one."""
    names = sorted({name for row in rows for name in row})
    with (
        atomic_write(folder / "history.csv") as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, ["epoch", *names])
        writer.writeheader()
        writer.writerows({"epoch": epoch} | dict(row) for epoch, row in enumerate(rows))


def read_json(path: Path) -> dict[str, Any]:
    """Raises `RunError` for a file that is missing or holds no JSON object."""
    try:
        values = bounded.read_json(path)
    except FileNotFoundError as error:
        raise RunError(f"{path.parent} is not a run folder: it has no {path.name}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} cannot be read: it holds no JSON object")
    return values


def read_config(folder: Path) -> dict[str, Any]:
    """The run's config.json; raises `RunError` if it is missing, broken, or of another format."""
    config = read_json(folder / "config.json")
    if config.get("format") not in READABLE_FORMATS:
        raise RunError(
            f"{folder / 'config.json'} has format {config.get('format')!r} of lenet_tf {_version(config, 'lenet_tf')}; here is lenet_tf"
            f" {__version__}, which reads formats {' and '.join(map(str, READABLE_FORMATS))}"
        )
    parts = {
        "spec": dict,
        "recipe": dict,
        "data": dict,
        "seed": int,
        "settings": dict,
        "device": dict,
    }
    for name, kind in parts.items():
        if not isinstance(config.get(name), kind):
            raise RunError(f"{folder / 'config.json'} has no usable {name!r}")
    return config


def build_config(spec: Spec, data: Mapping[str, Any], device: Mapping[str, Any]) -> dict[str, Any]:
    """What config.json says of a run that begins: `data` as `RawData.identity` gives it, `device` with its name, label and threads."""
    table = spec.to_dict()
    return {
        "format": FORMAT,
        "variant": spec.name,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "recipe": table.pop("recipe"),
        "spec": table,
        "data": data,
        "device": device,
        "versions": versions(),
        "commit": environment.git_commit(),
        "machine": environment.describe_machine(),
    }


def read_spec(config: Mapping[str, Any]) -> Spec:
    """The network of a run's config.json."""
    return Spec.from_dict(config["spec"] | {"recipe": config["recipe"]})


def _version(config: Mapping[str, Any], package: str) -> str:
    known = config.get("versions")
    return str(known.get(package, "unknown")) if isinstance(known, dict) else "unknown"


def version_differences(config: Mapping[str, Any]) -> list[str]:
    """A line for each package of another version than the run began with, where that can change a result."""
    pairs = [
        (package, _version(config, package), here)
        for package, here in versions().items()
        if package in _DECISIVE
    ]
    return [
        f"{package} is {here} here, and the run began with {then}: results may differ"
        for package, then, here in pairs
        if then != here
    ]


def versions() -> dict[str, str]:
    """Python's and each package's version; `not installed` where one is missing. This package's own is its code's, not its metadata's."""
    found = {"python": platform.python_version(), "lenet_tf": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


@dataclass(frozen=True)
class RunRecord:
    """What a run folder's config.json says, checked; `settings` has the seed too."""

    path: Path
    spec: Spec
    settings: dict[str, Any]
    config: dict[str, Any]

    @property
    def metrics(self) -> dict[str, Any] | None:
        """What metrics.json says; None before the run is finished."""
        if not (self.path / "metrics.json").exists():
            return None
        metrics = read_json(self.path / "metrics.json")
        missing = [
            name for name in REQUIRED_METRICS if not isinstance(metrics.get(name), int | float)
        ]
        if missing:
            raise RunError(f"{self.path / 'metrics.json'} has no usable {missing[0]!r}")
        return metrics

    @property
    def device(self) -> str:
        """TensorFlow's name of the device that trained."""
        name = self.config["device"].get("name")
        if not isinstance(name, str):
            raise RunError(
                f"{self.path / 'config.json'} does not name its device: give one with --device"
            )
        return name

    def data_name(self) -> str:
        return data_name(self.path, self.config)

    def check_same_data(self, sha256: str, advice: str) -> None:
        """Raises `RunError`, with `advice` behind it, unless the data set at hand is the one that the run was trained on."""
        then = str(self.config["data"].get("sha256"))
        if sha256 != then:
            name = self.config["data"].get("name")
            raise RunError(
                f"{self.path} was trained on other {name} data (SHA-256 {then[:12]}…, here {sha256[:12]}…). {advice}"
            )


_SETTINGS: dict[str, tuple[type, ...]] = {
    "deterministic": (bool,),
    "precision": (str,),
    "early_stopping": (int, type(None)),
    "engine": (str,),
}


def data_name(folder: Path, config: Mapping[str, Any]) -> str:
    """What `load_data` takes to load the run's data again; raises `RunError` where they were arrays in memory."""
    name = config["data"].get("name")
    if not isinstance(name, str):
        raise RunError(f"{folder / 'config.json'} does not name its data set")
    if config["data"].get("source") == "arrays":
        raise RunError(
            f"{folder} was trained on arrays in memory, which it does not hold: give --data FILE.npz with the same arrays."
        )
    return name


def read_run(folder: Path) -> RunRecord:
    """Reads a run folder to run it again or to go on with it; raises `RunError` or `SpecError` where config.json does not allow that."""
    config = read_config(folder)
    settings = config["settings"]
    unfit = [
        f"{name} is {value!r}"
        for name, value in settings.items()
        if not isinstance(value, _SETTINGS.get(name, ()))
    ]
    unfit += [f"{name} is missing" for name in _SETTINGS if name not in settings]
    if unfit:
        raise RunError(f"{folder / 'config.json'} has no usable 'settings': {unfit[0]}")
    return RunRecord(folder, read_spec(config), settings | {"seed": config["seed"]}, config)


def read_repeatable_run(folder: Path) -> RunRecord:
    """`described`, for a run that can be repeated from its seed alone."""
    found = read_run(folder)
    if found.config.get("initial_weights") != "seed":
        raise RunError(
            f"{folder} went on from a model's weights, which config.json does not hold: it cannot be run again from there"
        )
    return found
