"""Export to a folder for model hubs, checked with Keras."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from lenet_tf.inference.export.network import ExportNetwork
from lenet_tf.inference.export.registry import Format, LoadedExport
from lenet_tf.io.atomic import atomic_write, make_folder, write_text
from lenet_tf.pretrained.hub_folder import CARD, build_hub_files


def _write(network: ExportNetwork, path: Path) -> None:
    from lenet_tf.evaluation.model_card import ModelCard, render_card

    make_folder(path, path.parent)
    files = build_hub_files(network.trained, network.title, version("keras"))
    for name, content in files.items():
        with atomic_write(path / name) as file:
            file.write(content)
    write_text(path / CARD, render_card(ModelCard.from_network(network.trained, network.title)))


def _load(path: Path, network: ExportNetwork) -> LoadedExport:
    from lenet_tf.evaluation.evaluate import predict_outputs, to_probabilities
    from lenet_tf.models.lenet import LeNet

    model = LeNet.from_preset(path)

    def compute(images: np.ndarray) -> np.ndarray:
        return np.asarray(to_probabilities(model, predict_outputs(model, images)), np.float32)

    return LoadedExport(f"Keras {version('keras')}", compute)


FORMATS = {
    "hub": Format(
        "hub",
        "a folder for model hubs",
        "-hub",
        _write,
        _load,
        takes_prepared=False,
        has_labels=False,
        packages=("tensorflow", "keras"),
    )
}
