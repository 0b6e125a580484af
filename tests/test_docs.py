"""Pages agree with the code: files, packages, variants, commands, kinds of pooling."""

from __future__ import annotations

import configparser
import re
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lenet_tf.cli.group import COMMANDS
from lenet_tf.specs import VARIANTS, Convolution, Dense, Spec, variants_tutorial
from lenet_tf.specs.rows_pooling import POOLINGS
from lenet_tf.specs.variants import RECIPES
from lenet_tf.specs.variants_1998 import VARIANTS_1998

ROOT = Path(__file__).parent.parent
PAGES = [
    "README.md",
    "README.ko.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/cluster.md",
    "docs/page.md",
    "docs/platforms.md",
    "docs/soak.md",
    "results/README.md",
]
EDITIONS = ["README.md", "README.ko.md"]
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
SOURCE_PATH = re.compile(r"(?:[\w.-]+/)*[\w-]+\.py|(?:[\w.-]+/)+")
# What a run or a user writes.
RUN_FOLDER = {"projector/", "report/", "scans/", "train/", "validation/"}


def read_page(page: str) -> str:
    return FENCED.sub("", (ROOT / page).read_text(encoding="utf-8"))


def read_networks(page: str) -> str:
    """Read the section "Networks" of an edition."""
    (section,) = re.findall(
        r"^### (?:Networks|네트워크)\n(.+?)^#", read_page(page), re.MULTILINE | re.DOTALL
    )
    return section


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


@pytest.mark.parametrize("page", EDITIONS)
def test_table_of_variants(page):
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \| \S", read_networks(page), re.MULTILINE)
    assert rows == [(name, f"{spec.parameters:,}") for name, spec in VARIANTS.items()]


@pytest.mark.parametrize("page", EDITIONS)
def test_table_of_commands(page):
    rows = re.findall(r"^\| `lenet-tf (\w+)[^`]*` \| \S", read_page(page), re.MULTILINE)
    assert set(rows) == {command.name for command in COMMANDS}


def test_kinds_of_pooling_under_networks():
    """The Korean edition translates the names, so only their number is compared."""
    (english,) = re.findall(r"pooling \(([^)]+)\)", read_networks("README.md"))
    (korean,) = re.findall(r"풀링\(([^)]+)\)", read_networks("README.ko.md"))
    expected = {*POOLINGS, "global average"}
    assert set(re.split(r",\s+", english)) == expected
    assert len(set(re.split(r",\s+", korean))) == len(expected)


@pytest.mark.parametrize("page", EDITIONS)
def test_validation_images_of_the_variants(page):
    (note,) = re.findall(
        r"^- \*\*(?:Validation|검증)\.\*\* (.+\n(?:  .+\n)*)", read_page(page), re.MULTILINE
    )
    first_sentence = note.partition(". ")[0]
    on_test_images = {name for name in VARIANTS if VARIANTS[name].recipe.validation == "test"}
    assert set(CODE.findall(first_sentence)) == on_test_images
    assert set(CODE.findall(note)) & set(VARIANTS) == on_test_images
    assert re.findall(r"\d+%", note) == ["10%", "2%", "2%"]
    for name in set(VARIANTS) - on_test_images:
        is_from_1998 = name in {spec.name for spec in VARIANTS_1998}
        assert VARIANTS[name].recipe.validation == (0.02 if is_from_1998 else 0.1), name
    for name in ("fast", "accurate"):
        assert name in CODE.findall(note)
        assert RECIPES["lenet5-modern"][name].validation == 0.02


def test_the_example_of_a_variant():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(   _LENET5_RELU = .+?)```", text, re.DOTALL)
    names = dict(vars(variants_tutorial))
    exec(textwrap.dedent(code), names)
    spec = names["_LENET5_RELU"]
    assert isinstance(spec, Spec)
    activations = [row.activation for row in spec.rows if isinstance(row, Convolution | Dense)]
    assert activations == ["relu"] * 4 + ["softmax"]
    assert spec.recipe.validation == 0.1
    assert spec.parameters == spec.expected_parameters


def test_the_recording_shows_a_whole_run_and_asks_nobody():
    """Made by docs/record_terminal.py; a browser plays it without another request."""
    text = (ROOT / "docs/train.svg").read_text(encoding="utf-8")
    page = ElementTree.fromstring(text)
    shown = [element.text or "" for element in page.iter("{http://www.w3.org/2000/svg}text")]
    assert "make train in a terminal of 80 columns" in shown[0]
    for expected in (
        r"\$ make train",
        r"starting TensorFlow\.\.\.",
        r"[\d,]+/1,875 steps +\d+/s  \d:\d\d left, run \d:\d\d",
        r"epoch 10/10 +\d.* s  loss \d.* val \d\d\.\d\d%",
        r"test accuracy 9\d\.\d\d% on 10,000 images of mnist",
        r"predict +\.venv/bin/lenet-tf predict PICTURE\.png --model latest",
    ):
        assert any(re.fullmatch(expected, line) for line in shown), expected
    assert not re.search(r"(href|src|url)\b|@import|<script", text)
    assert len(text) < 150_000
