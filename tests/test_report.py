"""A run's report: correct numbers, one file that needs no other, figures with content."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import re
import shutil
import signal
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused
from interrupted_runs import Interrupt
from page_data import read_page_data, unpack_arrays
from pages import parse_page
from PIL import Image
from quick import fit, resume

import lenet_tf
from lenet_tf.data.preprocessing import prepare_images
from lenet_tf.errors import Interrupted, RunError
from lenet_tf.evaluation import figures
from lenet_tf.evaluation.architecture_figure import plot_architecture
from lenet_tf.evaluation.attributions import compute_attributions
from lenet_tf.evaluation.calibration import calibration_curve
from lenet_tf.evaluation.evaluate import to_probabilities
from lenet_tf.evaluation.inspection import feature_maps, filters
from lenet_tf.evaluation.mistakes import COLUMNS, NAME_COLUMNS, format_mistakes, rank_mistakes
from lenet_tf.evaluation.run_report import evaluate_run, write_report
from lenet_tf.evaluation.scores import Scores
from lenet_tf.inference.page.run_page import write_run_report
from lenet_tf.runs.run_record import read_run
from lenet_tf.specs import VARIANTS, Preparation, get_spec


def read_text(page: Path) -> str:
    """A page's text with single spaces, as a browser shows it."""
    return " ".join(page.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def reported(digits, tmp_path_factory):
    """(Run, its page) of a network with everything that a report shows."""
    logs = tmp_path_factory.mktemp("logs")
    run = fit("lenet1", digits, epochs=2, validation=0.1, device="cpu", logs=logs, quiet=True)
    return run, write_report(run.path, digits)


def test_the_page_needs_nothing_beside_itself(reported):
    _, page = reported
    seen = parse_page(page)
    assert seen.external_links == ["report/misclassified.csv"]
    assert not {"script", "link", "iframe", "object"} & set(seen.tags)
    assert page.stat().st_size < 2_000_000
    assert seen.tags.count("svg") == 6, "two of them are the learning curves"
    assert seen.tags.count("figure") > 24
    assert seen.headings == [
        "lenet1 on sample",
        "Run",
        "Architecture, drawn to scale",
        "Learning curves",
        "Recall and precision by class",
        "Confusion matrix",
        "Most frequent confusions",
        "Calibration",
        "Most confident mistakes",
        "What the network looks at: saliency and Grad-CAM",
        "Filters of C1",
        seen.headings[11],
        "Layers",
    ]
    assert re.fullmatch(r"Layer outputs for test image \d+, class \d", seen.headings[11])


def test_the_pages_numbers_are_the_runs(reported, digits):
    run, page = reported
    seen, text = parse_page(page), read_text(page)
    assert f"{run.metrics['test_accuracy']:.2%}" in seen.texts
    assert f"loss {run.metrics['test_loss']:.4f}, after epoch 2." in text
    assert "2,578" in seen.texts
    assert "98,442" in seen.texts
    assert f"SHA-256 {digits.sha256[:16]}…" in text
    assert "6@" not in text
    assert "4@24×24" in text, "text of a figure is text, to be selected"
    answers = lenet_tf.predict_outputs(run, digits.x_test).argmax(axis=1)
    scores = Scores.from_predictions(digits.y_test, answers, 10)
    label, answer, often, share = next(scores.most_confused())
    row = re.search(
        rf'<tr><td class="number">{label}</td><td class="number">{answer}</td>'
        rf'<td class="number">{often}</td><td>(.*?)</td>',
        text,
    )
    assert row[1] == f"{share.value:.2%}"


def test_the_figures_are_pictures_too(reported):
    run, _ = reported
    names = {
        "architecture",
        "curves",
        "scores",
        "confusion",
        "reliability",
        "mistakes",
        "attributions",
        "filters",
        "maps",
    }
    assert {path.name for path in (run.path / "report").iterdir()} == {
        "misclassified.csv",
        *(f"{name}.png" for name in names),
    }
    for name in names:
        with Image.open(run.path / "report" / f"{name}.png") as picture:
            gray = np.asarray(picture.convert("L"))
        assert gray.std() > 5, f"{name} is not empty"


def test_the_misclassified_images_are_listed(reported, digits):
    run, _ = reported
    with (run.path / "report" / "misclassified.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    probabilities = lenet_tf.predict_outputs(run, digits.x_test)
    probabilities = to_probabilities(run.model, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != digits.y_test)
    assert {int(row["index"]) for row in rows} == set(wrong)
    shown = [float(row["probability"]) for row in rows]
    assert shown == sorted(shown, reverse=True)
    for row in rows:
        index = int(row["index"])
        order = np.argsort(-probabilities[index])
        assert int(row["label"]) == digits.y_test[index]
        assert [int(row["prediction"]), int(row["runner_up"])] == order[:2].tolist()
        found = [float(row["probability"]), float(row["runner_up_probability"])]
        assert found == pytest.approx(probabilities[index][order[:2]], abs=1e-4)
    assert list(rows[0]) == list(COLUMNS)


def test_names_in_the_list_are_text_to_a_spreadsheet():
    probabilities = np.array([[0.2, 0.7, 0.1], [0.9, 0.1, 0.0]])
    text = format_mistakes(np.array([2, 0]), probabilities, ["=1+1", "a,b", "c\td"])
    assert text.splitlines() == [
        ",".join([*COLUMNS, *NAME_COLUMNS]),
        '0,2,1,0.700000,0,0.200000,c\\td,"a,b",\'=1+1',
    ]
    assert format_mistakes(np.array([1, 0]), probabilities) == ",".join(COLUMNS) + "\n"


def test_a_network_without_a_convolution_has_saliency_only(digits):
    model = lenet_tf.LeNet("mlp-300-100", seed=0)
    probabilities = lenet_tf.predict_outputs(model, digits.x_test)
    mistakes = rank_mistakes(digits.y_test, probabilities)
    found = compute_attributions(model, digits.x_test, digits.y_test, probabilities, mistakes)
    assert list(found.rows) == ["image", "saliency"]
    assert "mlp-300-100 has no convolution with maps for Grad-CAM." in found.note
    assert len(found.titles) == len(found.rows["saliency"]) <= 8
    assert f"image {mistakes[0]}" in found.titles[-4]


def test_figures_follow_the_mode_of_the_page(reported):
    """All colors of a plot but those of images are the page's, and print stays light."""
    _, page = reported
    text = page.read_text(encoding="utf-8")
    plots = re.findall("<svg.*?</svg>", text, re.DOTALL)
    assert len(plots) == 6
    used = {color for plot in plots for color in re.findall(r"var\(--([0-9a-f]{6})\)", plot)}
    assert {"0072b2", "d55e00", "e6e6e6"} <= used
    for plot in plots:
        assert not re.findall(r"(?:fill|stroke): #", plot)
    style = text[: text.index("</style>")]
    assert "@media screen and (prefers-color-scheme: dark)" in style
    light, dark = style.split("prefers-color-scheme: dark")
    for color in used:
        assert f"--{color}: #" in light and f"--{color}: #" in dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.slow
def test_the_page_fits_a_phone(reported, browser, scheme):
    """At a width of 390 pixels: no sideways scrolling of the page, no text below 9 pixels."""
    _, page = reported
    opened = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    try:
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") == 390
        sizes = opened.evaluate(
            "() => [...document.querySelectorAll('svg text')].map(text => {"
            " const svg = text.closest('svg');"
            " const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;"
            " return scale * parseFloat(getComputedStyle(text).fontSize) })"
        )
        assert len(sizes) > 50 and min(sizes) >= 9
        colors = "() => [document.body, document.querySelector('svg text')].map(part =>"
        colors += (
            " getComputedStyle(part)).map((style, i) => i ? style.fill : style.backgroundColor)"
        )
        shown = [sum(map(int, re.findall(r"\d+", each)[:3])) for each in opened.evaluate(colors)]
        assert (shown[0] > shown[1]) == (scheme == "light")
        opened.emulate_media(media="print")
        paper, ink = opened.evaluate(colors)
        assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(0, 0, 0)")
    finally:
        opened.close()


def test_a_report_made_again_is_the_same(reported, digits):
    run, page = reported
    before = page.read_bytes()
    assert write_report(run.path, digits) == page
    assert page.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links")
def test_links_in_the_run_folder_are_not_followed(reported, digits, cli, tmp_path, monkeypatch):
    """A run folder from someone else may hold links to files of the user's."""
    folder, victim = shutil.copytree(reported[0].path, tmp_path / "run"), tmp_path / "victim"
    victim.mkdir()
    (victim / "scores.png").write_text("mine")
    # The name of a temporary file of version 0.3.
    (folder / "report" / ".scores.png.partial").symlink_to(victim / "scores.png")
    write_report(folder, digits)
    assert len(list((folder / "report").glob("*.png"))) == 9
    page = folder / "report.html"
    page.unlink()
    page.symlink_to(victim / "scores.png")
    check_refused(cli("report", folder), "report.html is a link, not a file. Copy its plain files")
    page.unlink()
    listed = folder / "report" / "misclassified.csv"
    listed.unlink()
    listed.symlink_to(victim / "scores.png")
    monkeypatch.setattr("lenet_tf.evaluation.run_report._build_sections", lambda run: {})
    with pytest.raises(RunError, match="it is a link, which is never replaced"):
        write_report(folder, digits)
    shutil.rmtree(folder / "report")
    (folder / "report").symlink_to(victim)
    check_refused(cli("report", folder), "report is a link, not a folder. Copy its plain files")
    assert [path.read_text() for path in victim.iterdir()] == ["mine"]


def test_the_command_makes_it(reported, digits, cli, tmp_path):
    data = tmp_path / "digits.npz"
    np.savez(
        data,
        x_train=digits.x_train,
        y_train=digits.y_train,
        x_test=digits.x_test,
        y_test=digits.y_test,
    )
    folder = shutil.copytree(reported[0].path, tmp_path / "run")
    page = folder / "report.html"
    page.unlink()
    said = cli("report", folder, "--data", data)
    assert (said.exit_code, said.stdout) == (0, f"wrote {page}\n")
    assert page.exists()
    none = cli("report", tmp_path)
    assert (none.exit_code, "is not a run folder" in none.stderr) == (1, True)


def test_an_unfinished_run_says_so(digits, tmp_path):
    options = {"epochs": 5, "device": "cpu", "logs": tmp_path, "quiet": True}
    with pytest.raises(Interrupted):
        fit("tiny", digits, callbacks=[Interrupt(3)], **options)
    (folder,) = (tmp_path / "fit").iterdir()
    assert "The run is unfinished, after epoch 2 of 5." in read_text(write_report(folder, digits))
    (folder / "final.keras").unlink()
    with pytest.raises(RunError, match="has no finished epoch to report on"):
        write_report(folder, digits)


def test_scores_and_accuracy_are_of_the_same_images(digits, tmp_path):
    """Also if test images are prepared differently, as the tutorial does by mistake."""
    spec = replace(get_spec("tiny"), preparation=Preparation(test_normalization="unit_twice"))
    run = fit(spec, digits, epochs=3, device="cpu", logs=tmp_path, quiet=True)
    share = f"{run.metrics['test_accuracy']:.2%}"
    predictions = lenet_tf.predict_outputs(run, digits.x_test).argmax(axis=1)
    assert share != f"{np.mean(predictions == digits.y_test):.2%}"
    text = read_text(write_report(run.path, digits))
    low, high = re.search(rf"<b>{share}</b> \(95% interval ([\d.]+)%–([\d.]+)%\)", text).groups()
    assert float(low) < 100 * run.metrics["test_accuracy"] < float(high)


def test_names_are_text_and_no_html(digits, tmp_path):
    spec = replace(get_spec("tiny"), source="<script>alert(1)</script> & co")
    run = fit(spec, digits, device="cpu", logs=tmp_path, quiet=True)
    text = read_text(write_report(run.path, digits))
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in text


# Inside.


def test_feature_maps_are_the_layers_outputs(digits):
    """The last one is what the network answers, the first the images as it is given them."""
    network = lenet_tf.LeNet("lenet5-1998", seed=1)
    found = feature_maps(network, digits.x_test[:3])
    assert list(found) == ["INPUT", *(layer.name for layer in network.layers)]
    np.testing.assert_array_equal(
        found["INPUT"], prepare_images(digits.x_test[:3], network.spec.preparation)
    )
    np.testing.assert_allclose(found["OUTPUT"], network(found["INPUT"]), atol=1e-4)
    assert found["C3"].shape == (3, 10, 10, 16)


def test_filters_are_the_kernels_and_say_where_there_is_none():
    network = lenet_tf.LeNet("lenet5-1998", seed=1)
    found = filters(network)
    assert list(found) == ["C1", "C3", "C5"]
    np.testing.assert_array_equal(found["C1"], network.get_layer("C1").kernel)
    table = network.get_layer("C3").table
    absent = np.isnan(found["C3"]).all(axis=(0, 1))
    assert [tuple(np.flatnonzero(~absent[:, feature])) for feature in range(16)] == [
        tuple(maps) for maps in table
    ]
    np.testing.assert_array_equal(found["C3"][:, :, 2, 1], network.get_layer("C3").kernel[4])
    assert table[1][1] == 2, "the fifth pair of the table: map 2 to feature map 1"


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([0.5, 0.2], "log"), ([-3.4e38], "linear"), ([0.0], "linear"), ([1.0, -1.0], "linear")],
)
def test_losses_that_have_no_logarithm_are_drawn_without_a_warning(losses, scale):
    history = {"loss": losses, "accuracy": [0.5] * len(losses)}
    history |= {f"val_{name}": values for name, values in history.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figures.plot_learning_curves(history)
        figure.savefig(io.BytesIO(), format="svg", bbox_inches="tight")
    assert figure.axes[0].get_yscale() == scale


def test_calibration_against_a_loop():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([0.3, 0.3, 0.3], 500)
    labels = np.array([random.choice(3, p=each) for each in probabilities])
    confidence, accuracy, counts, error = calibration_curve(probabilities, labels)
    edges = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.01]
    expected, total = [], 0.0
    for low, high in itertools.pairwise(edges):
        inside = [
            (each.max(), each.argmax() == label)
            for each, label in zip(probabilities, labels, strict=True)
            if low <= each.max() < high
        ]
        if inside:
            mean, share = np.mean([p for p, _ in inside]), np.mean([r for _, r in inside])
            expected.append((mean, share, len(inside)))
            total += len(inside) * abs(mean - share) / 500
    np.testing.assert_allclose(np.transpose([confidence, accuracy, counts]), expected)
    assert error == pytest.approx(total)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_network_can_be_drawn_to_scale(variant):
    """One square for each map, up to twenty, as large as the map is beside the others."""
    spec = get_spec(variant)
    axes = plot_architecture(spec).axes[0]
    squares = [
        np.ptp(patch.get_xy(), axis=0) for patch in axes.patches if hasattr(patch, "get_closed")
    ]
    maps = [facts.output_shape for facts in spec.layers if len(facts.output_shape) == 3]
    assert len(squares) == sum(min(shape[2], 20) for shape in maps)
    first, last = maps[0], maps[-1]
    if last[0] > 1:
        assert squares[-1][1] / squares[0][1] == pytest.approx(last[0] / first[0])
    texts = [text.get_text() for text in axes.texts]
    for facts in spec.layers:
        assert (
            any(text.startswith(f"{facts.row.name}\n") for text in texts)
            or facts.row.kind == "flatten"
        )


def test_every_finished_run_has_one_unless_it_is_not_wanted(digits, tmp_path):
    options = {"epochs": 1, "device": "cpu", "logs": tmp_path, "quiet": True}
    run = fit("tiny", digits, report=True, **options)
    assert f"{run.metrics['test_accuracy']:.2%}" in (run.path / "report.html").read_text(
        encoding="utf-8"
    )
    assert {"curves.png", "confusion.png", "mistakes.png"} <= {
        path.name for path in (run.path / "report").iterdir()
    }
    assert not (fit("tiny", digits, report=False, **options).path / "report.html").exists()


def test_a_report_that_cannot_be_written_leaves_a_complete_run(digits, tmp_path, monkeypatch):
    def full(figure, file, inside):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lenet_tf.evaluation.plotting.save_figure", full)
    with pytest.raises(RunError) as error:
        fit("tiny", digits, epochs=1, report=True, logs=tmp_path, quiet=True)
    (folder,) = (tmp_path / "fit").iterdir()
    first, second = str(error.value).splitlines()
    assert first == (
        f"{folder} is complete, but has no report: cannot write to {folder}:"
        " No space left on device. Write it with:"
    )
    assert second.endswith(f"lenet-tf report {folder}")
    assert resume(folder, digits, quiet=True).metrics["epochs"] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_ends_a_report_and_the_run_is_complete(
    digits, tmp_path, monkeypatch, capfd, number, code
):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(
        "lenet_tf.evaluation.plotting.save_figure",
        lambda figure, file, inside: os.kill(os.getpid(), number),
    )
    try:
        with pytest.raises(Interrupted) as interrupted:
            fit("tiny", digits, epochs=1, report=True, logs=tmp_path, quiet=True)
    finally:
        signal.signal(signal.SIGINT, before)
    (folder,) = (tmp_path / "fit").iterdir()
    assert (
        str(interrupted.value)
        == f"interrupted when the run had finished: {folder} is complete, but has no report"
    )
    assert interrupted.value.exit_code == code and "epoch" not in capfd.readouterr().err
    assert (folder / "metrics.json").exists() and not (folder / "report.html").exists()


def test_the_command_makes_it_and_says_where(cli, tmp_path):
    done = cli.train("tiny", "--data", "sample", "--epochs", 1, "--report", "--images-every", 0)
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "work" / "logs" / "fit").iterdir()
    outline = parse_page(folder / "report.html")
    assert outline.external_links == ["report/page.html", "report/misclassified.csv"]
    (network,) = read_page_data(folder / "report" / "page.html")["networks"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert network["name"] == folder.name
    assert network["test"]["errors"] == round(1000 * (1 - metrics["test_accuracy"]))
    assert f"report    {folder.relative_to(tmp_path / 'work') / 'report.html'}" in done.output


def test_the_report_links_to_a_page_of_the_run(tiny_run, digits, tmp_path):
    """Its weights and test images are the run's; a page made alone is the same."""
    # Other tests use the run too, and expect it as it was trained.
    folder = Path(shutil.copytree(tiny_run.path, tmp_path / tiny_run.path.name))
    report = write_run_report(evaluate_run(read_run(folder), digits))
    assert "report/page.html" in parse_page(report).external_links
    page = folder / "report" / "page.html"
    data = read_page_data(page)
    weights = unpack_arrays(data["networks"][0]["weights"])
    for array, other in zip(weights, tiny_run.model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, other)
    alone = lenet_tf.write_page(tiny_run, tmp_path / "alone.html", data=digits)
    assert alone.read_bytes() == page.read_bytes()


def test_a_report_without_a_page(digits, tmp_path, monkeypatch):
    """A network that no page can show still has a report."""
    monkeypatch.setattr("lenet_tf.inference.page.page_networks.MAX_WEIGHT_BYTES", 1000)
    run = fit("tiny", digits, epochs=1, report=True, logs=tmp_path, quiet=True, device="cpu")
    assert parse_page(run.path / "report.html").external_links == ["report/misclassified.csv"]
    assert not (run.path / "report" / "page.html").exists()
