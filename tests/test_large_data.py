"""Data sets of many millions of images: what stays on the disk, and that nothing else changes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
from quick import fit
from sklearn.model_selection import train_test_split

import lenet_tf
from lenet_tf.data import file_batches, kept_facts, label_files, streaming
from lenet_tf.data.file_batches import shuffled_batches
from lenet_tf.data.label_files import LabelFile, find_first_images
from lenet_tf.data.selections import Selection, make_bits
from lenet_tf.data.stratification import stratified_split
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError
from lenet_tf.training.tensorboard.sampling import validation_images


@pytest.fixture
def folder(tmp_path, digits):
    path = tmp_path / "digits"
    path.mkdir()
    for name in ("x_train", "y_train", "x_test", "y_test"):
        np.save(path / f"{name}.npy", getattr(digits, name))
    return path


@pytest.fixture
def labels_on_disk(monkeypatch):
    """Leave even a few labels in their files, and read them in small parts."""
    monkeypatch.setattr("lenet_tf.data.sources.arrays.MAX_IN_MEMORY", 10)
    for module in (label_files, sys.modules["lenet_tf.data.stratification"]):
        monkeypatch.setattr(module, "PART", 64)


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Keep facts of small and new files, and count how often one is computed."""
    monkeypatch.setattr(kept_facts, "MIN_BYTES", 0)
    monkeypatch.setattr(streaming, "SETTLING_SECONDS", -1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    hashed = []
    hash_arrays = sys.modules["lenet_tf.data.digests"]._hash

    def count(arrays):
        hashed.extend(each.path.name for each in arrays if isinstance(each, ImageFile))
        return hash_arrays(arrays)

    monkeypatch.setattr("lenet_tf.data.digests._hash", count)
    return hashed


def make_labels(path, random, count, classes, dtype="uint8"):
    labels = random.choice(classes, count, p=random.dirichlet(np.full(classes, 2.0)))
    np.save(path, labels.astype(dtype))
    return labels


@pytest.mark.usefixtures("labels_on_disk")
@pytest.mark.parametrize("dtype", ["uint8", "<i8", ">i4"])
@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5, 0.97])
def test_a_split_of_labels_in_a_file_is_that_of_scikit_learn(tmp_path, dtype, fraction):
    random = np.random.default_rng(7)
    for seed, count in enumerate((300, 511, 512, 1_025)):
        path = tmp_path / f"{seed}.npy"
        labels = make_labels(path, random, count, 3 + seed, dtype)
        expected = train_test_split(
            np.arange(count), test_size=fraction, random_state=seed, stratify=labels
        )
        actual = stratified_split(LabelFile(path), fraction, seed)
        for one, other in zip(expected, actual, strict=True):
            assert isinstance(other, Selection)
            np.testing.assert_array_equal(np.sort(one), np.asarray(other))


def test_a_split_that_is_too_small_is_refused_like_in_memory(tmp_path):
    path = tmp_path / "y.npy"
    for labels, fraction in (
        (np.arange(20) % 10, 0.01),
        (np.arange(20) % 10, 0.99),
        (np.array([0, 1] * 10 + [2]), 0.5),
    ):
        np.save(path, labels)
        for each in (labels, LabelFile(path)):
            with pytest.raises(DataError, match=f"cannot hold out {fraction} of {len(labels)} im"):
                stratified_split(each, fraction, 0)


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("total", [1, 8, 511, 512, 513, 5_000])
def test_a_selection_is_indexed_like_an_array(total, value):
    random = np.random.default_rng(total)
    bits = random.random(total) < 0.3
    bits[0] = value
    array = np.flatnonzero(bits == value)
    packed = make_bits(total)
    packed[: -(-total // 8)] = np.packbits(bits)
    selection = Selection(total, packed, value)
    assert (len(selection), selection.shape) == (len(array), array.shape)
    for key in (
        slice(None),
        slice(3, 40),
        slice(None, None, -3),
        0,
        -1,
        random.integers(-len(array), len(array), 30),
        np.zeros(0, int),
        np.arange(len(array)) % 3 == 0,
    ):
        np.testing.assert_array_equal(selection[key], array[key])
    for outside in (len(array), -len(array) - 1):
        with pytest.raises(IndexError):
            selection[outside]
    np.testing.assert_array_equal(Selection(total)[:], np.arange(total))


def order_in_memory(indices, item_bytes, batch_size, seed, epoch):
    """Return the batches of one epoch by whole arrays, as runs are resumed."""
    random = np.random.default_rng([seed, epoch])
    blocks = random.permutation(-(-len(indices) // file_batches.BLOCK))
    count = max(1, file_batches.WINDOW // (file_batches.BLOCK * item_bytes))
    order = []
    for start in range(0, len(blocks), count):
        window = np.sort(blocks[start : start + count])
        edges = [(block * file_batches.BLOCK, (block + 1) * file_batches.BLOCK) for block in window]
        selected = np.concatenate([indices[first:last] for first, last in edges])
        order.append(selected[random.permutation(len(selected))])
    order = np.concatenate(order)
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


@pytest.mark.parametrize("batch_size", [1, 50, 700, 5_000])
# A window of four blocks, of one, and one that is smaller than a block of large images.
@pytest.mark.parametrize("window", [4 * 16 * 40, 16 * 40, 100])
def test_the_order_of_a_file_is_that_of_arrays(tmp_path, monkeypatch, batch_size, window):
    monkeypatch.setattr(file_batches, "BLOCK", 16)
    monkeypatch.setattr(file_batches, "WINDOW", window)
    monkeypatch.setattr(streaming, "_PART", 300)
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (1_003, 8, 5), np.uint8)
    np.save(tmp_path / "x.npy", images)
    labels = make_labels(tmp_path / "y.npy", random, len(images), 4)
    x_file, y_file = ImageFile(tmp_path / "x.npy"), LabelFile(tmp_path / "y.npy")
    train, _ = stratified_split(y_file, 0.1, 0)
    expected = order_in_memory(np.asarray(train), 40, batch_size, seed=5, epoch=2)
    for y in (y_file, labels):
        batches = list(shuffled_batches(x_file, y, train, batch_size, seed=5, epoch=2))
        assert len(batches) == len(expected)
        for wanted, (selected, pixels, numbers) in zip(expected, batches, strict=True):
            np.testing.assert_array_equal(selected, wanted)
            np.testing.assert_array_equal(pixels, images[wanted])
            np.testing.assert_array_equal(numbers, labels[wanted])


def test_large_images_are_read_a_batch_at_a_time(tmp_path, monkeypatch):
    """A block of 128 images of 512×512×3 would take 96 MB, and three copies of it."""
    monkeypatch.setattr(file_batches, "WINDOW", 4 * 3_000)
    np.save(tmp_path / "x.npy", np.zeros((300, 1_000, 3), np.uint8))
    images, read = ImageFile(tmp_path / "x.npy"), []
    get = ImageFile._read
    monkeypatch.setattr(
        ImageFile, "_read", lambda self, index: read.append(len(index)) or get(self, index)
    )
    for _ in shuffled_batches(images, np.zeros(300, int), np.arange(300), 5, 0, 0):
        pass
    assert sum(read) == 300
    assert max(read) == 5


def test_gaps_between_images_take_no_memory(tmp_path, monkeypatch):
    """One tiny image of 16 is read: what lies between them is many times as large."""
    monkeypatch.setattr(streaming, "_PART", 1_000)
    values = np.arange(40_000) % 251
    np.save(tmp_path / "x.npy", values.astype(np.uint8).reshape(-1, 2, 2))
    images, sizes = ImageFile(tmp_path / "x.npy"), []
    fill = ImageFile._fill
    monkeypatch.setattr(
        ImageFile,
        "_fill",
        lambda self, file, items, start: (
            sizes.append(items.nbytes) or fill(self, file, items, start)
        ),
    )
    indices = np.arange(0, 10_000, 16)
    np.testing.assert_array_equal(images[indices].reshape(-1, 4)[:, 0], values[indices * 4])
    assert max(sizes) <= 1_000
    assert len(sizes) < len(indices) / 10


def test_tensorboard_shows_fewer_large_images(digits, monkeypatch):
    monkeypatch.setattr("lenet_tf.training.tensorboard.sampling._MAX_BYTES", 20 * 28 * 28)
    split = sys.modules["lenet_tf.data.dataset"].split_data(digits, 0.2, 0)
    images, labels = validation_images(split)
    assert len(images) == len(labels) == 20
    monkeypatch.setattr("lenet_tf.training.tensorboard.sampling._MAX_BYTES", 1)
    assert len(validation_images(split)[0]) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("labels_on_disk")
def test_labels_in_a_file_train_like_those_in_memory(folder, digits):
    """Split, order, labels and test are the same, so the weights are equal bit for bit."""
    data = lenet_tf.load_data(folder)
    assert isinstance(data.y_train, LabelFile)
    assert isinstance(data.y_test, LabelFile)
    assert data.sha256 == digits.sha256
    assert data.num_classes == digits.num_classes
    in_memory = lenet_tf.RawData(
        data.x_train, digits.y_train, data.x_test, digits.y_test, num_classes=10
    )
    for validation in (0.2, "test"):
        runs = [
            fit("tiny", each, epochs=2, validation=validation, logs=folder.parent / "l", quiet=True)
            for each in (data, in_memory)
        ]
        one, other = (run.model.get_weights() for run in runs)
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        one, other = (run.history | {"seconds": 0} for run in runs)
        assert one == other


@pytest.mark.slow
@pytest.mark.usefixtures("labels_on_disk")
def test_a_run_on_labels_in_a_file_is_reported_evaluated_and_resumed(folder, cli):
    board = ("--images-every", "1", "--report")
    result = cli("train", "tiny", "--data", folder, "--logs", "l", "--epochs", 2, *board)
    assert result.exit_code == 0, result.output
    (run,) = (folder.parent / "work" / "l" / "fit").iterdir()
    assert (run / "report.html").exists()
    assert cli("evaluate", run).exit_code == 0
    (run / "metrics.json").unlink()
    result = cli("train", "--resume", run)
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("labels_on_disk")
def test_numbers_of_classes_of_labels_in_a_file(folder, digits, monkeypatch):
    np.save(folder / "y_train.npy", digits.y_train.astype(np.uint8) + 1)
    np.save(folder / "y_test.npy", digits.y_test + 1)
    notes = []
    data = lenet_tf.load_data(folder, notify=notes.append)
    assert "labels 1…10 → classes 0…9" in notes[0]
    assert isinstance(data.y_train, LabelFile)
    np.testing.assert_array_equal(np.asarray(data.y_train), digits.y_train)
    assert data.sha256 == digits.sha256
    assert data.class_names == tuple(map(str, range(1, 11)))
    np.save(folder / "y_train.npy", 7 * digits.y_train - 5)
    np.save(folder / "y_test.npy", 7 * digits.y_test - 5)
    with pytest.raises(DataError, match=r"has the labels -5, 2, 9, .* pass labels='distinct'"):
        lenet_tf.load_data(folder)
    data = lenet_tf.load_data(folder, labels="distinct")
    np.testing.assert_array_equal(data.y_train[3:200], digits.y_train[3:200])
    np.testing.assert_array_equal(data.y_test[[-1, 4]], digits.y_test[[-1, 4]])
    assert data.sha256 == digits.sha256
    monkeypatch.setattr("lenet_tf.data.sources.arrays.MAX_IN_MEMORY", 200)
    data = lenet_tf.load_data(folder, labels="distinct")
    assert isinstance(data.y_train, LabelFile)
    assert isinstance(data.y_test, np.ndarray)
    assert data.sha256 == digits.sha256
    np.save(folder / "y_test.npy", np.full(100, 3))
    with pytest.raises(DataError, match=r"y_test has the label 3, which .*y_train doesn't have"):
        lenet_tf.load_data(folder, labels="distinct")


@pytest.mark.usefixtures("labels_on_disk")
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(300, np.int64), r"y_train has one class only, the label 0"),
        (np.arange(300) % 9, r"y_test must lie in 0…8 for 9 classes, not in 0…9"),
        (np.arange(299) % 10, r"y_train: 299 labels for 300 images"),
    ],
)
def test_wrong_labels_in_a_file_are_refused_like_in_memory(folder, digits, labels, message):
    np.save(folder / "y_train.npy", labels)
    with pytest.raises(DataError, match=message):
        lenet_tf.load_data(folder)
    with pytest.raises(DataError, match=message):
        lenet_tf.RawData(digits.x_train, labels, digits.x_test, digits.y_test)


def test_labels_that_are_no_classes_are_refused(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(20_000))
    for spread in (1, 1_000):
        np.save(tmp_path / "y.npy", np.arange(20_000) * spread)
        with pytest.raises(DataError, match="more than 10,000 different labels"):
            LabelFile(tmp_path / "y.npy").max()
    np.save(tmp_path / "y.npy", np.array([3, 2**64 - 1], np.uint64))
    with pytest.raises(DataError, match=f"has the label {2**64 - 1}, and the limit is"):
        LabelFile(tmp_path / "y.npy").max()
    np.save(tmp_path / "y.npy", np.array([-128, 127, 127], np.int8))
    values, counts = LabelFile(tmp_path / "y.npy").counts
    assert (values.tolist(), counts.tolist()) == ([-128, 127], [1, 2])
    np.save(tmp_path / "y.npy", np.zeros((3, 2), int))
    with pytest.raises(DataError, match=r"whole numbers of shape \(N,\), not int64 of shape \(3,"):
        LabelFile(tmp_path / "y.npy")


@pytest.mark.usefixtures("labels_on_disk")
def test_the_first_image_of_each_class(tmp_path):
    labels = np.repeat([4, 1, 1, 7, 0], 50)
    np.save(tmp_path / "y.npy", labels)
    for each in (labels, LabelFile(tmp_path / "y.npy")):
        np.testing.assert_array_equal(find_first_images(each, 5), [200, 50, 0])


@pytest.mark.usefixtures("labels_on_disk")
def test_labels_that_change_stop_training_with_the_resume_command(folder):
    data = lenet_tf.load_data(folder)

    class ChangeLabels(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                np.save(folder / "y_train.npy", np.arange(301) % 10)

    with pytest.raises(DataError) as caught:
        fit("tiny", data, epochs=20, logs=folder.parent / "l", callbacks=[ChangeLabels()])
    first, second, third = str(caught.value).splitlines()
    assert "y_train.npy can no longer be read (it has changed)" in first
    assert re.match(r"Stopped after \d+ of 20 epochs. Resume with:", second)
    assert " train --resume " in third


def test_a_digest_is_computed_once_and_kept_beside_the_files(folder, digits, kept, cli):
    for _ in range(2):
        data = lenet_tf.load_data(folder)
        assert data.sha256 == digits.sha256
        assert data.digest_file == folder / kept_facts.KEPT_FILE
    assert kept == ["x_train.npy", "x_test.npy"]
    result = cli.train("tiny", "--data", folder, "--logs", "l")
    assert f"SHA-256 kept in {folder / kept_facts.KEPT_FILE}" in result.output
    assert len(kept) == 2


def test_a_changed_file_is_hashed_again(folder, digits, kept):
    first = lenet_tf.load_data(folder).sha256
    images = np.load(folder / "x_test.npy")
    np.save(folder / "x_test.npy", 255 - images)
    second = lenet_tf.load_data(folder).sha256
    assert first != second
    expected = lenet_tf.RawData(
        digits.x_train, digits.y_train, 255 - images, digits.y_test, num_classes=10
    )
    assert second == expected.sha256
    labels = np.load(folder / "y_train.npy")
    np.save(folder / "y_train.npy", labels[::-1])
    assert lenet_tf.load_data(folder).sha256 not in (first, second)
    assert len(kept) == 6


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
def test_each_part_of_a_file_s_stamp_must_match(folder, kept, place):
    assert lenet_tf.load_data(folder).sha256
    path = folder / kept_facts.KEPT_FILE
    content = json.loads(path.read_text())
    entry = content["facts"][0]["files"][0]
    entry[place] = "/other" if place == 0 else entry[place] + 1
    content["facts"][0]["value"] = "0" * 64
    path.write_text(json.dumps(content))
    assert lenet_tf.load_data(folder).sha256 != "0" * 64
    assert len(kept) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff{",
        b"[]",
        b'{"format": 1, "facts": 3}',
        b'{"format": 1, "facts": [null, {"fact": 1}]}',
        b'{"format": 9, "facts": []}',
        b"{" * 5_000,
        b" " * (1 << 21),
    ],
)
def test_a_damaged_file_of_facts_is_written_again(folder, digits, kept, content):
    path = folder / kept_facts.KEPT_FILE
    path.write_bytes(content)
    for _ in range(2):
        assert lenet_tf.load_data(folder).sha256 == digits.sha256
    assert len(kept) == 2


@pytest.mark.parametrize("value", [None, 3, "0" * 63, "g" * 64, ["0" * 64]])
def test_a_kept_value_that_is_no_digest_is_computed_again(folder, digits, kept, value):
    assert lenet_tf.load_data(folder).sha256
    path = folder / kept_facts.KEPT_FILE
    content = json.loads(path.read_text())
    content["facts"][0]["value"] = value
    path.write_text(json.dumps(content))
    assert lenet_tf.load_data(folder).sha256 == digits.sha256


@pytest.mark.usefixtures("labels_on_disk")
@pytest.mark.parametrize("change", [lambda v: v[1].append(1), lambda v: v[0].reverse(), list.pop])
def test_kept_counts_of_labels_must_be_possible(folder, digits, kept, change):
    lenet_tf.load_data(folder)
    path = folder / kept_facts.KEPT_FILE
    content = json.loads(path.read_text())
    for fact in content["facts"]:
        if fact["fact"] == "labels":
            change(fact["value"])
    path.write_text(json.dumps(content))
    values, counts = lenet_tf.load_data(folder).y_train.counts
    np.testing.assert_array_equal(values, np.arange(10))
    np.testing.assert_array_equal(counts, np.bincount(digits.y_train))


def test_where_the_folder_takes_no_file_the_user_s_cache_keeps_the_digest(folder, tmp_path, kept):
    # A folder in the place of the file: root may write into a folder that is read-only.
    (folder / kept_facts.KEPT_FILE).mkdir()
    for _ in range(2):
        data = lenet_tf.load_data(folder)
        assert data.digest_file.is_relative_to(tmp_path / "cache" / "lenet_tf")
        assert data.digest_file.is_file()
        assert data.sha256
    assert len(kept) == 2


def test_without_any_place_nothing_is_kept(folder, tmp_path, kept):
    (folder / kept_facts.KEPT_FILE).mkdir()
    (tmp_path / "cache").write_text("")
    for _ in range(2):
        assert lenet_tf.load_data(folder).digest_file is None
    assert len(kept) == 4


def test_a_link_in_the_place_of_the_facts_is_not_followed(folder, tmp_path, kept, digits):
    assert lenet_tf.load_data(folder).sha256
    path = folder / kept_facts.KEPT_FILE
    other = tmp_path / "other.json"
    path.rename(other)
    path.symlink_to(other)
    before = other.read_text()
    data = lenet_tf.load_data(folder)
    assert data.sha256 == digits.sha256
    assert data.digest_file.is_relative_to(tmp_path / "cache")
    assert other.read_text() == before
    assert len(kept) == 4


@pytest.mark.usefixtures("kept")
def test_processes_that_hash_at_once_leave_a_whole_file(folder, digits):
    digests = []
    threads = [
        threading.Thread(target=lambda: digests.append(lenet_tf.load_data(folder).sha256))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [digits.sha256] * 8
    content = json.loads((folder / kept_facts.KEPT_FILE).read_text())
    assert content["facts"][-1]["value"] == digits.sha256
    assert len(content["facts"]) <= kept_facts._MAX_FACTS
    assert not [path for path in folder.iterdir() if "partial" in path.name]


def test_small_or_new_files_leave_nothing_behind(folder, monkeypatch):
    assert lenet_tf.load_data(folder).digest_file is None
    monkeypatch.setattr(kept_facts, "MIN_BYTES", 0)
    monkeypatch.setattr(streaming, "SETTLING_SECONDS", 3_600)
    assert lenet_tf.load_data(folder).digest_file is None
    assert not (folder / kept_facts.KEPT_FILE).exists()


PEAK = """
import sys, numpy
from pathlib import Path
from lenet_tf.data.dataset import split_data
from lenet_tf.data import file_batches
import lenet_tf

# Each number of images fills many windows.
file_batches.WINDOW = 2 << 20

def peak():
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

folder, count = sys.argv[1], int(sys.argv[2])
lenet_tf.RawData, numpy.random.RandomState  # what is imported late
with open(f"{folder}/x_train.npy", "wb") as x, open(f"{folder}/y_train.npy", "wb") as y:
    for file, shape in ((x, (count, 4, 4)), (y, (count,))):
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        numpy.lib.format.write_array_header_1_0(file, header)
    for start in range(0, count, 100_000):
        x.write(numpy.full(1_600_000, 200, numpy.uint8).tobytes())
        y.write((numpy.arange(100_000) % 10).astype(numpy.uint8).tobytes())
numpy.save(f"{folder}/x_test.npy", numpy.full((20, 4, 4), 200, numpy.uint8))
numpy.save(f"{folder}/y_test.npy", numpy.arange(20) % 10)
data = lenet_tf.load_data(folder)
split = split_data(data, 0.1, 0)
data.sha256
arrays = data.x_train, data.y_train, split.train_indices
for each in file_batches.shuffled_batches(*arrays, 4000, 0, 0):
    pass
print(peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    """Up to version 0.9 it grew by some ninety bytes for each image."""
    small, large = 4_000_000, 12_000_000
    peaks = []
    for count in (small, large):
        command = [sys.executable, "-c", PEAK, str(tmp_path), str(count)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        peaks.append(int(done.stdout.split()[-1]))
    # An order of blocks, a bit for each image, and for a moment four bytes of one class of ten.
    assert (peaks[1] - peaks[0]) / (large - small) < 1
