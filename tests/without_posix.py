"""Import this first to take from a process what Windows lacks, for lenet_tf and its io layer.

`os.name` stays, since pathlib and the standard library choose their own parts by it.
"""

from __future__ import annotations

import builtins
import os
import signal
import subprocess  # noqa: F401  The standard library's own use of what is removed comes first.
import sys
import tempfile  # noqa: F401
import threading
import warnings
from typing import Any

MODULES = {"fcntl", "grp", "pwd", "resource", "termios"}
REMOVED = {
    os: "O_NOFOLLOW O_DIRECTORY fchmod chown fork geteuid getuid getloadavg"
    " getpgrp killpg mkfifo sched_getaffinity sched_setaffinity setsid statvfs tcgetpgrp",
    signal: "SIGHUP SIGKILL SIGWINCH SIGALRM SIGPIPE SIGUSR1 setitimer pthread_sigmask",
}
_import = builtins.__import__


def import_as_on_windows(name: str, namespace: Any = None, *arguments: Any, **options: Any) -> Any:
    """Import a module, but not one of `MODULES` into lenet_tf."""
    importer = (namespace or {}).get("__name__", "")
    if name in MODULES and importer.split(".")[0] == "lenet_tf":
        raise ModuleNotFoundError(f"No module named {name!r}")
    return _import(name, namespace, *arguments, **options)


assert "lenet_tf" not in sys.modules
# Ctrl-Break, with another signal's number.
signal.SIGBREAK = signal.SIGUSR1  # type: ignore[attr-defined]
builtins.__import__ = import_as_on_windows
for module, names in REMOVED.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
os.supports_dir_fd = set()  # type: ignore[misc]
os.supports_fd = set()  # type: ignore[misc]
os.supports_follow_symlinks = {os.stat}  # type: ignore[misc]
# A file that is opened in the console's encoding.
warnings.filterwarnings("error", category=EncodingWarning, module=r"lenet_tf\b")
assert threading.current_thread() is threading.main_thread()
