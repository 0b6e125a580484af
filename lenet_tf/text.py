"""Text of strangers made safe for terminals, CSV files, Markdown and JSON.

File names, networks and run folders come from others. What they say is shown as text; it must not
become a command of the terminal, a formula or markup.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import Any

# Attack: control characters that move the cursor, set the terminal's title or forge a line, and
# characters that reverse the direction of what follows. Surrogates stand for bytes of a file name
# that are not UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SURROGATE_BYTES = range(0xDC80, 0xDD00)
# Attack: a cell that a spreadsheet runs as a formula; some read the wide characters as well.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
# What cmd and PowerShell both read as part of a word.
_PLAIN_ON_WINDOWS = re.compile(r"[\w.:\\/+-]+")
_MARKDOWN = re.compile(r"([\\`*{}\[\]>#!]|(?<!\w)_|_(?!\w))")


def escape_controls(text: object, keep: str = "") -> str:
    r"""Show control characters, changes of direction and undecodable bytes as escapes.

    Args:
        text: What to show. Anything but a string is converted by `str`.
        keep: Characters that stay, such as a newline.

    Returns:
        The text, on one line unless newlines are kept.

    Example:
        >>> print(escape_controls("a\x1b[31m\nb.png"))
        a\x1b[31m\nb.png
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), shown)


def _escape(character: str) -> str:
    number = ord(character)
    if number in _SURROGATE_BYTES:
        return f"\\x{number - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def count_noun(count: int, noun: str) -> str:
    """Return a number with its noun.

    Args:
        count: The number.
        noun: The noun in the singular, whose plural ends with s.

    Example:
        >>> count_noun(1, "run"), count_noun(2_000, "run")
        ('1 run', '2,000 runs')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def strip_period(text: str) -> str:
    """Return a sentence without the period at its end, to continue it.

    Args:
        text: The message of an error, for instance.

    Example:
        >>> f"trial 1 failed: {strip_period('No GPU. Use the CPU.')}. Repeat the command."
        'trial 1 failed: No GPU. Use the CPU. Repeat the command.'
    """
    return text.rstrip().removesuffix(".")


def escape_cell(value: Any) -> Any:
    """Make a cell of a CSV file that spreadsheets show as text.

    Args:
        value: The cell. Anything but a string stays as it is.

    Returns:
        The cell without control characters, with an apostrophe before what looks like a formula.

    Example:
        >>> escape_cell("=1+1"), escape_cell(-0.5)
        ("'=1+1", -0.5)
    """
    if not isinstance(value, str):
        return value
    shown = escape_controls(value)
    # A tab or a carriage return at the start is a formula too: its escape is none.
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown


def escape_markdown(text: object) -> str:
    r"""Make Markdown that shows a text as it is, on one line.

    Args:
        text: What to show. Anything but a string is converted by `str`.

    Returns:
        The text with a backslash before each character that Markdown reads as markup, apart from
        the bars of a table.

    Example:
        >>> print(escape_markdown("![x](http://example.org)"))
        \!\[x\](http://example.org)
    """
    # Markdown has no escape for this one.
    return _MARKDOWN.sub(r"\\\1", escape_controls(text)).replace("<", "&lt;")


def format_json(value: Any, encoding: str | None = "utf-8", **options: Any) -> str:
    r"""Format JSON that keeps every character and can be written in an encoding.

    Args:
        value: The value.
        encoding: The encoding of the output.
        **options: Options of `json.dumps`.

    Returns:
        The JSON text. Characters that a terminal could act on are written as `\uXXXX`, and so are
        all others if the encoding lacks one of them.

    Example:
        >>> print(format_json("5×5\x9b"))
        "5×5\u009b"
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    text = _UNSAFE.sub(
        lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text
    )
    try:
        text.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return json.dumps(value, **options)
    return text


def quote_word(word: object) -> str:
    r"""Quote a word of a command for the shell.

    Args:
        word: The word, such as a path.

    Returns:
        The word as `shlex.quote` quotes it, or as `$'…'` with escapes if it has characters that a
        terminal could act on. Both can be pasted. On Windows, `quote_for_windows` quotes it.

    Example:
        >>> print(quote_word("my runs"), quote_word("a\x1b[31m"))
        'my runs' $'a\x1b[31m'
    """
    text = str(word)
    if os.name == "nt":
        return quote_for_windows(text)
    if not _UNSAFE.search(text):
        return shlex.quote(text)
    quoted = re.sub(r"([\\'])", r"\\\1", text)
    return f"$'{_UNSAFE.sub(lambda match: _escape_for_shell(match[0]), quoted)}'"


def quote_for_windows(word: str) -> str:
    r"""Quote a word of a command for cmd and PowerShell.

    Args:
        word: The word, such as a path.

    Returns:
        The word, in double quotes unless both shells read it as it is. Characters that a terminal
        could act on are shown as escapes, for which neither shell has a notation.

    Example:
        >>> print(quote_for_windows(r"logs\fit\tiny"), quote_for_windows("my runs"))
        logs\fit\tiny "my runs"
    """
    text = escape_controls(word)
    if _PLAIN_ON_WINDOWS.fullmatch(text):
        return text
    # Programs there read a backslash as one, unless a quote follows it.
    escaped = re.sub(r'(\\*)(?="|$)', r"\1\1", text).replace('"', '\\"')
    return f'"{escaped}"'


def _escape_for_shell(character: str) -> str:
    # The shell reads \x9b as a byte, which is no character in UTF-8.
    number = ord(character)
    return f"\\u{number:04x}" if 0x80 <= number < 0x100 else _escape(character)
