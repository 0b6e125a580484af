"""A person's own network, written as a TOML file, and networks by what a person types."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from lenet_tf.errors import SpecError
from lenet_tf.io import bounded
from lenet_tf.specs import Spec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# tomllib's time grows with the square of a name's parts (a.b.c = 1).
_MAX_DOTS = 100


def load_spec(path: str | Path) -> Spec:
    """The network in a TOML file, see `examples/lenet5.toml`; its name is the file's unless the file gives one.

    Raises `SpecError` with the file, the row and the field of a mistake.
    """
    path = Path(path)
    try:
        values = _parse(bounded.read_bounded(path, bounded.MAX_TEXT_BYTES).decode("utf-8"))
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise SpecError(f"{path} is not TOML of ours: it is nested too deeply") from error
    except ValueError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    try:
        return Spec.from_dict({"name": path.stem} | values)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def _parse(text: str) -> dict[str, Any]:
    """Raises `ValueError`, of which TOML's own error is one, for a text that is no table or takes no end to read."""
    for number, line in enumerate(text.split("\n"), 1):
        # A long list of numbers on one line is fine.
        if (
            line.count(".") > _MAX_DOTS
            and re.sub(r"(?<![\w.])\d+\.\d+(?![\w.])", "", line).count(".") > _MAX_DOTS
        ):
            raise ValueError(
                f"line {number} has more than {_MAX_DOTS} dots outside numbers; break it into several"
            )
    values = tomllib.loads(text)
    bounded.check_nesting(values)
    return values
