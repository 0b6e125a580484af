"""What the page knows of a trained network: its rows, its weights and its test."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lenet_tf.evaluation.scores import Score
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows_1998 import EuclideanRBF

_TRAINING_ONLY = ("initializer", "momentum", "rate", "coefficient")


def describe_network(network: TrainedNetwork, name: str, title: str) -> dict[str, Any]:
    """Describe a trained network for `scripts/network/network.js`.

    Args:
        network: The network.
        name: The name that the page shows.
        title: The network and its recipe in words.

    Returns:
        Values for JSON.
    """
    spec, origin = network.spec, network.origin
    arrays = [array for facts in spec.layers for array in network.weights.get(facts.row.name, ())]
    test = None
    if origin is not None and origin.test_images:
        score = Score.from_counts(origin.test_errors, origin.test_images)
        test = {
            "errors": origin.test_errors,
            "images": origin.test_images,
            "error": score.value,
            "low": score.low,
            "high": score.high,
        }
    return {
        "name": name,
        "title": title,
        "variant": spec.name,
        "preset": origin.preset if origin is not None else "",
        "data": origin.data if origin is not None else "",
        "preparation": asdict(spec.preparation.for_test_images),
        "imageShape": list(network.image_shape or spec.input_shape),
        "classNames": list(network.class_names),
        "parameters": spec.parameters,
        "test": test,
        "layers": [
            _describe_layer(facts, len(network.weights.get(facts.row.name, ())))
            for facts in spec.layers
        ],
        "weights": pack_arrays(arrays),
    }


def _describe_layer(facts: LayerFacts, arrays: int) -> dict[str, Any]:
    row = facts.row
    values = {key: value for key, value in row.to_dict().items() if key not in _TRAINING_ONLY}
    if isinstance(row, EuclideanRBF):
        values["codes"] = DIGIT_CODES[: row.units]
    return {
        "name": row.name,
        "kind": row.kind,
        "row": values,
        "inputShape": list(facts.input_shape),
        "outputShape": list(facts.output_shape),
        "parameters": facts.parameters,
        "connections": facts.connections,
        "multiplyAdds": facts.multiply_adds,
        "receptiveField": list(facts.receptive_field),
        "arrays": arrays,
    }
