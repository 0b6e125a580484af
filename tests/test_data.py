"""Preparation steps against plain NumPy, eagerly and in `tf.data`, and the errors they raise."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.model_selection import train_test_split

from lenet_tf.data.dataset import RawData, split_data
from lenet_tf.data.labels import check_labels
from lenet_tf.data.pipeline import evaluation_batches
from lenet_tf.data.preprocessing import (
    add_channel_axis,
    normalize,
    one_hot,
    pad_to,
    prepare_images,
    reduce_digits,
    repeat_channels,
)
from lenet_tf.data.stratification import stratified_split
from lenet_tf.data.validation import check_images
from lenet_tf.errors import DataError, DataWarning
from lenet_tf.specs import Preparation


@pytest.fixture
def gray():
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    images.flags.writeable = False  # a step that changes its input raises
    return images


def test_channel_axis(gray):
    assert add_channel_axis(gray).shape == (6, 28, 28, 1)
    np.testing.assert_array_equal(add_channel_axis(gray)[..., 0], gray)
    color = np.stack([gray] * 3, axis=-1)
    assert add_channel_axis(color) is color


def test_padding_is_zero_and_centered(gray):
    padded = pad_to(add_channel_axis(gray), 32)
    assert padded.shape == (6, 32, 32, 1)
    assert padded.dtype == np.uint8
    np.testing.assert_array_equal(padded[:, 2:30, 2:30, 0], gray)
    assert padded.sum(dtype=np.int64) == gray.sum(dtype=np.int64)
    odd = pad_to(gray[:, :27, :, None], 30)
    np.testing.assert_array_equal(odd[:, 1:28, 1:29, 0], gray[:, :27])


def test_padding_rejects_larger_images(gray):
    with pytest.raises(DataError, match="images of 28×28 do not fit into the 20×20"):
        pad_to(gray[..., None], 20)


def test_reduced_digits_are_means_of_areas(gray):
    """From 20 pixels to 16, each new pixel is the mean of 5×5 quarter pixels."""
    reduced = reduce_digits(gray[..., None], 16)
    assert (reduced.shape, reduced.dtype) == ((6, 28, 28, 1), np.uint8)
    # 28 pixels are 112 quarters. 28 new pixels need 5 × 28 = 140, so 14 lie beyond each edge.
    quarters = np.pad(
        gray.repeat(4, axis=1).repeat(4, axis=2).astype(np.int64), ((0, 0), (14, 14), (14, 14))
    )
    sums = quarters.reshape(6, 28, 5, 28, 5).sum(axis=(2, 4))
    np.testing.assert_array_equal(
        reduced[..., 0], (sums + 12) // 25, "means are rounded, and 25 leaves no ties"
    )
    assert not reduced[:, :2].any()
    assert not reduced[:, :, -2:].any()
    np.testing.assert_array_equal(reduce_digits(gray[..., None], 20)[..., 0], gray)
    color = np.random.default_rng(1).integers(0, 256, (2, 9, 14, 3), dtype=np.uint8)
    for channel in range(3):
        np.testing.assert_array_equal(
            reduce_digits(color, 7)[..., channel],
            reduce_digits(color[..., channel, None], 7)[..., 0],
        )


def test_digits_are_reduced_before_padding(gray):
    reduced = pad_to(reduce_digits(gray[..., None], 16), 32)
    prepared = prepare_images(
        gray, Preparation(digit_size=16, pad_to=32, normalization="lecun1998")
    )
    np.testing.assert_array_equal(prepared, normalize(reduced, "lecun1998"))


def test_a_box_of_20_pixels_becomes_16():
    frame = np.zeros((1, 28, 28, 1), np.uint8)
    frame[:, 4:24, 4:24] = 250
    rows = np.flatnonzero(reduce_digits(frame, 16)[0, :, 14, 0])
    assert (rows.min(), rows.max(), len(rows)) == (6, 21, 16)


def test_normalization_ranges(gray):
    image = np.array([0, 51, 255], np.uint8).reshape(1, 1, 3)
    np.testing.assert_array_equal(normalize(image).ravel(), np.array([0, 0.2, 1], np.float32))
    lecun = normalize(image, "lecun1998")
    assert lecun.dtype == np.float32
    np.testing.assert_allclose(lecun.ravel(), [-0.1, 0.155, 1.175], atol=1e-6)
    np.testing.assert_array_equal(normalize(gray), gray.astype("float32") / 255)
    with pytest.raises(DataError, match="unknown normalization 'zscore'"):
        normalize(image, "zscore")


def test_one_hot_keeps_the_stated_width():
    """`to_categorical` would infer 3 classes from these labels."""
    hot = one_hot(np.array([2, 0, 2]), 10)
    assert hot.shape == (3, 10)
    assert hot.dtype == np.float32
    np.testing.assert_array_equal(hot.argmax(1), [2, 0, 2])
    np.testing.assert_array_equal(hot.sum(1), 1)


def test_labels_of_one_byte_can_have_more_than_256_classes():
    """A tensor is compared in its own dtype, in which the classes would begin again at 0."""
    labels = np.array([0, 5, 255], np.uint8)
    hot = keras.ops.convert_to_numpy(one_hot(keras.ops.convert_to_tensor(labels), 700))
    np.testing.assert_array_equal(hot, np.eye(700, dtype=np.float32)[[0, 5, 255]])


def test_class_names_can_be_any_list(arrays):
    class Series(list):
        def __eq__(self, other):
            raise NotImplementedError

        def tolist(self):
            return list(self)

    names = tuple("abcdefghij")
    assert RawData(**arrays, class_names=Series(names)).class_names == names


def test_what_a_run_records_of_its_data_fits_json(arrays):
    data = RawData(**arrays, num_classes=np.int64(10))
    assert json.loads(json.dumps(data.identity()))["num_classes"] == 10
    for part, value in (("name", Path("mine")), ("version", 1), ("source", "x" * 5_000)):
        with pytest.raises(DataError, match=f"{part} of a data set must be text of at most 4096"):
            RawData(**arrays, **{part: value})


@pytest.mark.parametrize(
    "preparation",
    [Preparation(), Preparation(digit_size=13, pad_to=32, channels=3, normalization="lecun1998")],
)
def test_steps_work_in_tf_data(gray, preparation):
    labels = np.arange(6)
    pipeline = tf.data.Dataset.from_tensor_slices((gray.copy(), labels)).batch(4)
    batches = list(
        pipeline.map(
            lambda x, y: (prepare_images(x, preparation), one_hot(y, 10))
        ).as_numpy_iterator()
    )
    np.testing.assert_allclose(
        np.concatenate([x for x, _ in batches]),
        prepare_images(gray, preparation),
        rtol=1e-6,
        atol=1e-7,
    )
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), one_hot(labels, 10))
    assert batches[0][0].dtype == batches[0][1].dtype == np.float32


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((28, 28), np.uint8),
            r"must be \(N, height, width\) or \(N, height, width, channels\), "
            r"not of shape \(28, 28\)",
        ),
        (np.zeros((1, 2, 3, 4, 5), np.uint8), r"not of shape \(1, 2, 3, 4, 5\)"),
        (
            np.zeros((2, 28, 28), np.float32),
            "must be raw whole numbers from 0 to 255, not float32: "
            "normalization is done here, once",
        ),
        (np.full((2, 28, 28), 256), r"must lie in 0…255, not in 256…256"),
        (np.full((2, 28, 28), -1), r"must lie in 0…255, not in -1…-1"),
        (np.zeros((0, 28, 28), np.uint8), "are empty"),
        ([[1, 2]], "must be an array, not list"),
        (np.array([[["a"]]]), "must be raw whole numbers"),
    ],
)
def test_wrong_images_are_rejected(images, message):
    with pytest.raises(DataError, match=message):
        check_images(images)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 10]), r"must lie in 0…9 for 10 classes, not in 0…10"),
        (np.array([-1, 3]), r"not in -1…3"),
        (
            np.array([0.0, 1.0]),
            r"must be whole numbers of shape \(N,\), not float64 of shape \(2,\)",
        ),
        (np.eye(3, dtype=int), r"not int64 of shape \(3, 3\)"),
        ([1, 2], "not list"),
        (np.array([1, 2, 3]), "3 labels for 2 images"),
    ],
)
def test_wrong_labels_are_rejected(labels, message):
    with pytest.raises(DataError, match=message):
        check_labels(labels, 10, count=2)


def test_pipelines_reject_wrong_rank_and_dtype():
    floats = tf.data.Dataset.from_tensor_slices(np.zeros((2, 28, 28), np.float32)).batch(2)
    with pytest.raises(
        Exception, match=r"DataError: images must be raw whole numbers from 0 to 255, not float32"
    ):
        floats.map(normalize)
    with pytest.raises(Exception, match=r"DataError: images must be \(N, height, width\)"):
        tf.data.Dataset.from_tensor_slices(np.zeros((2, 28), np.uint8)).batch(2).map(
            add_channel_axis
        )


def test_split_is_stratified_disjoint_and_seeded():
    labels = np.repeat(np.arange(10), 100)
    train, validation = stratified_split(labels, 0.2, seed=1)
    assert set(train) | set(validation) == set(range(1000))
    assert not set(train) & set(validation)
    assert np.bincount(labels[validation]).tolist() == [20] * 10
    np.testing.assert_array_equal(stratified_split(labels, 0.2, seed=1)[1], validation)
    assert not np.array_equal(stratified_split(labels, 0.2, seed=2)[1], validation)
    with pytest.raises(DataError, match="cannot hold out 0.01 of 20 images"):
        stratified_split(np.arange(20) % 10, 0.01, seed=0)


@pytest.mark.parametrize("fraction", [0.02, 0.1, 1 / 3])
def test_split_is_that_of_scikit_learn(fraction):
    random = np.random.default_rng(0)
    for seed in range(20):
        labels = random.choice(
            7, size=random.integers(500, 1000), p=random.dirichlet(np.full(7, 5))
        )
        expected = train_test_split(
            np.arange(len(labels)), test_size=fraction, random_state=seed, stratify=labels
        )
        for part, other in zip(stratified_split(labels, fraction, seed), expected, strict=True):
            np.testing.assert_array_equal(part, np.sort(other))


@pytest.mark.parametrize("labels", [[0, 1, 1, 1, 2, 2], [3] * 5 + [4]])
def test_split_needs_two_images_of_each_class(labels):
    with pytest.raises(DataError, match="class [04] has 1 image only"):
        stratified_split(np.array(labels), 0.5, seed=0)


def test_raw_data_checks_its_arrays(arrays):
    data = RawData(**arrays)
    assert data.num_classes == 10
    with pytest.raises(DataError, match="mine: y_test: 19 labels for 20 images"):
        RawData(**arrays | {"y_test": arrays["y_test"][:-1]}, name="mine")
    with pytest.raises(DataError, match=r"y_test must lie in 0…9 for 10 classes, not in 0…12"):
        RawData(**arrays | {"y_test": np.array([12] + [0] * 19)})
    with pytest.raises(DataError, match="x_train has images of 28×28, x_test of 20×28"):
        RawData(**arrays | {"x_test": arrays["x_test"][:, :20]})


@pytest.mark.parametrize("label", [0, 3])
def test_one_class_is_refused(arrays, label):
    labels = np.full(40, label)
    with pytest.raises(DataError, match=f"y_train has one class only, the label {label}"):
        RawData(**arrays | {"y_train": labels})
    with pytest.raises(DataError, match="num_classes is 1, but one class"):
        RawData(**arrays | {"y_train": labels}, num_classes=1)
    with pytest.raises(DataError, match="num_classes is 1,000,000, and the limit is 10,000"):
        RawData(**arrays, num_classes=1_000_000)
    assert RawData(**arrays | {"y_train": labels}, num_classes=10).num_classes == 10


@pytest.mark.parametrize("count", [2.0, -3, True, "10"])
def test_the_class_count_is_a_whole_number(arrays, count):
    with pytest.raises(DataError, match="num_classes must be a whole number of at least 2"):
        RawData(**arrays, num_classes=count)


class Series:
    """Labels with a shuffled index, as pandas' have after `sample`: `[i]` is not the i-th."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[::-1][index]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


@pytest.mark.parametrize("convert", [Series, list, tf.constant, np.ma.masked_array, keras.Variable])
def test_other_arrays_are_converted_once_by_position(arrays, convert):
    expected = RawData(**arrays)
    data = RawData(**{name: convert(array) for name, array in arrays.items()})
    assert {type(getattr(data, name)) for name in arrays} == {np.ndarray}
    assert data.sha256 == expected.sha256
    with pytest.raises(DataError, match=r"x_train: values range from 0 to 510 in int"):
        RawData(**arrays | {"x_train": convert(arrays["x_train"].astype(int) * 2)})


@pytest.mark.parametrize("part", ["x_train", "x_test"])
def test_images_of_0_and_1_in_one_part_are_refused(arrays, part):
    """They would be trained on, or tested, as if all of them were black."""
    binary = arrays[part] // 255
    with pytest.raises(
        DataError, match=f"{part} hold only 0 and 1, but raw images range .*: multiply them by 255"
    ):
        RawData(**arrays | {part: binary})
    with pytest.raises(DataError, match=f"{part} are blank: every pixel is 0"):
        RawData(**arrays | {part: binary * 0})
    RawData(**arrays | {part: binary * 255})


def test_dark_images_are_a_warning(arrays):
    with pytest.warns(DataWarning, match="x_train are dark: .* is 15. If 15 .* by 17") as caught:
        data = RawData(**arrays | {"x_train": arrays["x_train"] // 16})
    assert data.x_train.max() == 15
    assert caught[0].filename == __file__
    # One bright image is enough.
    arrays["x_train"][:-1] //= 16
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RawData(**arrays)


def test_class_names_are_recorded_and_checked(arrays):
    names = list("abcdefghij")
    data = RawData(**arrays, class_names=names)
    assert (
        data.class_names
        == tuple(names)
        == RawData(**arrays, class_names=np.array(names)).class_names
    )
    assert data.identity()["class_names"] == names
    assert data.sha256 == RawData(**arrays).sha256
    assert "class_names" not in RawData(**arrays).identity()
    for wrong in (
        names[1:],
        [*names[1:], "b"],
        [*names[1:], ""],
        [*names[1:], "\x1b[2J"],
        "abcdefghij",
        None,
    ):
        with pytest.raises(DataError, match="class_names must be 10 different texts"):
            RawData(**arrays, class_names=wrong)


def test_the_hash_ignores_the_dtype(arrays):
    data = RawData(**arrays)
    wide = RawData(**{name: array.astype(np.int32) for name, array in arrays.items()})
    assert data.sha256 == wide.sha256
    changed = arrays["x_test"].copy()
    changed[3, 4, 5] ^= 1
    assert replace(data, x_test=changed).sha256 != data.sha256
    assert data.identity()["images"] == {"train": 40, "test": 20}


def test_split_says_what_it_wants(arrays):
    with pytest.raises(
        DataError,
        match=r"data must be a lenet_tf.RawData, not tuple: use load_data",
    ):
        split_data((arrays["x_train"], arrays["y_train"]), "test", seed=0)


def test_a_split_holds_out_training_images_or_validates_on_test_images(arrays):
    data = RawData(**arrays)
    split = split_data(data, 0.25, seed=0)
    assert not split.is_validated_on_test
    assert (len(split.train_indices), len(split.validation_indices)) == (30, 10)
    assert sorted([*split.train_indices, *split.validation_indices]) == list(range(40))
    images, labels, indices = split.validation
    np.testing.assert_array_equal(images[indices], data.x_train[split.validation_indices])
    np.testing.assert_array_equal(labels[indices], data.y_train[split.validation_indices])
    split = split_data(data, "test", seed=0)
    assert split.is_validated_on_test
    assert split.train_indices.tolist() == list(range(40))
    images, labels, indices = split.validation
    assert images is data.x_test and labels is data.y_test and indices is None


def test_validation_images_are_prepared_as_the_set_that_they_come_from(arrays):
    data = RawData(**arrays)
    preparation = Preparation(pad_to=32, test_normalization="unit_twice")
    held_out = split_data(data, 0.25, 0, preparation)
    on_test = split_data(data, "test", 0, preparation)
    assert held_out.preparation == on_test.preparation == preparation
    assert held_out.validation_preparation == preparation
    assert on_test.validation_preparation == preparation.for_test_images
    assert on_test.validation_preparation.normalization == "unit_twice"
    assert on_test.validation_preparation != preparation
    assert split_data(data, "test", 0).preparation == Preparation()


def test_the_shape_of_prepared_images(arrays):
    assert Preparation(pad_to=32, channels=3).output_shape(RawData(**arrays).image_shape) == (
        32,
        32,
        3,
    )
    with pytest.raises(DataError, match="images of 28×28 do not fit into the 20×20"):
        Preparation(pad_to=20).output_shape(RawData(**arrays).image_shape)


def test_gray_images_become_equal_channels(gray):
    color = repeat_channels(add_channel_axis(gray), 3)
    assert color.shape == (6, 28, 28, 3)
    for channel in range(3):
        np.testing.assert_array_equal(color[..., channel], gray)
    assert repeat_channels(color, 3) is color
    with pytest.raises(
        DataError, match="images of 3 channels cannot become images of 4: only gray ones can"
    ):
        repeat_channels(color, 4)


def test_evaluation_batches_have_every_image_in_order(arrays):
    """2,037 images in batches of 1,000 are prepared as in NumPy, and the last batch has 37."""
    images, labels = (
        np.tile(arrays["x_train"], (51, 1, 1))[:2_037],
        np.tile(arrays["y_train"], 51)[:2_037],
    )
    preparation = Preparation(pad_to=32, normalization="lecun1998")
    batches = list(evaluation_batches(images, labels, 10, preparation).as_numpy_iterator())
    assert [len(x) for x, _ in batches] == [1_000, 1_000, 37]
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), one_hot(labels, 10))
    np.testing.assert_allclose(
        np.concatenate([x for x, _ in batches]), prepare_images(images, preparation), atol=1e-7
    )
