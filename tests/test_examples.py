"""Every public name has an example in its docstring, and the examples run."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

import lenet_tf
from lenet_tf import specs

PACKAGE = Path(lenet_tf.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Constants have no docstring.
CONSTANTS = {
    "lenet_tf.VARIANTS",
    "lenet_tf.specs.AUGMENTATIONS",
    "lenet_tf.specs.EXPERIMENTS",
    "lenet_tf.specs.RECIPES",
    "lenet_tf.specs.VARIANTS",
}


def find_definitions(path: Path) -> list[str]:
    """Find the public classes and functions of a module without importing it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]


def find_public_names() -> list[str]:
    names = [f"lenet_tf.{name}" for name in lenet_tf.__all__]
    names += [f"lenet_tf.specs.{name}" for name in specs.__all__]
    for module, home in lenet_tf._MODULES.items():
        path = PACKAGE.joinpath(*home.split(".")).with_suffix(".py")
        names += [f"lenet_tf.{module}.{name}" for name in find_definitions(path)]
    return names


def import_name(name: str) -> Any:
    value = importlib.import_module("lenet_tf")
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def find_examples(value: Any, name: str) -> list[doctest.DocTest]:
    """Find the examples of a docstring and of those of a class' methods."""
    tests = doctest.DocTestFinder().find(value, name, module=False, globs={})
    return [test for test in tests if test.examples]


def test_every_public_module_is_covered():
    modules = {name.split(".")[1] for name in find_public_names() if name.count(".") == 2}
    assert modules == {"specs", *lenet_tf._MODULES}


@pytest.mark.parametrize("name", ["lenet_tf", *find_public_names()])
def test_examples_run(name, tmp_path, monkeypatch):
    """In an empty folder, with nothing imported."""
    value = import_name(name)
    if name in CONSTANTS:
        assert not callable(value)
        return
    docstring = inspect.getdoc(value)
    assert "\nExample:\n" in docstring or "\nExamples:\n" in docstring
    monkeypatch.chdir(tmp_path)
    examples = find_examples(value, name)
    assert examples
    for example in examples:
        output: list[str] = []
        doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(example, out=output.append)
        assert not output, "".join(output)
