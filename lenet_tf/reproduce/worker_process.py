"""Start the process of a run (`lenet_tf.reproduce.worker`) and follow its messages."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lenet_tf.io.atomic import open_log
from lenet_tf.reproduce.table_row import TableRow
from lenet_tf.reproduce.task import Task, TaskState
from lenet_tf.runtime import threads

# The current folder may contain another package of this name: skip its entry in sys.path.
_START = (
    "import sys; sys.path[:] = [path for path in sys.path if path];"
    " from lenet_tf.reproduce.worker import main; main()"
)
_LOG = "output.log"
# Each of them tells how a run ended.
END_MESSAGES = frozenset(("record", "error", "interrupted"))


def get_run_home(logs: Path, row: TableRow, seed: int) -> Path:
    """Return the folder of a run: its run folder and the output of its process."""
    return logs / "reproduce" / row.name / f"seed-{seed}"


def start_worker(
    task: Task, logs: Path, originals: str | None, core: int | None
) -> subprocess.Popen[str]:
    """Start the process of a run.

    Args:
        task: The run.
        logs: The folder of all run folders.
        originals: The folder of the published data files.
        core: The number of the core to use. None: all cores.

    Returns:
        The process, which writes its messages to its standard output.
    """
    home = get_run_home(logs, task.row, task.seed)
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _START, str(task.seed), "--logs", str(logs)]
    command += [] if core is None else ["--core", str(core)]
    command += [] if originals is None else ["--originals", originals]
    with open_log(home / _LOG) as log:
        # In a new session, or group on Windows, Ctrl-C reaches only the runner, which passes it on.
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            env=_build_environment(task.row),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def _build_environment(row: TableRow) -> dict[str, str]:
    """Set the same number of threads on every machine, so that results don't depend on it."""
    is_online = row.spec.recipe.optimizer.name == "sdlm"
    variables = threads.ONE_THREAD if is_online else threads.ONE_CORE
    return os.environ | threads.keep_user_onednn(variables)


def follow_worker(process: subprocess.Popen[str], task: Task) -> dict[str, Any]:
    """Send a run to its process, update the progress and wait for the end.

    Args:
        process: The process from `start_worker`.
        task: The run. Its state, error and epochs are updated.

    Returns:
        The last message. A finished run has a `record` in it, and `before`, which tells whether
        the run had been finished by an earlier process.
    """
    task.state = TaskState.STARTING
    message: dict[str, Any] = {}
    # A process that has ended already gave the reason in its log. Windows has no BrokenPipeError.
    with contextlib.suppress(OSError), process:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.write(json.dumps(task.row.to_dict()) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            message = _handle_message(task, line) or message
    process.wait()
    return message


def _handle_message(task: Task, line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    if "epoch" in message:
        task.state, task.finished_epochs = TaskState.RUNNING, message["epoch"]
        # The first epoch also compiles the graph.
        is_typical = message["epoch"] > 1 or task.row.spec.recipe.epochs == 1
        if message.get("seconds") and is_typical:
            task.epoch_seconds.append(message["seconds"])
    elif "interrupted" in message:
        task.state = TaskState.STOPPED
    elif "error" in message:
        task.fail(message["error"])
    return message


def describe_end(process: subprocess.Popen[str], home: Path) -> str:
    """Describe a process that ended without a result, for an error message."""
    return f"its process ended with exit code {process.returncode}, see {home / _LOG}"


def remove_log(home: Path) -> None:
    """Remove the output of a run's process, and its folder if nothing else is in it."""
    with contextlib.suppress(OSError):
        (home / _LOG).unlink()
        home.rmdir()
