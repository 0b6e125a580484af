"""Runs that are killed, interrupted or stopped from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from reproduction import make_row, run_row

from lenet_tf.reproduce import verdicts
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.table_row import TableRow

SCRIPT = """
import json
import sys
from pathlib import Path
from lenet_tf.errors import Interrupted
from lenet_tf.reproduce.records import RecordStore
from lenet_tf.reproduce.runner import Runner
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.scheduling.local_pool import LocalPool
row = TableRow.from_dict(json.loads(sys.argv[1]))
store = RecordStore.for_folder(Path("results"))
try:
    with LocalPool(2) as pool:
        Runner([row], None, pool, Path("logs"), store).run()
except Interrupted as error:
    sys.exit(str(error))
"""
# Enough that both runs are still training when a signal arrives.
EPOCHS = 60


def start_runner(row: TableRow, home: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, json.dumps(row.to_dict())],
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts background jobs with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_epochs(process: subprocess.Popen, home: Path, epochs: int, runs: int = 2) -> None:
    """Waits until each run has finished some epochs, and suspends it until the others have too."""
    suspended: dict[str, psutil.Process] = {}
    for _ in range(1200):
        for child in psutil.Process(process.pid).children():
            name = "".join(child.cmdline()[3:4])
            seed = name.removeprefix("tiny, seed ")
            if seed == name or seed in suspended:
                continue
            histories = home.glob(f"logs/reproduce/tiny/seed-{seed}/fit/*/history.csv")
            if any(len(path.read_text().splitlines()) > epochs for path in histories):
                child.suspend()
                suspended[seed] = child
        if len(suspended) == runs:
            for child in suspended.values():
                child.resume()
            return
        time.sleep(0.1)
    raise AssertionError("no epochs in two minutes")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The outcomes of two long runs without interruption."""
    home = tmp_path_factory.mktemp("uninterrupted")
    return run_row(make_row(EPOCHS, test_shifted=False), home)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_interrupted_runs_are_resumed_to_the_same_result(name, tmp_path, uninterrupted):
    row = make_row(EPOCHS, test_shifted=False)
    process = start_runner(row, tmp_path)
    wait_for_epochs(process, tmp_path, 3)
    process.send_signal(getattr(signal, name))
    message = process.communicate(timeout=120)[1]
    if name == "SIGKILL":
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 1
        assert (
            "interrupted: 0 of 2 runs are finished. Repeat the command to resume the others."
            in message
        )
        assert "Stopping after the epochs in progress" in message
    assert not (tmp_path / "results" / "reproduce" / "tiny.jsonl").exists()
    assert len(run_row(row, tmp_path)) == 2
    records = RecordStore.for_folder(tmp_path / "results").read(row)
    assert [record["seed"] for record in records] == [0, 1]
    for record in records:
        seed = record["seed"]
        assert len(record["resumed"]) == 1, "resumed once"
        assert 3 <= record["resumed"][0] < EPOCHS
        assert len(record["epochs"]["loss"]) == EPOCHS
        verdict = verdicts.compare_run(uninterrupted[seed].record, record)
        assert verdict == verdicts.Verdict(True, "equal to its record, to the last digit")
        folder = tmp_path / "logs" / "reproduce" / "tiny" / f"seed-{seed}" / "fit"
        assert len(list(folder.iterdir())) == 1, "one run folder per seed"


@pytest.mark.slow
def test_a_run_that_is_stopped_from_outside_is_a_failure(tmp_path):
    """Nobody asked the command to stop, so it must not end with exit code 0."""
    process = start_runner(make_row(EPOCHS, seeds=1, test_shifted=False), tmp_path)
    wait_for_epochs(process, tmp_path, 1, runs=1)
    for child in psutil.Process(process.pid).children():
        os.kill(child.pid, signal.SIGTERM)
    message = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "RunError: tiny, seed 0: stopped" in message
