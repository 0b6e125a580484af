"""Load the models of a run folder, compared with what its config.json says."""

from __future__ import annotations

import os
from io import BufferedReader

from lenet_tf.errors import RunError
from lenet_tf.io.bounded import open_regular_file
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.saving import load_stream
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
    with _open_model(record, name) as stream:
        return _load_model(record, name, stream)


def load_last_epoch(record: RunRecord) -> tuple[LeNet, Progress]:
    """Load the model and the progress of a run's last finished epoch.

    Args:
        record: The run.

    Returns:
        The compiled model, and the progress in the same file.

    Raises:
        RunError: As `load_run_model`, or a file of the run folder says something else.
    """
    # A run that trains replaces the file: it is opened once, and read after metrics.json.
    metrics = record.read_metrics()
    with _open_model(record, FINAL) as stream:
        # The model first, since that checks the whole file.
        model = _load_model(record, FINAL, stream)
        progress = read_progress(record.path / FINAL, stream)
    check_progress(record, progress, metrics)
    return model, progress


def _open_model(record: RunRecord, name: str) -> BufferedReader:
    file = record.path / name
    if not os.path.lexists(file):
        raise RunError(f"{record.path} has no {name}: no epoch was finished")
    try:
        # Attack: a link to another file of the user's.
        return open_regular_file(file, follow_links=False)
    except ValueError as error:
        raise RunError(f"{file} cannot be read: {error}") from error
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror or error}") from error


def _load_model(record: RunRecord, name: str, stream: BufferedReader) -> LeNet:
    model = load_stream(stream, record.path / name)
    check_model(record, model, name)
    return model
