"""Distortions against SciPy and geometry, and batches that depend only on seed and epoch."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from quick import fit

import lenet_tf
from lenet_tf.data import augmentation
from lenet_tf.data.pipeline import training_batches
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import SpecError
from lenet_tf.specs import AUGMENTATIONS, Augmentation, Preparation, get_spec

BOTH = AUGMENTATIONS["affine+elastic"]


@pytest.fixture(scope="module")
def images(digits):
    return prepare_images(digits.x_train[:40], Preparation(pad_to=32, normalization="lecun1998"))


def test_resampling_against_scipy(images):
    coordinates = augmentation.draw_coordinates(
        len(images), 32, 32, (1, 2), replace(BOTH, translation=9.0)
    ).numpy()
    resampled = augmentation.resample(tf.constant(images), coordinates, -0.1).numpy()
    for image, position, actual in zip(images, coordinates, resampled, strict=True):
        # SciPy interpolates between edge and background only if the background is in the image.
        framed = np.pad(image[..., 0], 1, constant_values=-0.1)
        expected = scipy.ndimage.map_coordinates(
            framed, np.moveaxis(position + 1, -1, 0), order=1, cval=-0.1
        )
        np.testing.assert_allclose(actual[..., 0], expected, atol=2e-4)


def test_amounts_of_zero_change_nothing(images):
    np.testing.assert_allclose(
        augmentation.distort(images, (0, 0), Augmentation(), -0.1), images, atol=1e-5
    )


def test_a_flip_mirrors_half_of_the_images(images):
    flipped = augmentation.distort(images, (3, 4), Augmentation(flip=True), -0.1).numpy()
    mirrored = images[:, :, ::-1]
    is_mirrored = (flipped == mirrored).all(axis=(1, 2, 3))
    assert (is_mirrored | (flipped == images).all(axis=(1, 2, 3))).all()
    assert 10 <= is_mirrored.sum() <= 30
    # The fast way agrees with that of all distortions.
    coordinates = augmentation.draw_coordinates(40, 32, 32, (3, 4), Augmentation(flip=True))
    resampled = augmentation.resample(tf.constant(images), coordinates, -0.1)
    np.testing.assert_allclose(resampled, flipped, atol=1e-5)
    with pytest.raises(SpecError, match="flip must be true or false, not 1"):
        Augmentation(flip=1)


def test_a_flip_leaves_the_other_amounts_as_they_were():
    plain = augmentation.draw_coordinates(30, 9, 9, (1, 2), BOTH).numpy()
    flipped = augmentation.draw_coordinates(30, 9, 9, (1, 2), replace(BOTH, flip=True)).numpy()
    np.testing.assert_array_equal(plain[..., 0], flipped[..., 0])
    assert 5 <= np.isclose(plain, flipped, atol=1e-4).all(axis=(1, 2, 3)).sum() <= 25


def trace_points(amounts, seed=(5, 6), count=2_000, size=21):
    """Return where the middle and the ends of the axes come from.

    The (row, column) are relative to the middle, in an array (count, 5, 2).
    """
    coordinates = (
        augmentation.draw_coordinates(count, size, size, seed, amounts).numpy() - (size - 1) / 2
    )
    middle, last = size // 2, size - 1
    return np.stack(
        [
            coordinates[:, r, c]
            for r, c in ((middle, middle), (0, middle), (last, middle), (middle, 0), (middle, last))
        ],
        axis=1,
    )


def test_translation_moves_all_points_alike_within_its_limit():
    coordinates = trace_points(Augmentation(translation=3.0))
    moved = coordinates - trace_points(Augmentation())
    np.testing.assert_allclose(moved, moved[:, :1].repeat(5, axis=1), atol=1e-5)
    assert np.abs(moved).max() <= 3 + 1e-4
    assert np.abs(moved).max(axis=(0, 1)) == pytest.approx([3, 3], abs=0.05), (
        "both directions reach their limit"
    )


@pytest.mark.parametrize(("field", "sign"), [("scaling", 1), ("squeezing", -1)])
def test_scaling_and_squeezing_change_the_axes(field, sign):
    coordinates = trace_points(Augmentation(**{field: 0.2}))
    height, width = (
        coordinates[:, 2, 0] / 10,
        coordinates[:, 4, 1] / 10,
    )  # what 1 pixel of the distorted image is in the original
    np.testing.assert_allclose(coordinates[:, 0], 0, atol=1e-5)
    np.testing.assert_allclose(np.log(height), sign * np.log(width), atol=1e-4)
    assert (1 / width).min() == pytest.approx(0.8, abs=0.01)
    assert (1 / width).max() == pytest.approx(1.2, abs=0.01)


def test_shear_moves_rows_sideways_in_proportion_to_their_height():
    coordinates = trace_points(Augmentation(shear=0.3))
    np.testing.assert_allclose(coordinates[:, 1:3, 0], np.tile([-10, 10], (2_000, 1)), atol=1e-4)
    np.testing.assert_allclose(coordinates[:, 1, 1], -coordinates[:, 2, 1], atol=1e-4)
    assert np.abs(coordinates[:, 2, 1]).max() == pytest.approx(3, abs=0.05)
    np.testing.assert_allclose(coordinates[:, 3:, 0], 0, atol=1e-5)


def test_elastic_fields_against_a_gaussian_filter():
    """SciPy smooths the same random numbers, with zeros outside."""
    amounts = Augmentation(elastic=34.0)
    _, seed = tf.unstack(tf.random.split((7, 8), 2))
    raw = tf.random.stateless_uniform((2, 3, 28, 28), seed, -1, 1).numpy()
    smooth = scipy.ndimage.gaussian_filter(raw, (0, 0, 4, 4), mode="constant", truncate=8)
    moved = (
        augmentation.draw_coordinates(3, 28, 28, (7, 8), amounts).numpy()
        - augmentation.draw_coordinates(3, 28, 28, (7, 8), Augmentation()).numpy()
    )
    np.testing.assert_allclose(np.moveaxis(moved, -1, 0), 34 * smooth, atol=2e-3)
    assert 0.7 < moved.std() < 2, "about a pixel"


def test_the_seed_decides_and_each_image_differs(images):
    first, same, other = (
        augmentation.distort(images, seed, BOTH, -0.1).numpy() for seed in ((1, 1), (1, 1), (1, 2))
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    twins = augmentation.distort(np.stack([images[0]] * 5), (1, 1), BOTH, -0.1).numpy()
    assert len({twin.tobytes() for twin in twins}) == 5, "each image has its own distortion"
    assert first.dtype == np.float32
    assert first.min() >= images.min() - 1e-5
    assert first.max() <= images.max() + 1e-5
    color = np.repeat(images[:2], 3, axis=-1)
    np.testing.assert_allclose(
        augmentation.distort(color, (1, 1), BOTH, -0.1)[..., 1:2],
        augmentation.distort(images[:2], (1, 1), BOTH, -0.1),
    )


def test_uncovered_pixels_are_background():
    ink = np.full((200, 8, 8, 1), 1.175, np.float32)
    moved = augmentation.distort(ink, (0, 0), Augmentation(translation=4.0), -0.1).numpy()
    assert moved.min() == pytest.approx(-0.1)
    assert (moved[:, 4, 4] > 1.1).mean() > 0.7


@pytest.fixture
def numbered():
    """25 raw images, each filled with its own number, and the arguments that follow them."""
    numbers = np.arange(25, dtype=np.uint8)
    return (
        np.broadcast_to(numbers[:, None, None, None], (25, 4, 4, 1)).copy(),
        np.arange(25) % 5,
        5,
        Preparation(),
    )


def take_batches(batches, count):
    """Return the images' numbers in the first batches, and these batches."""
    first = list(batches.take(count).as_numpy_iterator())
    return [(x[:, 1, 1, 0] * 255).round().astype(int).tolist() for x, _ in first], first


@pytest.mark.parametrize("indices", [None, np.array([3, 4, 7, 8, 9, 11, 12, 20, 21, 22, 23, 24])])
def test_every_epoch_has_each_image_once_in_its_own_order(numbered, indices):
    expected = list(range(25)) if indices is None else indices.tolist()
    order, batches = take_batches(
        training_batches(*numbered, 10, 3, indices=indices), 6 if indices is None else 4
    )
    assert [len(batch) for batch in order] == ([10, 10, 5] if indices is None else [10, 2]) * 2
    half = len(order) // 2
    first, second = (
        [number for batch in part for number in batch] for part in (order[:half], order[half:])
    )
    assert sorted(first) == sorted(second) == expected
    assert first != second
    assert first != expected
    for numbers, (_, labels) in zip(order, batches, strict=True):
        assert labels.argmax(1).tolist() == [number % 5 for number in numbers]


def test_a_later_epoch_does_not_depend_on_earlier_ones(numbered):
    amounts = replace(BOTH, translation=1.0)
    _, complete = take_batches(training_batches(*numbered, 10, 3, amounts), 9)
    _, resumed = take_batches(training_batches(*numbered, 10, 3, amounts, first_epoch=2), 3)
    for (x, y), (again, labels) in zip(complete[6:], resumed, strict=True):
        np.testing.assert_array_equal(x, again)
        np.testing.assert_array_equal(y, labels)
    _, other = take_batches(training_batches(*numbered, 10, 4, amounts), 1)
    assert not np.array_equal(complete[0][0], other[0][0])


@pytest.mark.slow
def test_training_with_distortions(digits, tmp_path):
    """The same seed gives the same weights, and config.json records the distortions."""
    options = {"epochs": 2, "seed": 5, "device": "cpu", "logs": tmp_path, "quiet": True}
    first, same, plain = (
        fit("tiny", digits, augmentation=amounts, **options)
        for amounts in ("affine", AUGMENTATIONS["affine"], None)
    )
    for a, b in zip(first.model.get_weights(), same.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.model.get_weights()[0], plain.model.get_weights()[0])
    config = lenet_tf.runs.run_record.read_config(first.path)
    assert config["recipe"]["augmentation"]["translation"] == AUGMENTATIONS["affine"].translation
    assert (
        lenet_tf.runs.run_record.read_repeatable_run(first.path).spec.recipe.augmentation
        == AUGMENTATIONS["affine"]
    )
    assert len(first.history["loss"]) == 2
    assert int(first.model.optimizer.iterations) == 2 * 6, (
        "270 images in batches of 50, the last of 20"
    )
    with pytest.raises(
        lenet_tf.LenetError, match="unknown augmentation 'afine': did you mean affine"
    ):
        fit("tiny", digits, augmentation="afine", logs=tmp_path / "none", quiet=True)
    assert not (tmp_path / "none").exists()


def test_only_training_images_are_distorted(digits, tmp_path):
    """Keras' own evaluation on undistorted images gives the recorded accuracies."""
    spec = replace(
        get_spec("tiny"),
        recipe=replace(get_spec("tiny").recipe, augmentation=Augmentation(translation=8.0)),
    )
    run = fit(spec, digits, epochs=1, validation="test", logs=tmp_path, quiet=True)
    model = keras.saving.load_model(run.path / "final.keras")
    accuracy = np.mean(
        model.predict(digits.x_test / np.float32(255), verbose=0).argmax(1) == digits.y_test
    )
    assert run.metrics["test_accuracy"] == pytest.approx(accuracy)
    assert run.history["val_accuracy"] == pytest.approx([accuracy])
