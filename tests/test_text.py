"""Escapes for text of strangers."""

from __future__ import annotations

import ast
import json
import pickle
import subprocess
from pathlib import Path

import pytest

import lenet_tf
from lenet_tf.errors import LenetError, RunError
from lenet_tf.text import escape_cell, escape_controls, escape_markdown, format_json, quote_word

# An escape sequence, a C1 command, a reversal of direction, a forged line, a byte that isn't UTF-8.
HOSTILE = "a\x1b[31m\x9b2J\u202eb\nError: c\r\udcb0"
SHOWN = r"a\x1b[31m\x9b2J\u202eb\nError: c\r\xb0"


def test_controls_are_shown():
    assert escape_controls(HOSTILE) == SHOWN
    assert escape_controls("28×28 한글 – ½") == "28×28 한글 – ½"
    assert escape_controls("a\nb\tc", keep="\n") == "a\nb\\tc"
    assert escape_controls(Path("a\x07")) == r"a\x07"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "－"])
def test_no_cell_is_a_formula(start):
    assert escape_cell(f'{start}HYPERLINK("http://example.org")').startswith("'")


def test_other_cells_are_unchanged():
    assert [escape_cell(value) for value in ("a=b", -1.5, None, "\t=1")] == [
        "a=b",
        -1.5,
        None,
        r"\t=1",
    ]


def test_markdown_shows_the_text():
    text = escape_markdown("![x](http://example.org) <img> `a` *b* val_loss")
    assert text == r"\!\[x\](http://example.org) &lt;img\> \`a\` \*b\* val_loss"


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "ascii", None])
def test_json_keeps_every_character(encoding):
    value = {"file": f"{HOSTILE} 5×5 é"}
    text = format_json(value, encoding, indent=1)
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()
    text.encode(encoding or "ascii")


@pytest.mark.parametrize("word", ["plain", "my runs", "it's", "a\x1b[31m'\\b\n", "\udcb0\udcc5"])
def test_a_quoted_word_can_be_pasted(word):
    quoted = quote_word(word)
    assert quoted.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert done.stdout.decode(errors="surrogateescape") == word


def test_an_error_is_safe_to_print():
    error = RunError(f"{HOSTILE} is damaged", "Do this:")
    assert str(error) == f"{SHOWN} is damaged\nDo this:"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_message_contains_a_newline():
    """A newline in a message may come from a file name: lines are arguments of their own."""
    names = {cls.__name__ for cls in (LenetError, *LenetError.__subclasses__())}
    for path in Path(lenet_tf.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
                broken = [text for text in texts if isinstance(text, str) and "\n" in text]
                assert not broken, f"{path.name}, line {node.lineno}: {broken}"
