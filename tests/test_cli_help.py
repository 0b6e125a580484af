"""The `lenet-tf` command itself: help, start-up and short subcommands."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from commands import check_refused
from processes import python

import lenet_tf
from lenet_tf.cli.group import COMMANDS
from lenet_tf.specs import VARIANTS

HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "numpy", "sklearn", "scipy", "matplotlib"}


def test_light_subcommands_import_nothing_heavy():
    check_imports(["summary", "lenet5"], ["summary", "--json"], ["variants"], ["--version"])


def test_help_imports_nothing_heavy():
    output = check_imports(["--help"], *([command.name, "--help"] for command in COMMANDS))
    assert output.count("Usage: ") == len(COMMANDS) + 1


def check_imports(*calls: list[str]) -> str:
    """Run commands in one new process, check its imports after each, and return its output."""
    script = (
        "import sys; from lenet_tf.cli import main\n"
        f"for arguments in {calls!r}:\n"
        "    main(arguments, standalone_mode=False)\n"
        f"    loaded = {HEAVY!r} & set(sys.modules); assert not loaded, (arguments, loaded)"
    )
    done = python("-c", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return done.stdout


def test_python_dash_m_runs_the_command():
    assert (
        python("-m", "lenet_tf", "--version").stdout
        == f"lenet-tf, version {lenet_tf.__version__}\n"
    )


def test_variants_lists_every_variant(cli):
    output = cli("variants").output
    assert all(
        re.search(rf"^ +{name} +{spec.parameters:,} ", output, re.MULTILINE)
        for name, spec in VARIANTS.items()
    )


@pytest.mark.parametrize(
    "name", ["codes.jpg", "codes.webp", "codes.TIFF", "codes.svg", "codes.pdf"]
)
def test_a_drawing_has_the_format_that_its_name_says(cli, name):
    assert cli("draw", "codes", name).exit_code == 0
    starts = {"J": b"\xff\xd8\xff", "W": b"RIFF", "T": b"II*\0", "S": b"<?xml", "P": b"%PDF"}
    assert Path(name).read_bytes().startswith(starts[name.partition(".")[2][0].upper()])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links and pipes")
def test_a_drawing_replaces_no_link_device_or_pipe(cli):
    Path("mine.txt").write_text("mine")
    Path("link.png").symlink_to("mine.txt")
    os.mkfifo("pipe.png")
    Path("device.png").symlink_to("/dev/full")
    for name, kind in (("link", "a link"), ("pipe", "a named pipe"), ("device", "a link")):
        check_refused(
            cli("draw", "codes", f"{name}.png"),
            f"cannot write {name}.png: it is {kind}, which is never replaced: name a plain file",
        )
    check_refused(cli("draw", "codes", "/dev/null"), "cannot write /dev/null: it is a device")
    assert Path("mine.txt").read_text() == "mine" and len(list(Path().iterdir())) == 4


def test_a_deleted_current_folder_is_named(cli, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        check_refused(cli("variants"), "the current folder was deleted: go to another one")
    finally:
        os.chdir(tmp_path)


def test_draw(cli):
    from PIL import Image

    for arguments in (
        ["codes", "codes.png"],
        ["distortions", "distortions.png", "--data", "sample", "--seed", 3],
    ):
        result = cli("draw", *arguments)
        assert result.exit_code == 0, result.output
        assert result.output.endswith(f"wrote {arguments[1]}\n")
        with Image.open(arguments[1]) as picture:
            assert picture.format == "PNG"
            assert picture.width > 600
            levels = np.asarray(picture.convert("L"))
        assert levels.min() < 30
        assert levels.max() == 255
    cli("draw", "distortions", "other.png", "--data", "sample", "--seed", 4)
    assert Path("other.png").read_bytes() != Path("distortions.png").read_bytes()
    check_refused(
        cli("draw", "codes", "nowhere/codes.png"),
        "cannot write nowhere/codes.png: No such file or directory",
    )
    for name in ("codes", "codes.pgn"):
        check_refused(
            cli("draw", "codes", name), f"cannot write {name}: its name must end with .png"
        )
    check_refused(cli("draw", "codes", "."), "File '.' is a directory")
    check_refused(cli("draw", "codes", "c.png", "--data", "x"), "--network and --data are for dist")
    check_refused(cli("draw", "code", "codes.png"), "'code' is not one of 'codes', 'distortions'")
    assert {path.name for path in Path().iterdir()} == {"codes.png", "distortions.png", "other.png"}


def test_drawing_codes_needs_no_tensorflow(tmp_path):
    script = (
        "import sys\nfrom lenet_tf.cli import main\n"
        "try: main(['draw', 'codes', 'codes.png'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = python("-c", script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "codes.png").stat().st_size > 1_000
