"""What the page knows of a trained network: its rows, its weights and its test."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from lenet_tf.evaluation.model_card import ModelCard
from lenet_tf.evaluation.scores import Score
from lenet_tf.inference.page.packed_arrays import pack_arrays
from lenet_tf.inference.page.page_networks import PageNetwork, hide_folder
from lenet_tf.inference.picture_inputs import choose_picture_input
from lenet_tf.pretrained.network import TrainedNetwork
from lenet_tf.pretrained.presets import Preset
from lenet_tf.specs.layer_facts import LayerFacts
from lenet_tf.specs.rbf_codes import DIGIT_CODES
from lenet_tf.specs.rows_1998 import EuclideanRBF

# Of a share: the page is the same on every machine.
_DIGITS = 6
_PACKAGES = ("lenet_tf", "tensorflow", "keras")
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
            "error": round(score.value, _DIGITS),
            "low": round(score.low, _DIGITS),
            "high": round(score.high, _DIGITS),
        }
    return {
        "name": name,
        "title": title,
        "variant": spec.name,
        "preset": origin.preset if origin is not None else "",
        "data": hide_folder(origin.data) if origin is not None else "",
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


def describe_page_network(network: PageNetwork) -> dict[str, Any]:
    """Describe a network of a page: also where it comes from.

    Args:
        network: The network.

    Returns:
        Values for JSON.
    """
    trained, preset = network.trained, network.preset
    spec = trained.spec
    card = ModelCard.from_network(trained, network.name)
    # A network without a record may have been trained on anything.
    is_known = trained.origin is not None and bool(trained.origin.data)
    data_title = hide_folder(card.data_title) if is_known else ""
    title = f"{spec.name}, trained on {data_title}" if is_known else spec.name
    versions = network.versions
    return describe_network(trained, network.name, card.title if preset else title) | {
        "imageShape": list(network.image_shape),
        "isPreset": preset is not None,
        "rejects": network.rejects,
        "pictureInput": _name_picture_input(network),
        "dataTitle": data_title,
        "dataLicense": card.data_license if is_known else None,
        "recipe": card.recipe if network.preset or network.record else None,
        "precision": trained.precision,
        "row": None if preset is None else _describe_row(preset),
        "versions": {name: versions[name] for name in _PACKAGES if name in versions},
    }


def _name_picture_input(network: PageNetwork) -> str:
    data = {"image_shape": list(network.image_shape), **network.data}
    wanted = choose_picture_input(network.trained.spec, data)
    return "digit" if wanted.size is None else "picture"


def _describe_row(preset: Preset) -> dict[str, Any]:
    """Describe the row of the results table that a preset is one seed of."""
    errors = preset.row_test_errors
    return {
        "name": preset.row,
        "mean": round(statistics.mean(errors), _DIGITS),
        "sd": round(statistics.stdev(errors), _DIGITS) if len(errors) > 1 else None,
        "seeds": len(errors),
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
