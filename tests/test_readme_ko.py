"""README.md and README.ko.md have the same structure, code, names and numbers."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from lenet_tf.reproduce.pages import SECTION_END, SECTION_START

ROOT = Path(__file__).parent.parent
ENGLISH, KOREAN = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md")
)
EDITIONS = {"README.md", "README.ko.md"}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ITEM = re.compile(r"^(?:-|\d+\.) ", re.MULTILINE)
HANGUL = re.compile("[가-힣]")
# With sign, separators, % and exponent: −0.1, 61,706, 98.71%, 3.15.1, 10⁻⁴.
NUMBER = re.compile(r"[−±]?\d+(?:[.,]\d+)*%?⁻?[⁰¹²³⁴-⁹]*")
# Korean may write digits where English spells a number: "two minutes" is 2분.
SPELLED = {
    "second": "2",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "nine": "9",
    "ten": "10",
    "sixth": "6 1",
    "ninth": "9 1",
}


class Section(NamedTuple):
    """A heading and the text up to the next one, without code blocks."""

    level: int
    title: str
    text: str


def split_sections(text: str) -> list[Section]:
    # A # in a code block is not a heading.
    _, *parts = re.split(r"^(#+) (.+)$", FENCED.sub("", text), flags=re.MULTILINE)
    return [
        Section(len(marks), title, body)
        for marks, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def pair_sections() -> list:
    pairs = zip(split_sections(ENGLISH), split_sections(KOREAN), strict=False)
    return [pytest.param(*pair, id=pair[0].title) for pair in pairs]


def make_anchor(title: str) -> str:
    """Return GitHub's anchor of a heading."""
    return "#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def extract_generated(text: str) -> str:
    return text[text.index(SECTION_START) : text.index(SECTION_END)]


def count_numbers(text: str) -> Counter:
    # Anchors depend on the language.
    return Counter(NUMBER.findall(LINK.sub("]", text)))


def count_spelled_numbers(text: str) -> Counter:
    words = re.findall("[a-z]+", text.lower())
    return Counter(" ".join(SPELLED.get(word, "") for word in words).split())


def count_code_names(text: str) -> Counter:
    """Count what is in backticks, also across line breaks."""
    return Counter(" ".join(name.split()) for name in re.findall(r"`([^`]+)`", text))


def find_tables(text: str) -> list[list[str]]:
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


def describe_difference(english: Counter, korean: Counter) -> str:
    return (
        f"only in README.md: {sorted((english - korean).elements())},"
        f" only in README.ko.md: {sorted((korean - english).elements())}"
    )


def test_code_blocks_are_equal():
    assert FENCED.findall(KOREAN) == FENCED.findall(ENGLISH)


def test_headings_have_the_same_levels_in_the_same_order():
    english, korean = (
        [section.level for section in split_sections(text)] for text in (ENGLISH, KOREAN)
    )
    assert korean == english


def test_links_and_images_are_equal():
    english, korean = (
        Counter(
            target
            for target in LINK.findall(text)
            if not target.startswith("#") and target not in EDITIONS
        )
        for text in (ENGLISH, KOREAN)
    )
    assert korean == english, describe_difference(english, korean)


def test_each_edition_starts_with_a_link_to_the_other():
    assert ENGLISH.splitlines()[2] == "[한국어](README.ko.md)"
    assert KOREAN.splitlines()[2] == "[English](README.md)"


@pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["README.md", "README.ko.md"])
def test_anchors_point_to_headings(text):
    """A renamed heading changes its anchor, and GitHub does not report a dead one."""
    anchors = [make_anchor(section.title) for section in split_sections(text)]
    assert len(set(anchors)) == len(anchors), "GitHub numbers the anchors of equal headings"
    used = {target for target in LINK.findall(text) if target.startswith("#")}
    assert used <= set(anchors)


def test_anchors_point_to_the_same_sections():
    def find_linked_sections(text: str) -> list[list[int]]:
        sections = split_sections(text)
        anchors = [make_anchor(section.title) for section in sections]
        return [
            sorted(
                anchors.index(target) for target in LINK.findall(section.text) if target in anchors
            )
            for section in sections
        ]

    assert find_linked_sections(KOREAN) == find_linked_sections(ENGLISH)


def test_generated_section_is_equal():
    """`lenet-tf reproduce` writes it into both editions."""
    assert extract_generated(KOREAN) == extract_generated(ENGLISH)


@pytest.mark.parametrize(("english", "korean"), pair_sections())
def test_numbers_are_equal(english, korean):
    """Sections have the same numbers, in any order."""
    expected, found = (
        count_numbers(f"{section.title}\n{section.text}") for section in (english, korean)
    )
    found -= (found - expected) & count_spelled_numbers(english.text)
    assert found == expected, describe_difference(expected, found)


@pytest.mark.parametrize(("english", "korean"), pair_sections())
def test_names_in_backticks_are_equal(english, korean):
    """Commands, options and files keep their names."""
    expected, found = count_code_names(english.text), count_code_names(korean.text)
    assert found == expected, describe_difference(expected, found)


@pytest.mark.parametrize(("english", "korean"), pair_sections())
def test_lists_and_tables_match_row_by_row(english, korean):
    assert len(ITEM.findall(korean.text)) == len(ITEM.findall(english.text)), "lists"
    expected, found = find_tables(english.text), find_tables(korean.text)
    assert [len(table) for table in found] == [len(table) for table in expected], "tables"
    for row, other in zip(chain(*expected), chain(*found), strict=True):
        assert other.count("|") == row.count("|"), f"{row}\n{other}"
        assert count_code_names(other) == count_code_names(row), f"{row}\n{other}"
        spelled = count_spelled_numbers(row)
        assert count_numbers(other) - spelled == count_numbers(row) - spelled, f"{row}\n{other}"


@pytest.mark.parametrize("section", split_sections(KOREAN), ids=lambda section: section.title)
def test_every_paragraph_is_translated(section):
    """Also each table, list item and image description. The generated section stays English."""
    text = section.text.replace(extract_generated(KOREAN), "").replace("[English](README.md)", "")
    text = re.sub("<!--.*?-->", "", text, flags=re.DOTALL)
    pieces = [piece.strip() for piece in re.split(r"\n\n|\n(?=- |\d+\. )", text)]
    assert HANGUL.search(section.text)
    assert not [piece for piece in pieces if piece and not HANGUL.search(piece)]
