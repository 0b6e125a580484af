"""The pages made from the records, and the command that makes them."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from reproduction import make_record, make_row
from scipy import stats

import lenet_tf
from lenet_tf.errors import RunError
from lenet_tf.reproduce import claims, pages, plan
from lenet_tf.reproduce.claims import Comparison
from lenet_tf.reproduce.claims_table import render_claims_table
from lenet_tf.reproduce.generated_files import find_stale_files, write_stale_files
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.results import Results

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A results folder with made-up records of two rows, and a README with a generated section."""
    one = make_row(
        published_error=2.0,
        published_by="someone",
        target_error=1.5,
        show_best_epoch=True,
        attempts="Longer training.",
    )
    two = replace(make_row(3), name="other")
    monkeypatch.setattr(plan, "ROWS", (one, two))
    monkeypatch.setattr("lenet_tf.classical.methods.METHODS", {})
    comparison = Comparison("one beats other", "us", "tiny", "other", shift=1)
    monkeypatch.setattr(claims, "COMPARISONS", (comparison,))
    store = RecordStore.for_folder(tmp_path / "results")
    monkeypatch.setattr(RecordStore, "for_package", lambda: RecordStore.for_folder(Path("results")))
    for seed, (first, second) in enumerate([(0.98, 0.97), (0.984, 0.972), (0.986, 0.98)]):
        store.add(one, make_record(one, seed, first))
        store.add(two, make_record(two, seed, second))
    (tmp_path / "README.md").write_text(
        f"# Mine\n\n{pages.SECTION_START}\n\nold\n\n{pages.SECTION_END}\n\nafter\n"
    )
    return tmp_path


def test_pages_show_the_records(project):
    results, store = project / "results", RecordStore.for_folder(project / "results")
    names = {"README.md", "reproduction.png", "hard-images.md", "hard-images-sample.png"}
    assert {path.name for path in write_stale_files(store)} == names
    page, readme = (results / "README.md").read_text(), (project / "README.md").read_text()
    line = (
        "| `tiny` | a tiny network | 2 (someone) | 1.67 ± 0.31 (1.40–2.00) | 3"
        " | ≤ 1.50, **missed** | 10.0–10.0 |"
    )
    best = (
        "|  | … its best epoch, chosen on the test images as in the tutorial | 2 (someone)"
        " | 1.47 ± 0.31 (1.20–1.80) | 3 | – | – |"
    )
    for text in (page, readme):
        assert line in text
        assert best in text
        assert "one beats other | us | `tiny` 88.33% | `other` 87.40% | +0.93 (" in text
        assert "Of the 1 differences, 1 differ from 0, and 1 with Holm's correction." in text
        assert "√(p(1 − p)/10,000), about 0.1 points at an error of 1%, to each number" in text
    assert "- `tiny`: 1.67%, target at most 1.50%. Longer training." in page
    assert "6 runs, 0.2 hours in total, each pinned to one core" in page
    recipe = "adam at 0.001, categorical_crossentropy, 2 epochs, batch size 50, validation 0.1"
    assert f"| `tiny` | {recipe} | 90% | abc |" in page
    assert readme.startswith("# Mine\n")
    assert readme.endswith(f"{pages.SECTION_END}\n\nafter\n")
    assert "\n\nold\n\n" not in readme
    assert find_stale_files(store) == []
    assert write_stale_files(store) == []


def test_more_claims_need_stronger_evidence(project, monkeypatch):
    """p = 0.034 for a single claim; with two claims Holm's correction gives 0.068."""
    (one,) = claims.COMPARISONS
    results, store = project / "results", RecordStore.for_folder(project / "results")
    write_stale_files(store)
    assert "p = 0.034 | 3 | yes |" in (results / "README.md").read_text()
    monkeypatch.setattr(claims, "COMPARISONS", (one, replace(one, claim="another claim")))
    write_stale_files(store)
    text = (results / "README.md").read_text()
    assert text.count("p = 0.034 | 3 | yes, but not with Holm's correction |") == 2
    assert "Of the 2 differences, 2 differ from 0, and 0 with Holm's correction." in text


def test_claims_are_also_tested_image_by_image(project, monkeypatch):
    """One row's mistakes are a subset of the other's, so McNemar's test has simple numbers."""
    results = Results.read(RecordStore.for_folder(project / "results"))
    assert "| – |" in render_claims_table(results), "shifted images have no recorded predictions"
    comparison = Comparison("c", "us", "tiny", "other")
    monkeypatch.setattr(claims, "COMPARISONS", (comparison,))
    p = [stats.binomtest(count, count).pvalue for count in (10, 12, 6)]
    expected = f"| 9, 0; p = {statistics.median(p):.2g} (3 of 3 seeds) |"
    assert expected in render_claims_table(results)


def test_check_fails_when_a_record_or_a_table_is_changed(project, monkeypatch, cli):
    monkeypatch.chdir(project)
    failed = cli("reproduce", "--check")
    assert failed.exit_code == 1
    assert (
        "results/README.md, results/hard-images.md, README.md, results/reproduction.png,"
        " results/hard-images-sample.png: out of date. Run: lenet-tf reproduce --tables"
    ) in failed.stderr
    assert cli("reproduce", "--tables").output.splitlines() == [
        "wrote results/README.md",
        "wrote results/hard-images.md",
        "wrote README.md",
        "wrote results/reproduction.png",
        "wrote results/hard-images-sample.png",
    ]
    assert cli("reproduce", "--check").exit_code == 0
    readme = project / "README.md"
    readme.write_text(readme.read_text().replace("1.67", "1.17"))
    failed = cli("reproduce", "--check")
    assert (failed.exit_code, "Error: README.md: out of date" in failed.stderr) == (1, True)
    cli("reproduce", "--tables")
    RecordStore.for_folder(project / "results").add(
        plan.ROWS[1], make_record(plan.ROWS[1], 3, 0.99)
    )
    assert (
        "results/README.md, results/hard-images.md, README.md, results/reproduction.png"
        in cli("reproduce", "--check").stderr
    )


def test_pages_of_other_origin_are_not_overwritten(project, cli, monkeypatch):
    """Another results page and incomplete marks are refused before anything is written."""
    monkeypatch.chdir(project)
    page, readme = project / "results" / "README.md", project / "README.md"
    page.write_text("# Mine\n")
    failed = cli("reproduce", "--tables")
    assert failed.exit_code == 1
    assert "results/README.md isn't made by lenet-tf reproduce" in failed.stderr
    page.unlink()
    for text in (
        f"# Mine\n{pages.SECTION_START}\nafter\n",
        f"{pages.SECTION_END}\n{pages.SECTION_START}\n",
        f"{pages.SECTION_START}\n" * 2 + pages.SECTION_END,
    ):
        readme.write_text(text)
        failed = cli("reproduce", "--tables")
        assert failed.exit_code == 1
        assert "once each, in this order, or neither of them" in failed.stderr
        assert readme.read_text() == text
    readme.write_bytes(b"\xff")
    assert "cannot read README.md" in cli("reproduce", "--tables").stderr
    readme.unlink()
    assert cli("reproduce", "--tables").exit_code == 0


@pytest.mark.parametrize("name", ["reproduction.png", "hard-images.md", "hard-images-sample.png"])
def test_files_of_these_names_that_are_the_users_stay(project, name):
    path = project / "results" / name
    path.write_text("mine")
    store = RecordStore.for_folder(project / "results")
    with pytest.raises(RunError, match=f"{name} isn't made by lenet-tf reproduce"):
        write_stale_files(store)
    assert path.read_text() == "mine"
    assert not (project / "results" / "README.md").exists()


def test_damaged_figures_are_drawn_again_or_refused(project):
    results = project / "results"
    store = RecordStore.for_folder(results)
    write_stale_files(store)
    figure = results / "reproduction.png"
    whole = figure.read_bytes()
    figure.write_bytes(whole[: len(whole) // 2])
    assert find_stale_files(store) == [figure]
    # An IHDR of 100,000 x 100,000 pixels, and one that ends early.
    side = struct.pack(">I", 100_000)
    for content in (whole[:16] + side + side + whole[24:], whole[:20]):
        figure.write_bytes(content)
        with pytest.raises(RunError, match="isn't made by lenet-tf reproduce"):
            find_stale_files(store)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_pipes_are_not_read(project):
    store = RecordStore.for_folder(project / "results")
    os.mkfifo(project / "README.other.md")
    write_stale_files(store)
    for name in ("README.md", "reproduction.png", "hard-images.md"):
        path = project / "results" / name
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(RunError, match=f"cannot read .*{name}: it is not a regular file"):
            find_stale_files(store)
        path.unlink()


def test_figures_are_drawn_from_the_given_originals(project, monkeypatch):
    seen, sample = [], lenet_tf.load_data("sample")

    def load_data(name, originals):
        seen.append((name, originals))
        return sample

    monkeypatch.setattr("lenet_tf.data.sources.load_data", load_data)
    write_stale_files(RecordStore.for_folder(project / "results"), "/data")
    assert seen == [("sample", "/data")]


def test_the_command_lists_rows_and_refuses_mistakes(project, monkeypatch, cli):
    monkeypatch.chdir(project)
    listed = cli("reproduce", "--list").output.splitlines()
    assert listed == ["tiny    3 of  2  a tiny network", "other   3 of  2  a tiny network"]
    both = cli("reproduce", "--list", "--check")
    assert both.exit_code == 2
    assert "exclude each other" in both.stderr
    unknown = cli("reproduce", "tinny")
    assert unknown.exit_code == 1
    assert "unknown row 'tinny': did you mean tiny?" in unknown.stderr


@pytest.mark.slow
def test_the_command_runs_and_compares(project, monkeypatch, cli):
    """A row without records gets them; made-up records can't be reproduced, which fails."""
    monkeypatch.chdir(project)
    new = replace(make_row(1), name="new", seeds=1)
    monkeypatch.setattr(plan, "ROWS", (*plan.ROWS, new))
    ran = cli("reproduce", "new")
    assert ran.exit_code == 0, ran.output
    first, second = ran.stdout.splitlines()
    assert first == "Starting 1 run, 1 at a time; run folders in logs/reproduce"
    assert "results/reproduce has no records of these rows to compare with." in ran.stderr
    assert second.startswith("new, seed 0: test accuracy ")
    assert "; a new record · 1 of 1" in second
    assert "| `new` |" in (project / "results" / "README.md").read_text()
    ran = cli("reproduce", "tiny", "--seeds", "1")
    assert ran.exit_code == 1
    assert "tiny, seed 0: test accuracy" in ran.stdout
    assert "NOT comparable with its record: the data differ" in ran.stdout
    assert "Error: 1 of 1 runs differ from their records, the first is tiny, seed 0." in ran.stderr


def test_the_committed_pages_agree_with_the_committed_records():
    assert find_stale_files(RecordStore.for_package()) == []


def test_an_installed_package_lists_and_checks_its_records_in_any_folder(tmp_path):
    """Without a checkout it has no tables."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    shutil.copytree(
        ROOT / "lenet_tf", site / "lenet_tf", ignore=shutil.ignore_patterns("__pycache__")
    )
    elsewhere.mkdir()

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "lenet_tf", "reproduce", *arguments]
        return subprocess.run(
            command,
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
        )

    listed = run("--list")
    assert re.search(r"^lenet5 +10 of 10 ", listed.stdout, re.MULTILINE), listed.stderr
    checked = run("--check")
    assert (checked.returncode, checked.stdout) == (
        0,
        "The records are complete. There are no tables here.\n",
    )
    tables = run("--tables")
    assert tables.returncode == 2
    assert "an installed package has no tables" in tables.stderr
    assert not list(elsewhere.iterdir())
