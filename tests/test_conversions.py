"""Arrays as people have them: what is clear is read and said, what is ambiguous is asked for."""

from __future__ import annotations

import gzip
import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest

from lenet_tf.data.dataset import RawData
from lenet_tf.data.read_options import ReadOptions
from lenet_tf.data.sources import load_data
from lenet_tf.data.streaming import ImageFile
from lenet_tf.errors import DataError, DataWarning

LETTERS = np.array(list("abcdefghij"))


def change_arrays(arrays, images=None, labels=None):
    """Return arrays with a change made to the images or the labels of both parts."""
    changes = {"x": images, "y": labels}
    return {
        name: array if changes[name[0]] is None else changes[name[0]](array)
        for name, array in arrays.items()
    }


def read(arrays, **options):
    """Make a data set, and return it with the text of its warning, or nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        data = RawData(**arrays, **options)
    assert len(caught) < 2 and all(each.filename == __file__ for each in caught)
    return data, "".join(str(each.message) for each in caught)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: (x / 255).astype(np.float16), "float16 0…1 → 0…255"),
        (lambda x: (x / 255).astype(np.float32), "float32 0…1 → 0…255"),
        (lambda x: x / 255, "float64 0…1 → 0…255"),
        (lambda x: x.astype(np.float32), "float32 0…255 → rounded"),
        (lambda x: x.astype(np.uint16) * 257, "uint16 0…65535 → 0…255"),
        (lambda x: x.astype(np.uint16), ""),
        (lambda x: x.astype(np.int64), ""),
        (lambda x: x.reshape(-1, 784), "rows of 784 pixels → 28×28"),
        (lambda x: (x / 255).reshape(-1, 784), "rows of 784 pixels → 28×28; float64 0…1 → 0…255"),
        (lambda x: np.moveaxis(x, 0, -1), "images along the last axis → the first"),
    ],
)
def test_clear_images_become_the_same_data_set(arrays, change, said):
    data, warning = read(change_arrays(arrays, images=change))
    assert data.sha256 == RawData(**arrays).sha256
    assert warning == (f"arrays: x_train, x_test: {said}" if said else "")


@pytest.mark.parametrize("convert", [bool, np.uint8, np.int64, np.float32])
def test_images_of_two_values_become_black_and_white(arrays, convert):
    data, warning = read(change_arrays(arrays, images=lambda x: (x > 127).astype(convert)))
    np.testing.assert_array_equal(data.x_test, np.where(arrays["x_test"] > 127, 255, 0))
    assert data.x_train.dtype == np.uint8 and warning.endswith("→ 0…255")


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_are_moved_to_the_end(arrays, channels):
    first = change_arrays(arrays, images=lambda x: np.stack([x, x // 2, x // 3][:channels], axis=1))
    data, warning = read(first)
    np.testing.assert_array_equal(data.x_train, first["x_train"].transpose(0, 2, 3, 1))
    assert data.x_train.flags.c_contiguous
    assert f"channels first, ({channels}, 28, 28) → (28, 28, {channels})" in warning


@pytest.mark.parametrize(
    ("change", "message", "options"),
    [
        (lambda x: x / 127.5 - 1, r"from -1 to 1 in float64, .* values='-1..1'", "-1..1"),
        (
            lambda x: (x / 255 - 0.1307) / 0.3081,
            r"values='-0.424213..2.82149' \(--values -0.424213..2.82149\)$",
            "-0.424213..2.82149",
        ),
        (lambda x: x / 255 / 255, "values='0..1' .* or values='0..0.00392157'", (0, 1 / 255)),
        (lambda x: x.astype(np.int16) * 16, r"values='0..4080' \(--values 0..4080\)$", [0, 4080]),
        (lambda x: (x.astype(int) - 128).astype(np.int8), "values='-128..127'", "−128…127"),
    ],
)
def test_images_of_an_open_range_are_asked_for(arrays, change, message, options):
    changed = change_arrays(arrays, images=change)
    with pytest.raises(DataError, match=message):
        RawData(**changed)
    data, warning = read(changed, values=options)
    assert (data.sha256, warning) == (RawData(**arrays).sha256, "")
    with pytest.raises(DataError, match="not all within values='0..2'"):
        RawData(**changed | {"x_test": changed["x_test"] + 9}, values="0..2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x / 255 * 0.3, "from 0 to 0.3 in float64"),
        (lambda x: np.where(x > 3, np.nan, x), "has NaN or infinite values"),
        (lambda x: x / 0.1, "from 0 to 2550 in float64"),
        (lambda x: np.float64(3), r"not of shape \(\)"),
        (lambda x: x * 1j, "must be raw whole numbers from 0 to 255, not complex128"),
        (lambda x: x[:, :27].reshape(len(x), -1), r"not of shape \(40, 756\)"),
    ],
)
def test_images_of_no_known_form_are_refused(arrays, change, message):
    with pytest.raises(DataError, match=message):
        RawData(**change_arrays(arrays, images=change))


def test_parts_of_different_ranges_are_refused(arrays):
    """Only one of them was divided by 255."""
    floats = change_arrays(arrays, images=lambda x: x * 1.0)
    with pytest.raises(DataError, match="x_train has values of 0…255, but x_test of 0…1: bring"):
        RawData(**floats | {"x_test": floats["x_test"] / 255})
    data, warning = read(arrays | {"x_test": arrays["x_test"] / 255})
    assert data.sha256 == RawData(**arrays).sha256
    assert warning == "arrays: x_test: float64 0…1 → 0…255"


def test_flat_color_images_are_asked_for(arrays):
    color = change_arrays(
        arrays, images=lambda x: np.stack([x, x // 2, x // 3], axis=1)[..., :16, :16]
    )
    rows = change_arrays(color, images=lambda x: x.reshape(len(x), -1))
    with pytest.raises(DataError, match=r"768 values, .* 16×16×3 .*--layout channels_first\) if"):
        RawData(**rows)
    first, _ = read(rows, layout="channels_first")
    np.testing.assert_array_equal(first.x_train, color["x_train"].transpose(0, 2, 3, 1))
    last, _ = read(rows, layout="channels_last")
    np.testing.assert_array_equal(last.x_train, rows["x_train"].reshape(-1, 16, 16, 3))


def test_tiny_images_are_asked_for(arrays):
    tiny = change_arrays(arrays, images=lambda x: np.stack([x[:, :3, :3]] * 3, axis=1))
    with pytest.raises(DataError, match=r"shape \(40, 3, 3, 3\) has channels on the second axis"):
        RawData(**tiny)
    assert read(tiny, layout="channels_last")[0].sha256 != read(
        change_arrays(tiny, images=lambda x: x // 2 * 2 + x[:, ::-1] % 2), layout="channels_first"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: np.eye(10)[y], "one-hot → whole numbers"),
        (lambda y: np.eye(10, dtype=bool)[y], "one-hot → whole numbers"),
        (lambda y: y[:, None], "one column → shape (N,)"),
        (lambda y: y[None], "one row → shape (N,)"),
        (lambda y: y * 1.0, "float64 → whole numbers"),
        (lambda y: y.astype(str), "text → whole numbers"),
        (lambda y: y.astype(str).astype(object), "text → whole numbers"),
        (lambda y: y.astype(np.uint8), ""),
    ],
)
def test_clear_labels_become_the_same_data_set(arrays, change, said):
    data, warning = read(change_arrays(arrays, labels=change))
    assert (data.sha256, data.num_classes) == (RawData(**arrays).sha256, 10)
    assert data.class_names == ()
    assert warning == (f"arrays: y_train, y_test: {said}" if said else "")


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        (lambda y: y + 1, map(str, range(1, 11)), "labels 1…10 → classes 0…9"),
        (lambda y: (y + 1)[:, None] * 1.0, map(str, range(1, 11)), "labels 1…10 → classes 0…9"),
        (lambda y: LETTERS[y], LETTERS, "text → 10 classes: a, b, c, d, e, f, g, h, …"),
        (lambda y: LETTERS.astype(object)[y], LETTERS, "text → 10 classes"),
        (lambda y: LETTERS.astype("S")[y], LETTERS, "text → 10 classes"),
        (lambda y: y % 2 * 2 - 1, ("-1", "1"), "labels -1, 1 → classes 0…1"),
        (lambda y: y % 2 == 1, ("False", "True"), "bool → whole numbers"),
    ],
)
def test_labels_that_are_renumbered_stay_the_names_of_their_classes(arrays, change, names, said):
    data, warning = read(change_arrays(arrays, labels=change))
    assert data.class_names == tuple(names)
    np.testing.assert_array_equal(data.y_train, arrays["y_train"] % len(data.class_names))
    assert data.num_classes == len(data.class_names)
    assert said in warning


def test_class_names_order_labels_that_are_texts(arrays):
    texts = change_arrays(arrays, labels=lambda y: LETTERS[y])
    data, _ = read(texts, class_names=tuple(LETTERS[::-1]))
    np.testing.assert_array_equal(data.y_train, 9 - arrays["y_train"])
    assert data.class_names == tuple(LETTERS[::-1])
    for unknown, options in ((("z",), {}), (("a",), {"class_names": tuple(LETTERS[1:])})):
        texts["y_test"] = np.array([*unknown, *texts["y_test"][1:]])
        with pytest.raises(DataError, match=f"has the label '{unknown[0]}', which .* doesn't have"):
            RawData(**texts, **options)


def test_labels_with_gaps_are_asked_for(arrays):
    gaps = change_arrays(arrays, labels=lambda y: np.array([0, 2, 5])[y % 3])
    with pytest.raises(
        DataError,
        match=r"y_train has the labels 0, 2, 5, .* labels='distinct' \(--labels distinct\) for 3"
        r" classes, or labels='0..5' \(--labels 0..5\) for 6$",
    ):
        RawData(**gaps)
    data, warning = read(gaps, labels="distinct")
    assert (data.num_classes, data.class_names, warning) == (3, ("0", "2", "5"), "")
    np.testing.assert_array_equal(data.y_train, arrays["y_train"] % 3)
    for options in ({"labels": (0, 5)}, {"num_classes": 6}):
        data, warning = read(gaps, **options)
        assert (data.num_classes, data.class_names, warning) == (6, (), "")
    with pytest.raises(DataError, match="y_test has the label 4, which .*y_train doesn't have"):
        RawData(**gaps | {"y_test": np.full(20, 4)}, labels="distinct")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y - 3, r"-3, -2, -1, 0, .* labels='distinct' \(--labels distinct\) for 10"),
        (lambda y: y % 2 + 5, "has the labels 5, 6, but classes .* or labels='0..6'"),
        (lambda y: np.where(y, y, 10**6), r"for 10 classes$"),
        (lambda y: y[:0], "y_train is empty"),
        (lambda y: y / 3, r"not float64 of shape \(40,\)$"),
        (lambda y: np.where(y, y, np.nan), r"not float64 of shape \(40,\)"),
        (lambda y: np.eye(10)[y] * 0.9 + 0.01, r"not float64 of shape \(40, 10\)"),
        (lambda y: np.eye(10)[y][: len(y) // 2], "20 labels for 40 images"),
        (lambda y: np.arange(len(y)) * 300, "must lie in 0…9|has the labels 0, 300"),
        (lambda y: np.array(["a", "\x1b[2J"])[y % 2], "must be printable"),
        (lambda y: np.array([{}] * len(y)), r"numpy.unique\(labels, return_inverse=True\)"),
    ],
)
def test_labels_of_no_clear_form_are_refused(arrays, change, message):
    with pytest.raises(DataError, match=message):
        RawData(**change_arrays(arrays, labels=change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: None, "y_train must be an array, not NoneType"),
        (lambda y: [[1], [1, 2]], "y_train of type list can't become a NumPy array: "),
        (lambda y: np.ma.masked_equal(y, 4), "y_train have masked values: fill or remove them"),
        (lambda y: LETTERS[y], r"names, labels = numpy.unique\(labels, "),
        (lambda y: np.eye(9)[y % 9], "one-hot labels have 9 and 10 columns for 10 classes"),
        (lambda y: y + 1, "y_test must lie in|has the labels 1, 2, 3"),
    ],
)
def test_training_labels_that_do_not_fit_the_test_labels(arrays, change, message):
    arrays = arrays | {"y_train": change(arrays["y_train"])}
    if "columns" in message:
        arrays["y_test"] = np.eye(10)[arrays["y_test"]]
    with pytest.raises(DataError, match=message):
        RawData(**arrays)


def test_the_number_of_classes_settles_labels_from_1(arrays):
    data, warning = read(change_arrays(arrays, labels=lambda y: y + 1), num_classes=10)
    assert data.class_names[-1] == "10" and "labels 1…10" in warning
    with pytest.raises(DataError, match="in 3…12: classes start at 0, so subtract 3"):
        RawData(**change_arrays(arrays, labels=lambda y: y + 3), num_classes=10)
    with pytest.raises(DataError, match="gives 11 classes, not 10"):
        RawData(**arrays, num_classes=10, labels="0..10")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "channels_fist"}, "did you mean channels_first"),
        ({"layout": 3}, "unknown layout 3: "),
        ({"values": "1..0"}, "values must be LOW..HIGH, such as 0..1 or -1..1, not '1..0'"),
        ({"values": "0"}, "values must be"),
        ({"values": (0, "x")}, "values must be"),
        ({"values": 1}, "values must be"),
        ({"labels": "0.5..9"}, "labels must be LOW..HIGH, such as 1..10, or distinct, not"),
        ({"labels": "each"}, "labels must be"),
    ],
)
def test_wrong_options_are_refused(arrays, options, message):
    with pytest.raises(DataError, match=message):
        RawData(**arrays, **options)


def test_options_are_recorded_as_they_are_passed():
    options = ReadOptions(None, None, "channels_first", "-0.5 .. 2.75", (1, np.int64(26)))
    recorded = {"layout": "channels_first", "values": "-0.5..2.75", "labels": "1..26"}
    assert options.to_dict() == recorded
    assert ReadOptions.from_dict(recorded | {"later": 1}) == options
    assert ReadOptions().to_dict() == {}


def test_a_changed_copy_is_not_converted_again(arrays):
    data, _ = read(change_arrays(arrays, images=lambda x: x / 127.5 - 1), values=(-1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert replace(data, name="mine").sha256 == data.sha256 == RawData(**arrays).sha256


def test_conversion_needs_little_memory_besides_its_result():
    images, labels = np.zeros((8_000, 28, 28), np.float32), np.arange(8_000) % 10
    images[:, 3] = 1
    tracemalloc.start()
    data = RawData(images, labels, images[:10], labels[:10], values=(0, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < data.x_train.nbytes + 45e6, "a block of floats at a time"


# Files


def load(path, **options):
    """Load a file or folder, and return it with the lines of its notice after the first."""
    messages = []
    data = load_data(path, notify=messages.append, **options)
    assert len(messages) < 2
    return data, "\n".join(messages).split("\n")[1:]


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("trainX", "trainY", "testX", "testY"),
        ("x_training", "y_training", "x_te", "y_te"),
        ("arr_0", "arr_1", "arr_2", "arr_3"),
    ],
)
def test_arrays_by_other_usual_names(tmp_path, arrays, names):
    pairs = dict(zip(names, arrays.values(), strict=True))
    np.savez(tmp_path / "mine.npz", **pairs)
    data, (line,) = load(tmp_path / "mine.npz")
    assert data.sha256 == RawData(**arrays).sha256
    assert line == ", ".join(f"{name}: {key}" for name, key in zip(names, arrays, strict=True))
    for name, array in {} if "arr_0" in pairs else pairs.items():
        np.save(tmp_path / f"{name}.npy", array)
    if "arr_0" not in pairs:
        folder, lines = load(tmp_path)
        assert folder.sha256 == data.sha256 and lines == []
        assert isinstance(folder.x_train, ImageFile)


def test_unnamed_arrays_in_the_order_of_a_split(tmp_path, arrays):
    order = ("x_train", "x_test", "y_train", "y_test")
    np.savez(tmp_path / "mine.npz", *(arrays[name] for name in order))
    assert load(tmp_path / "mine.npz")[0].sha256 == RawData(**arrays).sha256
    np.savez(tmp_path / "mine.npz", *([arrays["x_train"]] * 4))
    with pytest.raises(
        DataError, match=r"don't say what they are \(arr_0 \(40, 28, 28\), .*: save"
    ):
        load_data(tmp_path / "mine.npz")


def test_validation_parts_are_left_out_and_two_names_for_one_array_refused(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays, val_images=arrays["x_test"], val_labels=arrays["y_test"])
    data, (line,) = load(path)
    assert data.sha256 == RawData(**arrays).sha256
    assert line == "left out: val_images, val_labels"
    np.savez(path, **arrays, train_images=arrays["x_test"])
    with pytest.raises(DataError, match="both x_train and train_images can be x_train: rename"):
        load_data(path)


@pytest.mark.parametrize("names", [("x", "y"), ("images", "labels"), ("data", "target")])
def test_without_a_test_part_a_fifth_of_each_class_is_held_out(tmp_path, arrays, names):
    images = np.concatenate([arrays["x_train"], arrays["x_test"][:10]])
    labels = np.concatenate([arrays["y_train"], arrays["y_test"][:10]])
    np.savez(
        tmp_path / "mine.npz", **dict(zip(names, (images / 255, LETTERS[labels]), strict=True))
    )
    data, lines = load(tmp_path / "mine.npz")
    assert np.bincount(data.y_test).tolist() == [1] * 10
    assert np.bincount(data.y_train).tolist() == [4] * 10
    assert data.class_names == tuple(LETTERS)
    assert lines[-1] == (
        "no test part: 10 of 50 images, 20% of each class, are held out for the test"
    )
    assert data.sha256 == load(tmp_path / "mine.npz")[0].sha256
    np.savez(tmp_path / "mine.npz", x=images[:12], y=labels[:12])
    with pytest.raises(DataError, match="has no test images, and too few images of a class"):
        load_data(tmp_path / "mine.npz")


def test_a_notice_has_a_line_for_each_guess_and_the_options_are_recorded(tmp_path, arrays):
    changed = change_arrays(arrays, images=lambda x: x / 127.5 - 1, labels=lambda y: np.eye(10)[y])
    np.savez(tmp_path / "mine.npz", **changed, class_names=LETTERS)
    data, lines = load(tmp_path / "mine.npz", values=(-1, 1))
    assert lines == ["y_train, y_test: one-hot → whole numbers"]
    assert data.sha256 == RawData(**arrays).sha256
    assert data.class_names == tuple(LETTERS)
    assert data.identity()["options"] == {"values": "-1..1"}
    assert "options" not in RawData(**arrays).identity()


@pytest.mark.parametrize(
    "change",
    [lambda x: x / 255, lambda x: x[:, None], lambda x: np.asfortranarray(x), lambda x: x // 128],
)
def test_images_on_the_disk_that_need_a_conversion_are_read_into_memory(tmp_path, arrays, change):
    for name, array in change_arrays(arrays, images=change).items():
        np.save(tmp_path / f"{name}.npy", array)
    data, lines = load(tmp_path)
    expected = {name: getattr(data, name).reshape(array.shape) for name, array in arrays.items()}
    if data.x_train.max() == arrays["x_train"].max() and change(np.full((1, 2, 2), 9)).max() != 0:
        assert RawData(**expected).sha256 == RawData(**arrays).sha256
    assert not isinstance(data.x_train, ImageFile)
    assert lines[0].startswith("x_train.npy: read into memory")


def write_idx(path, array, kind):
    """Write an IDX file, whose numbers are big-endian."""
    dtype = {8: ">u1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[kind]
    head = bytes([0, 0, kind, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    content = head + array.astype(dtype).tobytes()
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


@pytest.mark.parametrize(
    ("suffix", "image_kind", "label_kind", "scale", "said"),
    [
        ("ubyte", 8, 12, 1, []),
        ("int.gz", 12, 12, 1, []),
        ("float", 13, 8, 1 / 255, ["x_train, x_test: float32 0…1 → 0…255"]),
        ("double.gz", 14, 8, 1, ["x_train, x_test: float64 0…255 → rounded"]),
    ],
)
def test_idx_files_of_other_types(tmp_path, arrays, suffix, image_kind, label_kind, scale, said):
    for name, array in arrays.items():
        axis, part = name.split("_")
        kind, number, axes = ("images", image_kind, 3) if axis == "x" else ("labels", label_kind, 1)
        path = tmp_path / f"{part}-{kind}.idx{axes}-{suffix}"
        write_idx(path, array * scale if axis == "x" else array, number)
    data, lines = load(tmp_path)
    expected = change_arrays(arrays, images=lambda x: x[..., None])
    assert (data.sha256, lines) == (RawData(**expected).sha256, said)
    for path in tmp_path.glob("test-*"):
        path.unlink()
    labels = next(tmp_path.glob("train-labels*"))
    write_idx(labels, arrays["y_train"] % 5, label_kind)
    data, lines = load(tmp_path)
    assert (len(data.x_train), len(data.x_test)) == (32, 8)
    assert lines[-1].startswith("no test part: 8 of 40 images")
    labels.unlink()
    with pytest.raises(DataError, match="has no train-labels-idx1-ubyte, t10k-images-idx3-ubyte"):
        load_data(tmp_path)


def write_table(path, images, labels, header=True, last=False):
    """Write a table as Kaggle's are: the label, then the pixels of an image."""
    pixels = images.reshape(len(images), -1).tolist()
    names = ["label", *(f"pixel{number}" for number in range(len(pixels[0])))]
    rows = [names] * header + [[label, *row] for label, row in zip(labels, pixels, strict=True)]
    if last:
        rows = [[*row[1:], row[0]] for row in rows]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")


@pytest.mark.parametrize(("header", "last"), [(True, False), (False, False), (True, True)])
def test_tables_of_pixels(tmp_path, arrays, header, last):
    train, test = tmp_path / "mnist_train.csv", tmp_path / "mnist_test.csv"
    write_table(train, arrays["x_train"], arrays["y_train"], header, last)
    write_table(test, arrays["x_test"], LETTERS[arrays["y_test"]], header, last)
    with pytest.raises(DataError, match=r"not <U1|not str32"):
        load_data(train)
    write_table(test, arrays["x_test"], arrays["y_test"], header, last)
    for path in (train, tmp_path):
        data, lines = load(path)
        assert data.sha256 == RawData(**arrays).sha256
        place = "last" if last else "first"
        assert lines[:2] == [f"labels: the {place} column", "test part: mnist_test.csv"]
    write_table(train, arrays["x_train"] / 255, LETTERS[arrays["y_train"]], header, last)
    write_table(test, arrays["x_test"] / 255, LETTERS[arrays["y_test"]], header, last)
    data, _ = load(train)
    assert (data.sha256, data.class_names) == (RawData(**arrays).sha256, tuple(LETTERS))


def test_a_table_for_a_competition_has_a_test_part_without_labels(tmp_path, arrays):
    write_table(tmp_path / "train.csv", arrays["x_train"], arrays["y_train"] % 5)
    rows = (tmp_path / "train.csv").read_text().splitlines()
    without = [line.split(",", 1)[1] for line in rows]
    (tmp_path / "test.csv").write_text("\n".join(without))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    data, lines = load(tmp_path)
    assert (len(data.x_train), len(data.x_test), data.image_shape) == (32, 8, (28, 28))
    assert lines[1] == "left out: test.csv, which has no labels"
    assert lines[-1].startswith("no test part: 8 of 40 images")


def test_tables_of_emnist_are_turned_upright(tmp_path, arrays):
    for part in ("train", "test"):
        images = arrays[f"x_{part}"].swapaxes(1, 2)
        path = tmp_path / f"emnist-letters-{part}.csv"
        write_table(path, images, arrays[f"y_{part}"] + 1, header=False)
    data, _ = load(tmp_path / "emnist-letters-train.csv")
    np.testing.assert_array_equal(data.x_train[..., 0], arrays["x_train"])
    np.testing.assert_array_equal(data.y_test, arrays["y_test"])
    assert data.class_names[:2] == ("A", "B")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is empty"),
        ("label,pixel0,pixel1\n", "it is empty"),
        ("a,b,c\n1,2,3\n", "its 3 columns are not a label and the pixels of a square image"),
        ("1,2,3,4,5\n1,2,3\n", "could not convert|number of columns|requires"),
        ("1,2,3,x,5\n1,2,3,x,5\n", "could not convert"),
        ("1,2,3,4,5\n1,\n2,2,3,4,5\n", "a line has no pixels"),
        ("1,2,3,4,5\n1,\n", "a line has no pixels"),
        ("pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n", "has no column of labels: it must be"),
        ("1" * 600_000, "a line is longer than 524,288 bytes"),
        ("\x00\xff", "its 1 columns are not"),
    ],
)
def test_unusable_tables(tmp_path, content, message):
    (tmp_path / "train.csv").write_text(content, encoding="latin-1")
    for path in (tmp_path / "train.csv", tmp_path):
        with pytest.raises(DataError, match=message):
            load_data(path)


def test_large_tables_are_read_in_parts_and_bounded(tmp_path, arrays, monkeypatch):
    monkeypatch.setattr("lenet_tf.data.sources.tables._BLOCK", 4_000)
    write_table(tmp_path / "train.csv", arrays["x_train"], arrays["y_train"])
    write_table(tmp_path / "test.csv", arrays["x_test"], arrays["y_test"])
    assert load(tmp_path)[0].sha256 == RawData(**arrays).sha256
    monkeypatch.setattr("lenet_tf.data.sources.tables._MAX_BYTES", 30_000)
    with pytest.raises(DataError, match="its pixels can take more than 30,000 bytes"):
        load_data(tmp_path)
    (tmp_path / "more_train.csv").write_text("")
    with pytest.raises(DataError, match="several tables of training images: name one of more_"):
        load_data(tmp_path)
