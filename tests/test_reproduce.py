"""The reproduction table: its plan, its runs in processes of their own, their records, and what is made of these."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from scipy import stats

import lenet_tf
from lenet_tf.data.corruptions import shift
from lenet_tf.errors import RunError, SpecError
from lenet_tf.reproduce import hard_images, markdown, plan, predictions, tables, verdicts
from lenet_tf.reproduce.claims import COMPARISONS, Comparison
from lenet_tf.reproduce.display import format_time_left
from lenet_tf.reproduce.plan import ROWS, TableRow, get_rows
from lenet_tf.reproduce.predictions import Predictions
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner, Task
from lenet_tf.reproduce.statistics import format_mean_sd, holm_correction, paired_difference
from lenet_tf.runtime import environment, threads
from lenet_tf.specs import Preparation, get_spec

ROOT = Path(__file__).parent.parent


def tiny(epochs: int = 2, **options) -> TableRow:
    spec = get_spec("tiny")
    options = {"seeds": 2, "data": "sample", "shifted": True} | options
    return TableRow(
        "tiny",
        "a tiny network",
        replace(spec, recipe=replace(spec.recipe, epochs=epochs)),
        **options,
    )


# The plan.


def test_the_plan_has_every_row_that_was_asked_for():
    """Name → seeds, and the mean test error in % to stay below."""
    asked = {
        "lenet5": (10, None),
        "lenet5-divided-twice": (3, None),
        "lenet5-1998": (5, 1.10),
        "lenet5-1998-eq8": (5, 1.10),
        "lenet5-1998-eq8-half-rates": (5, 1.10),
        "lenet5-1998-distorted": (3, 0.95),
        "lenet1": (3, 1.7),
        "lenet4": (3, 1.1),
        "lenet4-distorted": (3, None),
        "mlp-300-100": (3, 3.05),
        "cnn-38k": (5, 1.0),
        "lenet5-held-back": (5, None),
        "lenet5-3x3": (5, None),
        "lenet5-max": (5, None),
        "lenet5-no-padding": (5, None),
        "lenet5-fashion": (3, None),
        "lenet5-modern-accurate": (5, 0.55),
        "lenet5-modern-fashion": (3, None),
    }
    rows = {row.name: row for row in ROWS}
    for name, (seeds, target) in asked.items():
        assert rows[name].seeds >= seeds
        assert rows[name].target == target
    assert len({row.digest for row in ROWS}) == len(ROWS) == len(rows)


def test_rows_differ_from_each_other_in_what_their_titles_say():
    rows = {row.name: row.spec for row in ROWS}
    base = rows["lenet5-held-back"]
    assert rows["lenet5"] == get_spec("lenet5")
    assert rows["lenet5"].recipe.validation == "test"
    for name in ("lenet5-held-back", "lenet5-3x3", "lenet5-max", "lenet5-no-padding"):
        assert (rows[name].recipe, rows[name].preparation) == (base.recipe, base.preparation)
        assert rows[name].recipe == replace(get_spec("lenet5").recipe, validation=0.1)
    assert [row.pool for row in rows["lenet5-max"].rows if row.kind == "pooling"] == ["max", "max"]
    assert rows["lenet5-no-padding"].layers[1].output_shape == (24, 24, 6)
    assert rows["lenet5-no-padding"].parameters == 44_426
    assert rows["lenet5-divided-twice"].preparation.test_normalization == "unit_twice"
    assert (rows["lenet5-1998"].recipe.loss, rows["lenet5-1998-eq8"].recipe.loss) == (
        "lecun1998_map",
        "lecun1998_mle",
    )
    assert rows["lenet5-1998-distorted"].recipe.augmentation is not None
    for comparison in COMPARISONS:
        assert {comparison.better, comparison.worse} <= rows.keys()
        if comparison.shift:
            assert all(
                row.shifted for row in ROWS if row.name in (comparison.better, comparison.worse)
            )


def test_what_steered_a_choice_stands_beside_it():
    """The rates that were given up have rows of their own, and LeNet-1 one for the digits that the other networks have."""
    rows = {row.name: row for row in ROWS}
    for name, given_up in (
        ("lenet4", "lenet4-paper-rates"),
        ("lenet5-1998-eq8-half-rates", "lenet5-1998-eq8"),
    ):
        rates, before = (
            rows[each].spec.recipe.optimizer.learning_rate for each in (name, given_up)
        )
        assert [2 * rate for rate in rates] == pytest.approx(before)
        assert before == get_spec("lenet5-1998").recipe.optimizer.learning_rate
    sizes = [
        rows[name].spec.preparation.digit_size
        for name in ("lenet1", "lenet1-20x20", "lenet4", "lenet5-1998")
    ]
    assert sizes == [16, None, None, None]


def test_no_row_chooses_by_test_images_but_the_tutorials():
    """A run's result is that of its last epoch; only the tutorial's rows see test images before that, and only one tells a best epoch."""
    assert {row.name for row in ROWS if row.spec.recipe.validation == "test"} == {
        "lenet5",
        "lenet5-divided-twice",
    }
    assert {row.name for row in ROWS if row.best_epoch} == {"lenet5"}


def test_unknown_rows_are_told_the_nearest():
    assert [row.name for row in get_rows(("lenet1", "cnn-38k", "lenet1"))] == ["lenet1", "cnn-38k"]
    assert get_rows(()) == ROWS
    with pytest.raises(SpecError, match="unknown row 'lenet5-1989': did you mean lenet5-1998"):
        get_rows(("lenet5-1989",))


def test_a_row_goes_to_its_process_and_back():
    for row in ROWS:
        again = TableRow.from_dict(json.loads(json.dumps(row.to_dict())))
        assert (again.digest, again.spec) == (row.digest, row.spec)
    assert tiny(2).digest != tiny(3).digest
    assert tiny().digest != tiny(data="mnist").digest


# What rows need of the other rooms.


def test_test_images_divided_twice_as_in_the_tutorial(digits, tmp_path):
    """Training and its images stay as they are; validation and the test see images in 0…1/255."""
    spec = replace(
        get_spec("tiny"), recipe=replace(get_spec("tiny").recipe, validation="test", epochs=12)
    )
    twice = replace(spec, preparation=Preparation(test_normalization="unit_twice"))
    once, erratum = (
        lenet_tf.fit(each, digits, seed=1, logs=tmp_path, device="cpu", quiet=True)
        for each in (spec, twice)
    )
    for first, second in zip(once.model.get_weights(), erratum.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    images = digits.x_test[..., None].astype("float32") / 255 / 255
    answers = once.model.predict(images, verbose=0).argmax(axis=1)
    assert erratum.metrics["test_accuracy"] == pytest.approx(
        np.mean(answers == digits.y_test), abs=1e-6
    )
    assert erratum.history["val_accuracy"][-1] == pytest.approx(erratum.metrics["test_accuracy"])
    assert lenet_tf.evaluate(erratum.path, digits)["accuracy"] == pytest.approx(
        erratum.metrics["test_accuracy"]
    )
    assert once.metrics["test_accuracy"] > erratum.metrics["test_accuracy"]
    # A picture of somebody's is no test image of the tutorial's.
    np.testing.assert_allclose(
        lenet_tf.predict(erratum, digits.x_test), lenet_tf.predict(once, digits.x_test), atol=1e-6
    )


def test_images_held_back_are_never_divided_twice(digits, tmp_path):
    spec = replace(get_spec("tiny"), preparation=Preparation(test_normalization="unit_twice"))
    plain, erratum = (
        lenet_tf.fit(each, digits, logs=tmp_path, device="cpu", quiet=True)
        for each in (get_spec("tiny"), spec)
    )
    assert plain.history["val_loss"] == erratum.history["val_loss"]
    assert plain.metrics["test_loss"] != erratum.metrics["test_loss"]


@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, 0), (-2, 0), (0, 4), (0, -1), (2, -3)])
def test_shifted_images(down, right):
    images = np.random.default_rng(0).integers(1, 256, (3, 9, 8), dtype=np.uint8)
    moved = shift(images, down, right)
    expected = np.roll(images, (down, right), axis=(1, 2))
    rows, columns = np.indices((9, 8))
    outside = (
        (rows - down < 0) | (rows - down >= 9) | (columns - right < 0) | (columns - right >= 8)
    )
    np.testing.assert_array_equal(moved, np.where(outside, 0, expected))
    np.testing.assert_array_equal(shift(images[..., None], down, right)[..., 0], moved)


def test_the_machine_is_described():
    here = environment.describe_machine()
    assert here["cores"] == os.cpu_count()
    assert here["processor"]
    assert environment.is_same_type(here, dict(here))
    assert environment.is_same_type(here, here | {"cores": 99})
    assert not environment.is_same_type(here, here | {"features": ["other"]})
    unknown = here | {"features": []}
    assert not environment.is_same_type(unknown, unknown), (
        "who does not say what the processor has cannot be held to the last bit"
    )


# Runs.


def finished(
    row: TableRow, home: Path, jobs: int = 2, seeds: int | None = None
) -> dict[int, tuple]:
    outcomes = Runner([row], seeds, jobs, home / "logs", RecordStore.of(home / "results")).run()
    return {
        outcome.task.seed: (outcome.record, outcome.verdict.agrees, outcome.text)
        for outcome in outcomes
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Two runs of a row and what came out of it."""
    home = tmp_path_factory.mktemp("reproduced")
    return home, finished(tiny(), home)


def test_runs_leave_records(done):
    """A record says what its run folder says, and its tests are those of the saved model."""
    home, outcomes = done
    kept = RecordStore.of(home / "results").read(tiny())
    assert [record["seed"] for record in kept] == [0, 1]
    sample = lenet_tf.load_data("sample")
    for seed, record in enumerate(kept):
        told, agrees, words = outcomes[seed]
        assert (told, agrees, words) == (record, True, "a new record")
        (folder,) = (home / "logs" / "reproduce" / "tiny" / f"seed-{seed}" / "fit").iterdir()
        metrics = json.loads((folder / "metrics.json").read_text())
        assert record["test"]["accuracy"] == metrics["test_accuracy"]
        assert len(record["epochs"]["val_accuracy"]) == len(record["epochs"]["seconds"]) == 2
        moved = [
            replace(sample, x_test=shift(sample.x_test, *by))
            for by in ((0, 2), (0, -2), (2, 0), (-2, 0))
        ]
        accuracy = statistics.mean(lenet_tf.evaluate(folder, each)["accuracy"] for each in moved)
        assert record["test"]["shifted"]["2"] == pytest.approx(accuracy)
        assert record["data"] == {
            "name": "sample",
            "version": sample.version,
            "sha256": sample.sha256,
        }
        assert record["machine"] == environment.describe_machine()
        assert record["recipe"] == tiny().spec.to_dict()["recipe"]
        asked = {
            "TF_NUM_INTEROP_THREADS": "2",
            "TF_NUM_INTRAOP_THREADS": "1",
            "ONEDNN_MAX_CPU_ISA": os.environ.get("ONEDNN_MAX_CPU_ISA"),
        }
        assert record["threads"] == asked | {
            "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")
        }
        assert {"tensorflow", "keras", "numpy", "python"} <= record["versions"].keys()
        own = RecordStore.of(home / "results").read_predictions(tiny())
        answers = lenet_tf.predict(folder, sample.x_test).argmax(axis=1)
        np.testing.assert_array_equal(predictions.decode_classes(own.by_seed[seed]), answers)
        np.testing.assert_array_equal(own.correct(seed), answers == sample.y_test)
    assert kept[0]["test"] != kept[1]["test"]


def test_a_finished_run_is_not_repeated(done):
    home, _ = done
    before = {path: path.stat().st_mtime_ns for path in (home / "logs").rglob("*.keras")}
    lines = (home / "results" / "reproduce" / "tiny.jsonl").read_bytes()
    outcomes = finished(tiny(), home, seeds=1)
    assert {told for _, _, told in outcomes.values()} == {
        "finished before and not repeated; as recorded, to the last digit"
    }
    assert {path: path.stat().st_mtime_ns for path in (home / "logs").rglob("*.keras")} == before
    assert (home / "results" / "reproduce" / "tiny.jsonl").read_bytes() == lines


@pytest.mark.slow
def test_a_fresh_place_reproduces_the_records(done, tmp_path):
    """With records and without run folders all is trained anew, one at a time here and two then, to equal numbers."""
    home, outcomes = done
    (tmp_path / "results").mkdir()
    (home / "results" / "reproduce").rename(home / "moved")
    (home / "moved").rename(tmp_path / "results" / "reproduce")
    try:
        again = finished(tiny(), tmp_path, jobs=1, seeds=1)
    finally:
        (tmp_path / "results" / "reproduce").rename(home / "results" / "reproduce")
    record, agrees, told = again[0]
    assert (agrees, told) == (True, "as recorded, to the last digit")
    assert record["finished"] != outcomes[0][0]["finished"]


@pytest.fixture
def without_onednn(monkeypatch):
    """A setting in which this machine stands for another: the runs are other draws than the recorded ones."""
    monkeypatch.delitem(threads._own_values, "TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")


@pytest.mark.slow
def test_elsewhere_a_good_recipe_agrees_and_a_broken_one_does_not(tmp_path, without_onednn):
    """Four recorded runs; then one more of the same recipe, and one of a hundredth of its learning rate, under another setting."""
    row, results = tiny(6, seeds=4, shifted=False), RecordStore.of(tmp_path / "results")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    Runner([row], None, 2, tmp_path / "recorded", results).run()
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    shipped = RecordStore(results.folder, None)
    before = {path.name: path.read_bytes() for path in results.folder.iterdir()}

    def judged(row: TableRow, seeds: int, logs: str) -> tuple[list[str], list[bool]]:
        runner = Runner([row], seeds, 2, tmp_path / logs, shipped)
        outcomes = runner.run()
        return [outcome.text for outcome in outcomes], [
            verdict.agrees for verdict in runner.row_verdicts(outcomes)
        ]

    texts, agree = judged(row, 5, "here")
    assert agree == [True]
    assert all("another draw: settings of threads or oneDNN differ" in text for text in texts[:4])
    assert texts[4] == "no record of this seed; --results FOLDER keeps one"
    recipe = row.spec.recipe
    slow = replace(
        recipe,
        optimizer=replace(recipe.optimizer, learning_rate=recipe.optimizer.learning_rate / 100),
    )
    broken = Broken(
        **{name: getattr(row, name) for name in ("name", "title", "seeds", "data")},
        spec=replace(row.spec, recipe=slow),
    )
    assert judged(broken, 1, "broken")[1] == [False]
    assert {path.name: path.read_bytes() for path in results.folder.iterdir()} == before, (
        "what the package ships is only read"
    )


class Broken(TableRow):
    """Passes for the row whose records there are."""

    digest = tiny(6, seeds=4, shifted=False).digest


def test_runs_of_another_recipe_are_left_alone(done):
    """The plan changed: the old run folders count no more, and the old records are refused rather than mixed."""
    home, _ = done
    with pytest.raises(
        RunError,
        match=r"tiny.jsonl, line 1: the plan now has another recipe for tiny: move the file away",
    ):
        Runner([tiny(3)], None, 1, home / "logs", RecordStore.of(home / "results"))


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from lenet_tf.errors import Interrupted
from lenet_tf.reproduce.plan import Row
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
spec = Row.from_dict(__import__("json").loads(sys.argv[1]))
try:
    Runner([spec], None, 2, Path("logs"), RecordStore.of(Path("results"))).run()
except Interrupted as error:
    sys.exit(str(error))
"""


def start(row: TableRow, home: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(row.to_dict())],
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def meet_in_the_middle(process: subprocess.Popen, home: Path, count: int, runs: int = 2) -> None:
    """Until so many runs have so many finished epochs each. Who is there waits for the others, so that none ends on a busy machine."""
    waiting: dict[str, psutil.Process] = {}
    for _ in range(1200):
        for child in psutil.Process(process.pid).children():
            seed = "".join(child.cmdline()[3:4])
            histories = (
                home.glob(f"logs/reproduce/tiny/seed-{seed}/fit/*/history.csv")
                if seed.isdigit()
                else ()
            )
            if seed not in waiting and any(
                len(path.read_text().splitlines()) > count for path in histories
            ):
                child.suspend()
                waiting[seed] = child
        if len(waiting) == runs:
            for child in waiting.values():
                child.resume()
            return
        time.sleep(0.1)
    raise AssertionError("no epochs in two minutes")


LONG = 60


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The records of two long runs that nothing disturbed; long enough to be in the middle when something does."""
    home = tmp_path_factory.mktemp("whole")
    outcomes = Runner(
        [tiny(LONG, shifted=False)], None, 2, home / "logs", RecordStore.of(home / "results")
    ).run()
    return {outcome.task.seed: outcome.record for outcome in outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_killed_in_the_middle_of_a_row_nothing_is_lost_or_doubled(how, tmp_path, uninterrupted):
    row = tiny(LONG, shifted=False)
    process = start(row, tmp_path)
    meet_in_the_middle(process, tmp_path, 3)
    process.send_signal(getattr(signal, how))
    told = process.communicate(timeout=120)[1]
    assert process.returncode == (-signal.SIGKILL if how == "SIGKILL" else 1)
    if how != "SIGKILL":
        assert (
            "interrupted: 0 of 2 runs are finished. The same command goes on where this one stopped."
            in told
        )
        assert "Stopping after the epochs in progress" in told
    assert not (tmp_path / "results" / "reproduce" / "tiny.jsonl").exists()
    outcomes = Runner([row], None, 2, tmp_path / "logs", RecordStore.of(tmp_path / "results")).run()
    kept = RecordStore.of(tmp_path / "results").read(row)
    assert [record["seed"] for record in kept] == [0, 1]
    assert len(outcomes) == 2
    for record in kept:
        assert len(record["resumed"]) == 1, "gone on with, once"
        assert 3 <= record["resumed"][0] < LONG
        assert len(record["epochs"]["loss"]) == LONG
        assert verdicts.compare_run(uninterrupted[record["seed"]], record) == verdicts.Verdict(
            True, "as recorded, to the last digit"
        )
        folders = list(
            (tmp_path / "logs" / "reproduce" / "tiny" / f"seed-{record['seed']}" / "fit").iterdir()
        )
        assert len(folders) == 1, "one run folder a seed"


@pytest.mark.slow
def test_a_run_that_is_stopped_from_outside_is_a_failure(tmp_path):
    """Not by us: nobody asked this command to stop, and it must not end as if all were well."""
    process = start(tiny(LONG, seeds=1, shifted=False), tmp_path)
    meet_in_the_middle(process, tmp_path, 1, runs=1)
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    for child in children:
        os.kill(int(child), signal.SIGTERM)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "RunError: tiny, seed 0: stopped" in told


def test_two_failures_for_one_reason_are_enough(tmp_path):
    told = []
    rows = [replace(tiny(1, data="./missing.npz"), name=name, seeds=1) for name in ("a", "b", "c")]
    runner = Runner(
        rows, None, 1, tmp_path / "logs", RecordStore.of(tmp_path / "results"), failed=told.append
    )
    with pytest.raises(RunError, match=r"a, seed 0: .*missing.npz.* \(and 1 more\)"):
        runner.run()
    assert [task.row.name for task in told] == ["a", "b"]
    assert not list((tmp_path / "logs").rglob("seed-*")), "nothing was begun, and nothing is left"


@pytest.mark.slow
def test_a_run_that_fails_says_why_and_the_others_go_on(tmp_path):
    good, bad = tiny(1, seeds=1), replace(tiny(1, data="./missing.npz"), name="bad", seeds=1)
    with pytest.raises(RunError, match="bad, seed 0: .*missing.npz"):
        Runner([good, bad], None, 2, tmp_path / "logs", RecordStore.of(tmp_path / "results")).run()
    store = RecordStore.of(tmp_path / "results")
    assert ([record["seed"] for record in store.read(good)], store.read(bad)) == ([0], [])


def test_the_time_left_follows_the_epochs_seen(tmp_path):
    runner = Runner([tiny(10)], None, 2, tmp_path / "logs", RecordStore.of(tmp_path / "results"))
    assert runner.seconds_left() is None
    first, second = runner.tasks
    first.epoch, first.seconds = 4, [3.0, 1.0, 2.0]
    assert runner.seconds_left() == (6 + 10) * 2 / 2
    second.state = "done"
    assert runner.seconds_left() == 6 * 2
    assert [format_time_left(seconds) for seconds in (None, 5, 600, 7300)] == [
        "time left unknown yet",
        "about 1 min left",
        "about 10 min left",
        "about 2 h 2 min left",
    ]
    assert Task(tiny(10), 0).left == 10


# Records.


def record_of(row: TableRow, seed: int, accuracy: float, **changes) -> dict:
    return {
        "row": row.name,
        "digest": row.digest,
        "seed": seed,
        "data": {"name": "mnist", "version": "1", "sha256": "d" * 64},
        "versions": {
            "python": "3",
            "tensorflow": "2",
            "keras": "3",
            "numpy": "2",
            "scikit-learn": "1",
        },
        "machine": {
            "system": "Linux",
            "architecture": "x",
            "processor": "p",
            "features": ["avx2"],
            "cores": 2,
        },
        "threads": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": None},
        "commit": "abc",
        "seconds": 100.0,
        "seconds_per_epoch": 10.0,
        "epochs": {
            "val_accuracy": [accuracy - 0.01, accuracy + 0.002, accuracy],
            "seconds": [1.0, 1.0, 1.0],
        },
        "test": {"accuracy": accuracy, "loss": 0.1, "shifted": {"1": accuracy - 0.1}},
        "labels": LABELS,
        "predictions": predicted(accuracy),
    } | changes


# Of the sample, whose test images the picture of the hardest ones shows.
LABELS = predictions.encode_classes(lenet_tf.load_data("sample").y_test)


def predicted(accuracy: float) -> str:
    """So many of 1,000 predictions are correct, from the last on; a wrong one is the next class."""
    wrong = round(1000 * (1 - accuracy))
    return "".join(str((int(label) + 1) % 10) for label in LABELS[:wrong]) + LABELS[wrong:]


def test_a_run_on_the_recorded_type_of_machine_must_be_equal():
    old = record_of(tiny(), 0, 0.98)
    later = {
        "epochs": old["epochs"] | {"seconds": [9.0, 9.0, 9.0]},
        "seconds": 3.0,
        "finished": "later",
    }
    assert verdicts.compare_run(old, old | later) == verdicts.Verdict(
        True, "as recorded, to the last digit"
    )
    words = "NOT as recorded: 0.01% from its record, on the same type of machine with the same versions and settings"
    assert verdicts.compare_run(old, record_of(tiny(), 0, 0.9801)) == verdicts.Verdict(False, words)
    assert not verdicts.compare_run(old, old | {"predictions": predicted(0.5)}).agrees, (
        "of equal accuracy, but other images"
    )
    other = old | {"data": old["data"] | {"sha256": "e" * 64}}
    assert verdicts.compare_run(old, other) == verdicts.Verdict(
        False, "NOT comparable with its record: other data"
    )


@pytest.mark.parametrize(
    ("part", "change", "named"),
    [
        ("machine", {"features": ["avx512f"]}, "machine"),
        ("versions", {"tensorflow": "3"}, "versions"),
        ("threads", {"TF_ENABLE_ONEDNN_OPTS": "0"}, "settings of threads or oneDNN"),
        ("threads", {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "settings of threads or oneDNN"),
    ],
)
def test_elsewhere_a_run_is_another_draw(part, change, named):
    """It is neither as recorded nor not, however far from its record it is: its row decides."""
    old = record_of(tiny(), 0, 0.98)
    verdict = verdicts.compare_run(old, record_of(tiny(), 0, 0.93) | {part: old[part] | change})
    assert verdict == verdicts.Verdict(
        True, f"5.00% from its record, another draw: {named} differ", exact=False
    )


def test_draws_are_compared_with_the_spread_of_the_recorded_runs():
    """By the prediction interval for a mean of so many; SciPy's t is the reference, here written out."""
    recorded = [0.984, 0.986, 0.985, 0.987, 0.9855]
    mean, deviation = statistics.mean(recorded), statistics.stdev(recorded)
    half = stats.t(4).ppf(0.995) * deviation * (1 / 3 + 1 / 5) ** 0.5
    for sign in (1, -1):
        inside, outside = ([mean + sign * half * share] * 3 for share in (0.99, 1.01))
        assert verdicts.compare_row("r", recorded, inside, 10_000).agrees
        assert not verdicts.compare_row("r", recorded, outside, 10_000).agrees
    told = verdicts.compare_row("r", recorded, [0.98, 0.99], 10_000).text
    assert told.startswith("r: 2 runs here: mean 98.50%; 5 recorded: 98.55% ± 0.11; expected in ")
    assert told.endswith("(99% prediction interval): agrees")
    # One run, held against the recorded spread; bad runs that differ do not widen what is expected.
    assert verdicts.compare_row("r", recorded, [0.983], 10_000).agrees
    assert not verdicts.compare_row("r", recorded, [0.97], 10_000).agrees
    assert not verdicts.compare_row("r", recorded, [0.93, 0.98, 0.96], 10_000).agrees
    # Of many rows each must be further off, so that one call seldom fails by chance.
    slightly = [mean + 1.2 * half] * 3
    assert not verdicts.compare_row("r", recorded, slightly, 10_000).agrees
    assert verdicts.compare_row("r", recorded, slightly, 10_000, rows=20).agrees


def test_a_single_recorded_run_has_the_sampling_error_of_its_images():
    assert verdicts.compare_row("r", [0.99], [0.988], 10_000).agrees
    assert not verdicts.compare_row("r", [0.99], [0.98], 10_000).agrees
    assert verdicts.compare_row("r", [0.99, 0.99, 0.99], [0.9899], 10_000).agrees, (
        "equal by chance, and accuracies come in steps"
    )


def test_a_record_is_kept_once(tmp_path):
    store, first, other = (
        RecordStore.of(tmp_path),
        record_of(tiny(), 1, 0.9),
        record_of(tiny(), 1, 0.8),
    )
    assert store.add(tiny(), first) is None
    assert store.add(tiny(), other)["test"] == first["test"]
    assert store.add(tiny(), record_of(tiny(), 0, 0.7)) is None
    assert [(record["seed"], record["test"]["accuracy"]) for record in store.read(tiny())] == [
        (0, 0.7),
        (1, 0.9),
    ]
    assert store.read_predictions(tiny()) == Predictions(
        LABELS, {0: predicted(0.7), 1: predicted(0.9)}
    )
    assert store.read_predictions(tiny()).correct(0).mean() == 0.7
    assert "labels" not in store.read(tiny())[0]
    files = sorted(path.name for path in (tmp_path / "reproduce").iterdir())
    assert files == ["tiny.jsonl", "tiny.predictions"], "no lock, no partial file"
    with pytest.raises(RunError, match="seed 2 has other test images"):
        store.add(tiny(), record_of(tiny(), 2, 0.9) | {"labels": LABELS[::-1]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "tiny.predictions is empty"),
        (
            "labels 123\n0 12\n",
            "line 2: not 'labels' or a seed and one character for each test image",
        ),
        ("labels 123\n0 12!\n", "line 2: not"),
        ("123\n", "line 1: not"),
        ("0 123\n", "line 1: not"),
        ("labels 123\nx 123\n", "line 2: not"),
        (f"labels {LABELS}\n", "does not hold the predictions that the record of seed 0 names"),
        (
            f"labels {LABELS}\n0 {LABELS}\n",
            "does not hold the predictions that the record of seed 0 names",
        ),
        ("labels é\n", "cannot be read"),
    ],
)
def test_damaged_predictions_are_told_by_file_and_line(text, message, tmp_path):
    store = RecordStore.of(tmp_path)
    store.add(tiny(), record_of(tiny(), 0, 0.9))
    (tmp_path / "reproduce" / "tiny.predictions").write_text(text)
    with pytest.raises(RunError, match=message):
        store.read_predictions(tiny())


def without(part: str, name: str) -> str:
    record = record_of(tiny(), 1, 0.9)
    del record[part][name]
    return json.dumps(record)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "tiny.jsonl, line 2: "),
        (without("test", "accuracy"), "tiny.jsonl, line 2: no usable 'test.accuracy'"),
        (without("test", "shifted"), "tiny.jsonl, line 2: no usable 'test.shifted'"),
        (without("machine", "features"), "tiny.jsonl, line 2: no usable 'machine.features'"),
        (without("epochs", "val_accuracy"), "tiny.jsonl, line 2: no usable 'epochs.val_accuracy'"),
        ("[]", "tiny.jsonl, line 2: no usable 'row'"),
        (
            json.dumps(record_of(tiny(), 1, 0.9) | {"seed": "one"}),
            "tiny.jsonl, line 2: no usable 'seed'",
        ),
        (
            json.dumps(record_of(tiny(), 1, 0.9) | {"digest": "0"}),
            "tiny.jsonl, line 2: the plan now has another recipe for tiny",
        ),
        (json.dumps(record_of(tiny(), 0, 0.9)), "tiny.jsonl has a seed twice"),
    ],
)
def test_damaged_records_are_told_by_file_and_line(line, message, tmp_path):
    store = RecordStore.of(tmp_path)
    store.add(tiny(), record_of(tiny(), 0, 0.9))
    path = store.path(tiny())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(RunError, match=message):
        store.read(tiny())


# What is made of them.


def test_spreads_and_paired_comparisons():
    assert format_mean_sd([]) == "not run yet"
    assert format_mean_sd([1.234]) == "1.23"
    assert format_mean_sd([1.0, 2.0, 4.0]) == f"2.33 ± {np.std([1, 2, 4], ddof=1):.2f} (1.00–4.00)"
    pairs = [(98.9, 98.5), (98.7, 98.6), (99.0, 98.4), (98.8, 98.8)]
    result, apart = paired_difference(pairs), np.array([one - other for one, other in pairs])
    half = stats.t.ppf(0.975, 3) * apart.std(ddof=1) / 2
    assert (result.low, result.high) == pytest.approx((apart.mean() - half, apart.mean() + half))
    assert result.p == pytest.approx(2 * stats.t.sf(apart.mean() / (apart.std(ddof=1) / 2), 3))
    assert result.verdict == "cannot be told"
    assert paired_difference([(2, 1), (2.1, 1), (2.2, 1.1)]).verdict == "yes"
    assert (
        paired_difference([(99.01, 99.0), (99.11, 99.1), (98.51, 98.5)]).verdict == "cannot be told"
    ), "steps, not certainty"
    assert paired_difference([(1, 2), (1, 2.1), (1.1, 2.2)]).verdict == "no: the opposite"
    # Holm's own way, from the smallest: times 4, 3, 2 and 1, and never smaller than the one before.
    assert holm_correction([0.02, 0.005, 0.9, 0.03]) == pytest.approx([0.06, 0.02, 0.9, 0.06])
    assert holm_correction([0.5, 0.6]) == [1.0, 1.0]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A results folder with two rows of made-up records, beside a README with a place for them."""
    one = tiny(published=2.0, by="somebody", target=1.5, best_epoch=True, tried="Longer training.")
    two = replace(tiny(3), name="other")
    for room in (tables, markdown, plan):
        monkeypatch.setattr(room, "ROWS", (one, two))
    monkeypatch.setattr(
        markdown, "COMPARISONS", (Comparison("one beats other", "us", "tiny", "other", 1),)
    )
    store = RecordStore.of(tmp_path / "results")
    monkeypatch.setattr(RecordStore, "own", lambda: RecordStore.of(Path("results")))
    for seed, (first, second) in enumerate([(0.98, 0.97), (0.984, 0.972), (0.986, 0.98)]):
        store.add(one, record_of(one, seed, first))
        store.add(two, record_of(two, seed, second))
    (tmp_path / "README.md").write_text(
        f"# Mine\n\n{tables.BEGIN}\n\nold\n\n{tables.END}\n\nafter\n"
    )
    return tmp_path


def test_tables_say_what_the_records_say(project):
    results, store = project / "results", RecordStore.of(project / "results")
    made = {"README.md", "reproduction.png", "hard-images.md", "hard-images-sample.png"}
    assert {path.name for path in tables.write_tables(store)} == made
    page, readme = (results / "README.md").read_text(), (project / "README.md").read_text()
    line = "| `tiny` | a tiny network | 2 (somebody) | 1.67 ± 0.31 (1.40–2.00) | 3 | ≤ 1.50, **missed** | 10.0–10.0 |"
    best = "| | … its best epoch, picked on the test images as the tutorial does | 2 (somebody) | 1.47 ± 0.31 (1.20–1.80) | 3 | – | – |"
    for text in (page, readme):
        assert line in text
        assert best in text
        assert "one beats other | us | `tiny` 88.33% | `other` 87.40% | +0.93 (" in text
        assert (
            "Of the 1 differences 1 differ from 0 by these, and 1 with Holm's correction for their number."
            in text
        )
        assert (
            "which adds √(p(1 − p)/10,000), about 0.1 points at an error of 1%, to each number"
            in text
        )
    assert "- `tiny`: 1.67%, target at most 1.50%. Longer training." in page
    assert "6 runs of 0.2 hours in all, each pinned to one core" in page
    recipe = "adam at 0.001, categorical_crossentropy, 2 epochs, batch size 50, validation 0.1"
    assert f"| `tiny` | {recipe} | 90% | abc |" in page
    assert readme.startswith("# Mine\n")
    assert readme.endswith(f"{tables.END}\n\nafter\n")
    assert "\n\nold\n\n" not in readme
    assert tables.find_stale(store) == []
    assert tables.write_tables(store) == []


def test_more_claims_ask_more_of_each(project, monkeypatch):
    """p = 0.034 alone; of two claims Holm's smaller one is 0.068."""
    (one,) = markdown.COMPARISONS
    results, store = project / "results", RecordStore.of(project / "results")
    tables.write_tables(store)
    assert "p = 0.034 | 3 | yes |" in (results / "README.md").read_text()
    monkeypatch.setattr(markdown, "COMPARISONS", (one, replace(one, claim="so do shifted digits")))
    tables.write_tables(store)
    text = (results / "README.md").read_text()
    assert text.count("p = 0.034 | 3 | yes, but not with Holm's correction |") == 2
    assert (
        "Of the 2 differences 2 differ from 0 by these, and 0 with Holm's correction for their number."
        in text
    )


def test_rows_are_compared_image_by_image(project):
    """McNemar's exact test of each seed: where one row's mistakes are all among the other's, the numbers are plain."""
    store = RecordStore.of(project / "results")
    tables.write_tables(store)
    assert "| – |" in (project / "results" / "README.md").read_text(), (
        "of shifted images no predictions are kept"
    )
    first, second = (store.read_predictions(row) for row in tables.ROWS)
    told = markdown._mcnemar(
        Comparison("c", "us", "tiny", "other"), {"tiny": first, "other": second}
    )
    p = [stats.binomtest(count, count).pvalue for count in (10, 12, 6)]
    assert told == f"9, 0; p = {statistics.median(p):.2g} (3 of 3 seeds)"


def test_the_hardest_images_are_those_that_most_networks_get_wrong(project):
    """Votes by hand: five images, three networks of one row and one of another; a row that has other images has no say."""
    one, two = tables.ROWS
    votes = hard_images.count_votes(
        {
            one: Predictions("01234", {0: "01235", 1: "01205", 2: "61205"}),
            two: Predictions("01234", {0: "01209"}),
            replace(one, name="lenet5-divided-twice"): Predictions("01234", {0: "99999"}),
        }
    )
    (sample,) = votes
    assert (sample.networks, sample.rows, sample.wrong.tolist()) == (
        4,
        ("tiny", "other"),
        [1, 0, 0, 3, 4],
    )
    assert [(image.number, image.label, image.votes) for image in sample.hardest()] == [
        (4, 4, ((5, 3), (9, 1))),
        (3, 3, ((0, 3),)),
    ]
    page = hard_images.render_page(votes)
    assert "4 networks of 2 rows. Of the 5 test images all networks get 2 right." in page
    assert "At least one gets 3 wrong, more than half get 2 wrong, and all get 1 wrong." in page
    assert "| 4 | 4 | 4 of 4 | 5: 3, 9: 1 |\n| 3 | 3 | 3 of 4 | 0: 3 |" in page


def test_check_fails_when_a_record_or_a_table_is_changed(project, monkeypatch, cli):
    monkeypatch.chdir(project)
    failed = cli("reproduce", "--check")
    assert failed.exit_code == 1
    assert (
        "results/README.md, results/hard-images.md, README.md, results/reproduction.png, results/hard-images-sample.png: not what"
        " the records say. Run: lenet-tf reproduce --tables" in failed.stderr
    )
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
    assert (failed.exit_code, "Error: README.md: not what" in failed.stderr) == (1, True)
    cli("reproduce", "--tables")
    RecordStore.of(project / "results").add(tables.ROWS[1], record_of(tables.ROWS[1], 3, 0.99))
    assert (
        "results/README.md, results/hard-images.md, README.md, results/reproduction.png"
        in cli("reproduce", "--check").stderr
    )


def test_pages_of_somebodys_own_are_left_alone(project, cli, monkeypatch):
    """A results page that is not ours, and marks that are not a pair, are refused before anything is written."""
    monkeypatch.chdir(project)
    page, readme = project / "results" / "README.md", project / "README.md"
    page.write_text("# Mine\n")
    failed = cli("reproduce", "--tables")
    assert (failed.exit_code, "results/README.md is a page of somebody's own" in failed.stderr) == (
        1,
        True,
    )
    page.unlink()
    for text in (
        f"# Mine\n{tables.BEGIN}\nafter\n",
        f"{tables.END}\n{tables.BEGIN}\n",
        f"{tables.BEGIN}\n" * 2 + tables.END,
    ):
        readme.write_text(text)
        failed = cli("reproduce", "--tables")
        assert (
            failed.exit_code,
            "must stand in it once each and in this order" in failed.stderr,
        ) == (1, True)
        assert readme.read_text() == text
    readme.write_bytes(b"\xff")
    assert "README.md cannot be read" in cli("reproduce", "--tables").stderr
    readme.unlink()
    assert cli("reproduce", "--tables").exit_code == 0


def test_the_command_lists_and_refuses(project, monkeypatch, cli):
    monkeypatch.chdir(project)
    listed = cli("reproduce", "--list").output.splitlines()
    assert listed == ["tiny    3 of  2  a tiny network", "other   3 of  2  a tiny network"]
    both = cli("reproduce", "--list", "--check")
    assert (both.exit_code, "exclude each other" in both.stderr) == (2, True)
    unknown = cli("reproduce", "tinny")
    assert (unknown.exit_code, "unknown row 'tinny': did you mean tiny?" in unknown.stderr) == (
        1,
        True,
    )


@pytest.mark.slow
def test_the_command_runs_and_compares(project, monkeypatch, cli):
    """Made-up records cannot be reproduced: the command says so and fails; a row without records gets them."""
    monkeypatch.chdir(project)
    new = replace(tiny(1), name="new", seeds=1)
    for room in (tables, markdown, plan):
        monkeypatch.setattr(room, "ROWS", (*room.ROWS, new))
    ran = cli("reproduce", "new")
    assert ran.exit_code == 0, ran.output
    first, second = ran.stdout.splitlines()
    assert first == "1 runs, 1 side by side; run folders in logs/reproduce"
    assert (
        "results/reproduce has no records of these rows, so there is nothing to compare with."
        in ran.stderr
    )
    assert second.startswith("new, seed 0: test accuracy ")
    assert "; a new record · 1 of 1" in second
    assert "| `new` |" in (project / "results" / "README.md").read_text()
    ran = cli("reproduce", "tiny", "--seeds", "1")
    assert ran.exit_code == 1
    assert "tiny, seed 0: test accuracy" in ran.stdout
    assert "NOT comparable with its record: other data" in ran.stdout
    assert "Error: 1 of 1 runs are not as recorded, tiny, seed 0 the first of them." in ran.stderr


def test_so_many_shifted_digits_lose_ink(originals):
    """What the page says of the shifted test images."""
    inked = lenet_tf.load_data("mnist", originals).x_test > 0
    for by, share in ((1, "0.3"), (2, "3.0"), (3, "9.1"), (4, "21.4")):
        edges = inked[:, :by], inked[:, -by:], inked[:, :, :by], inked[:, :, -by:]
        assert f"{100 * np.mean([edge.any(axis=(1, 2)) for edge in edges]):.1f}" == share
    assert (
        "with 1 to 4 pixels on 0.3, 3.0, 9.1 and 21.4% of the shifted images"
        in (ROOT / "results" / "README.md").read_text()
    )


def test_the_committed_tables_are_what_the_committed_records_say():
    assert tables.find_stale(RecordStore.own()) == []


def test_committed_predictions_give_the_committed_accuracies():
    """Every record has the predictions that it names, and they are as often correct as it says."""
    store = RecordStore.own()
    for row in ROWS:
        kept, own = store.read(row), store.read_predictions(row)
        assert [record["seed"] for record in kept] == list(own.by_seed) == list(range(row.seeds))
        for record in kept:
            assert own.correct(record["seed"]).mean() == pytest.approx(
                record["test"]["accuracy"], abs=1e-6
            )


def test_committed_records_are_of_the_published_order(originals):
    labels = {
        name: predictions.encode_classes(lenet_tf.load_data(name, originals).y_test)
        for name in ("mnist", "fashion_mnist")
    }
    for row in ROWS:
        assert RecordStore.own().read_predictions(row).labels == labels[row.data]


def test_an_installed_package_lists_and_checks_its_records_in_any_folder(tmp_path):
    """Without the checkout around it; there are no tables to make."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    shutil.copytree(
        ROOT / "lenet_tf", site / "lenet_tf", ignore=shutil.ignore_patterns("__pycache__")
    )
    elsewhere.mkdir()

    def asked(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "lenet_tf", "reproduce", *arguments]
        return subprocess.run(
            command,
            cwd=elsewhere,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
        )

    listed = asked("--list")
    assert re.search(r"^lenet5 +10 of 10 ", listed.stdout, re.MULTILINE), listed.stderr
    checked = asked("--check")
    assert (checked.returncode, checked.stdout) == (
        0,
        "The records are whole. There are no tables here.\n",
    )
    made = asked("--tables")
    assert (made.returncode, "an installed package has no tables" in made.stderr) == (2, True)
    assert not list(elsewhere.iterdir())


def test_a_wheel_holds_every_record():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = parser["options.package_data"]["lenet_tf.reproduce"].split(", ")
    folder = ROOT / "lenet_tf" / "reproduce"
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    tracked = subprocess.run(
        ["git", "ls-files", "records"], cwd=folder, capture_output=True, text=True
    ).stdout.split()
    assert {folder / name for name in tracked} <= shipped
    assert len(shipped) == 2 * len(ROWS)
