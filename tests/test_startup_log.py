"""TensorFlow's log lines on stderr while it starts."""

from __future__ import annotations

import os
import sys

import pytest
from processes import python

from lenet_tf.runtime import startup_log
from lenet_tf.runtime.startup_log import filter_log, hide_startup_log

PREAMBLE = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
)
INFO = b"I0000 00:00:1796087675.479431    7938 port.cc:153] oneDNN custom operations are on.\n"
OLD_INFO = b"2026-01-01 00:00:00.123456: I tensorflow/core/util/port.cc:113] oneDNN is on.\n"
WARNING = b"W0000 00:00:1796087675.479431    7938 gpu.cc:1] something is slow\n"
ERROR = b"E0000 00:00:1796087675.479431    7938 gpu.cc:2] something is broken\n"
NO_GPU = b"E0000 00:00:1796087678.741831    7938 cuda_platform.cc:52] failed call to cuInit: 303\n"
OTHER = b"a user's own line\nwithout an end"


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        (0, PREAMBLE + INFO + OLD_INFO + WARNING + ERROR + NO_GPU + OTHER),
        (1, PREAMBLE + WARNING + ERROR + OTHER),
        (2, PREAMBLE + ERROR + OTHER),
        (3, OTHER),
    ],
)
def test_lines_below_the_level_are_hidden(monkeypatch, level, kept):
    monkeypatch.setattr(startup_log, "_expects_gpu", lambda: False)
    text = PREAMBLE + INFO + OLD_INFO + WARNING + ERROR + NO_GPU + OTHER
    assert filter_log(text, level) == kept


def test_a_gpu_that_does_not_start_is_an_error_where_there_is_a_driver(monkeypatch):
    monkeypatch.setattr(startup_log.shutil, "which", lambda program: f"/bin/{program}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert filter_log(NO_GPU, 2) == NO_GPU
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert filter_log(NO_GPU, 2) == b""


def test_other_output_keeps_its_order(monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stderr.write("before\n")
    with hide_startup_log():
        os.write(2, INFO)
        print("within", file=sys.stderr, flush=True)
        with hide_startup_log():
            os.write(2, INFO)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nwithin\nafter\n"


def _fail_to_import():
    os.write(2, INFO)
    raise ImportError


@pytest.mark.parametrize("level", ["1", "0"])
def test_an_import_that_fails_shows_everything(monkeypatch, capfd, level):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with pytest.raises(ImportError), hide_startup_log():
        _fail_to_import()
    assert capfd.readouterr().err == INFO.decode()


def test_a_crash_says_where_it_was():
    script = (
        "import os, lenet_tf.runtime.startup_log as log\n"
        "os.environ['TF_CPP_MIN_LOG_LEVEL'] = '1'\n"
        "with log.hide_startup_log(): os.abort()"
    )
    done = python("-c", script)
    assert done.returncode != 0
    assert "Fatal Python error: Aborted" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "evaluate", "report", "predict", "draw", "python"])
def test_commands_print_only_their_own_words(command, tiny_run, tmp_path, sample_picture):
    arguments = {
        "train": ["train", "tiny", "--data", "sample", "--epochs", "1", "--images-every", "0"],
        "evaluate": ["evaluate", tiny_run.path, "--data", "sample"],
        "report": ["report", tiny_run.path, "--data", "sample"],
        "predict": ["predict", sample_picture, "--model", tiny_run.path],
        "draw": ["draw", "distortions", "figure.png", "--data", "sample"],
        "python": ["-c", "import lenet_tf; lenet_tf.LeNet('tiny')"],
    }[command]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    start = [] if command == "python" else ["-m", "lenet_tf"]
    done = python(*start, *map(str, arguments), cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def sample_picture(digits, tmp_path):
    """Return the file of a digit, dark on white."""
    from PIL import Image

    path = tmp_path / "digit.png"
    Image.fromarray(255 - digits.x_test[0].reshape(28, 28)).save(path)
    return path
