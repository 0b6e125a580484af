"""Start the process of a job (`lenet_tf.scheduling.job_main`), follow and stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.io.atomic import open_log
from lenet_tf.scheduling.job import Job, UnsuitablePlace, Watch

# The current folder may contain another package of this name: skip its entry in sys.path.
_START = (
    "import sys; sys.path[:] = [path for path in sys.path if path];"
    " from lenet_tf.scheduling.job_main import main; main()"
)
_LOG = "output.log"
# Each of them tells how a job ended.
_END_MESSAGES = frozenset(("result", "error", "interrupted", "unsuitable"))
# The first asks to finish an epoch, the second to stop at once. Two signals of one number can
# arrive as one. On Windows SIGTERM would end a process at once.
_SIGNALS = tuple(
    getattr(signal, "CTRL_BREAK_EVENT", number) for number in (signal.SIGTERM, signal.SIGINT)
)


class JobProcess:
    """The process of a job.

    Args:
        job: The job. Its function starts with `follow`.
        pinned: Whether the process takes a core of its own.

    Raises:
        OSError: If the job's folder can't be made, or no process starts.
    """

    def __init__(self, job: Job, pinned: bool = True) -> None:
        self._job, self._pinned, self._stop_count = job, pinned, 0
        job.home.mkdir(parents=True, exist_ok=True)
        with open_log(job.home / _LOG) as log:
            # In a new session, or group on Windows, Ctrl-C reaches only the parent, which passes
            # it on.
            self._process = subprocess.Popen(
                # The name is there for people who list processes.
                [sys.executable, "-c", _START, job.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=os.environ | job.environment,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    def stop(self, count: int) -> None:
        """Stop the process. A count that was reached before changes nothing.

        Args:
            count: 1 lets it finish its epoch, 2 stops it at once, 3 kills it.
        """
        reached, self._stop_count = self._stop_count, max(count, self._stop_count)
        with contextlib.suppress(OSError):
            if count >= 3:
                self._process.kill()
                return
            for number in _SIGNALS[reached:count]:
                self._process.send_signal(number)

    def follow(self, notify: Watch) -> dict[str, Any]:
        """Send the job to its process and wait for the end.

        Args:
            notify: As in `Pool.run`.

        Returns:
            What the job's function returned.

        Raises:
            RunError: If the job failed.
            Interrupted: If `stop`, `notify` or a signal stopped the process.
        """
        end: dict[str, Any] = {}
        process = self._process
        # A process that has ended gave the reason in its log. Windows has no BrokenPipeError.
        with contextlib.suppress(OSError), process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(OSError):
                order = {"job": self._job.to_dict(), "pinned": self._pinned}
                process.stdin.write(json.dumps(order) + "\n")
                process.stdin.flush()
            for line in process.stdout:
                message = _parse(line)
                end = message if message.keys() & _END_MESSAGES else end
                if "message" in message and notify(message["message"]):
                    self.stop(1)
        process.wait()
        return self._read_end(end)

    def _read_end(self, end: dict[str, Any]) -> dict[str, Any]:
        # The log matters only if the process ended without a reason.
        if end or self._stop_count:
            _remove_log(self._job.home)
        if "result" in end:
            return end["result"]
        if "unsuitable" in end:
            raise UnsuitablePlace(end["unsuitable"])
        if "error" in end:
            raise RunError(end["error"])
        if "interrupted" in end or self._stop_count:
            raise Interrupted(end.get("interrupted", "stopped"))
        log = self._job.home / _LOG
        raise RunError(f"its process ended with exit code {self._process.returncode}, see {log}")


def _parse(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _remove_log(home: Path) -> None:
    """Remove the output of a job's process, and its folder if nothing else is in it."""
    with contextlib.suppress(OSError):
        (home / _LOG).unlink()
        home.rmdir()
