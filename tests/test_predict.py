"""The user's own pictures: reading, preparation, prediction, and the command."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from drawings import draw_digits
from PIL import Image
from quick import fit
from scipy import ndimage

import lenet_tf
from lenet_tf.data.sources.sample import load_sample
from lenet_tf.errors import DataError, RunError
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.inference import predict
from lenet_tf.inference.digit_preprocessing import as_digit, is_prepared
from lenet_tf.inference.image_files import read_picture
from lenet_tf.inference.picture_search import find_newest_run, find_pictures
from lenet_tf.inference.predict import predict_pictures
from lenet_tf.inference.prediction_figure import plot_predictions
from lenet_tf.specs import get_spec


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network trained on MNIST if it is available, else on the embedded sample."""
    data = lenet_tf.load_data("mnist") if os.environ.get("LENET_TF_ORIGINALS") else load_sample()
    options = {"recipe": "fast"} if data.name == "mnist" else {"epochs": 12}
    return fit(
        "lenet5-modern",
        data,
        device="cpu",
        quiet=True,
        logs=tmp_path_factory.mktemp("logs"),
        **options,
    )


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """A folder of drawings, and the digit in each."""
    folder, digits = tmp_path_factory.mktemp("drawings"), {}
    for name, digit, picture in draw_digits():
        picture.save(folder / f"{name}.png")
        digits[folder / f"{name}.png"] = digit
    return folder, digits


# Preparation


def test_mnist_is_unchanged():
    """MNIST is already prepared."""
    sample = load_sample()
    for digit in sample.x_train.reshape(-1, 28, 28)[::7]:
        assert is_prepared(digit)
        assert as_digit(digit) is digit


@pytest.mark.slow
def test_all_of_mnist_is_unchanged(originals):
    data = lenet_tf.load_data("mnist", str(originals))
    images = np.concatenate([data.x_train, data.x_test]).reshape(-1, 28, 28)
    assert all(map(is_prepared, images))


@pytest.mark.slow
@pytest.mark.parametrize("scale", [3, 5, 9])
@pytest.mark.parametrize("inverted", [False, True])
def test_enlarged_digits_are_recovered(scale, inverted):
    """From anywhere on a larger sheet, in either polarity and with less contrast."""
    random, correlations, apart = np.random.default_rng(0), [], [-1, 0, 1]
    for digit in load_sample().x_train.reshape(-1, 28, 28)[:300:15]:
        height, width = (int(28 * scale * random.uniform(1.1, 2)) for _ in range(2))
        sheet = np.zeros((height, width), np.uint8)
        top, left = (
            int(random.integers(height - 28 * scale)),
            int(random.integers(width - 28 * scale)),
        )
        sheet[top : top + 28 * scale, left : left + 28 * scale] = (
            np.kron(digit, np.ones((scale, scale), np.uint8)) * 0.6 + 40
        )
        sheet[sheet == 0] = 40
        recovered = as_digit(255 - sheet if inverted else sheet)
        # A center between two pixels may be rounded either way.
        moved = [np.roll(recovered, (down, right), (0, 1)) for down in apart for right in apart]
        correlations.append([np.corrcoef(each.ravel(), digit.ravel())[0, 1] for each in moved])
    assert np.median([each[4] for each in correlations]) > 0.95, "most keep their position"
    assert min(map(max, correlations)) > 0.8
    assert np.mean(np.max(correlations, axis=1)) > 0.95


def test_prepared_pictures_are_centered_like_mnist(drawings):
    for path in drawings[1]:
        digit = as_digit(read_picture(path))
        assert (digit.shape, digit.dtype) == ((28, 28), np.uint8)
        rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        middle = np.array(ndimage.center_of_mass(digit))
        assert np.abs(middle - 14).max() <= 0.51
        assert digit.max() == 255


def test_dirt_beside_a_digit_is_ignored():
    sheet = np.full((120, 100), 250, np.uint8)
    sheet[30:90, 46:54] = 10
    clean = as_digit(sheet)
    sheet[5:7, 90:92] = 10
    np.testing.assert_array_equal(as_digit(sheet), clean)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1)),
        np.full((300, 20), 255),
        np.full((28, 28), 7),
        np.tile([100, 104], (40, 20)),
    ],
)
def test_empty_pictures_are_rejected(picture):
    with pytest.raises(DataError, match="nothing is drawn in it"):
        as_digit(picture.astype(np.uint8))


def test_arrays_that_are_not_gray_pictures_are_rejected():
    for picture in (np.zeros((3, 4, 3), np.uint8), np.zeros((3, 4)), np.zeros((0, 4), np.uint8)):
        with pytest.raises(DataError, match="a picture must be gray uint8"):
            as_digit(picture)


# Predictions


def test_drawings_are_recognized(trained, drawings):
    """At least nine in ten are classified correctly."""
    folder, digits = drawings
    assert len(digits) >= 60
    predictions = predict_pictures(trained.model, find_pictures([folder]))
    wrong = {
        prediction.file.name: prediction.label
        for prediction in predictions
        if prediction.label != digits[prediction.file]
    }
    assert len(wrong) <= len(digits) // 10, wrong
    for prediction in predictions:
        assert 0 <= prediction.runner_up_probability <= prediction.probability <= 1
        assert prediction.runner_up != prediction.label


def test_files_and_arrays_give_the_same_predictions(trained, tmp_path):
    sample = load_sample()
    for number, image in enumerate(sample.x_test.reshape(-1, 28, 28)[:200]):
        Image.fromarray(image).save(tmp_path / f"{number:05}.png")
    outputs = lenet_tf.predict_outputs(trained, sample.x_test[:200])
    predictions = predict_pictures(trained.model, find_pictures([tmp_path]))
    assert [prediction.label for prediction in predictions] == outputs.argmax(axis=1).tolist()
    np.testing.assert_allclose(
        [prediction.probability for prediction in predictions], outputs.max(axis=1), atol=1e-6
    )


def test_probabilities_add_up_to_one(digits):
    """Softmax outputs are probabilities already; RBF outputs −y become e^−y over their sum."""
    outputs = np.array([[-10.0, -12.0, -500.0]])
    rbf = lenet_tf.LeNet("lenet5-1998")
    expected = np.exp(-10) + np.exp(-12)
    np.testing.assert_allclose(
        to_probabilities(rbf, outputs),
        [[np.exp(-10) / expected, np.exp(-12) / expected, 0]],
        atol=1e-12,
    )
    softmax = lenet_tf.LeNet("tiny")
    outputs = np.array([[0.2, 0.7, 0.1]])
    assert to_probabilities(softmax, outputs) is outputs


def test_pictures_are_found(tmp_path):
    for name in ("b.png", "a.JPG", "c.txt", "d.webp", "._b.png"):
        (tmp_path / name).write_bytes(b"")
    for name in ("e.png", ".git"):
        (tmp_path / name).mkdir()
    said = []
    found = find_pictures([tmp_path, tmp_path / "c.txt"], said.append)
    assert [path.name for path in found] == ["a.JPG", "b.png", "d.webp", "c.txt"]
    assert said == [f"{tmp_path}: folders in it that are not searched: 1"]
    with pytest.raises(DataError, match="there is no picture or folder .*none.png"):
        find_pictures([tmp_path / "none.png"])
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(
        DataError,
        match=r"empty holds no picture \(.png, .jpg, .*, .tif, .tiff\); folders in it",
    ):
        find_pictures([tmp_path / "empty"])


def test_rarer_endings_of_the_same_formats_are_read(tmp_path):
    picture = Image.new("L", (20, 30), 200)
    for name, image_format in (("a.jfif", "JPEG"), ("b.JPE", "JPEG"), ("c.dib", "BMP")):
        picture.save(tmp_path / name, image_format)
    assert [read_picture(path).shape for path in find_pictures([tmp_path])] == [(30, 20)] * 3


def save_other_formats(folder):
    """Save pictures of formats that are not read, and return their formats' names."""
    one = Image.new("L", (30, 20), 255)
    for suffix in ("pgm", "ico"):
        one.save(folder / f"x.{suffix}")
    one.save(folder / "named.png", "PPM")
    # Pillow can't write HEIC; AVIF it can only sometimes.
    for name, brands in (("heic", b"heic"), ("avif", b"avif"), ("heif", b"mif1\0\0\0\0avif")):
        (folder / f"x.{name}").write_bytes(b"\0\0\0\x18ftyp" + brands + bytes(40))
    (folder / "x.svg").write_text('<?xml version="1.0"?>\n<svg xmlns="x"/>')
    (folder / "x.raf").write_bytes(b"FUJIFILMCCD-RAW 0201")
    return {
        "named.png": "PGM",
        "x.avif": "AVIF",
        "x.heic": "HEIC",
        "x.heif": "AVIF",
        "x.ico": "ICO",
        "x.pgm": "PGM",
        "x.raf": "a camera's raw file",
        "x.svg": "SVG",
    }


def test_pictures_of_other_formats_are_named_and_counted(trained, drawings, cli, tmp_path):
    formats = save_other_formats(tmp_path)
    with Image.open(drawings[0] / "thick-7.png") as seven:
        for suffix in ("png", "gif", "tif"):
            seven.save(tmp_path / f"a.{suffix}")
    result = cli("predict", tmp_path, "--model", trained.path)
    assert result.exit_code == 1
    read = [line.partition(" (")[0] for line in result.stdout.splitlines()]
    assert read == [f"{tmp_path / name}: 7" for name in ("a.gif", "a.png", "a.tif")]
    for name, known in formats.items():
        assert (
            f"{tmp_path / name}: not a readable picture (it is not a PNG, JPEG, WebP, BMP, GIF or"
            f" TIFF file but {known}; save it as JPEG or PNG)" in result.stderr
        )
    assert "8 of 11 pictures have no prediction." in result.stderr
    rows = json.loads(cli("predict", tmp_path, "--model", trained.path, "--json").stdout)
    assert [("error" in row, "class" in row) for row in rows] == 3 * [(False, True)] + 8 * [
        (True, False)
    ]


def test_several_digits_are_read_from_left_to_right(trained, cli, tmp_path):
    ink = np.full((90, 150), 255, np.uint8)
    ink[20:70, 30:38] = ink[20:70, 90:98] = 0
    Image.fromarray(ink).save(tmp_path / "two.png")
    result = cli("predict", tmp_path / "two.png", "--model", trained.path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{tmp_path / 'two.png'}: 11 (2 digits, each at least ")


def test_the_newest_finished_run_is_found(tmp_path):
    with pytest.raises(
        RunError,
        match="there is no finished run in .*Train one with `lenet-tf train`, or choose another",
    ):
        find_newest_run(tmp_path)
    for number, name in enumerate(("b", "a", "c")):
        folder = tmp_path / "fit" / name
        folder.mkdir(parents=True)
        if name != "c":
            (folder / "metrics.json").write_text("{}")
            os.utime(folder / "metrics.json", (number, number))
    assert find_newest_run(tmp_path).name == "a"
    # No run is behind a link to nowhere, or a folder of that name.
    (tmp_path / "fit" / "c" / "metrics.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "fit" / "d" / "metrics.json").mkdir(parents=True)
    assert find_newest_run(tmp_path).name == "a"


# The command


def test_the_command_predicts(trained, drawings, cli):
    folder, _ = drawings
    thick = folder / "thick-7.png"
    one = cli("predict", thick, "--model", trained.path, "--show")
    assert one.exit_code == 0, one.output
    lines = one.stdout.splitlines()
    assert lines[-1].startswith(f"{thick}: 7 (")
    assert ", otherwise " in lines[-1]
    assert len(lines) == 15, "14 lines, each of two rows of pixels"
    assert "█" in one.stdout
    newest = cli("predict", thick, "--model", "latest", "--logs", trained.path.parent.parent)
    assert (newest.exit_code, newest.stdout) == (0, lines[-1] + "\n")
    assert f"Using {trained.path} (choose another with --model)." in newest.stderr


def test_json_csv_and_a_picture(trained, drawings, cli, tmp_path):
    folder, _ = drawings
    ruined = tmp_path / "ruined.png"
    ruined.write_text("not a picture")
    arguments = [
        "predict",
        folder / "thick-7.png",
        ruined,
        folder / "thick-3.png",
        "--model",
        trained.path,
    ]
    result = cli(*arguments, "--json", "--picture", tmp_path / "sheet.png")
    assert result.exit_code == 1, "one file cannot be read"
    first, second, third = json.loads(result.stdout)
    assert (first["class"], third["class"]) == (7, 3)
    assert second == {
        "file": str(ruined),
        "error": f"{ruined}: not a readable picture (it is not a PNG, JPEG, WebP, BMP, GIF or TIFF"
        " file)",
    }
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 400
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--csv").stdout)))
    assert [row["class"] for row in rows] == ["7", "", "3"]
    assert rows[0]["probability"] == str(first["probability"])
    assert rows[1]["error"] == second["error"]
    unknown = cli(*arguments, "--picture", tmp_path / "sheet.pgn")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "sheet.pgn: its name must end with .png, .jpg" in unknown.stderr
    both = cli(*arguments, "--json", "--csv")
    assert (both.exit_code, "exclude each other" in both.stderr) == (2, True)


def save_unusual_files(folder):
    """Save unusual files, and return the output that the command should have for each."""
    Image.new("L", (1, 1)).save(folder / "pixel.png")
    (folder / "text.png").write_text("I am a text.")
    Image.new("1", (20_000, 20_000)).save(folder / "huge.png")
    ink = np.full((90, 70), 255, np.uint8)
    ink[20:70, 30:38] = 0
    one = Image.fromarray(ink)
    one.save(
        folder / "moving.webp",
        save_all=True,
        append_images=[Image.new("L", (70, 90))],
        lossless=True,
    )
    one.convert("CMYK").save(folder / "print.jpg", quality=95)
    two = one.convert("RGB")
    two.save(folder / "two.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (70, 90))])
    one.save(folder / "named.png", "JPEG", progressive=True)
    # These headers state a larger size.
    progressive = (folder / "named.png").read_bytes()
    offset = progressive.index(b"\xff\xc2") + 5
    (folder / "huge.jpg").write_bytes(
        progressive[:offset] + b"\xff\xdc\xff\xdc" + progressive[offset + 4 :]
    )
    one.save(folder / "cut.bmp")
    bitmap = (folder / "cut.bmp").read_bytes()
    (folder / "cut.bmp").write_bytes(bitmap[:-99])
    (folder / "huge.bmp").write_bytes(bitmap[:18] + (2**31).to_bytes(4, "little") * 2 + bitmap[26:])
    moving = (folder / "moving.webp").read_bytes()
    (folder / "huge.webp").write_bytes(moving[:24] + b"\xff" * 6 + moving[30:])
    (folder / "cut.webp").write_bytes(moving[: len(moving) // 3])
    return {
        "pixel.png": "pixel.png: nothing is drawn in it",
        "text.png": "text.png: not a readable picture (it is not a PNG",
        "huge.png": "huge.png: not a readable picture "
        "(it has 20,000×20,000 pixels, and the limit is 32,000,000; make it smaller)",
        "moving.webp": "moving.webp: 1 (",
        "print.jpg": "print.jpg: 1 (",
        "two.jpg": "two.jpg: 1 (",
        "named.png": "named.png: 1 (",
        "huge.jpg": "huge.jpg: not a readable picture "
        "(it has 65,500×65,500 pixels, and the limit is 32,000,000; make it smaller)",
        "huge.bmp": "huge.bmp: not a readable picture "
        "(it has more pixels than the limit of 32,000,000; make it smaller)",
        "huge.webp": "huge.webp: not a readable picture (",
        "cut.bmp": "cut.bmp: not a readable picture (image file is truncated",
        "cut.webp": "cut.webp: not a readable picture (",
    }


def test_unusual_files_get_a_prediction_or_a_short_error(trained, cli, tmp_path):
    for name, expected in save_unusual_files(tmp_path).items():
        result = cli("predict", tmp_path / name, "--model", trained.path)
        assert expected in result.output, result.output
        assert result.exit_code == (0 if ": 1 (" in expected else 1)
        assert not isinstance(result.exception, DataError), "no traceback"
        assert len(result.output.splitlines()) == 1


def test_photographs_are_turned_upright(tmp_path):
    ink = np.full((60, 40), 255, np.uint8)
    ink[:10, :10] = 0
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(ink).save(tmp_path / "x.jpg", exif=exif, quality=95)
    upright = read_picture(tmp_path / "x.jpg")
    assert upright.shape == (40, 60)
    assert upright[:10, -10:].mean() < 20
    assert upright[:10, :10].mean() > 235


def test_mistakes_of_the_command(cli, tmp_path, digits):
    picture = tmp_path / "x.png"
    Image.new("L", (9, 9)).save(picture)
    none = cli("predict", picture, "--model", "latest")
    assert (none.exit_code, "there is no finished run in logs. Train one" in none.stderr) == (
        1,
        True,
    )
    missing = cli("predict", picture, "--model", tmp_path / "none.keras")
    assert (missing.exit_code, "there is no preset, run or model" in missing.stderr) == (2, True)
    assert cli("predict").exit_code == 2


def test_networks_for_other_images(tmp_path, digits):
    colors = replace(
        get_spec("tiny"), preparation=replace(get_spec("tiny").preparation, channels=3)
    ).adapt((28, 28, 3))
    picture = tmp_path / "x.png"
    Image.fromarray(load_sample().x_test.reshape(-1, 28, 28)[0]).save(picture)
    (prediction,) = predict_pictures(lenet_tf.LeNet(colors), [picture])
    assert prediction.label is not None, (
        "gray becomes three equal channels if the network expects them"
    )
    large = lenet_tf.LeNet("tiny", input_shape=(40, 40, 1))
    with pytest.raises(
        DataError, match="takes images of 40×40×1, and these are 28×28×1 when prepared"
    ):
        predict_pictures(large, [picture])


def test_pictures_are_kept_only_for_a_figure(tmp_path, monkeypatch):
    """Small files that unpack to large pictures must not fill the memory."""
    monkeypatch.setattr(predict, "_CHUNK", 3)
    picture = np.full((1500, 2000), 255, np.uint8)
    picture[400:1100, 950:1050] = 0
    (tmp_path / "0.png").write_bytes(b"damaged")
    for number in range(1, 8):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    Image.fromarray(picture[::50, ::50]).save(tmp_path / "5.png")
    model, files = lenet_tf.LeNet("tiny", seed=0), find_pictures([tmp_path])
    predict_pictures(model, files)  # the first call traces the network
    tracemalloc.start()
    predictions = predict_pictures(model, files)
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [each.error is None for each in predictions] == [False] + [True] * 7
    assert all(each.picture is None for each in predictions)
    assert kept_bytes < picture.nbytes
    kept = predict_pictures(model, files, keep_pictures=5)
    assert [each.file.name for each in kept if each.picture is not None] == [
        f"{number}.png" for number in range(1, 6)
    ]
    assert kept[1].picture.shape == (180, 240)
    assert [each.label for each in kept] == [each.label for each in predictions]
    assert plot_predictions([each for each in kept if each.picture is not None]).axes


@pytest.mark.slow
def test_a_figure_says_how_many_pictures_it_shows(cli, tmp_path, tiny_run, monkeypatch):
    monkeypatch.setattr("lenet_tf.inference.predict.MAX_PICTURES", 2)
    for number in range(3):
        Image.fromarray(load_sample().x_test[number].reshape(28, 28)).save(
            tmp_path / f"{number}.png"
        )
    figure = tmp_path / "sheet.png"
    result = cli("predict", tmp_path, "--model", tiny_run.path, "--picture", figure)
    assert result.exit_code == 0, result.output
    assert "sheet.png with the first 2 of 3 pictures" in result.output
