"""Orderly shutdown after Ctrl-C (SIGINT) or SIGTERM."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import Interrupted

_EPOCH_NOTICE = (
    "Stopping after this epoch. Send the signal again to stop at once; "
    "finished epochs are saved in either case."
)


@dataclass
class ShutdownRequest:
    """The signals that have asked this process to stop.

    Attributes:
        signal: Number of the latest signal; 0 if there was none.
        count: Number of signals so far.
        waits: Whether the first signal lets the work in progress finish.
    """

    signal: int = 0
    count: int = 0
    waits: bool = True

    @property
    def exit_code(self) -> int:
        """Exit code that a shell expects of a process that a signal has ended."""
        return 128 + (self.signal or signal.SIGINT)


@contextlib.contextmanager
def handle_signals(
    notice: str, react: Callable[[ShutdownRequest], None]
) -> Iterator[ShutdownRequest]:
    """Count SIGINT and SIGTERM within the block and react to each.

    Only Python's default handlers are replaced, and only in the main thread, where Python
    permits it; a program's own handlers stay.

    Args:
        notice: Line for stderr after the first signal, unless the request no longer waits.
        react: Called in the signal handler after each signal; may raise `KeyboardInterrupt`.

    Yields:
        The request, which later signals update.
    """
    request, previous = ShutdownRequest(), {}

    def handle(number: int, _: Any) -> None:
        request.signal, request.count = number, request.count + 1
        if request.count == 1 and request.waits:
            # A handler must not use sys.stderr, which may be in the middle of a write.
            with contextlib.suppress(OSError):
                os.write(2, f"\n{notice}\n".encode())
        react(request)

    if threading.current_thread() is threading.main_thread():
        defaults = {
            signal.SIGINT: (signal.default_int_handler,),
            signal.SIGTERM: (signal.SIG_DFL, _end_command),
        }
        for number, handlers in defaults.items():
            if signal.getsignal(number) in handlers:
                previous[number] = signal.signal(number, handle)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def clean_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does, so that it removes unfinished files.

    Raises:
        Interrupted: One of them has arrived.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # nohup ignores SIGHUP.
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                previous[number] = signal.signal(number, _end_command)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_command(number: int, _: Any) -> None:
    raise Interrupted(f"stopped by {signal.Signals(number).name}", 128 + number)


def graceful_interrupt() -> contextlib.AbstractContextManager[ShutdownRequest]:
    """Let the first SIGINT or SIGTERM within a block wait for the end of an epoch.

    The first signal is only recorded. The second raises `KeyboardInterrupt`, and so does the
    first once the request's `waits` is False.

    Returns:
        A context manager that yields the `ShutdownRequest`.
    """
    return handle_signals(_EPOCH_NOTICE, _raise_if_urgent)


def _raise_if_urgent(request: ShutdownRequest) -> None:
    if request.count > 1 or not request.waits:
        raise KeyboardInterrupt
