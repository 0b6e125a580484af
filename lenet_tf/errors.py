"""Errors that a user can cause or correct.

The command line prints their text and exits with a code other than 0.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lenet_tf.text import escape_controls

# A message may quote the content of a file, which can be long.
_MAX_CHARACTERS = 1_000


class LenetError(Exception):
    """Base class of this package's errors.

    Args:
        text: What was wrong, where, and what to do next. Control characters in it, which a file
            name can contain, are shown as escapes.
        *lines: More lines, such as a command to call next.

    Example:
        >>> import lenet_tf
        >>> try:
        ...     lenet_tf.get_spec("lenet6")
        ... except lenet_tf.LenetError as error:
        ...     print(error)
        unknown variant 'lenet6': did you mean lenet5 or lenet4 or lenet1?
    """

    def __init__(self, text: str = "", *lines: str) -> None:
        super().__init__(*(_shorten(escape_controls(line)) for line in (text, *lines)))

    def __str__(self) -> str:
        return "\n".join(self.args)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"


class SpecError(LenetError, ValueError):
    """A network, recipe or preparation is invalid."""


class DataError(LenetError, ValueError):
    """Images, labels or their files are invalid."""


class DataWarning(UserWarning):
    """Images can be used, but they look as if something was forgotten."""


class SourceUnreachable(LenetError):
    """A data set exists, but no source on this machine or the network provides it now."""


class DeviceError(LenetError):
    """A device is unknown or unavailable."""


class RunError(LenetError):
    """A run folder or saved model cannot be written, read or resumed."""


class TrainingError(LenetError):
    """Training cannot start or continue."""


class DivergenceError(TrainingError):
    """The loss of a run became NaN or infinite."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM stopped the training.

    Attributes:
        exit_code: Exit code for the command.

    Args:
        text: What the run folder contains, and how to resume.
        exit_code: 128 plus the number of the signal.
    """

    def __init__(self, text: str, exit_code: int = 130) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def suggest_name(name: str, known: Iterable[str], otherwise: str) -> str:
    """Suggest up to three known names that are similar to an unknown one.

    Args:
        name: The unknown name.
        known: The valid names.
        otherwise: Text to return if no name is similar.

    Returns:
        A question such as `did you mean tanh?`, or `otherwise`.
    """
    similar = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(similar)}?" if similar else otherwise
