"""Commands in a real pseudo-terminal, and what is on its screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pyte

# Variables that would decide how a terminal looks.
_REMOVED = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def set_size(terminal: int, columns: int) -> None:
    """Give a terminal, named by its file descriptor, 50 rows and so many columns."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))


class Terminal:
    """A command in a pseudo-terminal, and an emulator that shows its screen.

    Args:
        command: Arguments of Python.
        folder: Where it runs.
        columns: Width of the terminal; 0 tells the command none.
        redirected: A file for standard output.
        variables: Of the environment.
    """

    def __init__(
        self,
        *command: str,
        folder: Path,
        columns: int = 80,
        redirected: Path | None = None,
        **variables: str,
    ) -> None:
        self.screen = pyte.Screen(columns or 80, 50)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        controller, terminal = os.openpty()
        self.controller = controller
        set_size(controller, columns)
        environment = {name: value for name, value in os.environ.items() if name not in _REMOVED}
        environment |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | variables
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            for descriptor in (0, 1, 2):
                os.dup2(terminal, descriptor)
            if redirected is not None:
                os.dup2(os.open(redirected, os.O_WRONLY | os.O_CREAT), 1)
            # A shell starts background jobs with SIGINT ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.closerange(3, 64)
            os.execve(sys.executable, [sys.executable, *command], environment)
        os.close(terminal)

    def resize(self, columns: int) -> None:
        """Give the window another width, as a person does."""
        self.screen.resize(columns=columns)
        set_size(self.controller, columns)

    def press(self, key: str) -> None:
        """Send a key, which the terminal echoes: Ctrl-C is \x03, shown as ^C."""
        os.write(self.controller, key.encode())

    @property
    def lines(self) -> list[str]:
        """The lines on the screen, without the empty ones at its end."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def wait_for(self, is_shown: Callable[[str], object], timeout: float = 60) -> None:
        """Read until the screen shows something."""
        deadline = time.monotonic() + timeout
        while not is_shown(self.text):
            left = deadline - time.monotonic()
            assert left > 0, f"not shown within {timeout} s:\n{self.text}"
            assert self.read(left), f"it ended without:\n{self.text}"

    def finish(self, timeout: float = 120) -> int:
        """Read until the command ends; return its exit code."""
        deadline = time.monotonic() + timeout
        try:
            while self.read(deadline - time.monotonic()):
                assert time.monotonic() < deadline, self.text
        finally:
            with contextlib.suppress(ProcessLookupError):
                if time.monotonic() > deadline:
                    os.kill(self.pid, signal.SIGKILL)
            os.close(self.controller)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def read(self, timeout: float) -> bool:
        """Feed what arrives to the emulator; return False at its end."""
        if not select.select([self.controller], [], [], max(timeout, 0))[0]:
            return True
        try:
            data = os.read(self.controller, 65536)
        except OSError:
            return False
        self.feed(data)
        return bool(data)

    def feed(self, data: bytes) -> None:
        """Show what a command might have written."""
        self.output += data
        self._stream.feed(data)
