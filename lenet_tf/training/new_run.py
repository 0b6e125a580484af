"""The first files of a run: what resumes or repeats it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lenet_tf.data.dataset import Split
from lenet_tf.models.lenet import LeNet
from lenet_tf.runs import run_folder
from lenet_tf.runs.checkpoints import write_model
from lenet_tf.runs.new_record import build_config
from lenet_tf.runs.run_record import RunRecord
from lenet_tf.runtime import device as devices
from lenet_tf.runtime import numerics, threads
from lenet_tf.training.config import TrainConfig
from lenet_tf.training.saved_model import describe_given_model, saved_as_lenet


def describe_run(
    config: TrainConfig, split: Split, device: devices.Device, initial_model: LeNet | None
) -> dict[str, Any]:
    """Return the content of a run's config.json.

    Args:
        config: The settings of the run.
        split: The data set, split.
        device: The device that trains.
        initial_model: The model whose training continues, if any.
    """
    return build_config(
        config.spec,
        split.data.identity(),
        {
            "name": device.name,
            "label": device.label,
            "threads": threads.read_thread_settings(),
            "numerics": numerics.read_numerics(),
        },
        seed=config.seed,
        initial_weights="seed" if initial_model is None else "given",
        **({} if initial_model is None else describe_given_model(initial_model)),
        settings=config.recorded_settings(),
        tensorboard=config.board.to_dict(),
    )


def write_record(
    folder: Path, config: TrainConfig, content: dict[str, Any], initial_model: LeNet | None
) -> RunRecord:
    """Write what resumes or repeats a run, or leave no folder.

    Args:
        folder: The new run folder.
        config: The settings of the run.
        content: The content of its config.json.
        initial_model: The model whose training continues, if any.

    Returns:
        The run's record.

    Raises:
        RunError: The folder cannot be written.
    """
    try:
        if initial_model is not None:
            with saved_as_lenet(initial_model):
                write_model(folder / run_folder.INITIAL_WEIGHTS, initial_model)
        run_folder.write_json(folder / run_folder.CONFIG, content)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise run_folder.unwritable_error(folder.parent, error) from error
        raise
    return RunRecord(folder, config.spec, content["settings"] | {"seed": config.seed}, content)
