"""Give each job's process a core of its own."""

from __future__ import annotations

import contextlib
import os
import socket

# Held until the process ends. Nothing connects to it: its name says that a core is taken.
_claims: list[socket.socket] = []


def use_own_core() -> int | None:
    """Restrict this process to a core that no other job's process of this machine uses.

    Returns:
        The core's number. None: every core is taken, or this system can't restrict a process.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    for core in sorted(os.sched_getaffinity(0)):
        claim = socket.socket(socket.AF_UNIX)
        # A name without a file. The system frees it when the process ends, even if it is killed.
        with contextlib.suppress(OSError):
            claim.bind(f"\0lenet_tf-{os.getuid()}-core-{core}")
            _claims.append(claim)
            os.sched_setaffinity(0, {core})
            return core
        claim.close()
    return None
