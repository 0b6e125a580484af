"""Trained networks as folders for model hubs: built here, and read without trusting them.

The attacker is someone who publishes a folder. The comment beside each check names the attack that
it stops. Files that the description doesn't name, such as `.gitattributes`, are never opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta

from lenet_tf.errors import RunError, SpecError
from lenet_tf.io.bounded import MAX_TEXT_BYTES, parse_json, read_bounded
from lenet_tf.io.hdf5 import read_arrays
from lenet_tf.pretrained.keras_archive import CONFIG, MAX_FILE_BYTES, METADATA, WEIGHTS
from lenet_tf.pretrained.locate import DESCRIPTION
from lenet_tf.pretrained.network import Origin, TrainedNetwork
from lenet_tf.pretrained.reading import build_network, check_arguments
from lenet_tf.pretrained.safetensors import build_safetensors
from lenet_tf.pretrained.writing import build_config, build_metadata, build_weights
from lenet_tf.runs.schema import Count, Text
from lenet_tf.runs.validation import check_values
from lenet_tf.text import format_json
from lenet_tf.version import __version__

CARD, SAFETENSORS = "README.md", "model.safetensors"
_FILES = (CONFIG, METADATA, WEIGHTS, SAFETENSORS)
_Side = Annotated[int, Meta(ge=1, le=4096)]
_WRITTEN_BY = "`lenet-tf export --format hub` writes"


@dataclass(frozen=True)
class HubDescription:
    """`preset.json` of a folder.

    Attributes:
        format: The version of the folder's layout.
        name: The name of the network.
        files: The SHA-256 of each other file.
        lenet_tf: The version of lenet_tf that wrote it.
        variant: The name of the network's spec.
        parameters: The number of its parameters.
        preparation: How an image is prepared.
        data: The name of the data set that it was trained on; empty if unknown.
        class_names: Names of the classes; none if they are only numbered.
        image_shape: Shape of a raw image; None if unknown.
        test_images: The number of test images; 0 if no test is recorded.
        test_errors: How many of them the network misclassifies.
    """

    format: Literal[1]
    name: Text
    files: dict[Text, Text]
    lenet_tf: Text = ""
    variant: Text = ""
    parameters: Count = 0
    preparation: Mapping[str, Any] | None = None
    data: Text = ""
    class_names: Annotated[tuple[Text, ...], Meta(max_length=1_000_000)] = ()
    image_shape: Annotated[tuple[_Side, ...], Meta(min_length=2, max_length=3)] | None = None
    test_images: Count = 0
    test_errors: Count = 0


def build_hub_files(network: TrainedNetwork, name: str, keras_version: str) -> dict[str, bytes]:
    """Build the files of a folder for model hubs, apart from its card.

    Args:
        network: The network.
        name: Its name.
        keras_version: The version of Keras whose layout the weights have.

    Returns:
        The content of each file by its name.
    """
    files = {
        CONFIG: _encode(build_config(network)),
        METADATA: _encode(build_metadata(keras_version)),
        WEIGHTS: build_weights(network),
        SAFETENSORS: build_safetensors(network),
    }
    origin = network.origin or Origin()
    description = HubDescription(
        format=1,
        name=name,
        files={file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
        lenet_tf=__version__,
        variant=network.spec.name,
        parameters=network.spec.parameters,
        preparation=network.spec.to_dict()["preparation"],
        class_names=network.class_names,
        image_shape=network.image_shape,
        data=origin.data,
        test_images=origin.test_images,
        test_errors=origin.test_errors,
    )
    return files | {DESCRIPTION: _encode(asdict(description))}


def _encode(value: Any) -> bytes:
    return (format_json(value, indent=2) + "\n").encode()


def read_hub_folder(folder: Path) -> TrainedNetwork:
    """Read a network from a folder for model hubs, without Keras.

    Nothing in the folder is executed, no link in it is followed, and every file must be the one
    that the description names by its SHA-256.

    Args:
        folder: The folder.

    Returns:
        The network, with the classes' names and the shape of a raw image.

    Raises:
        RunError: If a file is missing, changed, damaged, too large or not a LeNet's.
    """
    description = _read_description(folder)
    # Checked although the network is not read from all of them.
    for name in (METADATA, SAFETENSORS):
        if name in description.files:
            _read_file(folder, name, description.files[name])
    config, weights = (
        _read_file(folder, name, description.files[name]) for name in (CONFIG, WEIGHTS)
    )
    try:
        arguments, spec = check_arguments(parse_json(config))
        # Attack: a spec whose layers fill the memory before anyone looks for their weights.
        if 4 * spec.parameters > len(weights):
            raise ValueError(f"{WEIGHTS} is too short for {spec.parameters:,} parameters")
        network = build_network(arguments, spec, read_arrays(weights))
        _check_finite(network)
        names = description.class_names
        if names and len(names) != spec.num_classes:
            raise ValueError(f"it names {len(names):,} classes, and there are {spec.num_classes:,}")
    except SpecError as error:
        raise RunError(f"{folder} cannot be read: its network is not valid: {error}") from error
    except (OSError, MemoryError) as error:
        raise RunError(f"{folder} cannot be read: {error or 'out of memory'}") from error
    except ValueError as error:
        raise RunError(f"{folder} cannot be read as a LeNet: {error}") from error
    origin = Origin(
        data=description.data,
        test_images=description.test_images,
        test_errors=description.test_errors,
    )
    return replace(network, class_names=names, image_shape=description.image_shape, origin=origin)


def _read_description(folder: Path) -> HubDescription:
    path = folder / DESCRIPTION
    try:
        content = read_bounded(path, MAX_TEXT_BYTES, follow_links=False)
        description = check_values(parse_json(content), HubDescription)
        for name in description.files:
            # Attack: a path to another folder, whose file would be read and hashed.
            if name not in _FILES:
                raise ValueError(f"files names {name[:80]!r}, which is not part of such a folder")
        for name in (CONFIG, WEIGHTS):
            if name not in description.files:
                raise ValueError(f"files has no {name!r}")
        if description.test_errors > description.test_images:
            raise ValueError("test_errors is larger than test_images")
        return description
    except FileNotFoundError as error:
        raise RunError(f"{folder} has no {DESCRIPTION}, which {_WRITTEN_BY}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is not usable: {_get_reason(error)}{_get_hint(path)}") from error


def _read_file(folder: Path, name: str, sha256: str) -> bytes:
    """Read a file whose digest is known."""
    path = folder / name
    limit = MAX_TEXT_BYTES if path.suffix == ".json" else MAX_FILE_BYTES
    try:
        # Attack: a link to another file of the user's, a pipe that never ends, a huge file.
        content = read_bounded(path, limit, follow_links=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {_get_reason(error)}{_get_hint(path)}") from error
    # Not an attack, since the attacker can write both: a file that was damaged or mixed up.
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RunError(
            f"{path} was changed: its SHA-256 is not the one in {DESCRIPTION}. Get the folder again"
        )
    return content


def _get_reason(error: Exception) -> str:
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _get_hint(path: Path) -> str:
    # The Hugging Face hub's library fills its cache with links.
    return ". Download the folder with local_dir, as plain files" if path.is_symlink() else ""


def _check_finite(network: TrainedNetwork) -> None:
    """Raise `ValueError` for weights that are NaN or infinite."""
    for row, arrays in network.weights.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError(f"the weights of {row} are NaN or infinite")
