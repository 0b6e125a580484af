"""The wheel, built without a network. `make test-wheel` installs it with its dependencies."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from processes import python

import lenet_tf

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
RUN = (
    "import sys; sys.path.insert(0, sys.argv[1]); from lenet_tf.cli import main; main(sys.argv[2:])"
)


def load_script():
    spec = importlib.util.spec_from_file_location("test_wheel_script", ROOT / ".ci/test_wheel.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lenet_tf", source / "lenet_tf", ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = python("-c", BUILD, str(source), cwd=source)
    assert done.returncode == 0, done.stderr
    return source / done.stdout.splitlines()[-1]


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    load_script().check_content(wheel)
    with zipfile.ZipFile(wheel) as archive:
        folder = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(folder))
        scripts = archive.read(folder.replace("METADATA", "entry_points.txt")).decode()
    assert metadata["Version"] == lenet_tf.__version__
    assert metadata["Requires-Python"] == "<3.14,>=3.10"
    assert "lenet-tf = lenet_tf.cli:main" in scripts
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    # uv prefers the newest version of what it reads first.
    assert needed[0].name == "tensorflow"


def test_the_unpacked_wheel_runs_outside_the_checkout(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    done = python("-I", "-c", RUN, str(tmp_path / "site"), "reproduce", "--list", cwd=tmp_path)
    assert done.returncode == 0 and "lenet5-1998" in done.stdout, done.stderr
