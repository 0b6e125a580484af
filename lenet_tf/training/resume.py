"""Resumes an interrupted run from its last finished epoch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from lenet_tf.data import image_order
from lenet_tf.data.dataset import RawData, check_raw_data, split_data
from lenet_tf.errors import RunError
from lenet_tf.evaluation.evaluate import check_fits
from lenet_tf.io.atomic import remove_partials
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.run_models import load_last_epoch, load_run_model
from lenet_tf.runs import checkpoints, folder_checks, run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runs.event_files import truncate_events
from lenet_tf.runs.run_record import (
    FORMAT,
    RunRecord,
    is_repeatable,
    read_run,
    version_differences,
)
from lenet_tf.runtime import device as devices
from lenet_tf.runtime import threads
from lenet_tf.runtime.numerics import describe_differences
from lenet_tf.runtime.several_devices import check_no_strategy
from lenet_tf.text import quote_word
from lenet_tf.training.callbacks import list_callbacks
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.fit import one_training_at_a_time
from lenet_tf.training.model_setup import check_memory, training_context
from lenet_tf.training.trainer import Trainer
from lenet_tf.version import __version__


def resume(
    run: run_folder.Run | str | Path,
    data: RawData,
    *,
    device: str | None = None,
    report: bool = True,
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None = None,
) -> run_folder.Run:
    """Resume an interrupted run from its last finished epoch. A finished run is only read.

    On the same machine, with the same versions, device, threads and oneDNN, the run ends with the
    same weights, optimizer state and history (apart from `seconds`) as without the interruption,
    bit for bit. The recorded threads are used if TensorFlow hasn't started. Versions and settings
    that differ are printed.

    Args:
        run: The run or its folder.
        data: The raw images of the run. Their SHA-256 is compared.
        device: As in `fit`. None takes the run's device.
        report: As in `fit`.
        quiet: Print nothing.
        callbacks: Custom callbacks, or one. Pass them again when you resume; their state isn't
            saved.

    Returns:
        The finished run.

    Raises:
        RunError: The folder is no run, is damaged, has other data, or another process trains in
            it.
        TrainingError: As in `fit`.
        DeviceError: As in `fit`.

    Example:
        >>> import lenet_tf
        >>> data = lenet_tf.load_data("sample")
        >>> run = lenet_tf.fit("tiny", data, epochs=1, quiet=True, report=False)
        >>> lenet_tf.resume(run.path, data, quiet=True).metrics == run.metrics
        True
    """
    record = read_run(run.path if isinstance(run, run_folder.Run) else run)
    return resume_record(
        record,
        data,
        device=device,
        report=report,
        quiet=quiet,
        callbacks=list_callbacks(callbacks),
    )


@one_training_at_a_time()
def resume_record(
    record: RunRecord,
    data: RawData,
    *,
    device: str | None = None,
    report: bool = True,
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> run_folder.Run:
    """Resume a run whose record is already read, as `resume` does.

    Args:
        record: The run.
        data: As in `resume`.
        device: As in `resume`.
        report: As in `resume`.
        quiet: As in `resume`.
        callbacks: As in `resume`.

    Returns:
        The finished run.

    Raises:
        LenetError, Interrupted: As `resume`.
    """
    if record.config["format"] != FORMAT:
        advice = "Load its model and train that."
        if is_repeatable(record.config):
            command = f"lenet-tf train --from-run {quote_word(record.path)}"
            advice = f"Repeat the run instead: {command}"
        raise RunError(
            f"{record.path} has format {record.config['format']}, whose checkpoints don't record"
            f" the run's progress; lenet_tf {__version__} needs it to resume. {advice}"
        )
    metrics = record.read_metrics()
    if metrics is not None:
        return _load_finished(record, metrics)
    folder_checks.check_parts(record.path)
    own_methods = record.config.get("own_methods")
    if own_methods:
        raise RunError(
            f"{record.path} can't be resumed: {str(own_methods)[:200]}, which no file holds. Load"
            " its weights into a model of that class and call fit"
        )
    config = TrainConfig.from_record(
        record,
        device=devices.to_device_option(record.device) if device is None else device,
        report=report,
        quiet=quiet,
    )
    check_raw_data(data)
    notes = []
    if image_order.is_in_tfds_order(data, record.data_sha256):
        notes.append(f"{image_order.describe_order(data)} The run resumes in its own order.")
        data = image_order.to_tfds_order(data)
    record.check_same_data(data.sha256, "A run resumes with its own data only.")
    return _continue(record, config, data, [*notes, *version_differences(record.config)], callbacks)


def _continue(
    record: RunRecord,
    config: TrainConfig,
    data: RawData,
    notes: Sequence[str],
    callbacks: Sequence[keras.callbacks.Callback],
) -> run_folder.Run:
    threads.use_recorded(record.config["device"].get("threads"))
    check_no_strategy()
    device, spec = devices.choose_device(config.device), config.spec
    with (
        run_folder.run_lock(record.path),
        training_context(device, config),
    ):
        metrics = record.read_metrics()
        if metrics is not None:  # Another process has finished the run in the meantime.
            return _load_finished(record, metrics)
        split = split_data(data, spec.recipe.validation, config.split_by, spec.preparation)
        check_memory(spec, split, device, makes_patches=False)
        model, progress = _load_last_epoch(record, config)
        # The rows and the preparation in config.json may not fit each other.
        check_fits(model, spec.preparation.output_shape(data.image_shape), data)
        trainer = Trainer(
            config=config, split=split, model=model, device=device, callbacks=callbacks
        )
        check_memory(spec, split, device, trainer.makes_patches)
        _restore_files(record.path, progress, int(model.optimizer.iterations))
        if progress.is_over(spec.recipe.epochs, config.early_stopping):
            # Keras' fit does it after its last epoch, and the process was killed in between.
            model.optimizer.finalize_variable_values(model.trainable_variables)
        difference = describe_differences(record.config)
        return trainer.run(record, progress, [*notes, *([difference] if difference else [])])


def _load_finished(record: RunRecord, metrics: dict[str, Any]) -> run_folder.Run:
    model, progress = load_last_epoch(record)
    return run_folder.Run(record.path, progress.history, metrics, record.config, model)


def _restore_files(folder: Path, progress: Progress, steps: int) -> None:
    """Restore the files of the last finished epoch and remove those of a later one."""
    try:
        # First, since it refuses damaged files: then nothing is changed.
        truncate_events(folder, progress.epochs, steps)
        for path in (folder, folder / "projector"):
            remove_partials(path, inside=folder)
        if progress.epochs:
            checkpoints.update_best(folder, progress)
            run_folder.write_history(folder, progress.rows)
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror or error}; the run is unchanged"
        ) from error


def _load_last_epoch(record: RunRecord, config: TrainConfig) -> tuple[LeNet, Progress]:
    """Return the model of the last finished epoch, or the initial one, and the progress."""
    if os.path.lexists(record.path / run_folder.FINAL):
        model, progress = load_last_epoch(record)
        progress.resumed.append(progress.epochs)
        return model, progress
    progress = Progress(resumed=[0])
    if record.config.get("initial_weights") == "given":
        return load_run_model(record, run_folder.INITIAL_WEIGHTS), progress
    return LeNet(config.spec, seed=config.seed, precision=config.precision), progress
