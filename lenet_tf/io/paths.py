"""Paths that a program passes as arguments."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lenet_tf.errors import LenetError


def to_path(value: Any, error: type[LenetError], name: str) -> Path:
    """Turn an argument into a path that the system accepts, whether or not something is there.

    A leading `~` becomes the home folder, as in a shell.

    Args:
        value: Should be text or a path object.
        error: The error to raise.
        name: What its message calls the argument.

    Raises:
        LenetError: `error`, if the value is of another type, too long or holds a null character.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise error(f"{name} must be a path as text or a Path, not {type(value).__name__}")
    path = Path(os.path.expanduser(value))
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else problem
        raise error(f"{name} can't be {str(path)[:60]!r}: {reason}") from problem
    return path
