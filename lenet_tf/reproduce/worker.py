"""One run of the plan: train, resume or read it, test it, and return its record."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_tf.errors import LenetError
from lenet_tf.io.atomic import file_lock
from lenet_tf.reproduce.classical_row import Row
from lenet_tf.reproduce.predictions import encode_classes
from lenet_tf.reproduce.table_row import TableRow, select_decisive_fields
from lenet_tf.runs.run_folder import Run
from lenet_tf.runs.run_record import RunRecord, read_run, version_differences
from lenet_tf.runtime import environment, threads
from lenet_tf.runtime.tensorflow_start import start_tensorflow
from lenet_tf.scheduling.job import Job, Notify
from lenet_tf.scheduling.job_data import load_same_data, locate_data
from lenet_tf.training.tensorboard.options import Board

if TYPE_CHECKING:
    from lenet_tf.data.dataset import RawData
    from lenet_tf.models.lenet import LeNet

_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # down and right
_SHIFTS = (1, 2, 3, 4)


def get_run_home(logs: Path, row: Row, seed: int) -> Path:
    """Return the folder of a run: its run folder and the output of its process."""
    return logs / "reproduce" / row.name / f"seed-{seed}"


def build_arguments(
    row: Row, seed: int, originals: str | None, sha256: str | None
) -> dict[str, Any]:
    """Return the arguments of a run's job, as `describe_job`, ready for JSON."""
    data, originals = locate_data(row.data, originals) if sha256 else (row.data, originals)
    return {
        "row": row.to_dict(),
        "seed": seed,
        "data": data,
        "originals": originals,
        "sha256": sha256,
    }


def describe_job(
    row: TableRow, seed: int, logs: Path, originals: str | None, sha256: str | None = None
) -> Job:
    """Describe a run as a job for a pool.

    Args:
        row: The row of the run.
        seed: Its seed.
        logs: The folder of all run folders.
        originals: The folder of the published data files.
        sha256: That of the data, for a job on another machine. None: any data.

    Returns:
        The job. Its result has a `record`, and `before`, which tells whether the run had been
        finished by an earlier job.
    """
    is_online = row.spec.recipe.optimizer.name == "sdlm"
    # The same number of threads on every machine, so that results don't depend on it.
    variables = threads.ONE_THREAD if is_online else threads.ONE_CORE
    return Job(
        name=f"{row.name}, seed {seed}",
        function=run,
        arguments=build_arguments(row, seed, originals, sha256),
        home=get_run_home(logs, row, seed),
        environment=threads.keep_user_onednn(variables),
    )


def run(arguments: dict[str, Any], notify: Notify) -> dict[str, Any]:
    """Make a run, resume it, or read it if it is finished.

    Args:
        arguments: Those of `describe_job`.
        notify: Called after each epoch with its number, validation accuracy and seconds.

    Returns:
        The `record`, and whether the run was finished `before`.

    Raises:
        LenetError: If the run fails.
        Interrupted: If Ctrl-C or SIGTERM stopped it.
    """
    row, home = TableRow.from_dict(arguments["row"]), Path(arguments["home"])
    home.mkdir(parents=True, exist_ok=True)
    # If another process makes the same run, wait for its result.
    with file_lock(home / ".lock", timeout=-1):
        raw = load_same_data(*(arguments[name] for name in ("data", "originals", "sha256")))
        start_tensorflow()
        finished, was_finished = _train_or_resume(row, arguments["seed"], home, raw, notify)
        record = _build_record(row, arguments["seed"], finished, raw)
        return {"record": record, "before": was_finished}


def _train_or_resume(
    row: TableRow,
    seed: int,
    home: Path,
    raw: RawData,
    notify: Notify,
) -> tuple[Run, bool]:
    """Return the finished run, and whether it was already finished."""
    import keras

    from lenet_tf.training.config import TrainConfig
    from lenet_tf.training.fit import train
    from lenet_tf.training.resume import resume_record

    class ReportEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            values = logs or {}
            names = ("val_accuracy", "seconds")
            notify({"epoch": epoch + 1} | {name: values.get(name) for name in names})

    for folder in sorted((home / "fit").glob("*/"), reverse=True):
        record = _read_matching_record(folder, row, seed, raw)
        if record is not None:
            is_finished = (folder / "metrics.json").exists()
            callbacks = [ReportEpoch()]
            run = resume_record(record, raw, report=False, quiet=True, callbacks=callbacks)
            return run, is_finished
    # No images: `lenet-tf report` draws those of a run that someone wants to see.
    config = TrainConfig(
        row.spec,
        seed=seed,
        device="cpu",
        logs=home,
        board=Board(images_every=0),
        report=False,
        quiet=True,
    )
    return train(config, raw, callbacks=[ReportEpoch()]), False


def _read_matching_record(folder: Path, row: TableRow, seed: int, raw: RawData) -> RunRecord | None:
    """Read a run's record if recipe, data, versions, machine and threads match, or return None.

    A run of other ones must not be resumed: its record would misstate where its results come from.
    """
    try:
        record = read_run(folder)
        metrics = record.read_metrics()
    except LenetError:
        return None
    is_match = (
        (metrics is None or metrics.keys() >= {"parameters", "resumed", "finished"})
        and select_decisive_fields(record.spec) == select_decisive_fields(row.spec)
        and record.settings["seed"] == seed
        and record.data_sha256 == raw.sha256
        and not version_differences(record.config)
        and environment.describe_machine() == record.config.get("machine")
        and threads.read_thread_settings() == record.config["device"].get("threads")
    )
    return record if is_match else None


def _build_record(row: TableRow, seed: int, run: Run, raw: RawData) -> dict[str, Any]:
    """Build the record of a run, with the encoded labels and predictions of all test images."""
    from lenet_tf.evaluation.evaluate import predict_test

    config, metrics = run.config, run.metrics
    predictions = encode_classes(predict_test(run.model, raw).argmax(axis=1))
    test = {"accuracy": metrics["test_accuracy"], "loss": metrics["test_loss"]}
    if row.test_shifted:
        test["shifted"] = _evaluate_shifted(run.model, raw)
    return {
        "row": row.name,
        "variant": row.spec.name,
        "seed": seed,
        "digest": row.digest,
        "command": f"lenet-tf reproduce {row.name}",
        "recipe": row.spec.to_dict()["recipe"],
        "parameters": metrics["parameters"],
        "data": {part: config["data"][part] for part in ("name", "version", "sha256")},
        "versions": config["versions"],
        "commit": config.get("commit"),
        "machine": config["machine"],
        "threads": config["device"].get("threads"),
        "finished": metrics["finished"],
        "seconds": round(metrics["seconds"], 1),
        "seconds_per_epoch": round(metrics["seconds_per_epoch"], 2),
        "resumed": metrics["resumed"],
        "epochs": {name: _round_seconds(name, values) for name, values in run.history.items()},
        "test": test,
        "labels": encode_classes(raw.y_test),
        "predictions": predictions,
    }


def _round_seconds(name: str, values: list[float]) -> list[float]:
    return [round(value, 2) for value in values] if name == "seconds" else values


def _evaluate_shifted(model: LeNet, raw: RawData) -> dict[str, float]:
    """Return the accuracy on shifted test images by pixels, the mean over four directions."""
    from lenet_tf.data.corruptions import shift
    from lenet_tf.evaluation.evaluate import evaluate

    def evaluate_shift(down: int, right: int) -> float:
        return evaluate(model, replace(raw, x_test=shift(raw.x_test, down, right)))["accuracy"]

    return {
        str(pixels): sum(
            evaluate_shift(pixels * down, pixels * right) for down, right in _DIRECTIONS
        )
        / len(_DIRECTIONS)
        for pixels in _SHIFTS
    }
