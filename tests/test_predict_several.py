"""Predictions for pictures of several digits, from Python and from the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image
from test_digit_preprocessing import to_picture
from test_digit_search import draw_row

import lenet_tf
from lenet_tf.data.sources.sample import load_sample


@pytest.fixture(scope="module")
def code():
    """A row of five digits: what it says, its picture, and the boxes of its digits."""
    numbers = [0, 1, 2, 4, 5]
    ink, boxes = draw_row(numbers)
    return "".join(map(str, load_sample().y_test[numbers])), to_picture(ink), boxes


def test_the_digits_of_a_picture_are_its_prediction(code):
    text, picture, boxes = code
    prediction = lenet_tf.predict(picture)
    assert prediction.text == prediction.answer == text
    assert (prediction.label, prediction.image, prediction.error) == (None, None, None)
    assert [str(digit.label) for digit in prediction.digits] == list(text)
    assert prediction.probability == min(digit.probability for digit in prediction.digits) > 0.9
    for digit, box in zip(prediction.digits, boxes, strict=True):
        assert np.abs(np.subtract(digit.box, box)).max() <= 3
        assert digit.image.shape == (28, 28) and digit.digits == ()
    assert text in repr(prediction) and prediction._repr_html_().count("<img") == 5


def test_rows_are_separated_by_a_space(code):
    text, picture, _ = code
    prediction = lenet_tf.predict(np.concatenate([picture, picture]))
    assert prediction.text == f"{text} {text}"


def test_single_digits_and_rows_are_mixed(code):
    text, picture, _ = code
    single = picture[:, :90]
    answers = lenet_tf.predict([single, picture, np.full((50, 50), 9, np.uint8), single])
    assert [each.error and each.error[:16] for each in answers] == [
        None,
        None,
        "nothing is drawn",
        None,
    ]
    assert [answers[number].answer for number in (0, 1, 3)] == [text[0], text, text[0]]
    assert answers[0].text == text[0] and answers[0].digits == ()


def test_the_command_reads_a_code(code, cli, tmp_path):
    text, picture, boxes = code
    path, figure = tmp_path / "code.png", tmp_path / "figure.png"
    Image.fromarray(picture).save(path)
    result = cli("predict", path, "--digits", "--show", "--picture", figure)
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "%" in line]
    assert lines[0].startswith(f"{path}: {text} (5 digits, each at least ")
    assert [line.strip()[0] for line in lines[1:]] == list(text)
    assert all(" at row " in line for line in lines[1:])
    with Image.open(figure) as drawn:
        red, _green, blue = np.moveaxis(np.asarray(drawn.convert("RGB"), int), 2, 0)
        assert ((red - blue) > 100).sum() > 100
    (value,) = json.loads(cli("predict", path, "--json").stdout)
    assert (value["text"], len(value["digits"])) == (text, 5)
    assert value["digits"][0]["box"]["left"] == pytest.approx(boxes[0][1], abs=3)
    assert "".join(str(digit["class"]) for digit in value["digits"]) == text
    (row,) = csv.DictReader(cli("predict", path, "--csv").stdout.splitlines())
    assert (row["class"], row["error"]) == (text, "")
