"""Names of classes, from the data set through the run folder to answers and reports."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import quick
from PIL import Image

import lenet_tf
from lenet_tf.data.sources import sample
from lenet_tf.evaluation import figures
from lenet_tf.evaluation.run_report import write_report
from lenet_tf.evaluation.scores import Scores
from lenet_tf.runs.run_record import read_class_names

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.fixture(scope="module")
def named_data(digits):
    return replace(digits, class_names=NAMES)


@pytest.fixture(scope="module")
def named_run(named_data, tmp_path_factory):
    options = {"epochs": 3, "batch_size": 30, "device": "cpu", "quiet": True}
    return quick.fit("tiny", named_data, logs=tmp_path_factory.mktemp("named"), **options)


def test_a_run_records_the_names_of_its_classes(named_run, tiny_run, tmp_path):
    config = json.loads((named_run.path / "config.json").read_text())
    assert config["data"]["class_names"] == list(NAMES)
    assert read_class_names(named_run.path) == NAMES
    assert read_class_names(named_run.path / "best.keras") == NAMES
    assert read_class_names(tiny_run.path) == ()
    # A `.keras` file may lie beside any config.json, or none.
    assert read_class_names(tmp_path / "model.keras") == ()
    for names in (list(NAMES[1:]), ["\x1b[2J", *NAMES[1:]], 3, [[], *NAMES[1:]]):
        config["data"]["class_names"] = names
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert read_class_names(tmp_path / "model.keras") == ()


def test_predictions_show_the_names(named_run, named_data, cli):
    Image.fromarray(named_data.x_test[0, ..., 0]).save("digit.png")
    arguments = ("predict", "digit.png", "--model", named_run.path)
    (answer,) = json.loads(cli(*arguments, "--json").stdout)
    first, second = NAMES[answer["class"]], NAMES[answer["runner_up"]]
    assert (answer["class_name"], answer["runner_up_name"]) == (first, second)
    text = cli(*arguments, "--picture", "sheet.png").stdout
    assert text.startswith(f"digit.png: {first} (") and f", otherwise {second} (" in text
    (row,) = csv.DictReader(io.StringIO(cli(*arguments, "--csv").stdout))
    assert (row["class"], row["class_name"]) == (str(answer["class"]), first)
    assert Path("sheet.png").stat().st_size > 1_000


def test_the_report_shows_the_names(named_run, named_data, cli, monkeypatch):
    page = write_report(named_run.path, named_data).read_text(encoding="utf-8")
    assert all(f"<td>{name}</td>" in page or f">{name}<" in page for name in NAMES)
    monkeypatch.setattr("lenet_tf.data.sources.load_sample", lambda: named_data)
    result = cli("evaluate", named_run.path, "--report")
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in NAMES)
    scores = json.loads(cli("evaluate", named_run.path, "--report", "--json").stdout)["scores"]
    assert scores["class_names"] == list(NAMES)


def test_figures_shorten_long_names(digits):
    names = [f"{number}, a name that is too long" for number in range(10)]
    labels = digits.y_test[:50]
    scores = Scores.from_predictions(labels, (labels + 1) % 10, 10, names)
    for figure in (figures.plot_confusion_matrix(scores), figures.plot_class_scores(scores)):
        ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
        assert ticks == [f"{number}, a name tha…" for number in range(10)]
    probabilities = np.eye(10)[(labels + 1) % 10]
    figure = figures.plot_mistakes(digits.x_test[:50], labels, probabilities, names)
    title = figure.axes[0].texts[0].get_text()
    assert title == f"{labels[0]}, a name tha…\nas {(labels[0] + 1) % 10}, a name …, 100%"


def test_data_without_names_have_none():
    data = sample.load_sample()
    assert data.class_names == ()
    assert lenet_tf.RawData.__dataclass_fields__["class_names"].default == ()
