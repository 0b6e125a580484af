"""What happens on a Dask worker: it starts the process of a job, watches it, and relays messages.

Dask sends these functions by name, so that each worker runs its own copy of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lenet_tf.errors import Interrupted, LenetError
from lenet_tf.runtime.optional_packages import import_optional
from lenet_tf.scheduling.job import Job, UnsuitablePlace
from lenet_tf.scheduling.job_process import JobProcess
from lenet_tf.scheduling.software import describe_software, find_difference

_POLL_SECONDS = 0.5
# The processes of this worker by the key of their task.
_running: dict[str, JobProcess] = {}


def describe_worker() -> dict[str, str]:
    """Return the software of this worker."""
    return describe_software()


def run_job(order: Mapping[str, Any]) -> dict[str, Any]:
    """Run a job in a fresh process of this worker, as the task of a client.

    Args:
        order: The `job` as a dictionary, the `key` of the task, the `topic` of the messages, the
            name of the `marker` that the client wrote into the job's folder, and the client's
            `software`.

    Returns:
        One of `result`, `error`, `interrupted`, `unsuitable` (this worker can't run the job) and
        `lost` (nobody waits for the job any more), and the `worker`.
    """
    worker = import_optional("distributed", "a cluster", "cluster").get_worker()
    return {"worker": worker.address} | _run_job(order, worker)


def _run_job(order: Mapping[str, Any], worker: Any) -> dict[str, Any]:
    difference = find_difference(order["software"], describe_software())
    if difference:
        return {"unsuitable": difference}
    key = order["key"]

    def send(message: dict[str, Any]) -> None:
        header = {"key": key, "worker": worker.address}
        worker.log_event(order["topic"], header | {"message": message})

    try:
        job = Job.from_dict(order["job"])
        home = _choose_home(job.home, order["marker"], Path(worker.local_directory))
        process = _running[key] = JobProcess(replace(job, home=home))
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(worker, key, process, ended), daemon=True)
        watcher.start()
        send({"started": str(home)})
        try:
            return {"result": process.follow(send)}
        finally:
            ended.set()
            watcher.join()
            del _running[key]
    except UnsuitablePlace as error:
        return {"unsuitable": str(error)}
    except Interrupted as error:
        return {"interrupted": str(error)} if _is_wanted(worker, key) else {"lost": str(error)}
    except (LenetError, OSError) as error:
        return {"error": str(error)}


def stop_job(key: str, count: int) -> None:
    """Stop a job of this worker, as `JobProcess.stop`."""
    process = _running.get(key)
    if process is not None:
        process.stop(count)


def _choose_home(home: Path, marker: str, scratch: Path) -> Path:
    """Return the client's folder if this machine shares it, or one that outlives this worker."""
    if (home / marker).exists():
        return home
    name = hashlib.sha256(str(home).encode()).hexdigest()[:8]
    return scratch.parent / "lenet_tf" / f"{'-'.join(home.parts[-2:])}-{name}"


def _is_wanted(worker: Any, key: str) -> bool:
    """Return whether the scheduler still waits for a task of this worker."""
    task = worker.state.tasks.get(key)
    is_running = worker.status.name in ("running", "paused", "closing_gracefully")
    return is_running and task is not None and task.state in ("executing", "long-running")


def _watch(worker: Any, key: str, process: JobProcess, ended: threading.Event) -> None:
    """Kill a job when its client has ended, or when this worker is cut off or closes.

    Its finished epochs are saved. Another worker may wait for the lock of its folder.
    """
    while not ended.wait(_POLL_SECONDS):
        if not _is_wanted(worker, key):
            with contextlib.suppress(OSError):
                process.stop(3)
            return
