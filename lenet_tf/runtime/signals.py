"""Orderly shutdown after Ctrl-C (SIGINT), SIGTERM, SIGHUP or, on Windows, SIGBREAK."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lenet_tf.errors import Interrupted
from lenet_tf.runtime.terminal import STATUS

# What ends a process: a request, a closed terminal, and on Windows Ctrl-Break and a closed console.
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
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
    """Count SIGINT and the signals that end a process within the block, and react to each.

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
                os.write(2, f"{STATUS.take_over()}{notice}\n".encode())
        react(request)

    if threading.current_thread() is threading.main_thread():
        defaults: dict[int, tuple[Any, ...]] = {
            signal.SIGINT: (signal.default_int_handler,),
            # nohup ignores SIGHUP.
            **dict.fromkeys(_ENDING, (signal.SIG_DFL, _end_command)),
        }
        for number, handlers in defaults.items():
            if signal.getsignal(number) in handlers:
                previous[number] = signal.signal(number, handle)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


# The signals that have asked this process to end its command.
_received: list[int] = []


@contextlib.contextmanager
def clean_termination() -> Iterator[None]:
    """Let SIGTERM and the like end a command as Ctrl-C does, so that it removes unfinished files.

    Raises:
        Interrupted: One of them has arrived.
        SystemExit: One of them has arrived, but a library caught the error: the command has ended
            as usual, with the exit code of the signal.
    """
    previous, hook = {}, sys.unraisablehook
    _received.clear()
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                previous[number] = signal.signal(number, _end_command)
        sys.unraisablehook = lambda unraisable: _repeat_signal(unraisable, hook)
    try:
        yield
    except SystemExit as error:
        if _received and not error.code:
            raise SystemExit(128 + _received[-1]) from error
        raise
    finally:
        sys.unraisablehook = hook
        for number, handler in previous.items():
            signal.signal(number, handler)


def _end_command(number: int, _: Any) -> None:
    _received.append(number)
    raise Interrupted(f"stopped by {signal.Signals(number).name}", 128 + number)


def _repeat_signal(unraisable: Any, hook: Callable[[Any], Any]) -> None:
    """Send a signal again whose error Python has dropped, such as that of a finalizer."""
    if not isinstance(unraisable.exc_value, Interrupted) or not _received:
        hook(unraisable)
        return
    threading.Timer(0.01, signal_self, (_received[-1],)).start()


def signal_self(number: int) -> None:
    """Send a signal to this process, whose handler runs in the main thread.

    Args:
        number: The signal.
    """
    # On Windows os.kill ends a process at once. Elsewhere it also wakes up the main thread.
    if os.name == "nt":
        signal.raise_signal(number)
    else:
        os.kill(os.getpid(), number)


def graceful_interrupt() -> contextlib.AbstractContextManager[ShutdownRequest]:
    """Let the first SIGINT, SIGTERM or the like within a block wait for the end of an epoch.

    The first signal is only recorded. The second raises `KeyboardInterrupt`, and so does the
    first once the request's `waits` is False.

    Returns:
        A context manager that yields the `ShutdownRequest`.
    """
    return handle_signals(_EPOCH_NOTICE, _raise_if_urgent)


def _raise_if_urgent(request: ShutdownRequest) -> None:
    if request.count > 1 or not request.waits:
        raise KeyboardInterrupt
