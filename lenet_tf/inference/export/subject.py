"""What is exported: the trained network that a user names, and images to check it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet_tf.data.dataset import RawData, check_raw_data
from lenet_tf.data.sources import DEFAULT_DATA, load_data
from lenet_tf.errors import DataError, RunError
from lenet_tf.inference.export.network import ExportData, find_image_shape
from lenet_tf.io.paths import to_path
from lenet_tf.pretrained.locate import read_any
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.presets import find_preset
from lenet_tf.runs.run_folder import CONFIG, Run
from lenet_tf.runs.run_record import read_run
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.specs.rows import format_shape

# Images that calibrate 8-bit integers, and images that an export is checked with.
_CALIBRATION_IMAGES, CHECKED_IMAGES = 500, 1_000


@dataclass(frozen=True)
class Subject:
    """A network to export.

    Attributes:
        title: Its name, such as `lenet5-mnist`.
        trained: The network.
        data_name: The data set that it was trained on, or is made for.
        data_options: How that is read, by the names of `lenet_tf.load_data`.
    """

    title: str
    trained: TrainedNetwork
    data_name: str
    data_options: dict[str, Any]


def find_subject(model: Any) -> Subject:
    """Find the network that a user names.

    Args:
        model: A preset's name, a run folder, a `Run`, a `.keras` file, a hub folder, a `LeNet` or
            a `TrainedNetwork`.

    Returns:
        The network.

    Raises:
        RunError: If there is no such network, or it is damaged or not a LeNet.
    """
    if isinstance(model, TrainedNetwork):
        return Subject(model.spec.name, model, model.spec.data, {})
    if isinstance(model, Run):
        model = model.path
    if not isinstance(model, str | Path):
        from lenet_tf.models.trained_network import to_trained_network

        trained = to_trained_network(model)
        return Subject(model.name, trained, trained.spec.data, {})
    trained = read_any(model)
    preset = find_preset(model) if isinstance(model, str) else None
    if preset is not None:
        return Subject(preset.name, trained, preset.data, {})
    path = to_path(model, RunError, "a preset, run or model")
    title = path.resolve().name if path.is_dir() else path.stem
    folder = path if path.is_dir() else path.parent
    try:
        record = read_run(folder) if (folder / CONFIG).is_file() else None
    except RunError:
        # A hub folder, or a file in a folder of something else.
        record = None
    if record is None or record.config["data"].get("source") == "arrays":
        return Subject(title, trained, trained.spec.data, {})
    return Subject(title, trained, record.data_name, record.data_options)


def read_export_data(
    subject: Subject,
    data: RawData | str | Path | None = None,
    originals: str | Path | None = None,
    notify: Callable[[str], None] | None = None,
) -> ExportData:
    """Read the images that calibrate and check an export.

    Args:
        subject: The network.
        data: A data set or its name. None takes that of the network.
        originals: As in `lenet_tf.load_data`.
        notify: As in `lenet_tf.load_data`.

    Returns:
        500 training images from all of the data set, and the first 1,000 test images.

    Raises:
        DataError: If the data set is damaged or does not fit the network.
        SourceUnreachable: If no source has it.
    """
    if not isinstance(data, RawData):
        data = _load(subject, data, originals, notify)
    check_raw_data(data)
    shape = find_image_shape(subject.trained)
    own_shape = find_image_shape(replace(subject.trained, image_shape=data.image_shape))
    if own_shape != shape or data.num_classes != subject.trained.spec.num_classes:
        raise DataError(
            f"{subject.title} takes images of {format_shape(shape)} and"
            f" {subject.trained.spec.num_classes} classes, but {data.name} has images of"
            f" {format_shape(own_shape)} and {data.num_classes} classes: choose the data set that"
            " checks the export (--data)"
        )
    indices = np.unique(np.linspace(0, len(data.x_train) - 1, _CALIBRATION_IMAGES).astype(int))
    count = min(CHECKED_IMAGES, len(data.x_test))
    train = np.stack([np.asarray(data.x_train[index]) for index in indices])
    test = np.asarray(data.x_test[:count])
    return ExportData(
        data.name,
        train.reshape(-1, *shape).astype(np.uint8),
        test.reshape(-1, *shape).astype(np.uint8),
        np.asarray(data.y_test[:count]),
    )


def _load(
    subject: Subject,
    name: str | Path | None,
    originals: str | Path | None,
    notify: Callable[[str], None] | None,
) -> RawData:
    options: dict[str, Any] = {"network": subject.trained.spec}
    if name is None:
        options |= subject.data_options
        # Without a name, the embedded sample can replace MNIST.
        name = None if subject.data_name == DEFAULT_DATA else subject.data_name
    with STATUS.show(f"reading {DEFAULT_DATA if name is None else name}"):
        return load_data(name, originals, notify, **options)
