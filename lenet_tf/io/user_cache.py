"""The folder of a user's files that can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "lenet_tf"


def user_cache_folder() -> Path | None:
    """Return this package's folder in the user's cache folder, such as `~/.cache/lenet_tf`.

    Returns:
        The folder, which may not exist; None if this user has no cache folder.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        # A relative path is invalid, says the XDG specification.
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return Path(base) / _NAME if os.path.isabs(base) else None


def make_user_cache_folder() -> None:
    """Make the folder that `user_cache_folder` returns, unless it exists.

    Raises:
        OSError: It can't be made.
    """
    folder = user_cache_folder()
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
