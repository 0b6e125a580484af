"""Find the trained network that a user names."""

from __future__ import annotations

from pathlib import Path

from lenet_tf.errors import RunError
from lenet_tf.io.paths import to_path
from lenet_tf.pretrained.hub_folder import is_hub_folder, read_hub_folder
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.presets import find_preset, suggest_preset
from lenet_tf.pretrained.reading import read_network


def read_any(reference: str | Path) -> TrainedNetwork:
    """Read a trained network without Keras.

    Args:
        reference: The name of a preset, a run folder, a `.keras` file, or a folder that
            `lenet-tf export --format hub` wrote. A preset's name goes before a file or folder of
            the same name, which `./NAME` means.

    Returns:
        The network.

    Raises:
        RunError: If there is no such network, or it is damaged, too large or not a LeNet.
    """
    preset = find_preset(reference) if isinstance(reference, str) else None
    if preset is not None:
        return preset.read()
    path = to_path(reference, RunError, "a preset, run or model")
    if not path.exists() and len(path.parts) == 1 and not path.suffix:
        raise RunError(
            f"{path}: there is no such preset, run or model: {suggest_preset(str(path))}"
        )
    return read_hub_folder(path) if is_hub_folder(path) else read_network(path)
