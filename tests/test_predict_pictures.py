"""Predictions for networks that were trained on pictures or on colors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import get_only_run
from PIL import Image

import lenet_tf
from lenet_tf.errors import DataError
from lenet_tf.inference.classifier import open_classifier
from lenet_tf.inference.picture_inputs import PictureInput, choose_picture_input
from lenet_tf.inference.picture_search import find_pictures
from lenet_tf.inference.predict import predict_pictures
from lenet_tf.runs.run_record import read_run
from lenet_tf.specs import get_spec

COLORS = {"red fox": (230, 30, 30), "whale": (20, 40, 220)}


@pytest.fixture
def photos(tmp_path) -> Path:
    """Pictures of two colors in several sizes."""
    for label, color in COLORS.items():
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            image = Image.new("RGB", (40 + number, 30), color)
            image.save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


PHOTOS = {"source": "pictures", "image_shape": [20, 24, 3]}


@pytest.mark.parametrize(
    ("network", "data", "prepare", "expected"),
    [
        ("lenet5", {}, None, PictureInput()),
        ("lenet5", {"source": "download", "image_shape": [28, 28, 1]}, None, PictureInput()),
        ("lenet5", {"source": "file", "image_shape": [28, 28]}, None, PictureInput()),
        ("lenet5", PHOTOS, None, PictureInput((20, 24), True)),
        ("lenet5", PHOTOS | {"image_shape": [20, 24, 1]}, None, PictureInput((20, 24))),
        ("lenet5", PHOTOS, "digit", PictureInput()),
        ("lenet5", {}, "picture", PictureInput((28, 28))),
        # CIFAR-10 and other color images; gray ones that the network repeats are still digits.
        ("lenet5-color", {"image_shape": [32, 32, 3]}, None, PictureInput((32, 32), True)),
        ("lenet5-color", {"image_shape": [28, 28, 1]}, None, PictureInput()),
        ("lenet5-color", {}, None, PictureInput((32, 32), True)),
        # Sizes of strangers that would fill the memory, or are none, are not believed.
        ("lenet5", PHOTOS | {"image_shape": [2**40, 2, 3]}, None, PictureInput((28, 28))),
        ("lenet5", PHOTOS | {"image_shape": [0, 2, 3]}, None, PictureInput((28, 28))),
        ("lenet5", PHOTOS | {"image_shape": []}, None, PictureInput((28, 28))),
    ],
)
def test_what_a_picture_becomes(network, data, prepare, expected):
    assert choose_picture_input(get_spec(network), data, prepare) == expected


def test_pictures_are_prepared_like_the_training_pictures(photos, tmp_path):
    """Files in predict, arrays of `load_data` and `read_picture` give the same images."""
    data = lenet_tf.load_data(photos, image_size=(20, 24), notify=lambda text: None)
    image = lenet_tf.read_picture(photos / "whale" / "3.png", image_size=(20, 24), color=True)
    assert any((image == each).all() for each in (*data.x_train, *data.x_test))
    model = lenet_tf.LeNet("tiny", input_shape=(20, 24, 3), num_classes=2)
    files = find_pictures([photos / "whale"])
    (tmp_path / "broken.png").write_bytes(b"x")
    found = predict_pictures(
        replace(open_classifier(model), class_names=("red fox", "whale")),
        [*files, tmp_path / "broken.png"],
        keep_pictures=3,
        picture_input=PictureInput((20, 24), color=True),
    )
    np.testing.assert_array_equal(found[3].image, image)
    outputs = lenet_tf.predict_outputs(model, image[None])
    assert found[3].probability == pytest.approx(float(outputs.max()), abs=1e-6)
    assert found[3].name in ("red fox", "whale")
    assert [each.picture is not None for each in found[:5]] == [True] * 3 + [False] * 2
    assert found[2].picture.shape == (30, 42, 3)
    assert "broken.png: not a readable picture" in found[-1].error


def test_read_picture_in_color_and_resized(tmp_path):
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = (200, 100, 50)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    read = lenet_tf.read_picture
    np.testing.assert_array_equal(read(tmp_path / "x.png", color=True), pixels)
    assert (read(tmp_path / "x.png", image_size=10, color=True) == (200, 100, 50)).all()
    assert read(tmp_path / "x.png", image_size=(5, 7), color=False).shape == (5, 7)
    with pytest.raises(DataError, match="image_size must be a whole number of pixels"):
        read(tmp_path / "x.png", image_size=0)
    with pytest.raises(DataError, match=r"none.png: not a readable picture \("):
        read(tmp_path / "none.png", color=True)


def test_from_a_folder_of_pictures_to_answers(photos, cli, tmp_path):
    """Train, then predict, test, repeat and resume with what the run recorded of its pictures."""
    arguments = ("tiny", "--data", photos, "--epochs", 1, "--image-size", "20x24")
    trained = cli.train(*arguments, "--batch-size", 4)
    assert trained.exit_code == 0, trained.output
    run = get_only_run()
    identity = json.loads((run / "config.json").read_text())["data"]
    assert identity["class_names"] == ["red fox", "whale"]
    assert (identity["source"], identity["image_shape"]) == ("pictures", [20, 24, 3])
    assert read_run(run).data_options == {"image_size": "20x24", "color": True}

    Image.new("RGB", (300, 200), COLORS["whale"]).save("new.jpg")
    result = cli("predict", "new.jpg", "--model", "latest", "--show", "--picture", "sheet.png")
    assert result.exit_code == 0, result.output
    assert "cropped to the middle and resized to 24×20, in color, as for training" in result.stderr
    *shown, answer = result.stdout.splitlines()
    assert [len(line) for line in shown] == [24] * 10
    assert answer.startswith(("new.jpg: whale (", "new.jpg: red fox ("))
    with Image.open("sheet.png") as sheet:
        colors = np.asarray(sheet.convert("RGB")).reshape(-1, 3)
        assert (np.abs(colors.astype(int) - COLORS["whale"]).max(axis=1) < 9).mean() > 0.2
    digit = cli("predict", "new.jpg", "--model", "latest", "--prepare", "digit")
    assert (digit.exit_code, "nothing is drawn in it" in digit.stderr) == (1, True)

    tested = cli("evaluate", run, "--report", "--json")
    assert tested.exit_code == 0, tested.output
    assert json.loads(tested.stdout)["scores"]["class_names"] == [
        "red fox",
        "whale",
    ]
    other = cli("evaluate", run, "--data", photos)
    assert other.exit_code == 0, other.output
    assert "resized to 24×20, the size of tiny's images" in " ".join(
        other.stderr.replace("│", " ").split()
    )
    again = cli.train("--from-run", run)
    assert again.exit_code == 0, again.output
