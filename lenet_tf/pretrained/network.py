"""A trained network: its spec and its weights as NumPy arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lenet_tf.specs import Spec
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rows import as_pair
from lenet_tf.specs.rows_1998 import Subsampling, TableConvolution
from lenet_tf.specs.rows_standard import BatchNormalization, Convolution, Dense

# The name that Keras gives the weights of each type of row, with a number from the second on.
_STORED_NAMES: dict[type, str] = {
    Convolution: "conv2d",
    TableConvolution: "table_convolution",
    Subsampling: "subsampling",
    Dense: "dense",
    BatchNormalization: "batch_normalization",
}


@dataclass(frozen=True)
class Origin:
    """What is recorded of a network's training and test.

    Attributes:
        preset: The name of the preset, if it is one.
        data: The data set that it was trained on.
        compiled: What it was compiled with instead of its recipe's parts, `RunRecord.compiled`.
        test_images: The number of test images; 0 if no test is recorded.
        test_errors: How many of them it misclassifies.
    """

    preset: str = ""
    data: str = ""
    compiled: Mapping[str, Any] = field(default_factory=dict)
    test_images: int = 0
    test_errors: int = 0


@dataclass(frozen=True)
class TrainedNetwork:
    """A spec with trained weights.

    Attributes:
        spec: The network.
        weights: The arrays of each row that has weights, by the row's name, in Keras' order and
            shapes: float32 kernel and bias; coefficient and bias of a subsampling row; gamma, beta,
            mean and variance of a batch normalization.
        precision: What it computes in: `float32`, `mixed_float16` or `mixed_bfloat16`.
        class_names: Names of its classes; none if they are only numbered.
        image_shape: Shape of the raw images that it was trained on, (height, width) or
            (height, width, channels); None if unknown.
        origin: Its training and test, as far as they are recorded; None for a model in memory.
    """

    spec: Spec
    weights: Mapping[str, tuple[np.ndarray, ...]]
    precision: str = "float32"
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    origin: Origin | None = None


def get_weight_shapes(facts: LayerFacts) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of a row's arrays in Keras' order; none for a row without weights."""
    row, maps = facts.row, facts.input_shape[-1]
    if isinstance(row, Convolution):
        return (*as_pair(row.kernel), maps, row.filters), (row.filters,)
    if isinstance(row, TableConvolution):
        pairs = sum(len(each) for each in row.table)
        return (pairs, *as_pair(row.kernel)), (len(row.table),)
    if isinstance(row, Subsampling):
        return ((maps * row.multiplier,),) * 2
    if isinstance(row, Dense):
        return (maps, row.units), (row.units,)
    if isinstance(row, BatchNormalization):
        return ((maps,),) * 4
    return ()


def select_weights(spec: Spec, arrays: Mapping[str, np.ndarray]) -> dict[str, tuple]:
    """Select the weights of a network among the arrays of a `.keras` file.

    Args:
        spec: The network.
        arrays: Arrays by their path in the file, such as `layers/conv2d/vars/0`.

    Returns:
        The arrays of each row, see `TrainedNetwork`.

    Raises:
        ValueError: If an array is missing or has another shape or kind of number.
    """
    weights: dict[str, tuple] = {}
    facts_by_row = {facts.row.name: facts for facts in spec.layers}
    for row, folder in name_stored_rows(spec):
        found = []
        for index, shape in enumerate(get_weight_shapes(facts_by_row[row])):
            array = arrays.get(f"{folder}/{index}")
            if array is None or array.shape != shape or array.dtype.kind != "f":
                raise ValueError(f"the weights of {row} are missing or of another shape")
            found.append(np.ascontiguousarray(array, np.float32))
        weights[row] = tuple(found)
    return weights


def name_stored_rows(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield each row with weights and its folder in a `.keras` file, `layers/conv2d_1/vars`."""
    counts: Counter[str] = Counter()
    for row in spec.rows:
        stored = _STORED_NAMES.get(type(row))
        if stored is not None:
            number = counts[stored]
            counts[stored] += 1
            yield row.name, f"layers/{stored}{f'_{number}' if number else ''}/vars"
