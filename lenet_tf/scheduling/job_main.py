"""The process of a job.

`lenet_tf.scheduling.job_process` starts it and sends the job as a line of JSON to its standard
input, which stays open. The process answers on its standard output with lines of JSON: a message
after each epoch, and the result or the error at the end. If the standard input closes, the parent
process has ended: this process finishes its epoch and stops.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from typing import Any, TextIO

from lenet_tf.errors import Interrupted, LenetError
from lenet_tf.runtime.signals import signal_self
from lenet_tf.scheduling.cores import use_own_core
from lenet_tf.scheduling.job import Job, UnsuitablePlace


def _receive_line() -> bytes:
    """Read the job, then end this process gracefully when its standard input closes."""
    # Not with sys.stdin: a thread must not hold its lock when the process ends.
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1 << 16) or sys.exit("no job on stdin")

    def wait_for_parent() -> None:
        while os.read(0, 1 << 16):
            pass
        signal_self(signal.SIGTERM)

    threading.Thread(target=wait_for_parent, daemon=True).start()
    return line


def _open_messages() -> TextIO:
    """Reserve the standard output for messages: everything else goes to standard error."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def main() -> None:
    """Run the process."""
    messages = _open_messages()
    # A shell starts background jobs with SIGINT ignored. The parent sends it to stop at once.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def send(message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            print(json.dumps(message), file=messages, flush=True)

    received = json.loads(_receive_line())
    if received["pinned"]:
        use_own_core()
    try:
        job = Job.from_dict(received["job"])
        arguments = job.arguments | {"home": str(job.home)}
        send({"result": job.function(arguments, lambda values: send({"message": values}))})
    except Interrupted as error:
        send({"interrupted": str(error)})
        sys.exit(error.exit_code)
    except UnsuitablePlace as error:
        send({"unsuitable": str(error)})
        sys.exit(1)
    except LenetError as error:
        send({"error": str(error)})
        sys.exit(1)
    except OSError as error:
        reason = f"{error.strerror or error}: {error.filename or 'while writing a file'}"
        send({"error": reason})
        sys.exit(1)


if __name__ == "__main__":
    main()
