"""The `lenet-tf` command itself: help, start-up and short subcommands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
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
    check_refused(cli("draw", "codes", "."), "File '.' is a directory")
    check_refused(cli("draw", "code", "codes.png"), "'code' is not one of 'codes', 'distortions'")
    assert {path.name for path in Path().iterdir()} == {"codes.png", "distortions.png", "other.png"}
