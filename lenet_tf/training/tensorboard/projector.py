"""TensorBoard's projector: test images as points, where the layer before the output puts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.plugins import projector

from lenet_tf.data.dataset import RawData
from lenet_tf.evaluation.evaluate import predict
from lenet_tf.evaluation.image_figures import to_displayable
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.io.atomic import atomic_write
from lenet_tf.models.lenet import LeNet
from lenet_tf.training.tensorboard.sampling import evenly_spaced

# In a run folder.
FOLDER = "projector"
# Points, and numbers in all of them: the browser is given them as text.
_POINTS, _NUMBERS = 1_000, 400_000
# Pixels of the sprites' side that every browser takes.
_MAX_SIDE = 4_096


def write_projector(folder: Path, network: LeNet, data: RawData) -> None:
    """Writes into the run folder the outputs of the layer before the last one for some test images, their classes, the network's
    answers and the images themselves, and names them for TensorBoard. Raises `OSError`."""
    maps = feature_maps(network, data.x_test[:1])
    name = list(maps)[-2]
    fitting = (_MAX_SIDE // max(data.x_test.shape[1:3])) ** 2
    count = max(2, min(_POINTS, fitting, _NUMBERS // maps[name].size, len(data.x_test)))
    chosen, preparation = evenly_spaced(len(data.x_test), count), network.spec.preparation.for_test_images
    images, labels = data.x_test[chosen], data.y_test[chosen]
    points = feature_maps(network, images, preparation)[name].reshape(len(images), -1)
    answers = predict(network, images, preparation).argmax(axis=1)
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    with atomic_write(place / "points.tsv") as partial:
        np.savetxt(partial, points, fmt="%.5g", delimiter="\t")
    with atomic_write(place / "images.tsv") as partial:
        lines = [
            f"{label}\t{answer}\t{'right' if label == answer else 'wrong'}"
            for label, answer in zip(labels, answers, strict=True)
        ]
        partial.write_text("\n".join(["label\tanswer\tright", *lines]) + "\n", encoding="utf-8")
    with atomic_write(place / "images.png") as partial:
        Image.fromarray(_sprite(images)).save(partial)
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(
        tensor_name=name, tensor_path=f"{FOLDER}/points.tsv", metadata_path=f"{FOLDER}/images.tsv"
    )
    embedding.sprite.image_path = f"{FOLDER}/images.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    projector.visualize_embeddings(str(folder), config)


def _sprite(images: np.ndarray) -> np.ndarray:
    """Raw images in a square, line by line, dark on light: uint8 (height, width[, 3])."""
    side = int(np.ceil(np.sqrt(len(images))))
    tiles = to_displayable(images)
    tiles = 255 - tiles if tiles.ndim == 3 else tiles
    tiles = np.concatenate(
        [tiles, np.full((side * side - len(tiles), *tiles.shape[1:]), 255, np.uint8)]
    )
    height, width = tiles.shape[1:3]
    joined = tiles.reshape(side, side, *tiles.shape[1:]).swapaxes(1, 2)
    return joined.reshape(side * height, side * width, *tiles.shape[3:])
