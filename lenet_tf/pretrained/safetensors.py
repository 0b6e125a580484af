"""Write weights as safetensors: a length, a header in JSON, then the numbers."""

from __future__ import annotations

import json

import numpy as np

from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.specs.rows_1998 import Subsampling
from lenet_tf.specs.rows_standard import BatchNormalization

_NAMES: dict[type, tuple[str, ...]] = {
    Subsampling: ("coefficient", "bias"),
    BatchNormalization: ("gamma", "beta", "moving_mean", "moving_variance"),
}


def name_arrays(network: TrainedNetwork) -> dict[str, np.ndarray]:
    """Name the arrays of a network by row and part, such as `C1.kernel`."""
    rows = {row.name: row for row in network.spec.rows}
    return {
        f"{name}.{part}": array
        for name, arrays in network.weights.items()
        for part, array in zip(
            _NAMES.get(type(rows[name]), ("kernel", "bias")), arrays, strict=True
        )
    }


def build_safetensors(network: TrainedNetwork) -> bytes:
    """Build the safetensors file of a network's weights: the same bytes for the same network.

    The format is so small that a dependency would be longer than this.

    Args:
        network: The network, with float32 weights.

    Returns:
        The content of the file.
    """
    header: dict[str, object] = {"__metadata__": {"format": "lenet_tf"}}
    parts, start = [], 0
    for name, array in name_arrays(network).items():
        part = np.ascontiguousarray(array, "<f4").tobytes()
        end = start + len(part)
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [start, end]}
        parts.append(part)
        start = end
    text = json.dumps(header).encode()
    # The numbers start at a multiple of 8 bytes.
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, *parts))
