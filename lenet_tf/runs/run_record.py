"""What config.json says of a run: written once when it starts, read to resume or repeat it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.paths import to_path
from lenet_tf.runs import schema
from lenet_tf.runs.run_folder import CONFIG, METRICS, read_json
from lenet_tf.runs.validation import check_file
from lenet_tf.runtime import environment
from lenet_tf.specs import Spec
from lenet_tf.specs.scope_names import rename_rows
from lenet_tf.specs.validators import are_class_names
from lenet_tf.version import __version__

# Format 2 differs in its checkpoints only: they do not record the run's progress.
FORMAT, READABLE_FORMATS = 3, (2, 3)
# Packages whose version can change results.
_DECISIVE_PACKAGES = ("lenet_tf", "lenet_tf arithmetic", "tensorflow", "keras", "numpy")
_SETTINGS = ("deterministic", "precision", "early_stopping", "engine")
_OPTIONAL_SETTINGS = ("label", "split_seed", "test", "hparams")


@dataclass(frozen=True)
class RunRecord:
    """A run as its config.json describes it, checked.

    Args:
        path: The run folder.
        spec: The network with its recipe.
        settings: deterministic, precision, early_stopping, engine, seed; label,
            split_seed, test and hparams where the run has them.
        config: The content of config.json.
    """

    path: Path
    spec: Spec
    settings: dict[str, Any]
    config: dict[str, Any] = field(repr=False)

    def read_metrics(self) -> dict[str, Any] | None:
        """Read metrics.json. Returns None for an unfinished run.

        Raises:
            RunError: The file is damaged, or differs from its schema.
        """
        path = self.path / METRICS
        if not os.path.lexists(path):
            return None
        metrics = read_json(path)
        check_file(path, metrics, schema.Metrics)
        return metrics

    @property
    def compiled(self) -> dict[str, Any]:
        """The optimizer and the loss that the model was compiled with instead of its recipe's."""
        return self.config.get("compiled", {})

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe's table with what the model was compiled with."""
        return self.spec.to_dict()["recipe"] | self.compiled

    @property
    def learning_rate(self) -> float:
        """The learning rate of the first epoch; with a schedule, its peak."""
        optimizer = self.compiled.get("optimizer")
        if optimizer is not None:
            return optimizer["learning_rate"]
        return self.spec.recipe.optimizer.get_learning_rate(0)

    @property
    def device(self) -> str:
        """TensorFlow's name of the device that trained, such as `/CPU:0`."""
        name = self.config["device"].get("name")
        if name is None:
            raise RunError(
                f"{self.path / CONFIG} does not name its device: choose one with --device"
            )
        return name

    @property
    def data_sha256(self) -> Any:
        """SHA-256 of the run's data set, or None."""
        return self.config["data"].get("sha256")

    @property
    def data_name(self) -> str:
        """The name with which `load_data` loads the run's data set again.

        Raises:
            RunError: config.json names no data set, or the data were arrays in memory.
        """
        name = self.config["data"].get("name")
        if name is None:
            raise RunError(f"{self.path / CONFIG} does not name its data set")
        if self.config["data"].get("source") == "arrays":
            raise RunError(
                f"{self.path} was trained on arrays in memory, which it does not store: pass the"
                " same arrays with --data FILE.npz."
            )
        return name

    @property
    def data_options(self) -> dict[str, Any]:
        """The options with which `load_data` reads the run's data set as it did."""
        return dict(self.config["data"].get("options", {}))

    def check_same_data(self, sha256: str, advice: str) -> None:
        """Check the SHA-256 of a data set against the run's.

        Raises:
            RunError: The data sets differ. The message ends with `advice`.
        """
        expected = str(self.data_sha256)
        if sha256 != expected:
            name = self.config["data"].get("name")
            raise RunError(
                f"{self.path} was trained on other {name} data (SHA-256 {expected[:12]}…, here"
                f" {sha256[:12]}…). {advice}"
            )


def read_config(folder: Path) -> dict[str, Any]:
    """Read config.json of a run folder.

    Raises:
        RunError: The file is missing, damaged, or of another format.
    """
    path = folder / CONFIG
    config = read_json(path)
    if config.get("format") not in READABLE_FORMATS:
        raise RunError(
            f"{path} has format {config.get('format')!r} of lenet_tf"
            f" {_recorded_version(config, 'lenet_tf')}; this is lenet_tf {__version__}, which"
            f" reads formats {' and '.join(map(str, READABLE_FORMATS))}"
        )
    check_file(path, config, schema.Config)
    return config


def read_spec(folder: Path, config: Mapping[str, Any]) -> Spec:
    """Return the network with its recipe from config.json.

    Raises:
        SpecError: The network or its recipe is invalid.
    """
    try:
        return Spec.from_dict(rename_rows(config["spec"]) | {"recipe": config["recipe"]})
    except SpecError as error:
        raise SpecError(f"{folder / CONFIG}: {error}") from error
    except Exception as error:  # Arbitrary JSON values can fail in any arithmetic of a spec.
        raise SpecError(f"{folder / CONFIG}: {type(error).__name__}: {error}") from error


def read_data_identity(path: Path) -> dict[str, Any]:
    """Read what a run records of the data set that it was trained on.

    Args:
        path: A run folder, or a `.keras` file in one.

    Returns:
        `RawData.identity()` of the run; nothing if the file lies in no readable run folder.
    """
    try:
        return read_config(path if path.is_dir() else path.parent)["data"]
    except RunError:
        return {}


def read_class_names(path: Path) -> tuple[str, ...]:
    """Read the names of the classes that a run was trained on.

    Args:
        path: A run folder, or a `.keras` file in one.

    Returns:
        The names; none if the data set has none, or the file lies in no readable run folder.
    """
    data = read_data_identity(path)
    names, count = data.get("class_names"), data.get("num_classes")
    return tuple(names or ()) if isinstance(count, int) and are_class_names(names, count) else ()


def read_run(folder: str | Path) -> RunRecord:
    """Read the record of a run folder.

    Raises:
        RunError: `folder` is no path, or config.json is missing, damaged, of another format, or
            lacks a setting.
        SpecError: Its network or recipe is invalid.
    """
    folder = to_path(folder, RunError, "run")
    config = read_config(folder)
    settings = {name: config["settings"][name] for name in _SETTINGS}
    for name in _OPTIONAL_SETTINGS:
        if name in config["settings"]:
            settings[name] = config["settings"][name]
    spec = read_spec(folder, config)
    return RunRecord(folder, spec, settings | {"seed": config["seed"]}, config)


def is_repeatable(config: Mapping[str, Any]) -> bool:
    """Return whether `lenet-tf train --from-run` repeats a run without further options.

    Args:
        config: The content of config.json.
    """
    is_in_memory = config["data"].get("source") == "arrays"
    return config.get("initial_weights") == "seed" and not is_in_memory


def read_repeatable_run(folder: Path) -> RunRecord:
    """Read the record of a run that its seed alone reproduces.

    Raises:
        RunError: As `read_run`, or the run started from the weights of a trained model.
    """
    record = read_run(folder)
    if record.config.get("initial_weights") != "seed":
        raise RunError(
            f"{folder} started from the weights of a trained model, which config.json does not"
            " store: it cannot be repeated"
        )
    return record


def version_differences(config: Mapping[str, Any]) -> list[str]:
    """Return a line for each package whose version differs and can change results."""
    installed = environment.package_versions()
    lines = []
    for package in _DECISIVE_PACKAGES:
        recorded, here = _recorded_version(config, package), installed[package]
        if recorded != here:
            lines.append(
                f"{package} is {here} here, but the run started with {recorded}: results may differ"
            )
    return lines


def _recorded_version(config: Mapping[str, Any], package: str) -> str:
    versions = config.get("versions")
    # Before the config is checked, to name the version in a message.
    return str(versions.get(package, "unknown")) if isinstance(versions, dict) else "unknown"
