"""What holds the project together: declared packages, pins, rooms that keep to themselves."""

from __future__ import annotations

import ast
import configparser
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")


def requirement_names(text: str) -> set[str]:
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {re.split(r"[\s<>=\[;]", line)[0].lower().replace("_", "-") for line in lines if line}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} if node.level == 0 else set()
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package_files() -> list[Path]:
    return sorted((ROOT / "lenet_tf").rglob("*.py"))


def test_every_imported_package_is_declared():
    declared = requirement_names(SETUP["options"]["install_requires"])
    top = (
        {name.split(".")[0] for path in package_files() for name in imports(path)}
        - {"lenet_tf"}
        - set(sys.stdlib_module_names)
        - {"tomllib"}
    )
    packages = {"sklearn": "scikit-learn", "PIL": "pillow"}
    assert {packages.get(name, name.replace("_", "-")) for name in top} <= declared


def test_every_declared_package_is_pinned():
    pinned = requirement_names((ROOT / "constraints.txt").read_text())
    declared = requirement_names(SETUP["options"]["install_requires"])
    for extra in SETUP["options.extras_require"].values():
        declared |= requirement_names(extra)
    assert declared <= pinned


def test_importing_the_package_does_nothing_heavy():
    script = "import sys, lenet_tf; assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules); print(*sorted(lenet_tf.__all__))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    import lenet_tf

    for name in done.stdout.split():
        assert getattr(lenet_tf, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'lenet'"):
        _ = lenet_tf.lenet


@pytest.mark.parametrize(
    "benchmark", ["speed", "fast", "scale", "step_profile", "choices", "board"]
)
def test_what_readme_says_of_speed_is_made_from_the_committed_results(benchmark, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module(benchmark)
    result = json.loads(module.RESULT.read_text(encoding="utf-8"))
    assert module.render_markdown(result) in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", ["kills", "disasters", "fuzz"])
def test_what_is_said_of_the_soak_is_made_from_the_committed_results(part, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "soak"))
    module = importlib.import_module("tables")
    assert getattr(module, f"render_{part}")() in (ROOT / "docs" / "soak.md").read_text(
        encoding="utf-8"
    )


def test_make_help_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for target in (
        "install",
        "train",
        "test",
        "lint",
        "tensorboard",
        "jupyter",
        "notebooks",
        "clean",
    ):
        assert re.search(rf"^{target} +\w", done.stdout, re.MULTILINE), target


def test_make_passes_its_variables_through():
    """From the command line, spaces and all; not from an environment that uses the same names for its own things."""
    variables = [
        "VARIANT=cnn-38k",
        "DATA=fashion_mnist",
        "EPOCHS=5",
        "BATCH_SIZE=64",
        "SEED=3",
        "DEVICE=cpu",
        "LOGS=else where",
        "ARGS=--quiet",
    ]
    environment = os.environ | {"VARIANT": "prod", "DATA": "/mnt", "ORIGINALS": "/mnt"}
    done = subprocess.run(
        ["make", "--dry-run", "train", *variables],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
    )
    (command,) = [
        shlex.split(line) for line in done.stdout.splitlines() if "lenet-tf train" in line
    ]
    expected = "cnn-38k --logs 'else where' --data fashion_mnist --epochs 5 --batch-size 64 --seed 3 --device cpu --quiet"
    assert command[1:] == ["train", *shlex.split(expected)]


def test_make_refuses_a_mistyped_variable():
    done = subprocess.run(
        ["make", "--dry-run", "train", "EPOCH=1"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "unknown variable EPOCH: known are" in done.stderr
