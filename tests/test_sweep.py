"""Sweeps: resumed, killed, pruned, failed and interrupted ones. No network is trained."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sweeps import SPACE, FormulaPool, fail, list_trials, make_data, run_formula

import lenet_tf
from lenet_tf.errors import DeviceError, Interrupted, RunError
from lenet_tf.runtime.signals import signal_self
from lenet_tf.sweep.study import read_study
from lenet_tf.sweep.summary import expect_maximum


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished sweep of 12 trials and the pool that ran it."""
    pool = FormulaPool()
    return run_formula(tmp_path_factory.mktemp("sweep"), pool=pool), pool


def test_all_trials_end_and_the_best_is_near_the_optimum(finished):
    sweep, _ = finished
    assert [each.number for each in sweep.trials] == list(range(12))
    assert {each.state for each in sweep.trials} >= {"complete", "pruned"}
    assert 0.003 < sweep.best_values["learning_rate"] < 0.03
    assert all(
        ("momentum" in each.params) == (each.params["optimizer"] == "sgd") for each in sweep.trials
    )


def test_trials_share_the_held_back_images_and_never_test(finished):
    _, pool = finished
    settings = [job.arguments["settings"] for job in pool.jobs]
    assert {each["split_seed"] for each in settings} == {0}
    assert {each["test"] for each in settings} == {False}
    assert {job.arguments["spec"]["recipe"]["validation"] for job in pool.jobs} == {0.1}
    trials = {job.arguments["settings"]["seed"] for job in pool.jobs if "trials" in job.home.parts}
    repeats = {
        job.arguments["settings"]["seed"] for job in pool.jobs if "repeats" in job.home.parts
    }
    assert len(trials) == 12
    assert len(repeats) == 3
    assert not trials & repeats


def test_the_best_settings_are_repeated_with_fresh_seeds(finished):
    sweep, _ = finished
    assert len(sweep.settings) == 2
    means = [each.mean for each in sweep.settings]
    assert means == sorted(means)
    for each in sweep.settings:
        assert len(each.values) == 3
        assert each.sd == pytest.approx(statistics.stdev(each.values.values()))
    assert sweep.best == sweep.settings[0].trial
    assert sweep.expected_bias == pytest.approx(expect_maximum(len(sweep.complete)) * sweep.seed_sd)


# Tables of order statistics, as in Harter (1961).
@pytest.mark.parametrize(
    ("count", "expected"), [(1, 0), (2, 0.56419), (10, 1.53875), (40, 2.16078)]
)
def test_the_expected_largest_of_normal_numbers(count, expected):
    assert expect_maximum(count) == pytest.approx(expected, abs=1e-5)


def test_the_same_sweep_makes_the_same_trials(finished, tmp_path):
    assert list_trials(run_formula(tmp_path)) == list_trials(finished[0])


def test_another_seed_makes_others(finished, tmp_path):
    other = run_formula(tmp_path, seed=1, seeds=0)
    assert [each.params for each in other.trials] != [each.params for each in finished[0].trials]


def test_a_killed_sweep_continues_as_if_nothing_had_happened(finished, tmp_path):
    """Killed in the first epoch and in a later one; no trial is lost or doubled."""
    script = (
        "import sys; from pathlib import Path; from sweeps import *;"
        " trial, epoch = map(int, sys.argv[2:]);"
        " run_formula(Path(sys.argv[1]), pool=FormulaPool(kill_at(trial, epoch)))"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    later = next(each.number for each in finished[0].trials[4:] if each.value is not None)
    for position in ((0, 1), (later, 3)):
        command = [sys.executable, "-c", script, tmp_path, *map(str, position)]
        process = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path}, capture_output=True
        )
        assert process.returncode == -signal.SIGKILL, process.stderr
        assert (tmp_path / "logs" / "sweep" / "space" / "journal.log").stat().st_size
    pool = FormulaPool()
    resumed = run_formula(tmp_path, pool=pool)
    assert list_trials(resumed) == list_trials(finished[0])
    assert resumed.settings == finished[0].settings
    homes = [job.home for job in pool.jobs if "trials" in job.home.parts]
    assert [int(home.name) for home in homes] == list(range(later, 12))
    again = FormulaPool()
    assert list_trials(run_formula(tmp_path, pool=again)) == list_trials(resumed)
    assert again.jobs == []


def test_a_journal_with_half_a_line_is_repaired(tmp_path):
    run_formula(tmp_path, trials=3, seeds=0)
    journal = tmp_path / "logs" / "sweep" / "space" / "journal.log"
    with journal.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    assert len(run_formula(tmp_path, trials=5, seeds=0).trials) == 5
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_damaged_journal_is_one_line(tmp_path):
    run_formula(tmp_path, trials=2, seeds=0)
    journal = tmp_path / "logs" / "sweep" / "space" / "journal.log"
    journal.write_text("no json\n" + journal.read_text())
    with pytest.raises(RunError, match="is damaged"):
        run_formula(tmp_path, trials=3)


@pytest.mark.parametrize("count", [1, 2])
def test_ctrl_c_keeps_the_trials_and_the_next_call_continues(finished, tmp_path, count):
    def interrupt(trial: int | None, epoch: int) -> None:
        if (trial, epoch) == (3, 1):
            for number in range(count):
                signal_self(signal.SIGINT)
                # The handler runs in the main thread.
                for _ in range(1000):
                    if pool.stopped > number:
                        break
                    time.sleep(0.01)

    pool = FormulaPool(interrupt)
    with pytest.raises(Interrupted, match="3 of 12 trials are finished") as caught:
        run_formula(tmp_path, pool=pool, page=True)
    assert caught.value.exit_code == 130
    assert pool.stopped == count
    assert (tmp_path / "logs" / "sweep" / "space" / "sweep.html").exists()
    assert list_trials(run_formula(tmp_path)) == list_trials(finished[0])


def test_a_trial_that_can_not_be_built_does_not_end_the_sweep(tmp_path):
    space = SPACE.replace(', when = { optimizer = "sgd" }', "")
    sweep = run_formula(tmp_path, space, seeds=0)
    invalid = [each for each in sweep.trials if each.state == "invalid"]
    assert {each.params["optimizer"] for each in invalid} == {"adam"}
    assert "momentum goes with sgd" in invalid[0].problem
    assert len(sweep.trials) == 12
    assert sweep.best.params["optimizer"] == "sgd"


def test_diverged_trials_do_not_end_the_sweep(tmp_path):
    space = SPACE.replace("low = 1e-4", "low = 1e-2").replace("high = 1e-1", "high = 0.5")
    sweep = run_formula(tmp_path, space, seeds=0)
    diverged = [each for each in sweep.trials if each.state == "diverged"]
    assert diverged
    assert all(each.params["learning_rate"] > 0.08 for each in diverged)
    assert len(sweep.trials) == 12
    assert sweep.best.state == "complete"


def test_a_sweep_without_hope_ends(tmp_path):
    space = SPACE.replace("low = 1e-4", "low = 0.1").replace("high = 1e-1", "high = 0.5")
    with pytest.raises(RunError, match="none of the first 5 trials could be trained: the loss"):
        run_formula(tmp_path, space)


def test_one_process_that_fails_twice_is_a_failed_trial(tmp_path):
    pool = FormulaPool(lambda trial, epoch: fail() if trial == 2 else None)
    sweep = run_formula(tmp_path, pool=pool, seeds=0)
    assert sweep.trials[2].state == "failed"
    assert "exit code -9" in sweep.trials[2].problem
    assert len(sweep.complete) > 5
    assert sum(job.home.name == "0002" for job in pool.jobs) == 2


def test_what_a_sweep_prints_is_in_its_objective(tmp_path, capsys):
    run_formula(tmp_path, trials=1, best=1, seeds=1, objective="loss", quiet=False)
    first = capsys.readouterr().out
    assert "1 trial of tiny, 1 at a time; objective: held-back loss\n" in first
    assert re.search(r"\ntrial 0: held-back loss 0\.\d{4};", first)
    assert "\n1 run of the best settings with fresh seeds\n" in first
    assert re.search(r"\nsetting of trial 0, seed 1000000: held-back loss 0\.\d{4}\n", first)
    run_formula(tmp_path, trials=2, best=1, seeds=1, objective="loss", quiet=False)
    second = capsys.readouterr().out
    assert "2 trials of tiny, 1 of them finished before, 1 at a time;" in second


def test_the_last_trial_fails_only_if_a_later_job_does_not(tmp_path):
    """A full disk, for instance, may begin at the last trial."""
    pool = FormulaPool(lambda trial, _: fail() if trial in (11, None) else None)
    with pytest.raises(RunError, match="its process ended"):
        run_formula(tmp_path, pool=pool)
    sweep = run_formula(tmp_path)
    assert len(sweep.trials) == 12
    assert sweep.trials[11].state in ("complete", "pruned", "diverged")


def test_a_last_trial_whose_process_fails_is_a_failed_trial(tmp_path):
    pool = FormulaPool(lambda trial, _: fail() if trial == 11 else None)
    sweep = run_formula(tmp_path, pool=pool)
    assert sweep.trials[11].state == "failed"
    assert len(sweep.settings) == 2


def test_the_reason_is_followed_by_one_period(tmp_path):
    def fail_with_advice(*_: object) -> None:
        raise RunError("no NVIDIA driver is installed. Use --device cpu instead.")

    with pytest.raises(RunError, match=r"Use --device cpu instead\. Finished trials are kept"):
        run_formula(tmp_path, pool=FormulaPool(fail_with_advice))


def test_workers_that_join_later_get_trials(tmp_path):
    """As many trials run at a time as the cluster has threads, also if it grows."""
    gate, started = threading.Barrier(3, timeout=20), []

    def before_epoch(trial: int | None, epoch: int) -> None:
        pool.slots = 3
        if epoch == 1:
            started.append(trial)
            if len(started) <= gate.parties:
                gate.wait()  # Which takes three trials at a time.

    pool = FormulaPool(before_epoch)
    sweep = run_formula(tmp_path, pool=pool, trials=6, seeds=0)
    assert not gate.broken
    assert len(sweep.trials) == 6


def test_processes_that_all_fail_end_the_sweep_and_cost_no_trial(tmp_path):
    with pytest.raises(RunError, match="trials 2 and 3 failed: its process ended"):
        run_formula(tmp_path, pool=FormulaPool(lambda trial, _: fail() if trial > 1 else None))
    sweep = run_formula(tmp_path)
    assert [each.number for each in sweep.trials] == list(range(12))
    assert not {each.state for each in sweep.trials} & {"failed", "unfinished"}


def test_a_changed_space_is_refused_with_the_difference(tmp_path):
    run_formula(tmp_path, trials=2, seeds=0)
    wider = SPACE.replace("high = 1e-1", "high = 2e-1")
    message = "space: learning_rate: high was 0.1 and is 0.2"
    with pytest.raises(lenet_tf.LenetError, match=message):
        run_formula(tmp_path, wider, trials=3)
    sweep = run_formula(tmp_path, wider, trials=3, seeds=0, accept_changes=True)
    assert len(sweep.trials) == 3
    longer = wider.replace("epochs = 4", "epochs = 5")
    with pytest.raises(lenet_tf.LenetError, match="can't be compared.*epochs was 4 and is 5"):
        run_formula(tmp_path, longer, trials=4, accept_changes=True)
    more = wider.replace("[16, 32]", "[16, 32, 64]")
    with pytest.raises(lenet_tf.LenetError, match="the choices of batch_size can't change"):
        run_formula(tmp_path, more, trials=4, accept_changes=True)


def test_other_data_are_refused(tmp_path):
    run_formula(tmp_path, trials=2, seeds=0)
    with pytest.raises(RunError, match="was started with other sample data"):
        run_formula(tmp_path, trials=3, seeds=0, data=make_data(200))


def test_two_processes_can_not_run_one_sweep(tmp_path):
    run_formula(tmp_path, trials=2, seeds=0)

    def run_another(*_: object) -> None:
        with pytest.raises(RunError, match="another process runs the sweep"):
            run_formula(tmp_path, trials=3)

    run_formula(tmp_path, trials=3, seeds=0, pool=FormulaPool(run_another))


def test_two_sweeps_can_not_write_one_file_at_once(tmp_path):
    shared = tmp_path / "shared.log"
    run_formula(tmp_path, trials=2, seeds=0, name="first", storage=shared)

    def run_another(*_: object) -> None:
        with pytest.raises(RunError, match="another process runs a sweep with .*shared.log"):
            run_formula(tmp_path, trials=2, name="second", storage=shared)

    options = {"seeds": 0, "storage": shared}
    run_formula(tmp_path, trials=3, name="first", pool=FormulaPool(run_another), **options)
    second = run_formula(tmp_path, trials=2, name="second", **options)
    assert [len(read_study(shared, name).trials) for name in ("first", "second")] == [3, 2]
    assert second.name == "second"


def test_a_storage_that_is_no_file_is_one_line(tmp_path):
    with pytest.raises(RunError, match="cannot open .*: it is not a regular file$"):
        run_formula(tmp_path, storage=tmp_path)


def test_the_test_images_are_used_once_and_for_the_chosen_setting(tmp_path):
    pool = FormulaPool()
    sweep = run_formula(tmp_path, pool=pool, test=True)
    tests = [job for job in pool.jobs if "runs" in job.arguments]
    assert len(tests) == 1
    chosen = f"{sweep.best.number:04}-seed-"
    assert len(tests[0].arguments["runs"]) == 3
    assert all(chosen in run for run in tests[0].arguments["runs"])
    again = FormulaPool()
    assert run_formula(tmp_path, pool=again, test=True).test == sweep.test
    assert again.jobs == []


def test_optuna_reads_the_journal(finished):
    """Other programs, such as optuna-dashboard, see the same study."""
    sweep, _ = finished
    study = read_study(sweep.path / "journal.log")
    assert study.best_value == sweep.complete[0].value
    assert [each.number for each in study.trials] == [each.number for each in sweep.trials]


def test_without_optuna_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("lenet_tf.runtime.optional_packages.find_spec", lambda _: None)
    monkeypatch.setattr("lenet_tf.sweep.study.import_optuna", _import_uncached)
    with pytest.raises(lenet_tf.LenetError, match=r"pip install 'lenet_tf\[sweep\]'"):
        run_formula(tmp_path)
    assert not (tmp_path / "logs").exists()


def _import_uncached():
    from lenet_tf.sweep import study

    return study.import_optional("optuna", "a sweep", "sweep")


@pytest.mark.parametrize("device", ["gpu:all", "cpu:0,cpu:9999"])
def test_a_device_that_this_machine_lacks_costs_no_trial(tmp_path, device):
    """Failed trials count: the repeated command with another device would have none left."""
    space = tmp_path / "space.toml"
    space.write_text(SPACE)
    with pytest.raises(DeviceError, match=f"device '{device}' is unavailable: "):
        lenet_tf.run_sweep(space, logs=tmp_path / "logs", data="sample", device=device)
    assert not (tmp_path / "logs").exists()
