"""Load the models of a run folder, compared with what its config.json says."""

from __future__ import annotations

import os

from lenet_tf.errors import RunError
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.saving import load_model
from lenet_tf.runs.checkpoints import Progress, read_progress
from lenet_tf.runs.consistency import check_model, check_progress
from lenet_tf.runs.run_folder import FINAL
from lenet_tf.runs.run_record import RunRecord


def load_run_model(record: RunRecord, name: str = FINAL) -> LeNet:
    """Load a model of a run folder and compare it with the run's record.

    Args:
        record: The run.
        name: The file in the run folder.

    Returns:
        The compiled model.

    Raises:
        RunError: If the file is missing, damaged or no LeNet, or holds another model than
            config.json describes.
    """
    file = record.path / name
    if not os.path.lexists(file):
        raise RunError(f"{record.path} has no {name}: no epoch was finished")
    # Attack: a link to another file of the user's.
    if not file.is_file() or file.is_symlink():
        raise RunError(f"{file} is not a regular file")
    model = load_model(file)
    check_model(record, model, name)
    return model


def load_last_epoch(record: RunRecord) -> tuple[LeNet, Progress]:
    """Load the model and the progress of a run's last finished epoch.

    Args:
        record: The run.

    Returns:
        The compiled model, and the progress in the same file.

    Raises:
        RunError: As `load_run_model`, or a file of the run folder says something else.
    """
    # The model first, since that checks the whole file.
    model = load_run_model(record)
    progress = read_progress(record.path / FINAL)
    check_progress(record, progress)
    return model, progress
