"""What is replaced at the end of a terminal: what is going on, or progress bars."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

_DEFAULT_SIZE = 80, 24
_SECONDS_BETWEEN_COUNTS = 0.1
# Erases the line and what a narrowed window has wrapped below it.
_ERASE = "\r\x1b[J"


def try_write(stream: Any, text: str) -> Exception | None:
    """Write and flush a text. Characters that the stream's encoding lacks are replaced.

    Args:
        stream: A text stream, or None for one that is closed.
        text: The text.

    Returns:
        None, or the reason why the stream does not take it.
    """
    if stream is None:
        return OSError("it is closed")
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except Exception as error:  # A program's own stream can lack methods and raise anything.
        return error
    return None


def is_terminal(stream: Any) -> bool:
    """Return whether a stream, which may be None or closed, is a terminal."""
    try:
        return stream is not None and bool(stream.isatty())
    except Exception:  # As in `try_write`.
        return False


def has_cursor_control(stream: Any) -> bool:
    """Return whether a stream is a terminal on which a line can be replaced."""
    if not is_terminal(stream) or os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    if sys.platform != "win32":
        return True
    # Imported late: only old consoles of Windows need the question.
    from rich.console import detect_legacy_windows

    return not detect_legacy_windows()


def get_size(stream: Any) -> tuple[int, int]:
    """Return the columns and rows of a terminal; 80 and 24 if it tells none, as in containers."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except Exception:  # As in `try_write`.
        columns = rows = 0
    return columns or _DEFAULT_SIZE[0], rows or _DEFAULT_SIZE[1]


class StatusLine:
    """A line on stderr that the next output replaces.

    It appears on terminals only. The cursor stays at its start, so that messages which TensorFlow
    writes by itself replace it, and a window of another width does not tear it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._is_visible = self._is_mid_line = self._is_drawing = False
        self._muted = 0
        self._counted = 0.0

    @contextlib.contextmanager
    def show(self, text: str, quiet: bool = False) -> Iterator[None]:
        """Show what is going on within the block, or until something else is shown.

        Args:
            text: A few words. A terminal that cannot replace a line gets a line for each.
            quiet: Show nothing within the block.
        """
        with self._lock:
            self._depth += 1
            self._muted += quiet
            if has_cursor_control(sys.stderr):
                self.draw(lambda width: f"{text}..."[:width])
            elif is_terminal(sys.stderr) and not self._muted:
                self._write(f"{text}...\n")
        try:
            yield
        finally:
            with self._lock:
                self._depth -= 1
                self._muted -= quiet
                # An outer block goes on. Its text would only flicker between those of others.
                if not self._depth:
                    self.clear()

    def draw(self, render: Callable[[int], str]) -> None:
        """Replace the line, if this terminal can and this process is not in the background.

        Args:
            render: Takes the columns, and returns one or more lines that are no longer.
        """
        stream = sys.stderr
        if self._muted or not has_cursor_control(stream) or _is_in_background(stream):
            return
        with self._lock:
            if self._is_mid_line:
                return
            # The last column stays empty: some terminals wrap there.
            columns, rows = get_size(stream)
            lines = render(max(columns - 1, 1)).split("\n")[: max(rows - 1, 1)]
            back = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            # Before it is written, which Ctrl-C may end.
            self._is_visible = True
            # Nothing is erased before it is overwritten, which would flicker.
            self._write("\r" + "\x1b[K\r\n".join(lines) + f"\x1b[J{back}\r")

    def count(self, text: str, done: int, total: int) -> None:
        """Show how many things are done, at most ten times a second.

        Args:
            text: What is going on.
            done: Things that are done.
            total: All of them.
        """
        now = time.monotonic()
        if now - self._counted >= _SECONDS_BETWEEN_COUNTS:
            self._counted = now
            self.draw(lambda width: f"{text}  {done:,}/{total:,}"[:width])

    def clear(self) -> None:
        """Remove the line before other output."""
        with self._lock:
            if self._is_visible and not self._is_drawing:
                self._is_visible = False
                self._write(_ERASE)

    @contextlib.contextmanager
    def step_aside(self) -> Iterator[None]:
        """Remove the line, and draw it in no thread until other output is written."""
        with self._lock:
            self.clear()
            yield

    def take_over(self) -> str:
        """Return what a signal handler writes before its message, which replaces the line."""
        is_visible, self._is_visible = self._is_visible, False
        return _ERASE if is_visible else "\n"

    @contextlib.contextmanager
    def make_way(self) -> Iterator[None]:
        """Clear the line after the block, and before anything is printed within it."""
        previous: tuple[Any, Any] = sys.stdout, sys.stderr
        own = [_ClearingStream(each, self) if is_terminal(each) else each for each in previous]
        sys.stdout, sys.stderr = own
        try:
            yield
        finally:
            # A program may have put its own streams there.
            if sys.stdout is own[0]:
                sys.stdout = previous[0]
            if sys.stderr is own[1]:
                sys.stderr = previous[1]
            self._is_mid_line = False
            self.clear()

    def start_output(self, text: str) -> None:
        """Make way for a text that is written next."""
        if not self._is_drawing:
            self.clear()
            self._is_mid_line = not text.endswith("\n") if text else self._is_mid_line

    def _write(self, text: str) -> None:
        # The stream may be one that makes way for what it writes.
        self._is_drawing = True
        try:
            try_write(sys.stderr, text)
        finally:
            self._is_drawing = False


class _ClearingStream:
    """A stream that clears the status line before each text."""

    def __init__(self, stream: Any, line: StatusLine) -> None:
        self._stream, self._line = stream, line

    def write(self, text: str) -> Any:
        self._line.start_output(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_in_background(stream: Any) -> bool:
    """Return whether another job has the terminal, as after `lenet-tf train &`."""
    try:
        return os.tcgetpgrp(stream.fileno()) != os.getpgrp()
    except Exception:  # No job control, or as in `try_write`.
        return False


STATUS = StatusLine()
