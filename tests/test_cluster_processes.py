"""A scheduler, workers and a client as processes of their own, which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cluster_jobs import PATHS, count, make_job
from clusters import dask_processes, find_free_port, wait_until

from lenet_tf.errors import RunError
from lenet_tf.scheduling import dask_pool
from lenet_tf.scheduling.dask_pool import DaskPool

CLIENT = """
import sys
from pathlib import Path
from cluster_jobs import count, make_job
from lenet_tf.scheduling.dask_pool import DaskPool
with DaskPool(sys.argv[1]) as pool:
    pool.run(make_job(count, Path(sys.argv[2]), epochs=10000, seconds=0.05))
"""


class Cluster:
    """A scheduler and workers on loopback."""

    def __init__(self, processes) -> None:
        self._processes = processes
        self._port = find_free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self._start("scheduler", "--port", self._port)
        self.workers = [self.start_worker(), self.start_worker()]

    def start_worker(self):
        return self._start("worker", self.address, "--nthreads", 1)

    def _start(self, name: str, *arguments: object):
        local = ("--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0")
        return self._processes.start(name, *arguments, *local)

    def wait(self) -> None:
        """Waits until both workers have come."""

        def has_both() -> bool:
            try:
                with DaskPool(self.address) as pool:
                    return pool.slots == 2
            except RunError:
                return False

        wait_until(has_both)


@pytest.fixture
def cluster(tmp_path):
    with dask_processes(tmp_path) as processes:
        cluster = Cluster(processes)
        cluster.wait()
        yield cluster


def read_pids(home: Path) -> list[int]:
    log = home / "epochs.txt"
    return [int(pid) for pid in log.read_text().split()] if log.exists() else []


def find_session(job: int) -> int:
    """The session of the worker whose child a job is."""
    return os.getsid(psutil.Process(job).ppid())


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_the_job_of_a_killed_worker_resumes_on_another(cluster, tmp_path):
    home, killed = tmp_path / "home", []

    def kill_worker(message: dict) -> None:
        if message["epoch"] == 3:
            killed.append(message["pid"])
            os.killpg(find_session(message["pid"]), signal.SIGKILL)

    with DaskPool(cluster.address) as pool:
        places = []
        result = pool.run(
            make_job(count, home, epochs=60, seconds=0.05), kill_worker, places.append
        )
    assert len(set(places)) == 2
    assert result["start"] >= 3
    pids = read_pids(home)
    assert len(pids) >= 60
    assert set(pids[: result["start"]]) == set(killed)
    assert not is_running(killed[0])


@pytest.mark.slow
def test_the_jobs_of_a_killed_client_end(cluster, tmp_path):
    home = tmp_path / "home"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(PATHS)}
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, cluster.address, str(home)], env=environment
    )
    wait_until(lambda: read_pids(home))
    client.kill()
    client.wait()
    wait_until(lambda: not is_running(read_pids(home)[0]), 20)


@pytest.mark.slow
def test_a_scheduler_that_ends_is_one_line_and_its_jobs_end(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_pool, "_RECONNECT_SECONDS", 2)
    home = tmp_path / "home"

    def kill_scheduler(message: dict) -> None:
        if message["epoch"] == 2:
            os.killpg(cluster.scheduler.pid, signal.SIGKILL)

    with (
        DaskPool(cluster.address) as pool,
        pytest.raises(RunError, match=rf"the connection to {cluster.address} is lost.*resume$"),
    ):
        pool.run(make_job(count, home, epochs=10000, seconds=0.05), kill_scheduler)
    wait_until(lambda: not is_running(read_pids(home)[0]), 60)
