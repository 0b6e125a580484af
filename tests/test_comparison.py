"""Comparisons of runs: correct numbers, notes on unlike runs, and refused commands."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from pages import parse_page
from quick import fit
from scipy.stats import beta

import lenet_tf
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.evaluation import (
    comparison,
    comparison_figures,
    comparison_page,
    page_files,
    run_report,
)
from lenet_tf.evaluation.scores import Scores
from lenet_tf.evaluation.settings_table import compare_settings, flatten_settings
from lenet_tf.evaluation.significance import PairedTest
from lenet_tf.runs import run_record
from lenet_tf.specs import get_spec


def save(path: Path, data) -> Path:
    np.savez(
        path, x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test
    )
    return path


@pytest.fixture(scope="module")
def files(digits, tmp_path_factory) -> tuple[Path, Path]:
    """Two data sets, the second with its test images in another order."""
    folder = tmp_path_factory.mktemp("data")
    turned = replace(digits, x_test=digits.x_test[::-1], y_test=digits.y_test[::-1])
    return save(folder / "one.npz", digits), save(folder / "other.npz", turned)


@pytest.fixture(scope="module")
def logs(files, tmp_path_factory) -> Path:
    """A logs folder: three runs on the same data, the last unfinished, and one on other data."""
    logs = tmp_path_factory.mktemp("compared")
    one, other = (lenet_tf.load_data(str(file)) for file in files)
    options = {"device": "cpu", "logs": logs, "quiet": True}
    made = {
        "a": fit("tiny", one, epochs=3, seed=1, batch_size=16, **options),
        "b": fit("tiny", one, epochs=2, seed=2, batch_size=8, **options),
    }
    for name, run in made.items():
        run.path.rename(logs / "fit" / name)

    def interrupt(epoch, _):
        if epoch == 1:
            raise KeyboardInterrupt

    stop = keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)
    with pytest.raises(Interrupted):
        fit("lenet1", one, epochs=5, seed=3, validation=0.1, callbacks=[stop], **options)
    (unfinished,) = (logs / "fit").glob("lenet1-*")
    unfinished.rename(logs / "fit" / "c")
    shutil.copytree(logs / "fit" / "a", logs / "fit" / "d")
    file = logs / "fit" / "d" / "config.json"
    config = json.loads(file.read_text())
    config["data"] |= other.identity()
    config["device"]["label"] = "<script>alert(1)</script>"
    file.write_text(json.dumps(config))
    return logs


@pytest.fixture(scope="module")
def compared(logs) -> tuple[Path, str]:
    """(The page of all four, what the command printed)."""
    from conftest import CommandLine

    from lenet_tf.evaluation import run_report

    with pytest.MonkeyPatch.context() as patch:
        # test_report.py checks the figures of each run's report, which take most of the time.
        patch.setattr(run_report, "_build_sections", lambda run: {})
        said = CommandLine()("report", *(logs / "fit" / name for name in "abcda"))
    assert said.exit_code == 0, said.output
    return logs / "comparison.html", said.stdout


@pytest.fixture(scope="module")
def models(logs) -> dict[str, lenet_tf.LeNet]:
    return {name.upper(): lenet_tf.load_model(logs / "fit" / name) for name in "abc"}


@pytest.fixture(scope="module")
def answers(models, digits) -> dict[str, np.ndarray]:
    return {
        name: lenet_tf.predict_outputs(model, digits.x_test).argmax(axis=1)
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def right(answers, digits) -> dict[str, np.ndarray]:
    """Whether each run is right, image by image."""
    return {name: said == digits.y_test for name, said in answers.items()}


def cells(text: str, first: str, heading: str = "") -> list[str]:
    """Of the row of a table that begins with `first`, behind the heading of its part."""
    row = re.search(
        rf"<tr><td[^>]*>{re.escape(first)}</td>(.*?)</tr>",
        text[text.index(f"<h2>{heading}") if heading else 0 :],
    )
    return re.findall(r"<td[^>]*>(.*?)</td>", row[1])


def test_the_command_says_what_it_wrote(logs, compared):
    """Each run's own report, a run that is given twice once, and the comparison beside `fit`."""
    page, said = compared
    reports = [logs / "fit" / name / "report.html" for name in "abcd"]
    assert said == "".join(f"wrote {file}\n" for file in [*reports, page])
    assert all(file.exists() for file in reports)


def test_the_page_needs_nothing_beside_itself(compared, files):
    page, _ = compared
    seen = parse_page(page)
    assert seen.external_links == []
    assert not {"script", "link", "iframe", "object"} & set(seen.tags)
    assert page.stat().st_size < 2_000_000
    one, other = files
    assert seen.headings == [
        "Comparison of 4 runs",
        "Runs",
        "Settings that differ",
        "Learning curves",
        f"Recall by class on {one}",
        f"Pairwise comparison on {one}",
        f"Images misclassified by every run on {one}",
        f"Recall by class on {other}",
    ]
    assert {"A tiny", "B tiny", "C lenet1", "D tiny"} <= set(seen.texts), (
        "the legend is text, to be selected"
    )


def test_names_are_text_and_no_html(compared):
    text = compared[0].read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_table_of_runs(compared, logs, files, digits, models, answers, right):
    text = compared[0].read_text(encoding="utf-8")
    for name, seed, epochs in (
        ("A tiny", 1, "3 of 3"),
        ("B tiny", 2, "2 of 2"),
        ("C lenet1", 3, "1 of 5, unfinished"),
    ):
        run = logs / "fit" / name[0].lower()
        found = cells(text, name)
        measured = lenet_tf.evaluate(models[name[0]], digits)
        score = Scores.from_predictions(digits.y_test, answers[name[0]], 10).accuracy()
        assert found[:4] == [
            f"{models[name[0]].count_params():,}",
            str(files[0]),
            str(seed),
            epochs,
        ]
        assert found[4] == f"{right[name[0]].mean():.2%} ({score.low:.2%}–{score.high:.2%})"
        assert float(found[5]) == pytest.approx(measured["loss"], abs=6e-5)
        assert cells(text, name[0])[0] == str(run)
    assert cells(text, "D tiny")[1] == str(files[1])
    assert text.count(" (95% interval ") == 2, "of the best on either data"
    assert "Unfinished: C, after epoch 1 of 5." in text


def test_what_differs_is_told_and_what_does_not_is_not_repeated(compared):
    text = compared[0].read_text(encoding="utf-8")
    part = text[text.index("<h2>Settings that differ") : text.index("<h2>Learning")]
    assert re.findall(r"<th>(.*?)</th>", part) == ["", "A, D", "B", "C"], (
        "runs that were made alike share a column"
    )
    assert cells(part, "batch size") == ["16", "8", str(get_spec("lenet1").recipe.batch_size)]
    assert "<td>loss</td>" not in part
    assert "loss categorical_crossentropy" in part
    assert "versions of python, lenet_tf, lenet_tf arithmetic, tensorflow, keras" in part


def test_runs_with_the_same_settings_share_a_column(logs):
    """Wherever they stand."""
    one, two = (run_record.read_run(logs / "fit" / name) for name in "ab")
    table, _ = comparison_page.tabulate_settings({"A": one, "B": two, "C": one})
    assert table.columns == ["", "A, C", "B"]
    assert ["batch size", "16", "8"] in table.rows
    table, same = comparison_page.tabulate_settings({"A": one, "B": one})
    assert table is None
    assert "batch size 16" in same


def test_pairs_on_the_same_images(compared, right):
    """Counts and p against loops and binomial coefficients; no pair with the run on other data."""
    text = compared[0].read_text(encoding="utf-8")
    for first, second in ("AB", "AC", "BC"):
        found = cells(text, f"{first}, {second}")
        pairs = list(zip(right[first], right[second], strict=True))
        counts = [
            pairs.count(both)
            for both in ((True, True), (True, False), (False, True), (False, False))
        ]
        assert found[:4] == [str(count) for count in counts]
        assert found[4].startswith(f"{100 * (right[first].mean() - right[second].mean()):+.2f}")
        alone, less = counts[1] + counts[2], min(counts[1:3])
        p = min(1.0, 2 * sum(math.comb(alone, k) for k in range(less + 1)) / 2**alone)
        assert found[5] == ("&lt; 0.0001" if p < 1e-4 else f"{p:.2g}")
        assert found[6] == (
            "not significant" if p >= 0.05 else first if counts[1] > counts[2] else second
        )
    assert ", D</td>" not in text
    assert "Only runs on the same data are compared in pairs." in text


def test_recall_of_each_class(compared, digits, right):
    text = compared[0].read_text(encoding="utf-8")
    for label in range(10):
        expected = []
        for name in "ABC":
            hits = [r for r, of in zip(right[name], digits.y_test, strict=True) if of == label]
            expected.append(f"{np.mean(hits):.1%}")
        assert cells(text, str(label), "Recall by class") == expected


def test_images_that_all_get_wrong(compared, right):
    text = compared[0].read_text(encoding="utf-8")
    wrong = np.flatnonzero(~(right["A"] | right["B"] | right["C"]))
    assert len(wrong), "else the test says nothing"
    assert f"<p>{len(wrong)} of 100 images." in text
    shown = [int(number) for number in re.findall(r">\d, image (\d+)\n", text)]
    assert len(shown) == min(24, len(wrong))
    assert set(shown) <= set(wrong.tolist())


# What the command refuses, and leaves alone.


def test_another_file_is_left_alone(logs, cli):
    mine = Path("mine.html")
    mine.write_text("<html>mine</html>")
    for place in (mine, logs / "fit" / "a" / "report.html", logs / "fit" / "a" / "config.json"):
        before = place.read_bytes() if place.exists() else b""
        said = cli("report", logs / "fit" / "a", logs / "fit" / "b", "--comparison", place)
        assert (said.exit_code, said.stdout) == (1, "")
        assert said.stderr.strip() == (
            f"Error: {place} is not a comparison that lenet-tf wrote, so it is not overwritten:"
            " choose another file with --comparison"
        )
        assert (place.read_bytes() if place.exists() else b"") == before
    said = cli("report", logs / "fit" / "a", logs / "fit" / "b", "--comparison", "none/c.html")
    assert (said.exit_code, said.stderr) == (
        1,
        "Error: cannot write c.html: the folder none does not exist\n",
    )


def test_one_run_is_no_comparison(logs, cli):
    run = logs / "fit" / "a"
    Path("link").symlink_to(run)
    said = cli("report", run, "link", run, "--comparison", "c.html")
    assert (said.exit_code, said.stderr) == (
        2,
        "Error: --comparison takes 2 to 12 different runs, not 1. See lenet-tf report --help.\n",
    )
    assert not Path("c.html").exists()


def test_a_run_without_an_epoch_is_refused_before_anything_is_written(logs, cli, tmp_path):
    shutil.copytree(logs / "fit" / "b", tmp_path / "fit" / "b")
    (tmp_path / "fit" / "b" / "final.keras").unlink()
    said = cli("report", logs / "fit" / "a", tmp_path / "fit" / "b")
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == f"Error: {tmp_path / 'fit' / 'b'} has no finished epoch to report on\n"


def test_a_comparison_keeps_no_probabilities(logs, digits):
    run = run_report.evaluate_run(run_record.read_run(logs / "fit" / "a"), digits)
    kept = run.without_probabilities()
    assert kept.probabilities.base is None and kept.probabilities.size == 0
    np.testing.assert_array_equal(kept.predictions, run.probabilities.argmax(axis=1))
    np.testing.assert_array_equal(kept.confidence, run.probabilities.max(axis=1))


def test_more_runs_than_can_be_told_apart(logs, cli, tmp_path, monkeypatch):
    """Reports of them all are made still; a comparison that was asked for is not."""
    monkeypatch.setattr(comparison, "MAX_RUNS", 1)
    monkeypatch.setattr("lenet_tf.evaluation.run_report.evaluate_run", lambda run, data: run)
    monkeypatch.setattr("lenet_tf.inference.page.run_page.write_run_report", lambda run: run.path)
    said = cli("report", logs / "fit" / "a", logs / "fit" / "b")
    assert (said.exit_code, said.stdout) == (
        0,
        f"wrote {logs / 'fit' / 'a'}\nwrote {logs / 'fit' / 'b'}\n",
    )
    assert said.stderr == "No comparison was written: it takes at most 1 runs, not 2.\n"
    assert (
        cli("report", logs / "fit" / "a", logs / "fit" / "b", "--comparison", "c.html").exit_code
        == 2
    )


def test_where_it_goes_by_itself(logs, tmp_path, monkeypatch):
    shutil.copytree(logs / "fit" / "b", tmp_path / "b", ignore=shutil.ignore_patterns("*.keras"))
    one, two, elsewhere = (
        run_record.read_run(folder)
        for folder in (logs / "fit" / "a", logs / "fit" / "b", tmp_path / "b")
    )
    assert comparison.default_page_path([one, two]) == logs / "comparison.html"
    assert comparison.default_page_path([one, elsewhere]) == Path("comparison.html")
    monkeypatch.chdir(logs / "fit")
    assert (
        comparison.default_page_path(
            [run_record.read_run(Path("a")), run_record.read_run(Path("b"))]
        )
        == logs / "comparison.html"
    )
    monkeypatch.chdir(logs.parent)
    assert comparison.default_page_path([one, two]) == Path(logs.name, "comparison.html")


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def full(path, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(page_files, "write_text", full)
    monkeypatch.setattr(comparison_page, "render_comparison", lambda compared: "")
    with pytest.raises(RunError, match="cannot write .*c.html: No space left on device"):
        comparison.write_comparison([], tmp_path / "c.html")


# Inside.


@pytest.mark.parametrize(
    "counts", [(90, 7, 1, 2), (90, 1, 7, 2), (50, 20, 20, 10), (95, 0, 3, 2), (0, 400, 300, 300)]
)
def test_the_interval_is_clopper_and_pearsons(counts):
    _, first, second, _ = counts
    pair = PairedTest(*counts)
    alone, count = first + second, sum(counts)
    low = beta.ppf(0.025, first, second + 1) if first else 0.0
    high = beta.ppf(0.975, first + 1, second) if second else 1.0
    np.testing.assert_allclose(
        pair.interval, [(2 * share - 1) * alone / count for share in (low, high)]
    )
    assert pair.interval[0] <= pair.difference <= pair.interval[1]
    assert (pair.interval[0] > 0 or pair.interval[1] < 0) == (pair.p_value < 0.05)


def test_runs_that_are_right_on_the_same_images():
    same = np.array([True, False, True])
    pair = PairedTest.from_correct(same, same)
    assert (pair.both, pair.neither, pair.difference, pair.p_value) == (2, 1, 0, 1.0)
    assert np.isnan(pair.interval).all()
    assert pair.more_accurate(("A", "B")) == "not significant"


def test_a_change_in_one_layer_is_told():
    tables = [flatten_settings(get_spec("tiny"), {}, True) for _ in range(3)]
    row = next(row for row in get_spec("tiny").rows if hasattr(row, "activation"))
    rows = tuple(
        replace(each, activation="relu") if each is row else each for each in get_spec("tiny").rows
    )
    tables[1] = flatten_settings(replace(get_spec("tiny"), rows=rows), {}, True)
    unlike, alike = compare_settings(tables)
    assert unlike == [[f"{row.name} activation", row.activation, "relu", row.activation]]
    assert alike["optimizer"] == "adam"


def test_twelve_runs_are_told_apart():
    """By color, marker and stroke together; and many classes fit."""
    styles = [
        tuple(
            comparison_figures._get_style(number)[name] for name in ("color", "marker", "linestyle")
        )
        for number in range(12)
    ]
    assert len(set(styles)) == 12
    random = np.random.default_rng(0)
    values = np.sort(random.random((12, 62, 3)), axis=2)[..., [1, 0, 2]]
    figure = comparison_figures.plot_recalls(
        {f"run {number}": each for number, each in enumerate(values)}, range(12)
    )
    (axes,) = figure.axes
    shown = [int(text.get_text()) for text in axes.get_xticklabels()]
    spread = np.ptp(values[..., 0], axis=0)
    assert sorted(shown) == sorted(np.argsort(-spread)[:30])


def test_answers_are_told_by_run():
    labels = np.array([4, 4, 7])
    answers = {"A": np.array([9, 9, 7]), "B": np.array([9, 6, 1]), "C": np.array([9, 9, 1])}
    confidence = np.array([0.5, 0.9, 1.0])
    found = comparison_figures.find_shared_mistakes(labels, answers, confidence)
    assert found.total == 2
    assert found.indices.tolist() == [1, 0]
    assert found.titles == ["4, image 1\n9 by AC\n6 by B", "4, image 0\n9 by all"]
    names = [f"n{label}" for label in range(10)]
    found = comparison_figures.find_shared_mistakes(labels, answers, confidence, names)
    assert found.titles == ["n4, image 1\nn9 by AC\nn6 by B", "n4, image 0\nn9 by all"]
