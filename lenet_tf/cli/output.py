"""What the command prints, and what happens if the terminal, pipe or disk does not take it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

from lenet_tf.runtime import output
from lenet_tf.text import escape_controls


class OutputError(Exception):
    """Standard output does not take a result.

    Attributes:
        is_broken_pipe: Whether a program such as `head` has closed the pipe on purpose.

    Args:
        reason: What the stream raised.
    """

    def __init__(self, reason: Exception) -> None:
        text = reason.strerror if isinstance(reason, OSError) else None
        super().__init__(f"cannot write to standard output: {text or reason}")
        # On Windows a closed pipe is an invalid argument.
        is_invalid = os.name == "nt" and getattr(reason, "errno", None) == errno.EINVAL
        self.is_broken_pipe = isinstance(reason, BrokenPipeError) or is_invalid


def echo(text: str = "") -> None:
    """Print a result on stdout. Control characters are shown as escapes, apart from newlines.

    Args:
        text: One line or several.

    Raises:
        OutputError: If stdout is closed, broken or full.
    """
    echo_raw(escape_controls(text, keep="\n") + "\n")


def echo_raw(text: str) -> None:
    """Print a text on stdout that is already escaped and may contain colors.

    Args:
        text: The text with its last newline.

    Raises:
        OutputError: If stdout is closed, broken or full.
    """
    reason = output.write(sys.stdout, text)
    if reason is not None:
        raise OutputError(reason) from reason


def note(text: str, *, error: bool = True) -> None:
    """Print a line that is not a result: if the stream does not take it, nothing is lost.

    Args:
        text: One line or several. Control characters are shown as escapes, apart from newlines.
        error: Whether it goes to stderr.
    """
    output.print_line(escape_controls(text, keep="\n"), error=error)


@contextlib.contextmanager
def prepare_streams() -> Iterator[None]:
    """Make the standard streams of this process usable, whatever the shell did to them.

    Characters that an encoding lacks are replaced. Stderr drops what it cannot write.
    """
    _occupy_closed_descriptors()
    previous: tuple[Any, Any] = sys.stdout, sys.stderr
    if previous[0] is None:
        sys.stdout = _ClosedStream()
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)
    sys.stderr = output.TolerantStream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = previous
        for stream in previous:
            _discard_unwritten(stream)


def _occupy_closed_descriptors() -> None:
    """Open /dev/null as each of the three standard descriptors that is closed.

    Otherwise the next file would take its number, and TensorFlow's messages would go into it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _discard_unwritten(stream: Any) -> None:
    """Keep Python from writing at its exit what the stream has refused, with a traceback."""
    if stream is None:
        return
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


class _ClosedStream(io.TextIOBase):
    """Stands for a stdout that is closed."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        raise OSError("it is closed")
