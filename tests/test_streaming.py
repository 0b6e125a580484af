"""Images in a file: each once per epoch, in a seeded order, and never all in memory."""

from __future__ import annotations

import os
import re

import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.data import file_batches, streaming
from lenet_tf.data.file_batches import shuffled_batches
from lenet_tf.data.pipeline import evaluation_batches, training_batches
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.specs import AUGMENTATIONS, Preparation


@pytest.fixture
def folder(tmp_path, digits):
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.save(tmp_path / f"{name}.npy", getattr(digits, name))
    return tmp_path


@pytest.fixture
def small_windows(monkeypatch):
    """Shuffle four blocks of eight images together."""
    monkeypatch.setattr(file_batches, "BLOCK", 8)
    monkeypatch.setattr(file_batches, "WINDOW", 4 * 8 * 28 * 28)


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("batch_size", [1, 7, 32, 50, 500])
def test_an_epoch_has_each_selected_image_once(folder, digits, batch_size):
    indices = np.sort(np.random.default_rng(0).choice(len(digits.x_train), 201, replace=False))
    batches = list(
        shuffled_batches(
            ImageFile(folder / "x_train.npy"), digits.y_train, indices, batch_size, seed=1, epoch=0
        )
    )
    assert [len(selected) for selected, _, _ in batches] == [batch_size] * (201 // batch_size) + [
        201 % batch_size
    ] * (201 % batch_size > 0)
    for selected, images, labels in batches:
        np.testing.assert_array_equal(images, digits.x_train[selected])
        np.testing.assert_array_equal(labels, digits.y_train[selected])
    selected = np.concatenate([selected for selected, _, _ in batches])
    np.testing.assert_array_equal(np.sort(selected), indices)


@pytest.mark.usefixtures("small_windows")
def test_the_order_depends_only_on_seed_and_epoch(folder, digits):
    def order(seed, epoch):
        return np.concatenate(
            [
                selected
                for selected, _, _ in shuffled_batches(
                    ImageFile(folder / "x_train.npy"),
                    digits.y_train,
                    np.arange(300),
                    32,
                    seed,
                    epoch,
                )
            ]
        )

    np.testing.assert_array_equal(order(1, 2), order(1, 2))
    for other in (order(1, 3), order(2, 2)):
        assert (order(1, 2) != other).mean() > 0.9
    first = order(1, 2)[:32]
    assert len({index // 8 for index in first}) == 4, "a window mixes its blocks"
    assert sorted(first) != list(first)


@pytest.mark.usefixtures("small_windows")
def test_reads_are_small(folder, monkeypatch, digits):
    """Training reads a window of 32 images at a time, and the rest no more than a part."""
    images, read = ImageFile(folder / "x_train.npy"), []
    get = ImageFile.__getitem__
    monkeypatch.setattr(
        ImageFile, "__getitem__", lambda self, index: read.append(get(self, index)) or read[-1]
    )
    for _ in shuffled_batches(images, digits.y_train, np.arange(300), 32, 0, 0):
        pass
    for _ in evaluation_batches(images, digits.y_train, 10, Preparation()):
        pass
    monkeypatch.setattr(streaming, "_PART", 50 * 28 * 28)
    assert sum(len(part) for part in images.parts()) == len(images)
    assert max(len(part) for part in read[:10]) == 32
    assert max(len(part) for part in read[11:]) == 50


def test_the_same_data_in_memory_and_in_a_file(folder, digits):
    """Both have the same hash, the same evaluation and the same evaluation batches."""
    data = lenet_tf.load_data(str(folder))
    assert isinstance(data.x_train, ImageFile)
    assert data.sha256 == digits.sha256
    model = lenet_tf.LeNet("tiny", seed=0)
    assert lenet_tf.evaluate(model, data) == lenet_tf.evaluate(model, digits)
    indices = np.arange(3, 250, 2)
    in_memory, in_file = (
        list(evaluation_batches(d.x_train, d.y_train, 10, Preparation(), indices))
        for d in (digits, data)
    )
    for expected, actual in zip(in_memory, in_file, strict=True):
        for first, second in zip(expected, actual, strict=True):
            np.testing.assert_array_equal(first, second)


def test_batches_of_a_file(folder, digits):
    """Labels stay with their images; distortions depend only on seed and epoch."""
    file = ImageFile(folder / "x_train.npy")

    def take(count, **options):
        batches = training_batches(
            file, digits.y_train, 10, Preparation(), 100, seed=4, indices=np.arange(250), **options
        )
        return [(x.numpy(), y.numpy()) for x, y in batches.take(count)]

    undistorted = take(3)
    assert [len(x) for x, _ in undistorted] == [100, 100, 50]
    known = {digits.x_train[i].tobytes(): digits.y_train[i] for i in range(250)}
    for x, y in undistorted:
        for image, label in zip(np.rint(x[..., 0] * 255).astype(np.uint8), y, strict=True):
            assert known[image.tobytes()] == label.argmax()
    affine = AUGMENTATIONS["affine"]
    both, again, second = (
        take(6, augmentation=affine),
        take(6, augmentation=affine),
        take(3, augmentation=affine, first_epoch=1),
    )
    for (one, _), (other, _) in zip(both, again, strict=True):
        np.testing.assert_array_equal(one, other)
    for (one, labels), (other, same) in zip(both[3:], second, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(labels, same)


def test_training_from_a_folder(folder, cli):
    result = cli.train("tiny", "--data", folder, "--logs", "l", "--seed", 3)
    assert result.exit_code == 0, result.output
    assert f"images of {folder.resolve()}" in result.output
    (run,) = (folder / "work" / "l" / "fit").iterdir()
    again = cli.train("--from-run", run, "--logs", "m", "-q")
    assert again.exit_code == 0, again.output
    (second,) = (folder / "work" / "m" / "fit").iterdir()
    for one, other in zip(
        lenet_tf.load_model(run).get_weights(),
        lenet_tf.load_model(second).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert cli("evaluate", run).exit_code == 0


def test_unusable_files(tmp_path, folder):
    (folder / "y_test.npy").unlink()
    with pytest.raises(
        DataError, match=r"has no y_test.npy: a data set is a folder of x_train.npy"
    ):
        lenet_tf.load_data(str(folder))
    path = tmp_path / "x.npy"
    for array, message in (
        (np.zeros((3, 4, 4)), "must hold uint8 images in C order, not float64 in C order"),
        (
            np.asfortranarray(np.zeros((3, 4, 4), np.uint8)),
            "must hold uint8 images in C order, not uint8 in Fortran order",
        ),
        (np.zeros((0, 4, 4), np.uint8), "is empty"),
        (np.array([{}]), "not a readable .npy file of numbers"),
    ):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(DataError, match=message):
            ImageFile(path)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros((3, 4, 4), np.uint8))
    with pytest.raises(
        DataError, match=r"x\.npy: not a readable \.npy file of numbers \(it is a \.npz archive\)$"
    ):
        ImageFile(path)
    path.write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match="not a readable .npy file"):
        ImageFile(path)
    with pytest.raises(DataError, match="not a readable .npy file"):
        ImageFile(tmp_path / "none.npy")


def test_the_brightness_of_a_folder_is_checked_a_few_megabytes_at_a_time(folder, monkeypatch):
    images = np.load(folder / "x_train.npy")
    np.save(folder / "x_train.npy", images // 255)
    with pytest.raises(DataError, match="x_train hold only 0 and 1"):
        lenet_tf.load_data(folder, notify=print)
    with pytest.raises(DataError, match="x_train hold only 0 and 1"):
        lenet_tf.load_data(folder, values="0..255", notify=print)
    images[:-1] = 0
    images[-1, -1, -1] = 255
    np.save(folder / "x_train.npy", images)
    monkeypatch.setattr(streaming, "_PART", 1_000)
    data = lenet_tf.load_data(folder)
    assert [len(part) for part in data.x_train.flat_parts()][:2] == [1_000, 1_000]


def test_indexing_is_that_of_an_array(folder, digits):
    images = ImageFile(folder / "x_train.npy")
    for index in (
        3,
        -1,
        slice(5, 9),
        slice(None, None, 70),
        slice(9, 2, -3),
        np.array([5, 4, 4, 7, 299, -2]),
        np.arange(60) * 5,
        np.zeros(0, int),
        np.arange(len(images)) % 3 == 0,
    ):
        np.testing.assert_array_equal(images[index], digits.x_train[index])
    with pytest.raises(IndexError):
        images[len(images)]


def _cut(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _overwrite(path):
    np.save(path, 255 - np.load(path))


def _replace(path):
    """Put another file of the same size and time in its place."""
    status, other = path.stat(), path.with_name("other.npy")
    np.save(other, 255 - np.load(path))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert other.stat().st_size == status.st_size
    other.replace(path)


@pytest.mark.parametrize("change", [_cut, _overwrite, _replace, lambda path: path.unlink()])
def test_a_file_that_changes_is_no_longer_read(folder, change):
    """A memory map would end the process, or continue with other images."""
    images = ImageFile(folder / "x_train.npy")
    change(folder / "x_train.npy")
    with pytest.raises(DataError, match=r"x_train\.npy can no longer be read .* Do not move"):
        images[:3]


@pytest.mark.parametrize("name", ["x_train", "x_test"])
def test_a_file_cut_short_stops_training_with_the_resume_command(folder, name):
    data = lenet_tf.load_data(str(folder))

    class CutFile(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                _cut(folder / f"{name}.npy")

    with pytest.raises(DataError) as caught:
        # Some batches are read ahead.
        fit("tiny", data, epochs=20, validation="test", logs=folder / "l", callbacks=[CutFile()])
    lines = str(caught.value).splitlines()
    assert f"{name}.npy can no longer be read (it has changed)" in lines[0]
    assert re.match(r"Stopped after \d+ of 20 epochs. Resume with:", lines[1])
    assert " train --resume " in lines[2]
    assert len(lines) == 3
