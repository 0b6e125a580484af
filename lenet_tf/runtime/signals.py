"""Ctrl-C and SIGTERM during training: the first lets the epoch finish, the second stops at once; after training the first does."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TEXT = "\nStopping when this epoch is finished. Once more stops at once; finished epochs are kept either way.\n"


@dataclass
class ShutdownRequest:
    """`signal`: the number of the signal that asked to stop; 0: none. `waits`: whether the first one lets an epoch finish."""

    signal: int = 0
    waits: bool = True

    @property
    def exit_code(self) -> int:
        """What a shell expects of a process that a signal has ended."""
        return 128 + (self.signal or signal.SIGINT)


@contextlib.contextmanager
def graceful_interrupt() -> Iterator[ShutdownRequest]:
    """Within the block the first SIGINT or SIGTERM is only noted, and said on stderr; the next raises `KeyboardInterrupt`, and so does the
    first once `waits` is False.

    Handlers that a program has set itself stay, and in another thread than the main one, where Python allows none to be set, all stay.
    """
    asked, before = ShutdownRequest(), {}

    def note(number: int, _: Any) -> None:
        now, asked.signal = bool(asked.signal) or not asked.waits, number
        if now:
            raise KeyboardInterrupt
        # Python's own stderr may be in the middle of a line, in which a handler must not write.
        with contextlib.suppress(OSError):
            os.write(2, _TEXT.encode())

    if threading.current_thread() is threading.main_thread():
        for number, default in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGTERM, signal.SIG_DFL),
        ):
            if signal.getsignal(number) is default:
                before[number] = signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
