"""Figure 9 of the 1998 paper: its bars, its rows on the command line, its page and its picture."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import fake_classical
import pytest
from classical_rows import make_classical_record, make_classical_row
from PIL import Image
from reproduction import make_record

from lenet_tf.errors import RunError, SpecError
from lenet_tf.reproduce import figure9, plan
from lenet_tf.reproduce.chosen_rows import choose_rows, list_rows
from lenet_tf.reproduce.classical_row import ClassicalRow
from lenet_tf.reproduce.figure9_bars import BARS, format_published
from lenet_tf.reproduce.figure9_figure import plot_figure9
from lenet_tf.reproduce.generated_files import find_stale_files, write_stale_files
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.results import Results
from lenet_tf.specs import get_spec


@pytest.fixture
def methods(monkeypatch):
    """The fake methods instead of the real ones."""
    monkeypatch.setitem(sys.modules, "lenet_tf.classical.methods", fake_classical)


def test_the_bars_have_the_errors_of_the_paper_in_its_order():
    published = [bar.published for bar in BARS]
    memory_based = [12.0, 8.4, 7.6, 5.0, 2.4, 3.3, 3.6, 1.1, 1.1, 1.0, 0.8]
    perceptrons = [4.7, 3.6, 1.6, 4.5, 3.8, 3.05, 2.5, 2.95, 2.45]
    convolutional = [1.7, 1.1, 1.1, 1.1, 0.95, 0.8, 0.7]
    assert published == memory_based + perceptrons + convolutional
    texts = {bar.label: format_published(bar) for bar in BARS}
    assert (texts["Linear"], texts["LeNet-5"], texts["RS-SVM poly 5"]) == ("12.0", "0.95", "1.0")
    assert len(texts) == len(BARS)
    # Rows of the plan have the published error of their bar.
    errors = {row.name: row.published_error for row in plan.ROWS}
    for bar in BARS:
        assert errors.get(bar.row, bar.published) == bar.published, bar.label


def test_figure9_stands_for_its_rows_in_the_order_of_the_paper(methods):
    perceptrons = ("300", "1000", "300-100", "500-150")
    networks = [f"mlp-{units}{end}" for units in perceptrons for end in ("", "-distorted")]
    networks += ["lenet1", "lenet4", "lenet5-1998", "lenet5-1998-distorted"]
    assert [row.name for row in choose_rows(["figure9"])] == ["linear", "knn", "rbf", *networks]
    chosen = choose_rows(["lenet5-1998", "knn", "figure9", "svm-poly-4-deskewed"])
    names = ["lenet5-1998", "knn", "linear", "rbf", *networks[:-2], networks[-1]]
    assert [row.name for row in chosen] == [*names, "svm-poly-4-deskewed"]
    assert choose_rows([]) == plan.ROWS
    knn = choose_rows(["knn"])[0]
    assert knn == make_classical_row("knn", data="mnist")
    assert ClassicalRow.from_dict(knn.to_dict()) == knn
    assert [row.seeds for row in choose_rows(["knn", "rbf"])] == [1, 5]
    assert [row.name for row in list_rows()][-4:] == list(fake_classical.NAMES)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("figure8", "did you mean figure9?"),
        ("kn", "did you mean knn?"),
        ("zzz", "known rows are lenet5,"),
        ("Linear", "did you mean linear or"),
    ],
)
def test_unknown_names_get_a_hint(name, hint, methods):
    with pytest.raises(SpecError, match=f"unknown row '{name}': ") as error:
        choose_rows([name])
    assert hint in str(error.value)


def test_the_command_lists_the_rows_of_the_figure(methods, cli, tmp_path):
    listed = cli("reproduce", "figure9", "--list", "--results", str(tmp_path)).stdout.splitlines()
    assert [line.split()[0] for line in listed[:4]] == ["linear", "knn", "rbf", "mlp-300"]
    assert listed[2].split(maxsplit=4)[1:] == ["0", "of", "5", "title of rbf"]
    everything = cli("reproduce", "--list", "--results", str(tmp_path)).stdout.splitlines()
    assert len(everything) == len(plan.ROWS) + 4
    unknown = cli("reproduce", "figure")
    assert (unknown.exit_code, "did you mean figure9?" in unknown.stderr) == (1, True)


@pytest.fixture
def store(tmp_path, methods, monkeypatch):
    """Made-up records of three bars and of a method that is not in the figure."""
    store = RecordStore.for_folder(tmp_path / "results")
    knn, rbf, other = (
        make_classical_row(name, "mnist") for name in ("knn", "rbf", "svm-poly-4-deskewed")
    )
    store.add(knn, make_classical_record(knn, 0, 0.97))
    for seed, accuracy in enumerate((0.965, 0.967, 0.969)):
        store.add(rbf, make_classical_record(rbf, seed, accuracy))
    store.add(other, make_classical_record(other, 0, 0.988))
    # On the sample, whose images the figure of the hardest ones shows.
    lenet1 = replace(plan.get_rows(["lenet1"])[0], data="sample")
    monkeypatch.setattr(plan, "ROWS", (lenet1,))
    for seed in range(3):
        store.add(lenet1, make_record(lenet1, seed, 0.98))
    return store


def test_the_page_has_published_and_measured_errors_and_their_cost(store):
    write_stale_files(store)
    page = (store.pages / "figure9.md").read_text()
    cost = "12 | 346 | 47,040,000 | 47,100,000 |"
    assert f"| K-NN Euclidean | 5.0 | 3.00 | `knn` | 1 | {cost}" in page
    rbf = "| 1000 RBF + linear | 3.6 | 3.30 ± 0.20 (3.10–3.50) | `rbf` | 3 of 5 |"
    assert f"{rbf} {cost}" in page
    spec = get_spec("lenet1")
    assert "| [16×16] LeNet-1 | 1.7 | 2.00 ± 0.00 (2.00–2.00) | `lenet1` | 3 | 100 | –" in page
    assert f"| – | {spec.multiply_adds:,} | {spec.parameters:,} |" in page
    assert "| Linear | 12.0 | not run yet | `linear` | 0 of 1 | – | – | – | – |" in page
    assert "| Pairwise | 7.6 | – | – | – | – | – | – | – |" in page
    assert f"| title of svm-poly-4-deskewed | 1.20 | `svm-poly-4-deskewed` | 1 | {cost}" in page
    assert "- `knn`: We read knn so.\n" in page
    assert "These classifiers have no row yet: [deslant] Linear; Pairwise;" in page
    assert "](figure9.png)" in page


def test_page_and_figure_follow_the_records(store, cli):
    written = {path.name for path in write_stale_files(store)}
    assert {"figure9.md", "figure9.png"} <= written
    assert find_stale_files(store) == []
    with Image.open(store.pages / "figure9.png") as image:
        assert image.width > 1000
    linear = make_classical_row("linear", "mnist")
    store.add(linear, make_classical_record(linear, 0, 0.88))
    stale = {path.name for path in find_stale_files(store)}
    assert stale == {"figure9.md", "figure9.png"}, "classical methods are on no other page"
    checked = cli("reproduce", "--check", "--results", str(store.pages))
    assert checked.exit_code == 1
    assert "figure9.md" in checked.stderr
    assert "out of date. Run: lenet-tf reproduce --tables" in checked.stderr
    cli("reproduce", "--tables", "--results", str(store.pages))
    assert cli("reproduce", "--check", "--results", str(store.pages)).exit_code == 0


def test_the_figure_shows_every_bar_with_and_without_runs(store):
    bars = figure9.collect_bars(Results.read(store))
    shown = [(bar.bar.label, len(bar.errors)) for bar in bars if bar.errors]
    assert shown == [("K-NN Euclidean", 1), ("1000 RBF + linear", 3), ("[16×16] LeNet-1", 3)]
    axes = plot_figure9([(bar.bar, bar.errors) for bar in bars]).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [bar.label for bar in BARS]
    low, high = axes.get_xlim()
    shown = [error for bar in bars for error in (bar.bar.published, *bar.errors)]
    assert low * 1.1 < min(shown) < max(shown) < high / 1.1, "no mark is cut"
    diamonds = [line for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    assert [line.get_xdata()[0] for line in diamonds] == [bar.published for bar in BARS]
    texts = [text.get_text() for text in axes.texts]
    assert texts[:-2:2] == [format_published(bar) for bar in BARS]
    assert texts[1:-2:2][6] == "3.30 ± 0.20"
    assert texts[1:-2:2].count("–") == len(BARS) - 3


def test_without_records_there_is_no_page_and_without_methods_only_published_bars(
    tmp_path, monkeypatch
):
    store = RecordStore.for_folder(tmp_path)
    assert "figure9.md" not in {path.name for path in write_stale_files(store)}
    monkeypatch.setattr("lenet_tf.classical.methods.METHODS", {})
    package = RecordStore.for_package()
    bars = figure9.collect_bars(Results.read(package))
    repeated = {bar.bar.label for bar in bars if bar.records}
    assert {"LeNet-5", "[16×16] LeNet-1", "28×28-300-100-10"} <= repeated
    assert "K-NN Euclidean" not in repeated


@pytest.mark.parametrize("name", ["figure9.md", "figure9.png"])
def test_files_of_these_names_that_are_the_users_stay(store, name):
    store.pages.mkdir(exist_ok=True)
    path: Path = store.pages / name
    path.write_text("mine")
    with pytest.raises(RunError, match=f"{name} isn't made by lenet-tf reproduce"):
        write_stale_files(store)
    assert path.read_text() == "mine"
