"""The images and curves in TensorBoard, compared with independent computations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from quick import fit
from tensorboard_events import read_image, read_values

import lenet_tf
from lenet_tf.data.dataset import split_data
from lenet_tf.evaluation.inspection import feature_maps
from lenet_tf.specs import Preparation, Recipe, get_spec
from lenet_tf.training.tensorboard.mosaics import filters_mosaic, maps_mosaic
from lenet_tf.training.tensorboard.sampling import validation_images


@pytest.fixture(scope="module")
def validation_indices(digits):
    """Return the indices of the validation images of `lenet5_run`."""
    return split_data(digits, 0.2, 0).validation_indices


def test_pr_curves_count_validation_images(lenet5_run, digits, validation_indices):
    probabilities = lenet_tf.predict_outputs(lenet5_run, digits.x_train[validation_indices])
    labels = digits.y_train[validation_indices]
    for label in (0, 7):
        curve = read_values(lenet5_run.path / "validation", f"class_{label}/pr_curves")[-1]
        count = curve.shape[1]
        for index in (1, count // 2, count - 2):
            is_predicted = probabilities[:, label] >= index / (count - 1)
            assert curve[0, index] == sum(is_predicted & (labels == label))
            assert curve[1, index] == sum(is_predicted & (labels != label))


def test_maps_show_one_image_of_each_class(lenet5_run, digits, validation_indices):
    first = [
        next(index for index in validation_indices if digits.y_train[index] == label)
        for label in range(10)
    ]
    maps = feature_maps(lenet5_run.model, digits.x_train[first])
    folder = lenet5_run.path / "validation"
    np.testing.assert_array_equal(read_image(folder, "maps/C3"), maps_mosaic(maps["C3"]))
    units = read_image(folder, "maps/F6")
    # A row per digit, a square for each of 84 units.
    side = 12 + 3
    assert units.shape == (10 * side + 3, 84 * side + 3, 1)
    row, column = np.unravel_index(np.argmax(maps["F6"]), maps["F6"].shape)
    assert units[row * side + 8, column * side + 8, 0] == 0


def test_maps_mosaic_against_loops():
    maps = np.random.default_rng(0).normal(size=(2, 10, 10, 3))
    mosaic = maps_mosaic(maps)[..., 0]
    side = 20 + 3
    for row in range(2):
        for column in range(3):
            top, left = row * side + 3, column * side + 3
            tile = mosaic[top : top + 20 : 2, left : left + 20 : 2]
            scaled = (maps[row, :, :, column] - maps.min()) / (maps.max() - maps.min())
            assert np.abs(tile - (255 - 255 * scaled)).max() <= 1


def test_filters_mosaic_shows_signs_and_missing_connections():
    kernels = np.random.default_rng(1).normal(size=(5, 5, 2, 4))
    kernels[:, :, 1, 2] = np.nan
    mosaic = filters_mosaic(kernels)
    side = 40 + 3
    assert mosaic.shape == (2 * side + 3, 4 * side + 3, 3)
    assert (mosaic[side + 3 : 2 * side, 2 * side + 3 : 3 * side] == 255).all()
    red, green, blue = mosaic[3::8, 3::8][:5, :5].astype(int).transpose(2, 0, 1)
    is_strong = np.abs(kernels[:, :, 0, 0]) > 0.3
    assert is_strong.sum() > 10
    assert ((red > blue) == (kernels[:, :, 0, 0] > 0))[is_strong].all()
    # Pale violet is nearly gray.
    is_violet, largest = (blue > red) & (red > green), np.nanmax(np.abs(kernels))
    is_negative = kernels[:, :, 0, 0] < -0.3 * largest
    assert is_negative.sum() >= 2
    assert is_violet[is_negative].all()
    assert not is_violet[kernels[:, :, 0, 0] > 0].any()


def test_the_projector_shows_f6_and_test_images(lenet5_run, digits):
    folder = lenet5_run.path / "projector"
    points = np.loadtxt(folder / "points.tsv", delimiter="\t")
    assert points.shape == (100, 84)
    np.testing.assert_allclose(
        points, feature_maps(lenet5_run.model, digits.x_test)["F6"], rtol=1e-3, atol=1e-4
    )
    header, *lines = (folder / "images.tsv").read_text().splitlines()
    assert header.split("\t") == ["label", "answer", "right"]
    predictions = lenet_tf.predict_outputs(lenet5_run, digits.x_test).argmax(axis=1)
    assert [line.split("\t") for line in lines] == [
        [str(label), str(prediction), "right" if label == prediction else "wrong"]
        for label, prediction in zip(digits.y_test, predictions, strict=True)
    ]
    sprite = np.asarray(Image.open(folder / "images.png"))
    assert sprite.shape == (280, 280)
    np.testing.assert_array_equal(sprite[28:56, 56:84], 255 - digits.x_test[12].reshape(28, 28))
    config = (lenet5_run.path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "projector/points.tsv"' in config


def test_test_images_are_prepared_as_in_the_run(digits, tmp_path):
    """This run divides test images twice, and TensorBoard shows its bad results."""
    preparation = Preparation(test_normalization="unit_twice")
    spec = replace(get_spec("tiny"), preparation=preparation, recipe=Recipe(validation="test"))
    run = fit(spec, digits, epochs=3, logs=tmp_path, board=lenet_tf.Board(), quiet=True)
    lines = (run.path / "projector" / "images.tsv").read_text().splitlines()[1:]
    correct = sum(line.endswith("right") for line in lines)
    assert correct == round(100 * run.metrics["test_accuracy"])
    curve = read_values(run.path / "validation", "class_3/pr_curves")[-1]
    probabilities = lenet_tf.predict_outputs(run, digits.x_test, preparation.for_test_images)
    is_predicted = probabilities[:, 3] >= 20 / 200
    assert curve[0, 20] == sum(is_predicted & (digits.y_test == 3))


def test_images_sorted_by_class_are_sampled_evenly(digits):
    order = np.argsort(digits.y_train, kind="stable")
    data = replace(digits, x_train=digits.x_train[order], y_train=digits.y_train[order])
    images, labels = validation_images(split_data(data, 0.5, 0), 20)
    assert len(images) == len(labels) == 20
    assert set(labels) == set(range(10))
