"""What a command does if the terminal, pipe or disk does not take its output."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import quick
from PIL import Image

from lenet_tf.runtime import output

COMMAND = f"{shlex.quote(sys.executable)} -m lenet_tf"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(command: str, **options) -> subprocess.CompletedProcess[bytes]:
    """Run a shell command in which `lenet-tf` stands for this package's command."""
    command = command.replace("lenet-tf", COMMAND)
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=300, **options)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("lenet-tf summary tiny >&-", "it is closed"),
        ("lenet-tf variants >&-", "it is closed"),
        pytest.param("lenet-tf summary tiny > /dev/full", "No space left", marks=needs_full),
        pytest.param("lenet-tf --help > /dev/full", "No space left", marks=needs_full),
        pytest.param("lenet-tf train --help > /dev/full", "No space left", marks=needs_full),
        pytest.param("lenet-tf --version > /dev/full", "No space left", marks=needs_full),
    ],
)
def test_a_result_that_cannot_be_written_is_an_error(command, reason):
    done = shell(command)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("Error: cannot write to standard output: ")
    assert reason in line


@pytest.mark.parametrize("stderr", ["2>&-", pytest.param("2>/dev/full", marks=needs_full)])
def test_an_error_that_cannot_be_written_is_still_one(stderr):
    assert shell(f"lenet-tf summary nothing {stderr}").returncode == 1
    assert shell(f"lenet-tf summary tiny {stderr}").returncode == 0


def test_a_reader_that_has_seen_enough_ends_the_command_quietly():
    done = shell("set -o pipefail; lenet-tf summary $(printf 'lenet5 %.0s' {1..500}) | head -1")
    assert done.stderr == b""
    assert done.returncode == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "euc_kr", "cp1252", "utf-8"])
def test_any_encoding_takes_a_summary(encoding):
    done = shell("lenet-tf summary lenet5", env=os.environ | {"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "61,706" in text
    assert ("×" in text) == (encoding != "ascii")


class BrokenStream(io.StringIO):
    """A stream whose other end is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


class AsciiStream(io.TextIOWrapper):
    """A stream of a narrow encoding."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", errors="strict")


class Tee:
    """A program's own stream, with the methods that `print` needs."""

    def write(self, text: str) -> None:
        raise RuntimeError("no")


class ColorTee(Tee):
    """A stream that says it is a terminal, which the system doesn't know of."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream",
    [BrokenStream(), None, Tee(), ColorTee()],
    ids=["broken", "none", "own", "own terminal"],
)
def test_a_broken_stdout_does_not_stop_a_training(digits, tmp_path, monkeypatch, stream):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", None if stream is None else stream)
    run = quick.fit("tiny", digits, epochs=2, logs=tmp_path)
    assert run.metrics["epochs"] == 2


def test_a_narrow_stdout_does_not_stop_a_training(digits, tmp_path, monkeypatch):
    stream = AsciiStream()
    monkeypatch.setattr(sys, "stdout", stream)
    quick.fit("tiny", digits, logs=tmp_path / "한글")
    monkeypatch.undo()
    assert b"fit/tiny-" in stream.buffer.getvalue()


def test_a_narrow_stream_gets_question_marks():
    stream = AsciiStream()
    assert output.write(stream, "5×5\n") is None
    assert stream.buffer.getvalue() == b"5?5\n"


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["| head -1", ">&-", "2>&-", ">&- 2>&-"])
def test_a_training_survives_its_terminal(tmp_path, redirection):
    arguments = f"train tiny --data sample {' '.join(quick.ARGUMENTS)}"
    done = shell(f"set -o pipefail; lenet-tf {arguments} {redirection}", cwd=tmp_path)
    assert done.returncode == (1 if redirection.startswith(">&-") else 0), done.stderr
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.glob("logs/fit/*/metrics.json"))


@pytest.fixture
def pictures(tmp_path, digits) -> Path:
    """Return a folder of pictures with hostile names."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    image = Image.fromarray(np.kron(255 - digits.x_test[0][..., 0], np.ones((4, 4), np.uint8)))
    for name in ("=1+1.png", "a\x1b[31m\nError: b.png", "[red]$x_{$.png", "\udcb0\udcc5.png"):
        try:
            with (folder / name).open("wb") as file:
                image.save(file, "PNG")
        except (OSError, UnicodeEncodeError):
            pytest.skip("this file system does not take such names")
    return folder


def test_names_of_pictures_are_text(cli, tiny_run, pictures):
    result = cli("predict", pictures, "--model", tiny_run.path, "--picture", "sheet.png")
    assert result.exit_code == 0, result.output
    assert result.output.replace("\n", "").isprintable()
    assert len(result.stdout.splitlines()) == 4
    assert r"a\x1b[31m\nError: b.png" in result.output
    assert r"\xb0\xc5.png" in result.output
    assert "[red]$x_{$.png" in result.output
    assert Path("sheet.png").exists()


def test_csv_has_no_formulas(cli, tiny_run, pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    names = sorted(os.listdir())
    result = cli("predict", "--csv", "--model", tiny_run.path, *names)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["file"] for row in rows][:2] == ["'=1+1.png", "[red]$x_{$.png"]
    assert result.stdout.replace("\n", "").isprintable()


def test_json_has_the_names_themselves(cli, tiny_run, pictures):
    result = cli("predict", "--json", pictures, "--model", tiny_run.path)
    assert {Path(value["file"]) for value in json.loads(result.stdout)} == set(pictures.iterdir())


def test_a_network_from_a_file_does_not_reach_the_terminal(cli):
    Path("own.toml").write_text(
        'name = "own"\nsource = "a\\u001b[31m\\nError: b"\nnotes = "[red]c"\n'
        '[[rows]]\nkind = "input"\n[[rows]]\nkind = "flatten"\n'
        '[[rows]]\nkind = "dense"\nname = "OUT"\nunits = 10\nactivation = "softmax"\n',
        encoding="utf-8",
    )
    result = cli("summary", "own.toml")
    assert result.exit_code == 0, result.output
    assert r"a\x1b[31m Error: b" in result.output
    assert "[red]c" in result.output
