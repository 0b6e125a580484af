"""README.md and its Korean edition say the same: what a translation leaves as it is, is compared section by section."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from lenet_tf.reproduce.tables import BEGIN, END

ROOT = Path(__file__).parent.parent
ENGLISH, KOREAN = (
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md")
)
SWITCH = {"README.md", "README.ko.md"}
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ITEM = re.compile(r"^(?:-|\d+\.) ", re.MULTILINE)
HANGUL = re.compile("[가-힣]")
# With sign, separators, % and exponent: −0.1, 61,706, 98.71%, 3.15.1, 10⁻⁴.
NUMBER = re.compile(r"[−±]?\d+(?:[.,]\d+)*%?⁻?[⁰¹²³⁴-⁹]*")
# What English spells and Korean may not: "second-order" is 2차, "two" minutes are 2분, "a sixth" is 6분의 1.
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
    level: int
    title: str
    text: str


def sections(text: str) -> list[Section]:
    """A section from each heading to the next, without code blocks, in which a # is no heading."""
    _, *parts = re.split(r"^(#+) (.+)$", FENCED.sub("", text), flags=re.MULTILINE)
    return [
        Section(len(marks), title, body)
        for marks, title, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


def pairs() -> list:
    """For tests of one section of both editions each."""
    return [
        pytest.param(*both, id=both[0].title)
        for both in zip(sections(ENGLISH), sections(KOREAN), strict=False)
    ]


def anchor(title: str) -> str:
    """As GitHub makes it of a heading."""
    return "#" + re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def generated(text: str) -> str:
    return text[text.index(BEGIN) : text.index(END)]


def difference(english: Counter, korean: Counter) -> str:
    return f"only in README.md: {sorted((english - korean).elements())}, only in README.ko.md: {sorted((korean - english).elements())}"


def numbers(text: str) -> Counter:
    """Link targets do not count: an anchor is as its language's heading is."""
    return Counter(NUMBER.findall(LINK.sub("]", text)))


def spelled(text: str) -> Counter:
    return Counter(
        " ".join(SPELLED.get(word, "") for word in re.findall("[a-z]+", text.lower())).split()
    )


def names(text: str) -> Counter:
    """What stands in backticks, broken over two lines or not."""
    return Counter(" ".join(name.split()) for name in re.findall(r"`([^`]+)`", text))


def tables(text: str) -> list[list[str]]:
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


def test_code_blocks_are_the_same():
    """Code is not translated, so that what is copied from either edition does the same."""
    assert FENCED.findall(KOREAN) == FENCED.findall(ENGLISH)


def test_headings_are_as_many_of_the_same_levels_in_the_same_order():
    assert [section.level for section in sections(KOREAN)] == [
        section.level for section in sections(ENGLISH)
    ]


def test_links_and_pictures_are_the_same():
    def targets(text: str) -> Counter:
        return Counter(
            target
            for target in LINK.findall(text)
            if not target.startswith("#") and target not in SWITCH
        )

    english, korean = targets(ENGLISH), targets(KOREAN)
    assert korean == english, difference(english, korean)


def test_each_edition_begins_with_the_way_to_the_other():
    assert ENGLISH.splitlines()[2] == "[한국어](README.ko.md)"
    assert KOREAN.splitlines()[2] == "[English](README.md)"


@pytest.mark.parametrize("text", [ENGLISH, KOREAN], ids=["README.md", "README.ko.md"])
def test_anchors_point_to_headings(text):
    """A heading that is renamed takes its anchor along, and GitHub says nothing of a link into the void."""
    known = [anchor(section.title) for section in sections(text)]
    assert len(set(known)) == len(known), "two headings of one name: GitHub numbers their anchors"
    assert not [
        target for target in LINK.findall(text) if target.startswith("#") and target not in known
    ]


def test_anchors_point_to_the_same_sections():
    def places(text: str) -> list[list[int]]:
        known = [anchor(section.title) for section in sections(text)]
        return [
            sorted(known.index(target) for target in LINK.findall(section.text) if target in known)
            for section in sections(text)
        ]

    assert places(KOREAN) == places(ENGLISH)


def test_generated_section_is_the_same():
    """`lenet-tf reproduce` writes it into both."""
    assert generated(KOREAN) == generated(ENGLISH)


@pytest.mark.parametrize(("english", "korean"), pairs())
def test_numbers_are_the_same(english, korean):
    """In any order, since Korean sentences have another."""
    ours, theirs = (numbers(f"{section.title}\n{section.text}") for section in (english, korean))
    theirs -= (theirs - ours) & spelled(english.text)
    assert theirs == ours, f"{english.title} / {korean.title}: {difference(ours, theirs)}"


@pytest.mark.parametrize(("english", "korean"), pairs())
def test_names_in_backticks_are_the_same(english, korean):
    """Commands, options and files keep their names."""
    ours, theirs = names(english.text), names(korean.text)
    assert theirs == ours, f"{english.title} / {korean.title}: {difference(ours, theirs)}"


@pytest.mark.parametrize(("english", "korean"), pairs())
def test_tables_and_lists_are_as_long_and_rows_in_order(english, korean):
    """Row by row, so that no number is in another's row."""
    assert len(ITEM.findall(korean.text)) == len(ITEM.findall(english.text)), (
        f"lists of {english.title} / {korean.title}"
    )
    ours, theirs = tables(english.text), tables(korean.text)
    assert [len(table) for table in theirs] == [len(table) for table in ours], (
        f"tables of {english.title} / {korean.title}"
    )
    for row, other in zip(chain(*ours), chain(*theirs), strict=True):
        assert (other.count("|"), names(other)) == (row.count("|"), names(row)), f"{row}\n{other}"
        assert numbers(other) - spelled(row) == numbers(row) - spelled(row), f"{row}\n{other}"


@pytest.mark.parametrize("section", sections(KOREAN), ids=lambda section: section.title)
def test_no_paragraph_is_left_in_english(section):
    """Nor a table, an item of a list or a picture's description. What is generated is English in both."""
    text = section.text.replace(generated(KOREAN), "").replace("[English](README.md)", "")
    pieces = [
        piece.strip()
        for piece in re.split(
            r"\n\n|\n(?=- |\d+\. )", re.sub("<!--.*?-->", "", text, flags=re.DOTALL)
        )
    ]
    assert HANGUL.search(text)
    assert not [piece for piece in pieces if piece and not HANGUL.search(piece)]
