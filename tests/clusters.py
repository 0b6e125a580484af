"""Dask clusters on loopback, in this process and in others."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_jobs import PATHS


@contextlib.contextmanager
def local_cluster(workers: int = 1, threads: int = 2, **options) -> Iterator[str]:
    """The address of a scheduler in this process, with its workers."""
    distributed = pytest.importorskip("distributed")
    from lenet_tf.scheduling.dask_connection import hide_dask_log

    with (
        hide_dask_log(),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=False,
            host="127.0.0.1",
            protocol=options.pop("protocol", "tcp"),
            dashboard_address="127.0.0.1:0",
            **options,
        ) as cluster,
    ):
        yield cluster.scheduler_address


def find_free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


class Processes:
    """Starts a scheduler and workers as processes, and ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._started = folder, []

    def start(self, name: str, *arguments: object, prefix: tuple[str, ...] = (), **variables):
        """Start `dask NAME`. Its log is NAME-<number>.log."""
        log = self._folder / f"{name}-{len(self._started)}.log"
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments)]
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*prefix, *command],
                stdout=file,
                stderr=file,
                cwd=self._folder,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)} | variables,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self._started):
            # A nanny's worker is in its session.
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def dask_processes(folder: Path) -> Iterator[Processes]:
    """Processes of Dask, which end with the block."""
    pytest.importorskip("distributed")
    started = Processes(folder)
    try:
        yield started
    finally:
        started.end()


def wait_until(condition, seconds: float = 60, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what or "timed out"
        time.sleep(0.05)
