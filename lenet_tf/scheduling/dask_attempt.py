"""One task of a Dask scheduler that runs a job, on one worker after the other if some are lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from lenet_tf.io.atomic import write_text
from lenet_tf.scheduling.dask_worker import run_job, stop_job
from lenet_tf.scheduling.dask_workers import Workers
from lenet_tf.scheduling.job import Job, Watch
from lenet_tf.scheduling.software import describe_software

_POLL_SECONDS = 0.2
# For a result to arrive. Its run is finished.
_RESULT_SECONDS = 60.0


class Attempt:
    """A task that runs a job.

    Args:
        client: The `distributed.Client`.
        workers: The workers of the cluster.
        topic: Where the workers send the messages of the job.
        job: The job, whose folder is absolute.

    Attributes:
        key: The name of the task.
        inbox: The messages of the job, to be filled by the client's handler of the topic.
        is_stopped: Whether `notify` asked to stop the job.
    """

    def __init__(self, client: Any, workers: Workers, topic: str, job: Job) -> None:
        self._client, self._job = client, job
        self.key = f"lenet_tf.run_job-{os.urandom(8).hex()}"
        self.inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.is_stopped = False
        self._worker = ""
        self._sent_count = 0
        self._marker = job.home / f".{self.key[-16:]}"
        job.home.mkdir(parents=True, exist_ok=True)
        write_text(self._marker, "This folder is shared with a worker.\n")
        self._order = {
            "job": job.to_dict(),
            "key": self.key,
            "topic": topic,
            "marker": self._marker.name,
            "software": describe_software(),
        }
        self._places = workers.usable if workers.has_excluded else None

    def follow(
        self,
        notify: Watch,
        on_start: Callable[[str], None],
        get_stop_count: Callable[[], int | None],
    ) -> dict[str, Any]:
        """Submit the task, and relay messages and requests to stop until it has ended.

        Args:
            notify: As in `Pool.run`.
            on_start: As in `Pool.run`.
            get_stop_count: Returns the count of the latest `Pool.stop`.

        Returns:
            What `run_job` returned. `lost` also means that the connection was.
        """
        try:
            self._future = self._client.submit(
                run_job, self._order, key=self.key, pure=False, workers=self._places
            )
        except Exception as error:  # The client has just closed.
            return {"lost": str(error)}
        try:
            while not self._future.done():
                self._relay_messages(notify, on_start)
                self._forward_stop(get_stop_count() or 0)
                if self._sent_count >= 3 or (self._sent_count and not self._worker):
                    return {"interrupted": "stopped"}
            self._relay_messages(notify, on_start, wait=False)
            return self._read_end()
        finally:
            with contextlib.suppress(OSError):
                self._marker.unlink()
            # The worker kills the job if it still runs.
            with contextlib.suppress(Exception):
                self._future.cancel()

    def _read_end(self) -> dict[str, Any]:
        try:
            return self._future.result(timeout=_RESULT_SECONDS)
        except (Exception, asyncio.CancelledError) as error:
            if self._future.status == "error":
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                if type(error).__name__ == "KilledWorker":
                    reason = "its workers ended one after the other. Is their memory enough?"
                return {"error": reason, "worker": self._worker or "?"}
            return {"lost": str(error)}

    def _relay_messages(
        self, notify: Watch, on_start: Callable[[str], None], wait: bool = True
    ) -> None:
        try:
            message = self.inbox.get(timeout=_POLL_SECONDS if wait else 0)
            while True:
                self._relay(message, notify, on_start)
                message = self.inbox.get_nowait()
        except queue.Empty:
            return

    def _relay(
        self, message: dict[str, Any], notify: Watch, on_start: Callable[[str], None]
    ) -> None:
        if "started" in message["message"]:
            self._worker, self._sent_count = message["worker"], 0
            on_start(self._worker)
        elif message["worker"] != self._worker:
            return  # From a worker that was cut off, whose job runs elsewhere now.
        elif notify(message["message"]) and not self.is_stopped:
            self.is_stopped = True
            self._send_stop(1)

    def _forward_stop(self, count: int) -> None:
        while self._sent_count < count:
            self._sent_count += 1
            self._send_stop(self._sent_count)

    def _send_stop(self, count: int) -> None:
        if not self._worker:
            return
        # In a thread: a worker that is cut off does not answer for a long time.
        threading.Thread(target=self._call_stop, args=(self._worker, count), daemon=True).start()

    def _call_stop(self, worker: str, count: int) -> None:
        with contextlib.suppress(Exception):
            self._client.run(stop_job, self.key, count, workers=[worker], on_error="ignore")
