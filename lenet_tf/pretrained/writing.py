"""Write a trained network in Keras' format, without Keras and without an optimizer's state."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from lenet_tf.pretrained.keras_archive import CONFIG, METADATA, WEIGHTS
from lenet_tf.pretrained.network import TrainedNetwork, name_stored_rows
from lenet_tf.pretrained.network_config import LENET, REGISTERED_NAME
from lenet_tf.specs.scope_names import to_scope_name
from lenet_tf.text import format_json
from lenet_tf.version import __version__

# Without a date, the same weights are the same bytes. ZIP has no earlier one.
_DATE = (1980, 1, 1, 0, 0, 0)


def build_config(network: TrainedNetwork, version: str = __version__) -> dict[str, Any]:
    """Build the config.json with which Keras makes a network, compiled by its recipe.

    Args:
        network: The network.
        version: The version of lenet_tf that made it.

    Returns:
        Values ready for JSON.
    """
    spec = network.spec
    return {
        "module": "lenet_tf.models.lenet",
        "class_name": LENET,
        "registered_name": REGISTERED_NAME,
        "config": {
            "spec": spec.to_dict(),
            "seed": None,
            "precision": network.precision,
            "name": to_scope_name(spec.name),
            "version": version,
        },
        "build_config": {"input_shape": [None, *spec.layers[0].output_shape]},
    }


def build_metadata(keras_version: str) -> dict[str, str]:
    """Build the metadata.json of a network: the version of Keras whose layout its weights have."""
    return {"keras_version": keras_version}


def build_weights(network: TrainedNetwork) -> bytes:
    """Build the HDF5 file of a network's weights, in the layout of a `.keras` file."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w", libver="earliest") as store:
        for row, folder in name_stored_rows(network.spec):
            group = store.create_group(folder)
            group.attrs["name"] = row
            for index, array in enumerate(network.weights[row]):
                group.create_dataset(str(index), data=array, track_times=False)
    return file.getvalue()


def build_archive(network: TrainedNetwork, keras_version: str, version: str = __version__) -> bytes:
    """Build a `.keras` file: the same bytes for the same network and versions.

    Args:
        network: The network.
        keras_version: The version of Keras that trained it.
        version: The version of lenet_tf that trained it.

    Returns:
        The content of the file.
    """
    members = {
        METADATA: format_json(build_metadata(keras_version)).encode(),
        CONFIG: format_json(build_config(network, version)).encode(),
        WEIGHTS: build_weights(network),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            # Not compressed: the bytes would depend on the version of zlib.
            archive.writestr(zipfile.ZipInfo(name, _DATE), content)
    return file.getvalue()
