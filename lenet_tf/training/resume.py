"""An interrupted run taken up again: its folder put right, its last finished epoch loaded; `job` trains on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from lenet_tf import __version__
from lenet_tf.data import image_order
from lenet_tf.data.dataset import RawData, check_raw, split_data
from lenet_tf.engine.selection import choose_engine
from lenet_tf.errors import RunError
from lenet_tf.io.atomic import remove_partials
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.saving import load_model
from lenet_tf.runs import checkpoints, run_folder
from lenet_tf.runs.checkpoints import Progress
from lenet_tf.runs.event_files import truncate_events
from lenet_tf.runtime import device as devices
from lenet_tf.specs import Spec
from lenet_tf.training.fit import (
    INITIAL_WEIGHTS,
    check_patience,
    prepare_model,
    set_schedule,
    training_context,
    validate_seed,
)
from lenet_tf.training.messages import run_start_message
from lenet_tf.training.trainer import Trainer, run_lock


def resume(
    run: str | Path,
    data: RawData,
    *,
    device: str | None = None,
    report: bool = True,
    quiet: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> run_folder.Run:
    """Goes on with an interrupted run from its last finished epoch, as config.json in its folder says; a finished run is only read.

    On the same machine, with the same versions and device, it ends with the weights, the optimizer's state and the history, `seconds`
    apart, that the run would have had without the interruption, bit for bit. Which versions differ is printed.

    Args:
        run: the run folder.
        data: the raw images that the run began with; their SHA-256 is compared.
        device: None takes the run's own.
        report: as for `fit`.
        callbacks: a user's own are not in the folder: give them again. What they remember from earlier epochs is lost.

    Raises:
        RunError: no run folder, a damaged one, other data, or another process that trains in it.
        TrainingError, DeviceError: as `fit`.
    """
    folder = Path(run)
    old = run_folder.read_run(folder)
    if old.config["format"] != run_folder.FORMAT:
        raise RunError(
            f"{folder} is of format {old.config['format']}, whose checkpoints do not say how far a run has come; lenet_tf {__version__}"
            f" needs that. Run it again: lenet-tf train --from-run {folder}"
        )
    if old.metrics is not None:
        return _finished(folder, old.metrics)
    check_raw(data)
    notes = []
    if image_order.is_in_tfds_order(data, old.config["data"].get("sha256")):
        notes, data = (
            [f"{image_order.describe_order(data)} It is resumed in its own order."],
            image_order.to_tfds_order(data),
        )
    old.check_same_data(data.sha256, "A run goes on with its own data only.")
    spec, settings = old.spec, old.settings
    seed = validate_seed(settings["seed"])
    check_patience(settings["early_stopping"])
    place = devices.choose_device(devices.to_device_option(old.device) if device is None else device)
    with run_lock(folder), training_context(place, seed, settings["deterministic"]):
        if old.metrics is not None:  # by another process, in the meantime
            return _finished(folder, old.metrics)
        network, progress = _last_finished(
            folder, spec, seed, settings["precision"], old.config.get("initial_weights")
        )
        prepare_model(network, place)
        loop, taking = choose_engine(settings["engine"], spec, network, place)
        divided = split_data(data, spec.recipe.validation, seed)
        if not progress.epochs:
            set_schedule(network, spec.recipe, len(divided.kept))
        _put_right(folder, progress, int(network.optimizer.iterations))
        if not quiet:
            begins = run_start_message(spec, divided, place, taking, seed, folder, progress.epochs)
            print(
                "\n".join([*notes, *run_folder.version_differences(old.config), begins]), flush=True
            )
        return Trainer(
            network,
            loop,
            spec,
            divided,
            folder,
            seed,
            progress,
            settings["early_stopping"],
            quiet,
            report,
            callbacks,
        ).run()


def _finished(folder: Path, metrics: dict[str, Any]) -> run_folder.Run:
    # The model first, since that checks the whole file.
    model = load_model(folder)
    return run_folder.Run(
        folder, checkpoints.read_progress(folder / "final.keras").history, metrics, model
    )


def _put_right(folder: Path, progress: Progress, steps: int) -> None:
    """Leaves the files of the finished epochs, as they were when the last of these ended, and nothing of the one that was interrupted."""
    try:
        for place in (folder, folder / "projector"):
            remove_partials(place)
        if progress.epochs:
            checkpoints.update_best(folder, progress)
            run_folder.write_history(folder, progress.rows)
        truncate_events(folder, progress.epochs, steps)
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror or error}; the run is as it was"
        ) from error


def _last_finished(
    folder: Path, spec: Spec, seed: int, precision: str, initial_weights: Any
) -> tuple[LeNet, Progress]:
    if (folder / "final.keras").exists():
        network = load_model(folder / "final.keras")
        progress = checkpoints.read_progress(folder / "final.keras")
        progress.resumed.append(progress.epochs)
        return network, progress
    progress = Progress(resumed=[0])
    if initial_weights == "given":
        return load_model(folder / INITIAL_WEIGHTS), progress
    return LeNet(spec, seed=seed, precision=precision), progress
