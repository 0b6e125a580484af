"""Ctrl-C and SIGTERM while a run trains."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from interrupted_runs import list_files

from lenet_tf.io import atomic
from lenet_tf.runs import checkpoints
from lenet_tf.runtime.signals import graceful_interrupt

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals"),
    pytest.mark.skipif(
        threading.current_thread() is not threading.main_thread(),
        reason="Python handles signals in the main thread only",
    ),
]

NOTICE = "Stopping after this epoch. Send the signal again to stop at once"


@pytest.fixture(autouse=True)
def _handlers_are_restored():
    """Fail a test that leaves its handlers behind."""
    defaults = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    # A shell starts background jobs with SIGINT ignored, nohup a command with SIGHUP ignored.
    before = {number: signal.signal(number, default) for number, default in defaults.items()}
    yield
    after = {number: signal.signal(number, handler) for number, handler in before.items()}
    assert after == defaults


def test_the_first_signal_is_recorded_and_the_second_raises(capfd):
    with graceful_interrupt() as request:
        assert (request.signal, request.exit_code) == (0, 130)
        signal.raise_signal(signal.SIGTERM)
        assert (request.signal, request.count, request.exit_code) == (15, 1, 143)
        assert NOTICE in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (request.signal, request.count, request.exit_code) == (2, 2, 130)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_command_removes_what_it_has_begun(monkeypatch, cli, name, code):
    """As Ctrl-C; training, whose first signal waits, takes over for its time."""

    def write(*_):
        with atomic.atomic_write(Path("codes.png")) as file, graceful_interrupt() as request:
            file.write(b"half")
            if name == "SIGTERM":
                signal.raise_signal(signal.SIGTERM)
                assert request.signal == signal.SIGTERM
        with atomic.atomic_write(Path("codes.png")):
            signal.raise_signal(getattr(signal, name))

    monkeypatch.setattr("lenet_tf.evaluation.plotting.save_figure", write)
    result = cli("draw", "codes", "codes.png")
    # A command that was interrupted ignores Ctrl-C while Python ends.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert (result.exit_code, f"stopped by {name}" in result.stderr) == (code, True)
    assert os.listdir() == ["codes.png"]


def test_a_signal_that_python_or_a_library_drops_ends_the_command(monkeypatch, cli, capfd):
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)

    def drop(*_):
        Dropping()
        time.sleep(30)

    def catch(*_):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGTERM)

    for write in (drop, catch):
        monkeypatch.setattr("lenet_tf.evaluation.plotting.save_figure", write)
        assert cli("draw", "codes", "codes.png").exit_code == 143
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert "Exception ignored" not in capfd.readouterr().err


def test_the_first_signal_raises_if_nothing_needs_to_finish(capfd):
    with graceful_interrupt() as request:
        request.waits = False
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert request.exit_code == 143
    assert capfd.readouterr().err == ""


def test_handlers_of_a_program_stay(capfd):
    received = []
    previous = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with graceful_interrupt() as request:
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM]
    assert request.count == 0
    assert capfd.readouterr().err == ""


def start_training(folder: Path, *options: str, variant: str = "tiny") -> subprocess.Popen:
    command = [sys.executable, "-m", "lenet_tf", "train", variant, "--data", "sample"]
    return subprocess.Popen(
        [*command, "--logs", "logs", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A background job of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline, f"{pattern} is missing"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_the_epoch(tmp_path, number, code):
    process = start_training(tmp_path, "--epochs", "100000")
    wait_for(tmp_path, "logs/fit/*/final.keras")
    process.send_signal(number)
    _, error = process.communicate(timeout=120)
    assert process.returncode == code, error
    assert "Traceback" not in error
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    epochs = checkpoints.read_progress(folder / "final.keras").epochs
    assert NOTICE in error
    assert f"interrupted after {epochs} of 100000 epochs. Resume with:\n" in error
    assert re.search(rf"lenet-tf train --resume logs/fit/{folder.name}$", error, re.MULTILINE)
    assert len((folder / "history.csv").read_text().splitlines()) == epochs + 1
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
def test_the_second_signal_stops_within_an_epoch(tmp_path):
    options = ("--batch-size", "1", "--augment", "elastic", "--engine", "keras")
    # An epoch of a smaller network may end between the signals.
    process = start_training(tmp_path, "--epochs", "2", *options, variant="lenet5")
    wait_for(tmp_path, "logs/fit/*/config.json")
    time.sleep(1.5)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "interrupted after 0 of 2 epochs" in error
    (folder,) = (tmp_path / "logs" / "fit").iterdir()
    assert list_files(folder) <= {"config.json", "kernels.npz", "train", "validation", "begun"}
