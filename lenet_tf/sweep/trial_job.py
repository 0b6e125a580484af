"""The work of a trial's process: train one network, or test those that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import DivergenceError, LenetError, SpecError, TrainingError
from lenet_tf.io.atomic import file_lock
from lenet_tf.runs.run_folder import Run
from lenet_tf.runs.run_record import RunRecord, read_run, version_differences
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.scheduling.job_data import load_same_data
from lenet_tf.specs import Spec
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.tensorboard.options import Board

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData

Notify = Callable[[dict[str, Any]], None]
_REPORTED = ("val_accuracy", "val_loss", "seconds")


def train_trial(arguments: Mapping[str, Any], notify: Notify) -> dict[str, Any]:
    """Train a network, or resume it, without a look at the test images.

    Args:
        arguments: `spec` (`Spec.to_dict`), `settings` (of `TrainConfig`), the data set's `data`,
            `originals`, `read`, `network` (which may decide how it is read) and `sha256`, and
            `home`, the trial's folder.
        notify: Called after each epoch with its number and its results on the held-back images.

    Returns:
        `run`, its `epochs` and the `accuracy` and `loss` on the held-back images after the last
        one. Or `problem`, what is wrong with the network itself, and its `kind`: invalid or
        diverged.

    Raises:
        LenetError: Something else is wrong, which other trials may meet too.
        Interrupted: A signal stopped it.
    """
    home = Path(arguments["home"])
    home.mkdir(parents=True, exist_ok=True)
    # If another process trains the same trial, wait for its result.
    with file_lock(home / ".lock", timeout=-1):
        raw = _load_data(arguments)
        start_tensorflow()
        try:
            run = _train_or_resume(arguments, home, raw, notify)
        except DivergenceError as error:
            return {"kind": "diverged", "problem": error.args[0]}
        except (SpecError, TrainingError) as error:
            return {"kind": "invalid", "problem": error.args[0]}
    return {
        "run": run.path.name,
        "epochs": run.metrics["epochs"],
        "accuracy": run.history["val_accuracy"][-1],
        "loss": run.history["val_loss"][-1],
        "seconds": round(run.metrics["seconds"], 1),
        "parameters": run.metrics["parameters"],
    }


def test_networks(arguments: Mapping[str, Any], notify: Notify) -> dict[str, Any]:
    """Test trained networks on the test images.

    Args:
        arguments: `runs`, their folders, and the data set as in `train_trial`.
        notify: Not called.

    Returns:
        `accuracy` and `loss`, one number for each network.
    """
    raw = _load_data(arguments)
    start_tensorflow()
    from lenet_tf.evaluation.evaluate import evaluate
    from lenet_tf.models.run_models import load_last_epoch

    results = [evaluate(load_last_epoch(read_run(run))[0], raw) for run in arguments["runs"]]
    return {name: [float(each[name]) for each in results] for name in ("accuracy", "loss")}


def _load_data(arguments: Mapping[str, Any]) -> RawData:
    options = {"network": Spec.from_dict(arguments["network"]), **arguments["read"]}
    names = ("data", "originals", "sha256")
    return load_same_data(*(arguments[name] for name in names), **options)


def _train_or_resume(arguments: Mapping[str, Any], home: Path, raw: RawData, notify: Notify) -> Run:
    import keras

    from lenet_tf.training.fit import train
    from lenet_tf.training.resume import resume_record

    class ReportEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            _report(notify, epoch, logs or {})

    settings = arguments["settings"]
    for folder in sorted((home / "fit").glob("*/"), reverse=True):
        record = _read_matching_record(folder, settings, raw)
        if record is not None:
            _report_finished_epochs(folder, notify)
            callbacks = [ReportEpoch()]
            return resume_record(record, raw, report=False, quiet=True, callbacks=callbacks)
    spec = Spec.from_dict(arguments["spec"])
    # No images: `lenet-tf report` draws those of a run that someone wants to see.
    board = Board(images_every=0, histograms=())
    config = TrainConfig(spec, logs=home, board=board, report=False, quiet=True, **settings)
    return train(config, raw, callbacks=[ReportEpoch()])


def _report(notify: Notify, epoch: int, values: Mapping[str, Any]) -> None:
    notify({"epoch": epoch + 1} | {name: float(values[name]) for name in _REPORTED})


def _report_finished_epochs(folder: Path, notify: Notify) -> None:
    """Report the epochs of an earlier process, of which the last message may have been lost."""
    from lenet_tf.runs.consistency import read_history

    for epoch, values in enumerate(read_history(folder) or ()):
        _report(notify, epoch, values)


def _read_matching_record(
    folder: Path, settings: Mapping[str, Any], raw: RawData
) -> RunRecord | None:
    """Read the record of an earlier process for the same trial, or return None."""
    try:
        record = read_run(folder)
        record.read_metrics()
    except LenetError:
        return None
    names = ("seed", "split_seed", "hparams")
    is_match = (
        all(record.settings.get(name) == settings.get(name) for name in names)
        and record.data_sha256 == raw.sha256
        and not version_differences(record.config)
    )
    return record if is_match else None
