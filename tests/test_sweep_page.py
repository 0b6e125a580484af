"""The page of a sweep, and the command."""

from __future__ import annotations

import html
import re
import statistics
from pathlib import Path

import pytest
from commands import check_refused
from sweeps import SPACE, FormulaPool, run_formula

from lenet_tf.errors import RunError
from lenet_tf.sweep.page import render_sweep
from lenet_tf.sweep.progress import build_command, describe_result, format_param
from lenet_tf.sweep.study import read_study


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A sweep of 30 trials with repeats, a test and a page."""
    folder = tmp_path_factory.mktemp("sweep")
    return run_formula(folder, page=True, trials=30, test=True)


@pytest.fixture(scope="module")
def page(sweep) -> str:
    return (sweep.path / "sweep.html").read_text("utf-8")


@pytest.fixture(scope="module")
def command(sweep) -> str:
    """The command as the page has it: its path is relative to the folder that is current then."""
    return build_command(sweep)


def read_tables(page: str) -> list[list[list[str]]]:
    """The cells of each table of a page, row by row."""
    return [
        [
            [html.unescape(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
        ]
        for table in re.findall(r"<table>(.*?)</table>", page, re.S)
    ]


def test_the_table_of_trials_is_the_study(sweep, page):
    study = read_study(sweep.path / "journal.log")
    table = next(table for table in read_tables(page) if table[0][:2] == ["trial", "state"])
    names = table[0][5:-1]
    assert len(table) == 31 == len(study.trials) + 1
    for row, trial in zip(table[1:], study.trials, strict=True):
        assert row[0] == str(trial.number)
        is_complete = trial.state.name == "COMPLETE"
        assert (row[1] == "complete") == is_complete
        assert row[2] == (f"{trial.value:.2%}" if is_complete else "–")
        shown = [
            format_param(trial.params[name]) if name in trial.params else "–" for name in names
        ]
        assert row[5:-1] == shown


def test_means_of_the_seeds_are_those_of_the_study(sweep, page):
    attributes = read_study(sweep.path / "journal.log").user_attrs
    (table,) = (table for table in read_tables(page) if "fresh seeds: mean ± sd" in table[0])
    assert len(table) == 3
    for row in table[1:]:
        errors = [
            1 - result["accuracy"]
            for name, result in attributes.items()
            if name.startswith(f"repeat/{row[0]}/")
        ]
        mean, sd = statistics.fmean(errors), statistics.stdev(errors)
        assert row[2] == f"{mean:.2%} ± {100 * sd:.2f} points"
        # One place for a line break: the first line has one value more.
        first, second = row[-1].split(", ")
        assert [len(each.split(",\N{NO-BREAK SPACE}")) for each in (first, second)] == [2, 1]
        shown = row[-1].replace("\N{NO-BREAK SPACE}", " ").split(", ")
        assert sorted(shown) == sorted(f"{error:.2%}" for error in errors)
    assert f"<b>{table[1][2]} over 3 fresh seeds</b>" in page


def test_the_bias_of_the_choice_is_estimated(sweep, page):
    count = len(sweep.complete)
    assert f"best of {count} equally good settings" in page
    assert f"{100 * sweep.expected_bias:.2f} points, on average" in page
    assert "test error 10.00" in page


def test_importances_find_what_the_formula_uses(sweep, page):
    assert max(sweep.importances, key=lambda name: sweep.importances[name]) == "learning_rate"
    assert sum(sweep.importances.values()) == pytest.approx(1)
    assert f"{sweep.importances['learning_rate']:.0%}" in page


def test_the_command_trains_the_chosen_setting(sweep, page, command, cli):
    """The run of `lenet-tf train` has the network and the recipe of the trial."""
    assert html.escape(command) in page
    words = command.split()
    assert words[words.index("--split-seed") + 1] == "0"
    from lenet_tf.cli.train import train

    ctx = train.make_context("train", words[words.index("train") + 1 :])
    from lenet_tf.cli.train import _make_config

    for name in ("data", "originals", "interrupted", *READ):
        ctx.params.pop(name)
    named = [ctx.params.pop(name) for name in ("variant", "spec_file", "from_run")]
    config = _make_config(named[0], None, None, ctx.params)
    seed = sweep.best.number
    assert config.spec == sweep.space.build_config(sweep.best_values, seed).spec
    assert (config.seed, config.split_seed) == (seed, 0)


READ = ("image_size", "color", "layout", "values", "labels")


def test_one_trial_is_no_choice_among_many(tmp_path):
    sweep = run_formula(tmp_path, page=True, trials=1, best=1, seeds=1)
    text = (sweep.path / "sweep.html").read_text("utf-8")
    assert "1 trial of tiny on sample: 1 complete." in text
    assert "over 1 fresh seed</b>" in text
    assert "Only one trial is complete" in text
    assert "noisy values" not in text
    more = describe_result(run_formula(tmp_path, trials=1, best=1, seeds=2))
    assert "2 fresh seeds" in more
    assert "looks better than it is" not in more


def test_a_page_without_results(tmp_path):
    def fail(*_: object) -> None:
        raise RunError("its process ended with exit code 1")

    with pytest.raises(RunError, match=r"trials \d and \d failed"):
        run_formula(tmp_path, pool=FormulaPool(fail), page=True)
    text = (tmp_path / "logs" / "sweep" / "space" / "sweep.html").read_text("utf-8")
    assert re.search(r"\d trials of 12 planned of tiny on sample: .*2 unfinished\.", text)
    assert "Best so far" not in text


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.slow
def test_the_page_fits_a_phone_and_has_no_fault(sweep, browser, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    shown.goto((sweep.path / "sweep.html").as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert [fault["id"] for fault in Axe().run(shown).response["violations"]] == []
    context.close()


def test_names_in_a_space_are_escaped(tmp_path):
    space = SPACE.replace('["adam", "sgd"]', '["adam", "sgd"]')
    sweep = run_formula(tmp_path, space, trials=2, seeds=0, name="a-b")
    hostile = sweep.trials[0].__class__(0, "failed", {}, problem="<script>alert(1)</script>")
    text = render_sweep(sweep.__class__(sweep.path, "a", sweep.space, [hostile]))
    assert "<script" not in text


def test_the_command_refuses_with_one_line(cli):
    check_refused(cli("sweep", "missing.toml"), "cannot read missing.toml")
    Path("space.toml").write_text(SPACE)
    check_refused(cli("sweep", "space.toml", "--objective", "acc"), "unknown objective 'acc'")
    check_refused(cli("sweep", "space.toml", "--name", "a/b"), "choose one with --name")
    check_refused(cli("sweep", "space.toml", "--data", "mnits"), "mnits")
    check_refused(cli("sweep"), "Missing argument 'SPACE.toml'")


def test_the_command_overwrites_no_foreign_page(cli):
    Path("space.toml").write_text(SPACE)
    Path("logs/sweep/space").mkdir(parents=True)
    Path("logs/sweep/space/sweep.html").write_text("mine")
    result = cli("sweep", "space.toml")
    assert result.exit_code == 1
    assert "is not a sweep that lenet-tf wrote" in result.stderr
    assert Path("logs/sweep/space/sweep.html").read_text() == "mine"
