"""TensorBoard's projector: test images as points, by the outputs of the last hidden layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.plugins import projector

from lenet_tf.data.dataset import RawData
from lenet_tf.evaluation.evaluate import predict_outputs
from lenet_tf.evaluation.image_figures import to_displayable
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.evaluation.scores import name_class
from lenet_tf.io.atomic import atomic_write, make_folder, write_text
from lenet_tf.models.lenet import LeNet
from lenet_tf.training.tensorboard.sampling import evenly_spaced

# Inside the run folder.
FOLDER = "projector"
_CONFIG = "projector_config.pbtxt"
# The browser reads the points as text.
_MAX_POINTS, _MAX_NUMBERS = 1_000, 400_000
# Every browser accepts a sprite with sides of so many pixels.
_MAX_SPRITE_SIDE = 4_096


def write_projector(folder: Path, model: LeNet, data: RawData) -> None:
    """Write points, labels and thumbnails of test images for TensorBoard's projector.

    Args:
        folder: The run folder.
        model: The trained network.
        data: The raw data set.

    Raises:
        OSError: A file cannot be written.
    """
    maps = feature_maps(model, data.x_test[:1])
    layer = list(maps)[-2]
    sprites = (_MAX_SPRITE_SIDE // max(data.x_test.shape[1:3])) ** 2
    limit = min(_MAX_POINTS, sprites, _MAX_NUMBERS // maps[layer].size, len(data.x_test))
    indices = evenly_spaced(len(data.x_test), max(2, limit))
    images, labels = data.x_test[indices], data.y_test[indices]
    preparation = model.spec.preparation.for_test_images
    points = feature_maps(model, images, preparation)[layer].reshape(len(images), -1)
    predictions = predict_outputs(model, images, preparation).argmax(axis=1)
    make_folder(folder / FOLDER, inside=folder)
    with atomic_write(folder / FOLDER / "points.tsv", inside=folder) as file:
        np.savetxt(file, points, fmt="%.5g", delimiter="\t")
    rows = [
        f"{name_class(label, data.class_names)}\t{name_class(prediction, data.class_names)}"
        f"\t{'right' if label == prediction else 'wrong'}"
        for label, prediction in zip(labels, predictions, strict=True)
    ]
    table = "\n".join(["label\tanswer\tright", *rows]) + "\n"
    write_text(folder / FOLDER / "images.tsv", table, inside=folder)
    with atomic_write(folder / FOLDER / "images.png", inside=folder) as file:
        Image.fromarray(_make_sprite(images, data.has_photographs)).save(file, format="PNG")
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(
        tensor_name=layer, tensor_path=f"{FOLDER}/points.tsv", metadata_path=f"{FOLDER}/images.tsv"
    )
    embedding.sprite.image_path = f"{FOLDER}/images.png"
    embedding.sprite.single_image_dim.extend([images.shape[2], images.shape[1]])
    write_text(folder / _CONFIG, str(config))


def _make_sprite(images: np.ndarray, are_photographs: bool) -> np.ndarray:
    """Return raw images in a square, row by row, ink on paper, uint8 (height, width[, 3])."""
    side = int(np.ceil(np.sqrt(len(images))))
    tiles = to_displayable(images, are_photographs)
    tiles = 255 - tiles if tiles.ndim == 3 else tiles
    blank = np.full((side * side - len(tiles), *tiles.shape[1:]), 255, np.uint8)
    tiles = np.concatenate([tiles, blank])
    height, width = tiles.shape[1:3]
    sprite = tiles.reshape(side, side, *tiles.shape[1:]).swapaxes(1, 2)
    return sprite.reshape(side * height, side * width, *tiles.shape[3:])
