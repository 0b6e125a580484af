"""Functions of jobs that take no time, for pools of processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.runtime.signals import graceful_interrupt
from lenet_tf.scheduling.job import Job, UnsuitablePlace

PATHS = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


def make_job(function, home: Path, **arguments) -> Job:
    """A job whose process finds this module."""
    return Job("a job", function, arguments, home, {"PYTHONPATH": os.pathsep.join(PATHS)})


def count(arguments, notify):
    """Count epochs, one line of a file each, and resume where an earlier process stopped."""
    home = Path(arguments["home"])
    log = home / "epochs.txt"
    with graceful_interrupt() as request:
        done = len(log.read_text().split()) if log.exists() else 0
        start = done
        for epoch in range(done + 1, arguments["epochs"] + 1):
            time.sleep(arguments.get("seconds", 0))
            with log.open("a") as file:
                file.write(f"{os.getpid()}\n")
            notify({"epoch": epoch, "pid": os.getpid()})
            if request.signal:
                raise Interrupted(f"stopped after epoch {epoch}", request.exit_code)
    print("this is no message")
    return {
        "sum": sum(range(arguments["epochs"] + 1)),
        "start": start,
        "home": str(home),
        "cores": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
        "threads": os.environ.get("TF_NUM_INTRAOP_THREADS"),
        "tensorflow": "tensorflow" in sys.modules,
    }


def fail(arguments, notify):
    """Fail as a user's mistake does."""
    raise RunError("a mistake")


def crash(arguments, notify):
    """End without a word."""
    os._exit(3)


def refuse_once(arguments, notify):
    """Find the machine unsuitable, but only the first one."""
    flag = Path(arguments["flag"])
    if not flag.exists():
        flag.touch()
        raise UnsuitablePlace("has other mnist data: copy the same files there")
    return {"sum": 0}
