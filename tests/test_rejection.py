"""The answer "not a digit": what is refused, and the files of the network that decides it."""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import re
import string
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.data.sources.sample import load_sample
from lenet_tf.errors import DataError, RunError
from lenet_tf.inference import rejection
from lenet_tf.inference.digit_preprocessing import as_digit
from lenet_tf.inference.rejection import NOT_A_DIGIT, is_digit_data, load_rejector, read_facts
from lenet_tf.pretrained.folding import fold
from lenet_tf.pretrained.numpy_forward import compute_outputs
from lenet_tf.pretrained.presets import DEFAULT_PRESET, find_preset
from lenet_tf.reproduce import made_up_pictures as made_up

ROOT = Path(__file__).parents[1]
# These trained nothing.
FONTS = ("cmr10", "cmss10", "DejaVuSerif-BoldItalic")


@functools.cache
def load_layers():
    network = find_preset(DEFAULT_PRESET).read()
    return fold(network), network.spec.preparation


def find_refused(images):
    layers, preparation = load_layers()
    labels = compute_outputs(layers, prepare_images(images, preparation)).argmax(axis=1)
    return ~load_rejector().is_digit(images, labels)


def measure_refused(pictures):
    """Return the share of pictures that the preparation or the network refuses."""
    images = []
    for picture in pictures:
        try:
            images.append(as_digit(picture))
        except DataError:
            continue
    accepted = len(images) - find_refused(np.stack(images)).sum()
    return 1 - accepted / len(pictures)


def draw_scribble(random):
    """Return a pen's way along sums of sine waves, dark on light."""
    times = np.linspace(0, 2 * np.pi, 150)
    waves, phases = random.integers(1, 6, (2, 3)), random.uniform(0, 6.3, (2, 3))
    way = 100 + 30 * np.sin(waves[..., None] * times + phases[..., None]).sum(axis=1)
    sheet = Image.new("L", (200, 200), 240)
    ImageDraw.Draw(sheet).line([tuple(point) for point in way.T], fill=30, width=7)
    return np.asarray(sheet)


def draw_typeset(characters):
    random = np.random.default_rng(0)
    return [
        made_up.to_picture(random, made_up.draw_plain(character, font))
        for font in FONTS
        for character in characters
    ]


def test_digits_are_accepted():
    refused = find_refused(load_sample().x_test)
    assert refused.mean() <= 0.02


@pytest.mark.slow
def test_all_test_digits_of_mnist_are_accepted(originals):
    data = lenet_tf.load_data("mnist", originals)
    assert find_refused(data.x_test).mean() <= 0.02


def test_letters_are_refused():
    assert measure_refused(draw_typeset(string.ascii_letters)) >= 0.8


def test_typeset_digits_are_accepted():
    assert measure_refused(draw_typeset(string.digits)) <= 0.1


def test_scribbles_are_refused():
    random = np.random.default_rng(0)
    assert measure_refused([draw_scribble(random) for _ in range(60)]) >= 0.8


def test_empty_paper_is_refused():
    y, x = np.mgrid[0:90, 0:120]
    noise = np.random.default_rng(0).normal(0, 4, (90, 120))
    pictures = [np.full((90, 120), 235), 235 - 0.8 * x, 120 + y, 200 + noise]
    pictures = [np.clip(picture, 0, 255).astype(np.uint8) for picture in pictures]
    images = []
    for picture in pictures:
        try:
            images.append(as_digit(picture))
        except DataError:
            continue
    assert not images or find_refused(np.stack(images)).all()


def test_the_score_is_the_probability_of_the_other_networks_digit():
    images, labels = load_sample().x_test[:50], load_sample().y_test[:50]
    rejector = load_rejector()
    right, other = rejector.score(images, labels), rejector.score(images, (labels + 1) % 10)
    assert right.shape == (50,) and (right >= 0).all()
    assert (right < other).mean() > 0.95
    np.testing.assert_allclose(rejector.score(images[..., 0], labels), right)
    np.testing.assert_array_equal(
        rejector.is_digit(images, labels), right <= rejector.thresholds[0]
    )


def test_a_digit_among_others_is_refused_less_easily():
    rejector, sample = load_rejector(), load_sample()
    scores = rejector.score(sample.x_test, sample.y_test)
    single = rejector.is_digit(sample.x_test, sample.y_test)
    among_five = rejector.is_digit(sample.x_test, sample.y_test, 5)
    many = rejector.is_digit(sample.x_test, sample.y_test, np.full(len(scores), 1000))
    assert list(rejector.thresholds) == sorted(rejector.thresholds)
    np.testing.assert_array_equal(single, scores <= rejector.thresholds[0])
    np.testing.assert_array_equal(among_five, scores <= rejector.thresholds[4])
    np.testing.assert_array_equal(many, scores <= rejector.thresholds[-1])
    assert (~single).sum() > (~among_five).sum()


def test_thresholds_refuse_pictures_of_many_digits_as_seldom():
    from lenet_tf.reproduce.make_detector import MAX_DIGITS, TARGET, choose_thresholds

    scores = np.random.default_rng(0).exponential(size=100_000)
    thresholds = choose_thresholds(scores)
    assert len(thresholds) == MAX_DIGITS
    for count in (1, 5, 20):
        pictures = scores[: len(scores) // count * count].reshape(-1, count)
        assert abs((pictures.max(axis=1) > thresholds[count - 1]).mean() - TARGET) < 0.003


def test_the_files_belong_together():
    facts, rejector = read_facts(), load_rejector()
    content = (rejection.FOLDER / f"{rejection.NAME}.keras").read_bytes()
    assert hashlib.sha256(content).hexdigest() == facts.sha256
    assert rejector.thresholds == facts.thresholds
    assert rejector.layers[-1].kernel.shape == (84, NOT_A_DIGIT + 1)
    assert 0 < facts.refused / facts.held_back <= 0.02


def test_the_plan_is_what_was_made():
    from lenet_tf.reproduce import make_detector

    facts = read_facts()
    assert dict(facts.pictures) == make_detector.COUNTS
    assert (facts.epochs, facts.held_back) == (make_detector.EPOCHS, make_detector.HELD_BACK)
    assert facts.data_sha256 == find_preset(DEFAULT_PRESET).data_sha256


def test_the_results_are_those_of_this_network():
    results = json.loads((ROOT / "results" / "rejection.json").read_text())
    assert results["detector"] == read_facts().sha256
    digits = results["kinds"]["MNIST test digits"]
    assert digits["pictures"] == 10_000 and digits["refused"] <= 200
    drawings = {
        name: kind
        for name, kind in results["kinds"].items()
        if "digits" not in name and kind["pictures"]
    }
    refused = sum(kind["refused"] for kind in drawings.values())
    assert refused >= 0.8 * sum(kind["pictures"] for kind in drawings.values())


def test_pictures_are_made_from_seeds():
    from lenet_tf.reproduce.make_detector import COUNTS, make_pictures, split_digits

    data = load_sample()
    images = data.x_train[..., 0]
    first, labels = make_pictures(images, data.y_train, seed=5, share=0.001)
    second, _ = make_pictures(images, data.y_train, seed=5, share=0.001)
    np.testing.assert_array_equal(first, second)
    assert len(first) <= sum(round(0.001 * count) for count in COUNTS.values())
    assert set(labels) <= set(range(NOT_A_DIGIT + 1)) and (labels == NOT_A_DIGIT).sum() > 20
    train, held_back = split_digits(60_000, seed=0)
    assert len(held_back) == 5000 and not set(train) & set(held_back)


@pytest.mark.parametrize(
    ("data", "classes", "expected"),
    [
        ({"name": "mnist"}, 10, True),
        ({"name": "sample"}, 10, True),
        ({"name": "mnist"}, 5, False),
        ({"name": "fashion_mnist"}, 10, False),
        ({}, 10, False),
    ],
)
def test_only_networks_for_digits_can_refuse(data, classes, expected):
    assert is_digit_data(data, classes) is expected


@pytest.mark.parametrize("change", ["missing", "changed", "no facts"])
def test_changed_files_are_refused(monkeypatch, tmp_path, change):
    for suffix in ("keras", "json"):
        content = (rejection.FOLDER / f"{rejection.NAME}.{suffix}").read_bytes()
        (tmp_path / f"{rejection.NAME}.{suffix}").write_bytes(content)
    monkeypatch.setattr(rejection, "FOLDER", tmp_path)
    path = tmp_path / f"{rejection.NAME}.keras"
    if change == "missing":
        path.unlink()
    elif change == "changed":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        (tmp_path / f"{rejection.NAME}.json").write_text("{}")
    with pytest.raises(RunError, match="Install lenet_tf again"):
        load_rejector.__wrapped__()


@pytest.fixture
def pictures(tmp_path):
    """Return the files of a typeset 7 and of a typeset A."""
    files = []
    for character in "7A":
        files.append(tmp_path / f"{character}.png")
        Image.fromarray(draw_typeset(character)[0]).save(files[-1])
    return files


@pytest.fixture
def predict_files(cli):
    return functools.partial(cli, "predict")


def test_predict_says_not_a_digit(pictures, predict_files):
    result = predict_files(*pictures)
    first, second = result.stdout.splitlines()
    assert ": 7 (" in first
    assert re.fullmatch(r".*A\.png: not a digit \(it looks most like \d, \d+\.\d%\)", second)
    assert result.exit_code == 1
    assert "1 of 2 pictures show no digit" in result.stderr
    alone = predict_files(pictures[1])
    assert alone.exit_code == 1 and "not a digit" in alone.stdout


def test_json_and_csv_say_what_is_a_digit(pictures, predict_files):
    values = json.loads(predict_files(*pictures, "--json").stdout)
    assert [each["is_digit"] for each in values] == [True, False]
    assert values[1]["class"] in range(10) and 0 < values[1]["probability"] <= 1
    rows = [*csv.DictReader(io.StringIO(predict_files(*pictures, "--csv").stdout))]
    assert [row["is_digit"] for row in rows] == ["True", "False"]


def test_accept_all_answers_with_a_digit(pictures, predict_files):
    result = predict_files(*pictures, "--accept-all")
    assert result.exit_code == 0 and "not a digit" not in result.stdout
    values = json.loads(predict_files(*pictures, "--accept-all", "--json").stdout)
    assert all("is_digit" not in each for each in values)


def test_predictions_say_what_is_a_digit(pictures):
    digit, letter = lenet_tf.predict(pictures)
    assert digit.is_digit and digit.label == 7
    assert letter.is_digit is False and letter.label in range(10) and letter.probability > 0
    assert str(letter).startswith("not a digit (") and "is_digit=False" in repr(letter)
    assert all(each.is_digit for each in lenet_tf.predict(load_sample().x_test[:5]))
    assert lenet_tf.predict(pictures, "lenet1-mnist")[1].is_digit is False


def test_a_weak_network_does_not_decide_what_is_a_digit(pictures, tiny_run):
    digit, letter = lenet_tf.predict(pictures, tiny_run.path)
    images = np.stack([digit.image, letter.image])
    rejector = load_rejector()
    assert rejector.score(images[:1], np.array([(7 + 1) % 10]))[0] > rejector.thresholds[0]
    assert (digit.is_digit, letter.is_digit) == (True, False)


def test_other_networks_are_not_checked(pictures):
    assert lenet_tf.predict(pictures, "lenet5-modern-fashion-mnist")[0].is_digit is None
