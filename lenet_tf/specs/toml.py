"""A user's own network from a TOML file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.io import bounded
from lenet_tf.io.paths import to_path
from lenet_tf.specs import Spec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MAX_DOTS = 100


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
    try:
        values = _parse(bounded.read_bounded(path, bounded.MAX_TEXT_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise SpecError(f"cannot read {path}: {error.strerror}") from error
    except RecursionError as error:
        raise SpecError(f"{path} is not a network: it is nested too deeply") from error
    except ValueError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    try:
        return Spec.from_dict({"name": path.stem} | values)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


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
