"""Run jobs on the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.scheduling.dask_attempt import Attempt
from lenet_tf.scheduling.dask_connection import TlsFiles, connect, hide_dask_log
from lenet_tf.scheduling.dask_workers import Workers
from lenet_tf.scheduling.job import Job, Watch, ignore_message, ignore_start

_POLL_SECONDS = 0.2
# For the client to find the scheduler again after a short break of the network.
_RECONNECT_SECONDS = 30.0
# Of a job that is stopped or lost, though nobody asked for it.
_MAX_LOSSES = 5


class DaskPool:
    """A pool of the workers of a Dask cluster. Each thread of a worker runs a job.

    Workers may come and go. The scheduler runs the jobs of lost workers elsewhere.

    Args:
        address: The scheduler, `tcp://HOST:PORT` or `tls://HOST:PORT`.
        slots: Greatest number of jobs at a time. None: the sum of the workers' threads.
        tls: The files of `tls://`.
        report: Called with a line about workers that are missing or can't be used.
    """

    is_elastic = True

    def __init__(
        self,
        address: str,
        slots: int | None = None,
        tls: TlsFiles | None = None,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._address, self._limit, self._tls, self._report = address, slots, tls, report
        self._resources = contextlib.ExitStack()
        self._inboxes: dict[str, queue.SimpleQueue[dict[str, Any]]] = {}
        self._topic = f"lenet_tf-{os.urandom(8).hex()}"
        self._turn = threading.Condition()
        self._active = 0
        # None: no one has called `stop`.
        self._stop_count: int | None = None

    def __enter__(self) -> DaskPool:
        """Connect to the scheduler, and wait until it has a worker."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(hide_dask_log())
            self._client = connect(self._address, self._tls)
            stack.callback(self._close_client)
            self._client.subscribe_topic(self._topic, self._receive)
            self._workers = Workers(self._client, self._report)
            try:
                self._workers.start()
            except OSError as error:
                raise RunError(f"the connection to {self._address} is lost: {error}") from error
            stack.callback(self._workers.close)
            self._wait_for_worker()
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect. The workers kill what still runs."""
        self._resources.close()

    @property
    def slots(self) -> int:
        """Number of jobs that run at a time now."""
        return max(1, min(self._workers.slots, self._limit or self._workers.slots))

    def run(
        self,
        job: Job,
        notify: Watch = ignore_message,
        on_start: Callable[[str], None] = ignore_start,
    ) -> dict[str, Any]:
        """Run a job, as `Pool.run`."""
        home = job.home.absolute()
        is_new = not home.exists()
        self._take_turn(job)
        try:
            return self._run_until_done(replace(job, home=home), notify, on_start)
        finally:
            with self._turn:
                self._active -= 1
                self._turn.notify_all()
            if is_new:
                # It stays empty if the workers don't share it.
                with contextlib.suppress(OSError):
                    home.rmdir()

    def stop(self, count: int) -> None:
        """Stop all jobs, as `Pool.stop`. The threads in `run` notice it."""
        self._stop_count = max(count, self._stop_count or 0)

    def _take_turn(self, job: Job) -> None:
        with self._turn:
            while self._stop_count is None:
                self._workers.check_any_usable()
                if self._active < min(self._workers.slots, self._limit or self._workers.slots):
                    self._active += 1
                    return
                self._turn.wait(_POLL_SECONDS)
        raise Interrupted(f"{job.name} has not started")

    def _run_until_done(
        self, job: Job, notify: Watch, on_start: Callable[[str], None]
    ) -> dict[str, Any]:
        losses = 0
        while True:
            attempt = Attempt(self._client, self._workers, self._topic, job)
            self._inboxes[attempt.key] = attempt.inbox
            try:
                end = attempt.follow(notify, on_start, lambda: self._stop_count)
            finally:
                del self._inboxes[attempt.key]
            if "result" in end:
                return end["result"]
            if "error" in end:
                raise RunError(f"on worker {end['worker']}: {end['error']}")
            if attempt.is_stopped or self._stop_count:
                raise Interrupted(end.get("interrupted", "stopped"))
            if "unsuitable" in end:
                self._workers.exclude(end["worker"], end["unsuitable"])
                self._workers.check_any_usable()
                continue
            losses += 1
            if losses >= _MAX_LOSSES:
                raise RunError(f"{job.name} was lost {losses} times: {_describe_loss(end)}")
            self._wait_for_connection()

    def _wait_for_connection(self) -> None:
        deadline = time.monotonic() + _RECONNECT_SECONDS
        while self._client.status != "running":
            if time.monotonic() > deadline or self._client.status == "closed":
                raise RunError(
                    f"the connection to {self._address} is lost: has the scheduler ended?"
                    " Repeat the command to resume"
                )
            if self._stop_count:
                raise Interrupted("stopped")
            time.sleep(_POLL_SECONDS)

    def _wait_for_worker(self) -> None:
        self._workers.check_any_usable()
        if not self._workers.usable:
            self._report(f"{self._address} has no workers yet: waiting for the first. Ctrl-C ends.")
        while not self._workers.usable:
            time.sleep(_POLL_SECONDS)
            self._workers.check_any_usable()
            if self._client.status == "closed":
                self._wait_for_connection()

    def _receive(self, event: tuple[float, dict[str, Any]]) -> None:
        _, message = event
        inbox = self._inboxes.get(message["key"])
        if inbox is not None:
            inbox.put(message)

    def _close_client(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _describe_loss(end: dict[str, Any]) -> str:
    reason = end.get("lost") or end.get("interrupted") or "its worker ended"
    return reason.splitlines()[0]
