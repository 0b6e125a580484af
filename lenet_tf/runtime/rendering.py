"""Renders rich's tables and bars as text for the status line."""

from __future__ import annotations

import io
import os
from typing import Any


def render(renderable: Any, width: int) -> str:
    """Render for the terminal of this process, with its colors, in ASCII if the locale is C.

    Args:
        renderable: What rich can print.
        width: Columns.

    Returns:
        Lines without a last newline.
    """
    # Imported late, since a command without a terminal doesn't need it.
    from rich.console import Console

    console = Console(
        file=_AsciiText() if _is_ascii_locale() else io.StringIO(),
        force_terminal=True,
        legacy_windows=False,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(renderable)
    return capture.get().rstrip("\n")


def create_bar(share: float, width: int) -> Any:
    """Create a progress bar in the colors of the terminal.

    Args:
        share: What is done, 0 to 1.
        width: Columns.
    """
    from rich.progress_bar import ProgressBar

    return ProgressBar(1.0, share, width, style="bright_black", complete_style="green")


class _AsciiText(io.StringIO):
    encoding = "ascii"


def _is_ascii_locale() -> bool:
    """Return whether the user asks for ASCII, though Python may have chosen UTF-8 by itself."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, names), "") in ("C", "POSIX")
