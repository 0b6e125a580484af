"""`lenet_tf.predict`: pictures of every kind, presets, runs and files, without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lenet_tf
from lenet_tf.data.sources.sample import load_sample
from lenet_tf.errors import DataError, DataWarning, RunError
from lenet_tf.inference.classifier import open_classifier
from lenet_tf.inference.prediction import Prediction
from lenet_tf.pretrained.presets import DEFAULT_PRESET, list_names

FASHION = "lenet5-modern-fashion-mnist"


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture
def seven(sample, tmp_path):
    """A 7 as light ink on black, 28×28, and its file."""
    image = sample.x_test[np.flatnonzero(sample.y_test == 7)[0], ..., 0]
    path = tmp_path / "seven.png"
    Image.fromarray(image).save(path)
    return image, path


def to_sheet(image: np.ndarray, side: int = 200) -> np.ndarray:
    """Return a digit as dark ink in the middle of a white sheet."""
    sheet = np.full((side, side), 255, np.uint8)
    sheet[32 : side - 28, 32 : side - 28] = 255 - np.kron(image, np.ones((5, 5), np.uint8))
    return sheet


def test_one_picture_of_every_kind_gives_one_prediction(seven):
    image, path = seven
    sheet = to_sheet(image)
    color = np.repeat(sheet[..., None], 3, axis=2)
    opaque = np.dstack([color, np.full(sheet.shape, 255, np.uint8)])
    transparent = Image.new("RGBA", (200, 200), (20, 20, 90, 0))
    transparent.putalpha(Image.fromarray(255 - sheet))
    pictures = [path, str(path), Image.open(path), image, image[..., None], sheet, color, opaque]
    pictures += [Image.fromarray(color), transparent, image.astype(np.int64), sheet.tolist()]
    for picture in pictures:
        prediction = lenet_tf.predict(picture)
        assert isinstance(prediction, Prediction) and prediction.label == 7
        assert prediction.probability == prediction.probabilities[7] > 0.8
        assert prediction.probabilities.shape == (10,)
        assert prediction.probabilities.sum() == pytest.approx(1, abs=1e-5)
        assert prediction.runner_up != 7 and prediction.error is None
        assert (prediction.image.shape, prediction.image.dtype) == ((28, 28), np.uint8)
    np.testing.assert_array_equal(lenet_tf.predict(path).image, image)
    for picture in (image / 255, image > 127):
        with pytest.warns(DataWarning, match="→ 0…255"):
            assert lenet_tf.predict(picture).label == 7
    assert lenet_tf.predict(image / 127.5 - 1, values="-1..1").label == 7


def test_several_pictures_give_a_list(seven, sample, tmp_path):
    image, path = seven
    mixed = [path, Image.fromarray(image), to_sheet(image), np.full((40, 40), 9, np.uint8)]
    predictions = lenet_tf.predict([*mixed, tmp_path / "none.png"])
    assert [each.label for each in predictions] == [7, 7, 7, None, None]
    assert "nothing is drawn in it" in predictions[3].error
    assert "none.png" in predictions[4].error
    assert [each.file for each in predictions[:2]] == [path, None]
    # A folder, pictures that are no images of MNIST, and images of MNIST in both shapes.
    for files in (tmp_path, tmp_path.glob("*.png")):
        assert [each.file for each in lenet_tf.predict(files)] == [path]
    sheets = np.stack([to_sheet(each) for each in sample.x_test[:4, ..., 0]])
    colors = np.repeat(sheets[..., None], 3, axis=3)
    for pictures in (sheets, sheets[..., None], colors):
        found = [each.label for each in lenet_tf.predict(pictures)]
        assert found == sample.y_test[:4].tolist()
    assert lenet_tf.predict([]) == []


@pytest.mark.parametrize("name", list_names())
def test_presets_have_the_outputs_of_keras(name, sample):
    """Also images that no preparation would leave as they are."""
    images = np.concatenate([sample.x_test[:50], 255 - sample.x_test[:10]])
    expected = lenet_tf.LeNet.from_preset(name)
    classifier = open_classifier(expected)
    for pictures in (images, images[..., 0]):
        found = lenet_tf.predict(pictures, name)
        np.testing.assert_allclose(
            [each.probabilities for each in found], classifier.classify(pictures), atol=1e-5
        )
    labels = [each.label for each in lenet_tf.predict(images[:50], expected)]
    assert labels == [each.label for each in found[:50]]


def test_runs_and_files_have_the_outputs_of_keras(tiny_run, sample, monkeypatch):
    images = sample.x_test[:20]
    expected = lenet_tf.predict_outputs(tiny_run, images)
    file = tiny_run.path / "final.keras"
    for model in (tiny_run, tiny_run.path, str(tiny_run.path), file, tiny_run.model):
        found = lenet_tf.predict(images, model)
        np.testing.assert_allclose([each.probabilities for each in found], expected, atol=2e-6)


def test_mixed_precision_is_computed_by_keras(sample, tmp_path):
    model = lenet_tf.LeNet("tiny", seed=0, precision="mixed_bfloat16")
    model.save(tmp_path / "mixed.keras")
    found = lenet_tf.predict(sample.x_test[:3], tmp_path / "mixed.keras")
    np.testing.assert_array_equal(
        [each.probabilities for each in found], lenet_tf.predict_outputs(model, sample.x_test[:3])
    )


def test_classes_are_named(sample, tmp_path, cli):
    """Fashion-MNIST's images fill their frame, so they are not prepared as digits are."""
    garment = np.zeros((28, 28), np.uint8)
    garment[:, 7:21] = 200
    Image.fromarray(garment).save(tmp_path / "dress.png")
    for prediction in (
        lenet_tf.predict(tmp_path / "dress.png", FASHION),
        lenet_tf.predict(garment, FASHION),
        lenet_tf.predict(garment[None], FASHION)[0],
    ):
        assert prediction.name == open_classifier(FASHION).class_names[prediction.label]
        assert prediction.answer == prediction.name and prediction.name in str(prediction)
        np.testing.assert_array_equal(prediction.image, garment)
    shown = cli("predict", tmp_path / "dress.png", "--model", FASHION)
    assert (shown.exit_code, prediction.name in shown.stdout) == (0, True)


def test_a_prediction_reads_well(seven):
    prediction = lenet_tf.predict(seven[0])
    assert repr(prediction).startswith("Prediction(label=7, probability=0.")
    assert str(prediction).startswith("7 (") and ", otherwise " in str(prediction)
    page = prediction._repr_html_()
    assert page.startswith('<img src="data:image/png;base64,') and "7 (" in page
    assert "file" not in prediction.to_dict()
    assert repr(Prediction(error="x")) == "Prediction(error='x')"


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        ("none.png", "none.png: not a readable picture"),
        (np.full((28, 28), 7, np.uint8), "nothing is drawn in it"),
        (np.zeros((2, 2, 2, 2, 2), np.uint8), "pictures must be"),
        (np.zeros((2, 9, 9, 7), np.uint8), "1, 3 or 4 channels"),
        (3, "pictures must be"),
        (b"x", "pictures must be"),
        (np.full((9, 9), 0.3), "pass both, such as values="),
    ],
)
def test_a_single_picture_without_a_prediction_is_an_error(picture, message):
    with pytest.raises(DataError, match=message):
        lenet_tf.predict(picture)


def test_unknown_networks_are_named_with_near_misses(seven, cli):
    with pytest.raises(RunError, match="lenet5-modrn-mnist.*did you mean lenet5-modern-mnist"):
        lenet_tf.predict(seven[1], "lenet5-modrn-mnist")
    with pytest.raises(RunError, match="the model must be the name of a preset, .* not int"):
        lenet_tf.predict(seven[1], 3)
    result = cli("predict", seven[1], "--model", "lenet5-modrn-mnist")
    assert result.exit_code == 2
    assert "did you mean lenet5-modern-mnist" in result.stderr
    assert "run folder or a .keras file" in result.stderr


def test_the_command_says_that_it_uses_the_preset(seven, cli):
    for options in ((), ("--json",), ("--csv",)):
        result = cli("predict", seven[1], *options)
        assert (result.exit_code, f"Using the preset {DEFAULT_PRESET} (" in result.stderr) == (
            0,
            True,
        )
    named = cli("predict", seven[1], "--model", DEFAULT_PRESET)
    assert named.stderr == "" and named.stdout.startswith(f"{seven[1]}: 7 (")


PROGRAMS = {
    "command": "from lenet_tf.cli import main\nmain(['predict', sys.argv[1]], 'lenet-tf', False)",
    "function": "import lenet_tf\nprint(lenet_tf.predict(sys.argv[1]))",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_preset_needs_no_tensorflow(seven, program, tmp_path):
    lines = [
        "import sys",
        program.replace("False", "standalone_mode=False"),
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'sklearn', 'rich', 'scipy'}",
        "print(heavy & set(sys.modules))",
    ]
    code = "\n".join(lines)
    done = subprocess.run(
        [sys.executable, "-c", code, str(seven[1])], capture_output=True, text=True, cwd=Path.cwd()
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"
    assert "7 (" in done.stdout
