"""Jobs in processes of this machine and on a Dask cluster."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from cluster_jobs import count, crash, fail, make_job, refuse_once
from clusters import local_cluster, wait_until

from lenet_tf.errors import Interrupted, RunError
from lenet_tf.scheduling import dask_attempt, dask_workers
from lenet_tf.scheduling.dask_pool import DaskPool
from lenet_tf.scheduling.job import UnsuitablePlace
from lenet_tf.scheduling.job_data import load_same_data, locate_data
from lenet_tf.scheduling.local_pool import LocalPool


@pytest.fixture(scope="module")
def address():
    with local_cluster() as address:
        yield address


@pytest.fixture(params=["local", "dask"])
def pool(request):
    """Two slots here, or two of a cluster."""
    if request.param == "local":
        with LocalPool(2) as pool:
            yield pool
    else:
        with DaskPool(request.getfixturevalue("address")) as pool:
            yield pool


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Started:
    """A job in a thread, after its first epoch."""

    def __init__(self, pool, home: Path, **arguments) -> None:
        self.messages, self.ended, self.error = [], threading.Event(), None
        job = make_job(count, home, **{"epochs": 1000, "seconds": 0.05} | arguments)
        self._thread = threading.Thread(target=self._run, args=(pool, job), daemon=True)
        self._thread.start()
        wait_until(lambda: self.messages or self.error)

    def _run(self, pool, job) -> None:
        try:
            pool.run(job, self.messages.append)
        except BaseException as error:
            self.error = error
        self.ended.set()

    @property
    def pid(self) -> int:
        return self.messages[0]["pid"]


def test_a_job_runs_in_a_fresh_process_with_its_variables(pool, tmp_path):
    job = make_job(count, tmp_path / "home", epochs=3)
    job.environment["TF_NUM_INTRAOP_THREADS"] = "1"
    messages, places = [], []
    result = pool.run(job, messages.append, places.append)
    assert result["sum"] == 6
    assert result["threads"] == "1"
    assert not result["tensorflow"], "the variables are set before TensorFlow is imported"
    assert result["home"] == str(tmp_path / "home")
    assert [message["epoch"] for message in messages] == [1, 2, 3]
    assert len({message["pid"] for message in messages} - {os.getpid()}) == 1
    assert len(places) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["epochs.txt"]


def are_cores_free() -> bool:
    names = Path("/proc/net/unix").read_text() if Path("/proc/net/unix").exists() else ""
    return f"@lenet_tf-{os.getuid()}-core-" not in names


@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", set)(0)) < 2, reason="one core")
def test_jobs_at_a_time_have_cores_of_their_own(pool, tmp_path):
    jobs = [make_job(count, tmp_path / name, epochs=4, seconds=0.2) for name in "ab"]
    is_free = are_cores_free()
    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(pool.run, jobs)
    if not (is_free and are_cores_free()):
        pytest.skip("other jobs of this machine hold cores")
    assert len(one["cores"]) == len(other["cores"]) == 1
    assert one["cores"] != other["cores"]


def test_a_failure_says_why(pool, tmp_path):
    with pytest.raises(RunError, match=r"a mistake$"):
        pool.run(make_job(fail, tmp_path / "fail"))
    with pytest.raises(RunError, match=r"exit code 3, see .*output\.log"):
        pool.run(make_job(crash, tmp_path / "crash"))
    assert not (tmp_path / "fail").exists(), "no empty folders remain"


def test_the_caller_stops_a_job_after_an_epoch(pool, tmp_path):
    job = make_job(count, tmp_path, epochs=1000, seconds=0.05)
    with pytest.raises(Interrupted, match="stopped after epoch"):
        pool.run(job, lambda message: message["epoch"] == 2)
    assert 2 <= len((tmp_path / "epochs.txt").read_text().split()) < 1000
    assert pool.run(make_job(count, tmp_path, epochs=3))["start"] >= 2


@pytest.mark.parametrize("count", [1, 3])
def test_stopped_jobs_end_and_no_other_starts(pool, count, tmp_path):
    started = Started(pool, tmp_path / "running")
    pool.stop(0)
    with pytest.raises(Interrupted):
        pool.run(make_job(fail, tmp_path / "waiting"))
    assert not started.ended.is_set()
    for number in range(1, count + 1):
        pool.stop(number)
    assert started.ended.wait(20)
    assert isinstance(started.error, Interrupted)
    wait_until(lambda: not is_alive(started.pid))


def test_a_second_request_to_stop_is_not_lost(pool, tmp_path):
    """Signals of one number that arrive together count once."""
    started = Started(pool, tmp_path, seconds=0.5)
    process = psutil.Process(started.pid)
    process.suspend()
    pool.stop(1)
    pool.stop(2)
    time.sleep(1)
    before = len(started.messages)
    process.resume()
    assert started.ended.wait(20)
    assert "stopped after epoch" not in str(started.error)
    assert len(started.messages) == before


def test_a_pool_that_is_left_ends_its_jobs(address, tmp_path):
    with DaskPool(address) as pool:
        started = Started(pool, tmp_path)
        assert is_alive(started.pid)
    wait_until(lambda: not is_alive(started.pid))


def test_a_folder_that_is_not_shared_stays_on_the_worker(address, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_attempt, "write_text", lambda *_: None)
    with DaskPool(address) as pool:
        result = pool.run(make_job(count, tmp_path / "row" / "seed-0", epochs=2))
    home = Path(result["home"])
    assert home.parent.name == "lenet_tf"
    assert home.name.startswith("row-seed-0-")
    assert len((home / "epochs.txt").read_text().split()) == 2
    assert not (tmp_path / "row" / "seed-0").exists()


def test_another_worker_takes_what_one_finds_unsuitable(tmp_path):
    lines = []
    with (
        local_cluster(workers=2, threads=1) as address,
        DaskPool(address, report=lines.append) as pool,
    ):
        assert pool.slots == 2
        assert pool.run(make_job(refuse_once, tmp_path, flag=str(tmp_path / "flag"))) == {"sum": 0}
        assert pool.slots == 1
        (tmp_path / "flag").unlink()
        with pytest.raises(
            RunError, match="no worker of 2 can run this: tcp.* has other mnist data"
        ):
            pool.run(make_job(refuse_once, tmp_path, flag=str(tmp_path / "flag")))
    assert len(lines) == 2
    assert lines[0].startswith("Worker tcp://127.0.0.1:")
    assert lines[0].endswith("has other mnist data: copy the same files there. It gets no runs.")


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("keras", r"has keras [\d.]+ \(here 9.9\): install the same versions there"),
        ("code of lenet_tf", r"has other code of lenet_tf [\d.]+: bring the same commit there"),
    ],
)
def test_workers_with_other_software_get_no_job(address, package, message, monkeypatch):
    software = dask_workers.describe_software() | {package: "9.9"}
    monkeypatch.setattr(dask_workers, "describe_software", lambda: software)
    lines = []
    with pytest.raises(RunError, match=f"no worker of 1 can run this: tcp://.* {message}"):
        DaskPool(address, report=lines.append).__enter__()
    assert len(lines) == 1


class StubClient:
    """Stands for a client whose only worker does not answer, and then leaves."""

    def __init__(self) -> None:
        self.threads = {"tcp://10.0.0.9:9000": 2}

    def nthreads(self) -> dict[str, int]:
        return self.threads

    def run(self, function, workers, on_error) -> dict[str, Exception]:
        return dict.fromkeys(workers, OSError("no route"))


def test_a_worker_behind_a_firewall_is_named():
    client, lines = StubClient(), []
    workers = dask_workers.Workers(client, lines.append)
    for _ in range(2):
        workers.refresh()
        workers.check_any_usable()
        assert (workers.slots, lines) == (0, []), "it may be leaving"
    workers.refresh()
    (line,) = lines
    assert line.startswith("Worker tcp://10.0.0.9:9000 can't be reached by the scheduler: open")
    with pytest.raises(RunError, match="no worker of 1 can run this"):
        workers.check_any_usable()
    client.threads = {}
    workers.refresh()
    workers.check_any_usable()
    assert lines[1:] == ["No workers are left: waiting for one. Ctrl-C ends."]


def test_the_limit_of_jobs_holds(address):
    with DaskPool(address, slots=1) as pool:
        assert pool.slots == 1


def test_the_data_of_a_job_are_those_of_its_sender(tmp_path):
    """Another machine may have them elsewhere, but not other ones."""
    sha256 = load_same_data("sample", None, None).sha256
    assert load_same_data("sample", str(tmp_path / "only-there"), sha256).sha256 == sha256
    message = rf"has other sample data \(SHA-256 {sha256[:12]}…, here 000000000000…\): copy the"
    with pytest.raises(UnsuitablePlace, match=message):
        load_same_data("sample", None, "0" * 64)
    with pytest.raises(UnsuitablePlace, match=r"lacks the data \./mine\.npz: "):
        load_same_data("./mine.npz", None, sha256)


def test_paths_of_data_hold_on_other_machines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    Path("mine.npz").touch()
    Path("mnist").mkdir()
    assert locate_data("./mine.npz", None) == (str(tmp_path / "mine.npz"), None)
    assert locate_data("mnist", "here") == ("mnist", str(tmp_path / "here"))
    monkeypatch.setenv("LENET_TF_ORIGINALS", "there")
    assert locate_data("mnist", None) == ("mnist", str(tmp_path / "there"))
