"""Pages name only files, functions and packages that exist."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "README.ko.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/soak.md",
    "results/README.md",
]
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
SOURCE_PATH = re.compile(r"(?:[\w.-]+/)*[\w-]+\.py|(?:[\w.-]+/)+")
# What a run or a user writes.
RUN_FOLDER = {"projector/", "report/", "scans/", "train/", "validation/"}


def read_page(page: str) -> str:
    return FENCED.sub("", (ROOT / page).read_text(encoding="utf-8"))


def find_source(path: str) -> Path | None:
    """Find a path that is relative to the repository or to the package."""
    return next((base / path for base in (ROOT, ROOT / "lenet_tf") if (base / path).exists()), None)


def read_package_table(page: str) -> dict[str, set[str]]:
    """Read the table of packages: what each package may import."""
    rows = re.findall(r"^\| `([a-z]+)(?:/|\.py)` \|.*\| ([^|]*) \|$", read_page(page), re.MULTILINE)
    return {package: set(CODE.findall(imports)) for package, imports in rows}


@pytest.mark.parametrize("page", PAGES)
def test_links_point_to_files(page):
    targets = re.findall(r"\]\(([^)#\s]+)", read_page(page))
    local = [target for target in targets if not target.startswith("https://")]
    assert [target for target in local if not ((ROOT / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_named_source_files_exist(page):
    names = set(CODE.findall(read_page(page))) - RUN_FOLDER
    paths = {name for name in names if SOURCE_PATH.fullmatch(name)}
    assert {path for path in paths if find_source(path) is None} == set()


def find_steps() -> list[str]:
    """Find the steps of CONTRIBUTING.md that name source files."""
    steps = re.findall(
        r"^\d+\. (?:.+\n)+?(?=\d+\. |\n)", read_page("CONTRIBUTING.md"), re.MULTILINE
    )
    return [step for step in steps if any(map(SOURCE_PATH.fullmatch, CODE.findall(step)))]


def test_contributing_has_steps():
    assert len(find_steps()) > 15


@pytest.mark.parametrize("step", find_steps(), ids=lambda step: step.partition(":")[0])
def test_contributing_names_what_its_files_define(step):
    """In each step, the named functions and constants are in the named files."""
    names = CODE.findall(step)
    sources = [find_source(name) for name in names if SOURCE_PATH.fullmatch(name)]
    files = [
        file for source in sources for file in ([source] if source.is_file() else source.glob("*"))
    ]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    identifiers = {name for name in names if re.fullmatch(r"[A-Za-z_]\w+", name)}
    assert {name for name in identifiers if not re.search(rf"\b{name}\b", text)} == set()


@pytest.mark.parametrize("page", ["README.md", "README.ko.md", "CONTRIBUTING.md"])
def test_package_table_agrees_with_the_import_contract(page):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    layers = config["importlinter:contract:layers"]["layers"].split("\n")
    ranks = [set(re.findall(r"\w+", layer)) for layer in layers if layer.strip()]
    expected = {
        package: below
        for rank, below in zip(ranks, [*ranks[1:], set()], strict=True)
        for package in rank
    }
    assert read_package_table(page) == expected
