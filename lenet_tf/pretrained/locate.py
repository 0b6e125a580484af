"""Find the trained network that a user names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_tf.errors import RunError
from lenet_tf.io.paths import to_path
from lenet_tf.pretrained.presets import find_preset, suggest_preset

if TYPE_CHECKING:
    from lenet_tf.pretrained.network import TrainedNetwork

# The file of a folder for model hubs by which it is known.
DESCRIPTION = "preset.json"


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
    preset = find_preset(str(reference))
    if preset is not None:
        return preset.read()
    path = to_path(reference, RunError, "a preset, run or model")
    if not path.exists() and len(path.parts) == 1 and not path.suffix:
        raise RunError(f"there is no preset, run or model {path}{suggest_network(path)}")
    # Not above: names are looked up where NumPy isn't needed.
    if is_hub_folder(path):
        from lenet_tf.pretrained.hub_folder import read_hub_folder

        return read_hub_folder(path)
    from lenet_tf.pretrained.reading import read_network

    return read_network(path)


def is_hub_folder(path: Path) -> bool:
    """Return whether a path is a folder with a description."""
    return path.is_dir() and os.path.lexists(path / DESCRIPTION)


def is_pretrained(reference: str | Path) -> bool:
    """Return whether a reference is a preset's name or a folder for model hubs, and so no run."""
    return find_preset(str(reference)) is not None or is_hub_folder(Path(reference))


def suggest_network(reference: str | Path) -> str:
    """Suggest presets for an unknown reference, as the end of a message."""
    name = str(reference)
    is_path = len(Path(name).parts) > 1 or Path(name).suffix
    return "." if is_path else f": {suggest_preset(name)}"
