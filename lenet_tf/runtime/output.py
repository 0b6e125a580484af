"""Output that never stops a training: closed, broken and narrow streams."""

from __future__ import annotations

import sys
from typing import Any

from lenet_tf.runtime.terminal import STATUS, is_terminal, try_write


def print_line(text: str = "", *, error: bool = False) -> bool:
    """Print a line, whatever the state of the stream.

    Characters that the stream's encoding lacks are replaced.

    Args:
        text: The line, or several.
        error: Whether it goes to stderr.

    Returns:
        False if the stream is closed, broken or full.
    """
    return write(sys.stderr if error else sys.stdout, f"{text}\n") is None


def write(stream: Any, text: str) -> Exception | None:
    """Write and flush a text, after the status line is removed.

    Args:
        stream: A text stream, or None for one that is closed.
        text: The text.

    Returns:
        None, or the reason why the stream does not take it.
    """
    with STATUS.step_aside():
        return try_write(stream, text)


class TolerantStream:
    """A text stream that drops what cannot be written.

    Messages and progress bars on stderr are no reason to stop.

    Args:
        stream: The text stream, or None for one that is closed.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each write is flushed."""

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return is_terminal(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
