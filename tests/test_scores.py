"""Scores against scikit-learn's, their intervals against published ones, and the command."""

from __future__ import annotations

import json
import math
import tracemalloc

import numpy as np
import pytest
from quick import fit
from scipy.sparse import csr_array
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

import lenet_tf
from lenet_tf.evaluation import figures
from lenet_tf.evaluation.scores import Score, Scores


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


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_wilsons(successes, trials, low, high):
    """The score method's intervals in Newcombe 1998, table I."""
    score = Score.from_counts(successes, trials)
    assert score.value == pytest.approx(successes / trials)
    assert (score.low, score.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("trials", [1, 7, 100, 10_000])
def test_intervals_are_those_of_scipy(trials):
    for successes in {0, 1, trials // 3, trials - 1, trials}:
        expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
        score = Score.from_counts(successes, trials)
        assert (score.low, score.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_each_interval_is_of_its_own_counts(answered):
    """Accuracy counts all images, recall a class's images, precision its predictions."""
    labels, answers = answered
    scores = Scores.from_predictions(labels, answers, 3)
    hits = int(np.sum((labels == 1) & (answers == 1)))
    for score, correct, count in (
        (scores.accuracy(), int(np.sum(labels == answers)), 400),
        (scores.recall(1), hits, int(np.sum(labels == 1))),
        (scores.precision(1), hits, int(np.sum(answers == 1))),
    ):
        # Wilson's interval: where the score test's statistic is the normal's 97.5% quantile.
        share = correct / count
        for bound in (score.low, score.high):
            z = abs(share - bound) / math.sqrt(bound * (1 - bound) / count)
            assert z == pytest.approx(1.959964, abs=1e-5)
        assert score.low < share < score.high


def test_a_perfect_score_has_an_upper_bound_of_1():
    score = Scores(csr_array(np.diag([50, 50]))).accuracy()
    assert (score.value, score.high) == (1.0, 1.0)
    assert 0.96 < score.low < 1


def test_confused_pairs(answered):
    scores = Scores(csr_array([[90, 7, 3], [0, 100, 0], [5, 0, 45]]))
    pairs = [(label, answer, count) for label, answer, count, _ in scores.most_confused()]
    assert pairs == [(0, 1, 7), (2, 0, 5), (0, 2, 3)], (
        "the most frequent first, and none that never was"
    )
    shares = [share.value for *_, share in scores.most_confused(2)]
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
    run = fit("tiny", digits, epochs=2, device="cpu", logs=tmp_path, quiet=True)
    said = cli("evaluate", run.path, "--data", data, "--report")
    assert said.exit_code == 0, said.output
    answers = lenet_tf.predict_outputs(run, digits.x_test).argmax(axis=1)
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


def test_many_classes_take_little_memory():
    """A full matrix of 10,000 classes takes 800 MB, and a plot of all of them gigabytes."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 10_000, 5_000)
    predictions = np.where(random.random(5_000) < 0.5, labels, 9_999 - labels)
    tracemalloc.start()
    scores = Scores.from_predictions(labels, predictions, 10_000)
    text = json.dumps(scores.to_dict())
    drawn = [figures.plot_confusion_matrix(scores), figures.plot_class_scores(scores)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20
    assert len(text) < 3 << 20
    assert max(size for figure in drawn for size in figure.get_size_inches()) < 50
    assert scores.accuracy().value == np.mean(labels == predictions)
    first, *_ = scores.most_confused()
    assert first.prediction == 9_999 - first.label
    assert first.images == np.sum((labels == first.label) & (predictions != labels))
    matrix, bars = (figure.axes[0] for figure in drawn)
    assert matrix.images[0].get_array().sum() == np.sum(labels != predictions)
    assert len(matrix.get_xticks()) <= 50
    assert bars.get_xlabel() == "classes with the lowest recall"
    assert len(bars.get_xticks()) == 62


def test_most_confused_is_the_order_of_the_matrix(answered):
    labels, answers = answered
    scores = Scores.from_predictions(labels, answers, 3)
    errors = scores.confusion * (1 - np.eye(3, dtype=int))
    order = np.argsort(-errors, axis=None, kind="stable")
    expected = [
        (*divmod(int(index), 3), errors.flat[index]) for index in order if errors.flat[index]
    ]
    assert [tuple(each)[:3] for each in scores.most_confused(9)] == expected
