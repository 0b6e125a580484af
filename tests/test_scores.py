"""Per-class scores against scikit-learn's, their intervals against a plain bootstrap, and the command that prints them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

import lenet_tf
from lenet_tf.evaluation.scores import Scores


@pytest.fixture(scope="module")
def answered():
    """Labels of three classes, and answers of which a third is wrong."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 400)
    answers = np.where(random.random(400) < 0.33, random.integers(0, 3, 400), labels)
    return labels, answers


def test_scores_are_those_of_scikit_learn(answered):
    labels, answers = answered
    scores = Scores.from_predictions(labels, answers, 3)
    precision, recall, _, images = precision_recall_fscore_support(labels, answers)
    for label in range(3):
        assert scores.recall(label).value == pytest.approx(recall[label])
        assert scores.precision(label).value == pytest.approx(precision[label])
        assert scores.confusion[label].sum() == images[label]
    assert scores.accuracy().value == pytest.approx(np.mean(labels == answers))


def test_intervals_are_those_of_images_drawn_anew(answered):
    labels, answers = answered
    random, found = np.random.default_rng(1), {"accuracy": [], "recall": [], "precision": []}
    for _ in range(2000):
        chosen = random.integers(0, 400, 400)
        y, z = labels[chosen], answers[chosen]
        found["accuracy"].append(np.mean(y == z))
        found["recall"].append(np.mean(z[y == 1] == 1))
        found["precision"].append(np.mean(y[z == 1] == 1))
    scores = Scores.from_predictions(labels, answers, 3)
    for name, score in (
        ("accuracy", scores.accuracy()),
        ("recall", scores.recall(1)),
        ("precision", scores.precision(1)),
    ):
        low, high = np.percentile(found[name], (2.5, 97.5))
        assert (score.low, score.high) == pytest.approx((low, high), abs=0.01)
        assert score.low < score.value < score.high


def test_confused_pairs(answered):
    scores = Scores(np.array([[90, 7, 3], [0, 100, 0], [5, 0, 45]]))
    pairs = [(label, answer, count) for label, answer, count, _ in scores.confused()]
    assert pairs == [(0, 1, 7), (2, 0, 5), (0, 2, 3)], (
        "the most frequent first, and none that never was"
    )
    shares = [share.value for *_, share in scores.confused(2)]
    assert shares == pytest.approx([0.07, 0.1])


def test_a_class_that_is_never_answered_has_no_precision():
    scores = Scores.from_predictions(np.array([0, 0, 1]), np.array([0, 0, 0]), 3)
    assert np.isnan(scores.precision(1).value)
    assert np.isnan(scores.recall(2).value)
    told = scores.to_dict()
    assert told["classes"][1]["precision"]["value"] is None
    assert told["classes"][2]["images"] == 0
    json.dumps(told, allow_nan=False)


def test_the_command_prints_them(digits, tmp_path, cli):
    data = tmp_path / "digits.npz"
    np.savez(
        data,
        x_train=digits.x_train,
        y_train=digits.y_train,
        x_test=digits.x_test,
        y_test=digits.y_test,
    )
    run = lenet_tf.fit("tiny", digits, epochs=2, device="cpu", logs=tmp_path, quiet=True)
    said = cli("evaluate", run.path, "--data", data, "--report")
    assert said.exit_code == 0, said.output
    answers = lenet_tf.predict(run, digits.x_test).argmax(axis=1)
    right = np.mean(answers[digits.y_test == 3] == 3)
    (line,) = [
        line.split()
        for line in said.stdout.splitlines()
        if line.split()[:1] == ["3"] and "(" in line and line.count("%") >= 3
    ][:1]
    assert line[1] == str((digits.y_test == 3).sum())
    assert line[2] == f"{right:.2%}"
    assert "taken for" in said.stdout
    scores = json.loads(cli("evaluate", run.path, "--data", data, "--report", "--json").stdout)[
        "scores"
    ]
    assert scores["accuracy"]["value"] == pytest.approx(np.mean(answers == digits.y_test))
    assert np.sum(scores["confusion"]) == 100
