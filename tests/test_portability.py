"""Windows and macOS, as far as Linux can stand for them: see docs/platforms.md."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest
from PIL import Image
from processes import python

from lenet_tf.cli.output import OutputError
from lenet_tf.io import folders
from lenet_tf.io.atomic import write_text
from lenet_tf.runs.run_folder import create_run_folder
from lenet_tf.runtime import environment
from lenet_tf.specs import VARIANTS
from lenet_tf.text import quote_for_windows

ROOT = Path(__file__).parent.parent
IO = """
import without_posix, os, signal, sys, pathlib, io
from lenet_tf.cli import main
for arguments in (["--help"], ["variants"], ["summary", "lenet5"], ["train", "--help"]):
    main(arguments, standalone_mode=False)
from lenet_tf.errors import Interrupted
from lenet_tf.io import atomic, hdf5, scratch, tracking
from lenet_tf.io.bounded import read_json
from lenet_tf.runs import run_folder
from lenet_tf.runtime import environment, signals
folder = run_folder.create_run_folder(pathlib.Path("logs"), "tiny")
with run_folder.run_lock(folder), tracking.track_folder(folder) as find_folder:
    run_folder.write_json(folder / "config.json", {"epochs": 1})
    run_folder.write_json(folder / "config.json", {"epochs": 2})
    atomic.make_folder(folder / "report", inside=folder)
    atomic.write_text(folder / "report" / "x.csv", "한글", inside=folder)
    assert find_folder() == folder
assert read_json(folder / "config.json", follow_links=False) == {"epochs": 2}
assert sorted(os.listdir(folder)) == ["config.json", "report"], os.listdir(folder)
with scratch.private_folder() as private, atomic.open_log(private / "log") as log:
    log.write(b"line")
import h5py, numpy
buffer = io.BytesIO()
with h5py.File(buffer, "w") as file:
    file["a"] = numpy.arange(3)
assert hdf5.read_arrays(buffer.getvalue())["a"].tolist() == [0, 1, 2]
hdf5._limit_resources(1)
assert environment.describe_machine()["cores"] and environment.usable_cores()
environment.git_commit()
with signals.graceful_interrupt() as request:
    signal.raise_signal(signal.SIGBREAK)
assert request.signal == signal.SIGBREAK
try:
    with signals.clean_termination():
        signal.raise_signal(signal.SIGBREAK)
except Interrupted:
    print("done")
"""
TRAIN = """
import without_posix, sys
from lenet_tf.cli import main
main(sys.argv[1:], standalone_mode=False)
"""


def run_without_posix(script: str, folder: Path, *arguments: str) -> str:
    """Run a script in a process that lacks what Windows lacks, and return its output."""
    # A temporary folder that a killed process left, which only other systems remove.
    abandoned = folder / "temporary" / ".lenet_tf-private-abcdefgh"
    abandoned.mkdir(parents=True, exist_ok=True)
    os.utime(abandoned, (0, 0))
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    variables = os.environ | {"PYTHONPATH": path, "TMPDIR": str(abandoned.parent)}
    options = ("-X", "warn_default_encoding")
    done = python(*options, "-c", script, *arguments, cwd=folder, env=variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_files_locks_and_signals_without_posix(tmp_path):
    output = run_without_posix(IO, tmp_path)
    assert output.count("Usage: ") == 2 and output.endswith("done\n")


@pytest.mark.slow
def test_training_and_prediction_without_posix(tmp_path):
    board = ("--images-every", "0", "--histograms", "none")
    run_without_posix(TRAIN, tmp_path, "train", "tiny", "--data", "sample", "--epochs", "1", *board)
    (run,) = (tmp_path / "logs" / "fit").iterdir()
    assert (run / "report.html").exists() and not (run / ".lock").exists()
    picture = Image.new("L", (100, 100), 255)
    picture.paste(0, (45, 20, 55, 80))
    picture.save(tmp_path / "one.png")
    assert "one.png: " in run_without_posix(TRAIN, tmp_path, "predict", "one.png")
    assert "accuracy" in run_without_posix(TRAIN, tmp_path, "evaluate", str(run))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        (r"logs\fit\lenet5-20260101-120000", None),
        (r"C:\Users\me\x.png", None),
        ("한글", None),
        ("", '""'),
        ("my runs", '"my runs"'),
        ("my runs\\", '"my runs\\\\"'),
        (r"a\"b", r'"a\\\"b"'),
        ("a&calc", '"a&calc"'),
        ("$(calc)", '"$(calc)"'),
        ("@x", '"@x"'),
        ("a\x1b[31m", r'"a\x1b[31m"'),
    ],
)
def test_words_are_quoted_for_cmd_and_powershell(word, quoted):
    assert quote_for_windows(word) == (word if quoted is None else quoted)
    if " " in word:
        assert quoted == subprocess.list2cmdline([word])


def test_a_program_is_named_where_pip_puts_it(tmp_path, monkeypatch):
    """Beside python.exe in an environment, in Scripts of an installation, or in the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(environment, "_SUFFIX", ".exe")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "Python" / "python.exe"))
    schemes = {None: tmp_path / "Python" / "Scripts", "user": tmp_path / "my Scripts"}
    monkeypatch.setattr(environment.sysconfig, "get_preferred_scheme", lambda name: name)
    monkeypatch.setattr(
        environment.sysconfig, "get_path", lambda name, scheme=None: str(schemes[scheme])
    )
    assert environment.program_name("lenet-tf") == "lenet-tf"
    for folder, shown in (
        (schemes["user"], "'my Scripts/lenet-tf.exe'"),
        (schemes[None], "Python/Scripts/lenet-tf.exe"),
        (tmp_path / "Python", "Python/lenet-tf.exe"),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lenet-tf.exe").touch()
        assert environment.program_name("lenet-tf") == shown


def test_a_program_that_uv_has_started_is_named_by_its_path(tmp_path, monkeypatch):
    """Since the user's shell does not find it."""
    program = tmp_path / "archive-v0" / "bin" / "lenet-tf"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "archive-v0"))
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.delenv("UV", raising=False)
    assert environment.program_name("lenet-tf") == "lenet-tf"
    monkeypatch.setenv("UV", "/bin/uv")
    assert environment.program_name("lenet-tf") == str(program)


def test_pip_is_named_where_there_is_no_makefile(tmp_path, monkeypatch):
    assert environment.install_command("gpu") == "make install EXTRAS=dev,gpu"
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "lenet_tf" / "runtime" / "x.py"))
    monkeypatch.setattr(sys, "executable", "python")
    url = "git+https://github.com/lenet-tf/lenet_tf"
    for extra, name in (("", "lenet_tf"), ("gpu", "lenet_tf[gpu]")):
        command = f'python -m pip install --upgrade "{name} @ {url}"'
        assert environment.install_command(extra) == command


def test_a_file_that_a_virus_scanner_opens_is_replaced_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "USES_DESCRIPTORS", False)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    replace, refusals = os.replace, [3]

    def refuse(*arguments, **options):
        refusals[0] -= 1
        if refusals[0] >= 0:
            raise PermissionError(13, "Access is denied", arguments[0])
        replace(*arguments, **options)

    monkeypatch.setattr(os, "replace", refuse)
    write_text(tmp_path / "x.csv", "new")
    assert (tmp_path / "x.csv").read_text() == "new"
    refusals[0] = 99
    with pytest.raises(PermissionError, match=r"x\.csv"):
        write_text(tmp_path / "x.csv", "newer")
    assert (tmp_path / "x.csv").read_text() == "new" and os.listdir(tmp_path) == ["x.csv"]


def test_a_junction_is_a_link():
    status = SimpleNamespace(st_mode=stat.S_IFDIR | 0o777, st_reparse_tag=0xA0000003)
    assert folders.describe_kind(status) == "a link"
    # A folder of OneDrive.
    status.st_reparse_tag = 0x9000001A
    assert folders.describe_kind(status) == "a folder"


def test_a_closed_pipe_is_an_invalid_argument_on_windows(monkeypatch):
    error = OSError(22, "Invalid argument")
    assert not OutputError(error).is_broken_pipe
    monkeypatch.setattr(os, "name", "nt")
    assert OutputError(error).is_broken_pipe


def test_run_folders_have_names_that_windows_takes(tmp_path):
    for name in VARIANTS:
        folder = PureWindowsPath(create_run_folder(tmp_path, name).name)
        assert not folder.is_reserved() and not set(folder.name) & set('<>:"/\\|?*'), name


def test_a_checkout_is_possible_on_windows_and_macos():
    """No two names differ only in case, and none is reserved or has a character that is."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True)
    names = os.fsdecode(listed.stdout).split("\0")[:-1]
    if not names:
        pytest.skip("this is no checkout")
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert not PureWindowsPath(name).is_reserved() and not set(name) & set('<>:"\\|?*'), name


def test_a_checkout_may_have_a_name_that_is_not_utf8(tmp_path, monkeypatch):
    package = tmp_path / "r\udcff" / "lenet_tf"
    module = package / "runtime" / "environment.py"
    try:
        module.parent.mkdir(parents=True)
    except OSError:
        pytest.skip("this file system has no such names")
    module.touch()
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(package.parent), *arguments], check=True)
    monkeypatch.setattr(environment, "__file__", str(module))
    assert len(environment.git_commit() or "") == 12
