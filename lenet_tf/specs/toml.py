"""A user's own network from a TOML file."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.io import bounded
from lenet_tf.io.paths import to_path
from lenet_tf.specs.spec import Spec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_DOTS = 100


def is_file_name(name: str | Path) -> bool:
    """Return whether a network's name is that of a file: a path, or `….toml`."""
    if isinstance(name, Path):
        return True
    return name.lower().endswith(".toml") or any(sign in name for sign in "/\\")


def load_spec(path: str | Path) -> Spec:
    """Read a network from a TOML file such as `examples/lenet5.toml`.

    Args:
        path: The file; its stem names the network unless the file does.

    Returns:
        The network.

    Raises:
        SpecError: If the file is unreadable or invalid; the message names file, row and field.
    """
    path = to_path(path, SpecError, "a network's file")
    values = read_toml(path, "a network")
    try:
        return Spec.from_dict({"name": path.stem} | values)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def read_toml(path: Path, content: str) -> dict[str, Any]:
    """Read a TOML file of bounded size.

    Args:
        path: The file.
        content: What it should hold, for error messages, such as `a network`.

    Returns:
        Its values.

    Raises:
        SpecError: If the file is unreadable or no TOML; the message names the file.
    """
    try:
        return _parse(bounded.read_bounded(path, bounded.MAX_TEXT_BYTES).decode("utf-8-sig"))
    except OSError as error:
        is_run = (path / "config.json").is_file()
        advice = "; lenet-tf train --from-run DIR repeats a run" if is_run else ""
        raise SpecError(f"cannot read {path}: {error.strerror}{advice}") from error
    except RecursionError as error:
        raise SpecError(f"{path} is not {content}: it is nested too deeply") from error
    except ValueError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read a field and its value, as `--set` takes them.

    Args:
        text: A path, `=` and a value of TOML. A word needs no quotes; `none` is None.

    Returns:
        The path and the value.

    Raises:
        SpecError: There is no `=`, or the value is not TOML.

    Example:
        >>> from lenet_tf.specs.toml import parse_assignment
        >>> parse_assignment("recipe.optimizer.learning_rate=[0.1, 0.01]")
        ('recipe.optimizer.learning_rate', [0.1, 0.01])
    """
    path, sign, value = (part.strip() for part in text.partition("="))
    if not sign or not path:
        raise SpecError(f"{text!r} is not FIELD=VALUE, such as recipe.optimizer.momentum=0.9")
    return path, parse_value(value)


def parse_value(text: str) -> Any:
    """Read one value of TOML, a word without quotes as a text, and `none` as None.

    Args:
        text: What a person typed.

    Raises:
        SpecError: The text is none of these.
    """
    if re.fullmatch(r"[+-]?\.\d+", text):
        text = text.replace(".", "0.")
    with contextlib.suppress(ValueError, RecursionError):
        values = _parse(f"value = {text}")
        if list(values) == ["value"]:
            return values["value"]
    if re.fullmatch(r"[^\W\d][\w.+/-]*", text):
        return None if text == "none" else text
    raise SpecError(
        f'{text!r} is not a value: write a number, true, false, a word, a "text" or a list such as'
        " [0.1, 0.01]"
    )


def _parse(text: str) -> dict[str, Any]:
    """Parse TOML and raise `ValueError` for a text that takes too long or nests too deeply."""
    for number, line in enumerate(text.split("\n"), 1):
        # Attack: one name of many parts (a.b.c = 1), for which tomllib takes quadratic time.
        # Decimal points are no such parts: a long list of numbers on one line is fine.
        if line.count(".") <= _MAX_DOTS:
            continue
        if re.sub(r"(?<![\w.])\d+\.\d+(?![\w.])", "", line).count(".") > _MAX_DOTS:
            raise ValueError(
                f"line {number} has more than {_MAX_DOTS} dots outside numbers; split the line"
            )
    values = tomllib.loads(text)
    bounded.check_nesting(values)
    return values
