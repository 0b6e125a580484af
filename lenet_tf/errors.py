"""The mistakes a user can make, each told in one or two lines.

Every error that this package raises on purpose is a `LenetError`; the command line prints its text and exits with a code other than 0.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Letters of an error: what a file holds can stand in it, and can be long.
_MAX = 1_000


class LenetError(Exception):
    """Something the user asked for cannot be done; the text says what, where, and what to do next."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text if len(text) <= _MAX else f"{text[:_MAX]}…")


class SpecError(LenetError, ValueError):
    """A network's table, recipe or preparation is wrong."""


class DataError(LenetError, ValueError):
    """Images, labels or the files they come from are not what they should be."""


class SourceUnreachable(LenetError):
    """The data set exists, but no source on this machine or network has it now."""


class DeviceError(LenetError):
    """The device that was asked for cannot be used."""


class RunError(LenetError):
    """A run folder or a saved model cannot be written, read or run again."""


class TrainingError(LenetError):
    """Training could not go on."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during training; the text says what the run folder holds, `exit_code` is what a command ends with."""

    def __init__(self, text: str, exit_code: int = 130) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean A or B?` with up to three of `known` that look like `name`, or the text `otherwise` when none does."""
    near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
